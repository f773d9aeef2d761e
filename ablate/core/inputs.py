"""What components receive: data, batches, the clock, a net and the inner loop. From `ablate.types`.

Shapes use the alphabet of `ablate.types`; every value is for one replica.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Number: TypeAlias = "float | Tensor"
"""A setting or a factor; a scalar tensor where the replicas of a stack differ in it."""
Inner: TypeAlias = "tuple[Tensor, ...]"
"""State threaded through inner loops: an optimizer's, and buffers that run on."""


@dataclass(frozen=True)
class TaskClasses:
    """Which class positions each task has: the first task the first `sizes[0]`, and so on.

    So a task's logits are a slice of all: `logits[:, classes.slices[k]]` is `[N, U_k]`.

    sizes: U_k, classes of each task, `[K]`, each at least 1.
    """

    sizes: tuple[int, ...]

    @classmethod
    def of(cls, tasks: int | Sequence[int], classes: int) -> TaskClasses:
        """Share C classes out to so many tasks of equal size, or to tasks of the sizes listed.

        Raises ValueError where that does not come out even.

        >>> TaskClasses.of(2, 6).sizes, TaskClasses.of([3, 1, 2], 6).sizes
        ((3, 3), (3, 1, 2))
        """
        if isinstance(tasks, int):
            if tasks < 1 or classes % tasks:
                raise ValueError(f"{classes} classes cannot be split evenly into {tasks} tasks")
            return cls((classes // tasks,) * tasks)
        if min(tasks, default=0) < 1 or sum(tasks) != classes:
            sizes = written_sizes(tasks)[:60]
            raise ValueError(
                f"{classes} classes cannot be split into tasks of {sizes}: each has one class at "
                "least, and together they have all"
            )
        return cls(tuple(int(size) for size in tasks))

    def __len__(self) -> int:
        """Give K."""
        return len(self.sizes)

    @property
    def classes(self) -> int:
        """Give the classes of all tasks together."""
        return sum(self.sizes)

    @property
    def equal(self) -> bool:
        """Say whether all tasks have as many classes."""
        return len({*self.sizes}) < 2

    @cached_property
    def starts(self) -> Ints:
        """Give each task's first class position, and the end of the last task, `[K + 1]`.

        >>> TaskClasses((3, 1, 2)).starts.tolist()
        [0, 3, 4, 6]
        """
        return np.cumsum([0, *self.sizes], dtype=np.int64)

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Give each task's class positions, `[K]`."""
        starts = self.starts.tolist()
        return tuple(map(slice, starts[:-1], starts[1:]))

    def first(self, task: Ints) -> Ints:
        """Give the first class position of tasks `[N]`."""
        return self.starts[task]

    def task_of(self, positions: Ints) -> Ints:
        """Give the task of class positions `[N]`.

        >>> TaskClasses((3, 1, 2)).task_of(np.arange(6)).tolist()
        [0, 0, 0, 1, 2, 2]
        """
        return np.searchsorted(self.starts[1:], positions, side="right").astype(np.int64)

    def seen(self, tasks: int) -> TaskClasses:
        """Give the first tasks alone, so many."""
        return TaskClasses(self.sizes[:tasks])


def task_count(tasks: int | Sequence[int]) -> int:
    """Give T of a data set's `tasks`: so many, or the classes of each.

    >>> task_count(5), task_count([4, 2, 2, 2])
    (5, 4)
    """
    return tasks if isinstance(tasks, int) else len(tasks)


def written_sizes(sizes: Sequence[int]) -> str:
    """Write the sizes of tasks as a sum, a long run of equal ones as how many of what size.

    >>> written_sizes([4, 2, 2, 2]), written_sizes([50, 10, 10, 10, 10, 10])
    ('4+2+2+2', '50+5x10')
    """
    runs = [(size, len([*run])) for size, run in groupby(sizes)]
    return "+".join(
        f"{count}x{size}" if count > 3 else "+".join([str(size)] * count) for size, count in runs
    )


class Facts(NamedTuple):
    """What a data set holds: input shape, classes C, rows, and a digest of the content.

    mark: what must be said of it wherever it is shown, `custom data` or `synthetic`; '' for the
    published data. warnings: sentences that plans and reports show, of what is odd in it.
    """

    inputs: tuple[int, ...]
    classes: int
    train_rows: int
    test_rows: int
    digest: str
    mark: str = ""
    warnings: tuple[str, ...] = ()


class Data(NamedTuple):
    """A data set in memory, as arrays of plain numbers.

    x_train `[N, ...]` float32, y_train `[N]` int64 class numbers 0..C-1, and the same for test.
    """

    x_train: NDArray[np.float32]
    y_train: Ints
    x_test: NDArray[np.float32]
    y_test: Ints


class Tasks(NamedTuple):
    """A batch by task, for one replica; without its leading K it is one task's batch.

    x `[K, B, ...]`, y `[K, B]` class positions 0..C-1, w `[K, B]` row weights (0 is padding),
    own `[K, C]` true for the task's classes, seen `[K, C]` true for classes seen so far,
    present `[K]` whether the task has a row in this batch.
    """

    x: Tensor
    y: Tensor
    w: Tensor
    own: Tensor
    seen: Tensor
    present: Tensor


class Clock(NamedTuple):
    """Where training stands: task `t` of `T` (0-based), epoch and step within the task."""

    t: int
    T: int
    epoch: int = 0
    step: int = 0


class Batch(NamedTuple):
    """One step's rows by task, for one replica, with all that goes with them.

    sizes: each task's rows where the batch is ragged, `[K]`; None where every task fills it.
    noise: standard normal numbers for each row, `[K, B, n]`, n what the method asks for as `noise`.
    classes: which classes each task of the study has; None where all have as many as the newest.
    """

    tasks: Tasks
    clock: Clock
    sizes: tuple[int, ...] | None = None
    noise: Tensor | None = None
    classes: TaskClasses | None = None

    @property
    def row_counts(self) -> tuple[int, ...]:
        """Give each task's rows without the padding behind them, `[K]`."""
        count, most = self.tasks.y.shape[:2]
        return (most,) * count if self.sizes is None else self.sizes


Objective: TypeAlias = "Callable[[Tensor, Tasks], Tensor | tuple[Tensor, Tensor]]"
"""Flat parameters `[P]` and a task's batch -> its mean loss, with new buffers where there are."""


class Fit(Protocol):
    """The inner loop, handed to an update rule. Calling it is `phi = fit(theta, task)`."""

    @property
    def steps(self) -> int:
        """Give r, the inner steps."""

    def __call__(self, theta: Tensor, task: Tasks, newest: bool = False) -> Tensor:
        """Give the parameters `[P]` after the inner steps on one task, optimizer state fresh.

        newest: whether it is the newest task, which may take a number of steps of its own.
        """

    def resume(
        self, theta: Tensor, task: Tasks, inner: Inner, newest: bool = False
    ) -> tuple[Tensor, Inner]:
        """Take the inner steps from a threaded state, and give the new one."""

    @property
    def buffers(self) -> int:
        """Give Q, the running statistics at the end of theta."""

    def loss(self, theta: Tensor, task: Tasks) -> Tensor:
        """Give one task's mean loss at theta."""

    def solutions(self, theta: Tensor, tasks: Tasks) -> Tensor:
        """Give `[K, P]`: every task's solution, each started at theta."""

    def split(self, tasks: Tasks) -> list[Tasks]:
        """Take a batch apart into its tasks, oldest first, padding trimmed."""

    def losses(self, theta: Tensor, tasks: Tasks) -> Tensor:
        """Give every task's mean loss at theta, `[K]`."""

    def descend(
        self,
        theta: Tensor,
        tasks: Tasks,
        shares: Tensor,
        inner: Inner,
        scale: Number = 1.0,
        steps: int | None = None,
    ) -> tuple[Tensor, Inner]:
        """Take r (or `steps`) steps on sum_k shares_k L_k, the learning rate times `scale`."""

    def fresh(self, theta: Tensor) -> Inner:
        """Give a new threaded state."""


class Net(Protocol):
    """An architecture without values: `net(theta, x)` maps `[P]`, `[N, ...]` to logits `[N, C]`.

    Without `train`, batch norms read their running statistics.
    """

    @property
    def buffers(self) -> int:
        """Give Q, the running statistics of batch norms, the last entries of theta."""

    @property
    def lowest(self) -> float:
        """Give the least input in the training rows."""

    @property
    def highest(self) -> float:
        """Give the largest input in the training rows."""

    @property
    def names(self) -> tuple[str, ...]:
        """Name the parameters in the order in which they stand in theta."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Give how many numbers each of these has."""

    def __call__(self, theta: Tensor, x: Tensor) -> Tensor:
        """Give logits `[N, C]`."""

    def features(self, theta: Tensor, x: Tensor) -> Tensor:
        """Give what the last layer reads, `[N, F]`."""

    def use(self, theta: Tensor, part: str, *values: Tensor) -> Tensor:
        """Call a method of the module by name; '' is the module itself."""

    def train(self, theta: Tensor, *values: Tensor) -> tuple[Tensor, Tensor]:
        """Give logits as in training, and what the running statistics become, `[Q]`."""

    def train_part(
        self, theta: Tensor, part: str, *values: Tensor
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """Do the same for a method of the module, by name, that gives several outputs."""

    def objective(self, loss: Callable[[Tensor, Tasks], Tensor]) -> Objective:
        """Give (theta, task) -> the loss of a task's rows, with new buffers where there are."""
