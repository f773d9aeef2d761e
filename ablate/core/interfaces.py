"""What components receive and return: the protocols of the kinds. Import them from `ablate.types`.

Shapes use the alphabet of `ablate.types`; every protocol is for one replica.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Inner: TypeAlias = "tuple[Tensor, ...]"
"""State threaded through inner loops: an optimizer's, and buffers that run on."""


# --- what components receive -------------------------------------------------------------------


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

    def each(self, theta: Tensor, tasks: Tasks) -> Tensor:
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
        scale: Any = 1.0,
        steps: int | None = None,
    ) -> tuple[Tensor, Inner]:
        """Take r (or `steps`) steps on sum_k shares_k L_k, the learning rate times `scale`."""

    def fresh(self, theta: Tensor) -> Inner:
        """Give a new threaded state."""


# --- the protocols of the kinds ----------------------------------------------------------------


class Dataset(Protocol):
    """Where the rows come from, and how they are split into tasks."""

    tasks: int
    class_order: str

    def look(self, root: Path) -> Facts:
        """Check that the files are there and say what is in them, without torch.

        Raises DataError naming the files that are missing and the remedy.
        """

    def load(self, root: Path) -> Data:
        """Read the rows."""


class Augment(Protocol):
    """How training rows are changed at random; the draws are the same in every arm.

    draws: uniform numbers that a row takes.
    """

    draws: int

    def __call__(self, x: Tensor, u: Tensor, fill: Tensor) -> Tensor:
        """Change rows `[N, ...]`; u `[N, draws]` in [0, 1), fill `[channels]` the darkest value."""


class Model(Protocol):
    """A network's architecture."""

    def parameters(self, inputs: tuple[int, ...], classes: int) -> int:
        """Give P, without torch."""

    def __call__(self, inputs: tuple[int, ...], classes: int) -> nn.Module:
        """Build it, PyTorch's global generator giving the initial values."""


class Memory(Protocol):
    """Which rows of past tasks are kept as exemplars."""

    def quota(self, priorities: Sequence[Floats]) -> Ints:
        """Give the rows kept of each seen class, from each class's row priorities in [0, 1)."""

    def rank(self, features: Tensor, valid: Tensor, priority: Tensor, keep: int) -> Tensor:
        """Order one class's rows `[N]`, best exemplars first; padding is not `valid`."""


class Loss(Protocol):
    """The loss of one task's rows."""

    def __call__(self, logits: Tensor, task: Tasks) -> Tensor:
        """Give the mean loss, a scalar, of logits `[B, C]`."""


class Optimizer(Protocol):
    """The inner optimizer as pure functions."""

    def init(self, theta: Tensor) -> Inner:
        """Give a fresh state."""

    def step(self, theta: Tensor, slope: Tensor, inner: Inner, scale: Any) -> tuple[Tensor, Inner]:
        """Take one step along -slope with the learning rate multiplied by `scale`."""


class Schedule(Protocol):
    """How the learning rate changes while training."""

    def __call__(self, clock: Clock) -> Any:
        """Give the factor on the learning rate."""


class Step(Protocol):
    """How far the outer step goes towards the target."""

    def __call__(self, clock: Clock) -> Any:
        """Give the outer step, 1 for all the way."""


class Gather(Protocol):
    """How the tasks' inner loops become one target."""

    def __call__(
        self, theta: Tensor, tasks: Tasks, fit: Fit, inner: Inner | None
    ) -> tuple[Tensor, Inner | None]:
        """Give the target `[P]`; `inner` is the carried optimizer state, None when it is fresh."""

    def reach(self, tasks: Tasks) -> Any:
        """Give how far the target lies, in inner steps on the mean loss, to first order."""


class Update(Protocol):
    """One outer step. A rule that can thread optimizer state also has `carry`."""

    def __call__(self, theta: Tensor, tasks: Tasks, fit: Fit, clock: Clock) -> Tensor:
        """Give the next parameters `[P]`."""


class Predict(Protocol):
    """A scoring protocol: from logits to predicted classes and tasks."""

    def __call__(self, logits: Floats, task: Ints, classes_per_task: int) -> tuple[Ints, Ints]:
        """Give predicted class positions and tasks `[N]`; rows of a task stand together."""


class Training(Protocol):
    """How a method is trained: what the stream deals out, and how the learning rate changes.

    steps: batches of each task, or None for `epochs` passes over its new rows. exemplar_rows: those
    in a `paired` batch, or None for as many as new rows. weights: whether all
    `rows` of a batch weigh the same in the loss, or all `tasks`.
    """

    epochs: int
    first_epochs: int | None
    steps: int | None
    batch_rows: int
    batches: str
    exemplar_rows: int | None
    weights: str

    def rate(self, clock: Clock) -> Any:
        """Give the factor on the learning rate."""


class Method(Protocol):
    """A learner as pure functions over a state of tensors.

    What shapes the stream are its own fields `epochs`, `first_epochs`, `batch_rows` and `batches`,
    or those of a `training: Training`. These are optional, each with what is done without it:

    `logits(state, x, net)`, `features(state, x, net)`: the net's, at `state.theta`.
    `parameters(state)`: the `[P]` that protocols may adapt; without it they are refused.
    `gradients(rows, clock, new)`: gradient evaluations, counted in rows, of a step on so many rows,
    so many of them the newest task's (numbers or `[S]`); without it, one for each row.
    `review_gradients(rows, classes)`: the same of a review; 0 without it.
    `wrap(build, inputs, classes)`: the module that is trained, around the model that `build()`
    makes first, so that the model's own initial values are the same in every arm; `size(P, inputs,
    classes)` then gives its parameters.
    `noise`: standard normal numbers for each row of a batch; `step` (and `review`) then take one
    more argument, `[K, B, noise]`.
    `reviews`: `new` shows `review(state, tasks, clock, net, sizes)` the task's new rows once more
    when it has been learnt, before `finish`; `memory` shows it all exemplars, after they were
    chosen. `review_rows`: rows in such a batch; `review_limit`: rows seen at most.
    `select`, `select_rule`, `select_epochs`, `validation_rows`: see `ablate.training.checkpoints`.
    """

    def start(self, theta: Tensor, net: Any) -> Any:
        """Give the state before the first batch, from initial parameters `[P]`."""

    def step(
        self, state: Any, tasks: Tasks, clock: Clock, net: Any, sizes: tuple[int, ...] | None
    ) -> Any:
        """Take one step on a batch; `sizes` are its rows by task where it is ragged."""

    def finish(self, state: Any, clock: Clock, net: Any) -> Any:
        """Close a task."""
