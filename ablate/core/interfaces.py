"""What components of each kind must have, as protocols.

Import them from `ablate.types`. Every protocol is for one replica; shapes use the alphabet there.
`KINDS` lists them by kind: the first is what every component of the kind has, the others are what
it may have besides. The engine asks for hooks by these names, and a component with a name that is
nearly one of them is refused when it is found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from ablate.core.capabilities import (
    Adaptable,
    Adapting,
    Carries,
    Compiled,
    CompiledModel,
    Counted,
    Evaluates,
    Finishes,
    Limited,
    Noisy,
    Priced,
    Represents,
    Reviews,
    Scales,
    Scores,
    State,
    Wraps,
)
from ablate.core.inputs import (
    Batch,
    Clock,
    Data,
    Facts,
    Fit,
    Floats,
    Inner,
    Ints,
    Net,
    Number,
    TaskClasses,
    Tasks,
)

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

    from ablate.core.outcomes import TrackedRun


class Dataset(Protocol):
    """Where the rows come from, and how they are split into tasks."""

    @property
    def tasks(self) -> int | Sequence[int]:
        """Give T, where all tasks have as many classes; else the classes of each, in order."""

    @property
    def class_order(self) -> str:
        """Say whether classes stand in `natural` order or in one `seeded` by the run."""

    def look(self, root: Path) -> Facts:
        """Check that the files are there and say what is in them, without torch.

        Raises DataError naming the files that are missing and the remedy.
        """

    def load(self, root: Path) -> Data:
        """Read the rows."""


class Augment(Protocol):
    """How training rows are changed at random; the draws are the same in every arm."""

    @property
    def draws(self) -> int:
        """Give how many uniform numbers a row takes."""

    def __call__(self, x: Tensor, u: Tensor, fill: Tensor) -> Tensor:
        """Change rows `[N, ...]`; u `[N, draws]` in [0, 1), fill `[channels]` the darkest value."""


class Model(Protocol):
    """A network's architecture."""

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

    def step(
        self, theta: Tensor, slope: Tensor, inner: Inner, scale: Number
    ) -> tuple[Tensor, Inner]:
        """Take one step along -slope with the learning rate multiplied by `scale`."""


class Schedule(Protocol):
    """How the learning rate changes while training."""

    def __call__(self, clock: Clock) -> Number:
        """Give the factor on the learning rate."""


class Step(Protocol):
    """How far the outer step goes towards the target."""

    def __call__(self, clock: Clock) -> Number:
        """Give the outer step, 1 for all the way."""


class Gather(Protocol):
    """How the tasks' inner loops become one target."""

    def __call__(
        self, theta: Tensor, tasks: Tasks, fit: Fit, inner: Inner | None
    ) -> tuple[Tensor, Inner | None]:
        """Give the target `[P]`; `inner` is the carried optimizer state, None when it is fresh."""

    def reach(self, tasks: Tasks) -> Number:
        """Give how far the target lies, in inner steps on the mean loss, to first order."""


class Update(Protocol):
    """One outer step."""

    def __call__(self, theta: Tensor, tasks: Tasks, fit: Fit, clock: Clock) -> Tensor:
        """Give the next parameters `[P]`."""


class Predict(Protocol):
    """A scoring protocol: from logits to predicted classes and tasks."""

    def __call__(self, logits: Floats, task: Ints, classes: TaskClasses) -> tuple[Ints, Ints]:
        """Give predicted class positions and tasks `[N]`; rows of a task stand together.

        logits `[N, C]` are of the classes seen so far. classes: which of them each of the K tasks
        seen so far has; tasks may be of unequal size.
        """


class Checkpoint(Protocol):
    """Which of a task's epochs goes on: the best of those that may be kept, on rows set apart."""

    @property
    def by(self) -> str:
        """Name the rows that it is judged on: `validation`, or `test-ORACLE`."""

    @property
    def validation_rows(self) -> int:
        """Give how many training rows of each class are held out for `validation`."""

    def examines(self, epoch: int, epochs: int) -> bool:
        """Say whether the state after this epoch, of so many, raises the bar for later ones."""

    def may_keep(self, epoch: int, epochs: int) -> bool:
        """Say whether the state after an examined epoch may go on, if it is over the bar."""


class Training(Protocol):
    """How a method is trained: what the stream deals out, how the learning rate changes."""

    @property
    def epochs(self) -> int:
        """Give the passes over each task's new rows."""

    @property
    def first_epochs(self) -> int | None:
        """Give the same for the first task; None for `epochs`."""

    @property
    def steps(self) -> int | None:
        """Give the batches of each task; None for as many as the epochs have."""

    @property
    def batch_rows(self) -> int:
        """Give the new rows of a batch; of a `natural` one, the rows of all tasks."""

    @property
    def batches(self) -> str:
        """Say how new rows and exemplars go together: `paired`, `natural` or `balanced`."""

    @property
    def exemplar_rows(self) -> int | None:
        """Give the exemplars in a `paired` batch; None for as many as new rows."""

    @property
    def weights(self) -> str:
        """Say whether all `rows` of a batch weigh the same in the loss, or all `tasks`."""

    @property
    def checkpoint(self) -> Checkpoint | None:
        """Give what chooses among a task's epochs; None for the last one."""

    def rate(self, clock: Clock) -> Number:
        """Give the factor on the learning rate."""


class Reader(Protocol):
    """How finished runs are read from what a tracker has written."""

    def recognises(self, path: Path) -> bool:
        """Say whether a file or a folder looks like this tracker's; nothing there is an error."""

    def read(self, path: Path) -> Sequence[TrackedRun]:
        """Read every run, those without scores too.

        Raises DataError naming the file and, in it, the line, byte or key at fault.
        """


class Method(Protocol[State]):
    """A learner as pure functions over a state of tensors.

    Without the capabilities below, logits and features are the net's at `state.theta`, which is
    also what protocols may adapt; closing a task changes nothing; and a step costs a gradient
    evaluation for each row.
    """

    @property
    def training(self) -> Training:
        """Give how it is trained."""

    def start(self, theta: Tensor, net: Net) -> State:
        """Give the state before the first batch, from initial parameters `[P]`."""

    def step(self, state: State, batch: Batch, net: Net) -> State:
        """Take one step on a batch."""


Protocols: TypeAlias = "tuple[type, ...]"
KINDS: Mapping[str, Protocols] = {
    "augment": (Augment,),
    "checkpoint": (Checkpoint,),
    "dataset": (Dataset,),
    "gather": (Gather, Compiled),
    "loss": (Loss, Compiled),
    "memory": (Memory,),
    "method": (
        *(Method, Finishes, Scores, Represents, Adaptable, Evaluates, Wraps, Noisy),
        *(Reviews, Limited, Compiled),
    ),
    "model": (Model, Counted, Priced, CompiledModel),
    "optimizer": (Optimizer, Compiled),
    "predict": (Predict, Adapting),
    "reader": (Reader,),
    "schedule": (Schedule,),
    "step": (Step,),
    "training": (Training,),
    "update": (Update, Carries, Scales, Compiled),
}
"""What the engine asks of the components of each kind: first what all have, then what some may."""
