"""What components may do beyond what their kind must: a protocol for each capability.

Import them from `ablate.types`; `interfaces.KINDS` says which kinds may have which. A component has
one by having its members; nothing is inherited and nothing is registered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, TypeVar, runtime_checkable

from ablate.core.inputs import (
    Batch,
    Clock,
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
    from torch import Tensor, nn

State = TypeVar("State")
"""What a method carries from step to step: a tree of tensors, a NamedTuple of them as a rule."""
Read = TypeVar("Read", contravariant=True)
"""The same where it is only read."""


class Alias(Protocol):
    """A name for a component with settings: it is what it expands into."""

    def expand(self) -> object:
        """Give the Choice that the name stands for."""


class Counted(Protocol):
    """A model that counts its parameters; of others the module is built to count them."""

    def parameters(self, inputs: tuple[int, ...], classes: int) -> int:
        """Give P, without torch."""


class Priced(Protocol):
    """A model that knows what a row costs; of others it is guessed from their parameters."""

    def products(self, inputs: tuple[int, ...], classes: int) -> int:
        """Give the multiplications of a forward pass on one row, without torch."""


class Carries(Protocol):
    """An update that can thread one optimizer state through tasks and batches."""

    def carry(
        self, theta: Tensor, tasks: Tasks, fit: Fit, clock: Clock, inner: Inner
    ) -> tuple[Tensor, Inner | None]:
        """Give the next parameters `[P]` and the state that goes on."""


class Scales(Protocol):
    """An update with an effective step, which `balanced` can be matched to."""

    def scale(self, clock: Clock, tasks: Tasks) -> Number:
        """Give how many inner steps on the mean loss one outer step is worth, to first order."""


class Adapting(Protocol):
    """A scoring protocol that reads models adapted to each task (class attribute `adapts`)."""

    def adapted(
        self, logits: Floats, own: Floats, task: Ints, classes: TaskClasses
    ) -> tuple[Ints, Ints]:
        """Give class positions and tasks `[N]`.

        own `[N, C]`: each task's logits, by the model adapted to it.
        """


class Finishes(Protocol[State]):
    """A method that does something when a task has been learnt."""

    def finish(self, state: State, clock: Clock, net: Net) -> State:
        """Close a task."""


class Scores(Protocol[Read]):
    """A method that scores rows in a way of its own."""

    def logits(self, state: Read, x: Tensor, net: Net) -> Tensor:
        """Score rows `[N, ...]`: logits `[N, C]`."""


class Represents(Protocol[Read]):
    """A method whose features for the memory are not the net's at `state.theta`."""

    def features(self, state: Read, x: Tensor, net: Net) -> Tensor:
        """Represent rows `[N, ...]`, `[N, F]`."""


class Adaptable(Protocol[Read]):
    """A method whose parameters for protocols that adapt are not `state.theta`.

    A method that wraps the model is adapted only if it has this.
    """

    def parameters(self, state: Read) -> Tensor:
        """Give the parameters `[P]`."""


class Evaluates(Protocol):
    """A method whose step costs another number of gradient evaluations than it has rows."""

    def gradients(self, rows: Tensor, clock: Clock, newest: Tensor) -> Tensor:
        """Count them, in rows: of batches with so many rows `[S]`, so many the newest task's."""


class Wraps(Protocol):
    """A method that trains a module around the model.

    `build()` makes the model; called first, its initial values are the same in every arm.
    """

    def wrap(
        self, build: Callable[[], nn.Module], inputs: tuple[int, ...], classes: int
    ) -> nn.Module:
        """Give the module that is trained."""

    def size(self, parameters: int, inputs: tuple[int, ...], classes: int) -> int:
        """Give the module's parameters, around a model with so many."""


class Noisy(Protocol):
    """A method that draws: batches then have `noise` standard normal numbers for each row."""

    @property
    def noise(self) -> int:
        """Give n."""


class Reviews(Protocol[State]):
    """A method that is shown rows once more, with nothing trained on them.

    Class attributes: `reviews`, the task's `new` rows when it has been learnt and before it is
    closed, or all of the `memory` after exemplars were chosen.
    """

    @property
    def review_rows(self) -> int:
        """Give the rows in a batch of a review."""

    def review(self, state: State, batch: Batch, net: Net) -> State:
        """Look at a batch."""


class Limited(Protocol):
    """A review with a limit, or one whose gradient evaluations count."""

    @property
    def review_limit(self) -> int | None:
        """Give the most rows that are shown; None for all."""

    def review_gradients(self, rows: Tensor, classes: int) -> Tensor:
        """Count the gradient evaluations of a review of so many rows `[S]`, classes seen."""


Slope: TypeAlias = "Callable[..., None]"
"""A loss's slope at the logits, for the compiled engine (see `ablate.compiled.forms.slope`)."""


class ElementStep(NamedTuple):
    """An optimizer's step in place, for the compiled engine (see `ablate.compiled.forms.advance`).

    numbers: the settings that it is handed. starts: what each vector of its state begins at.
    counts: whether that state has the number of its steps behind the vectors.
    """

    advance: Callable[..., None]
    numbers: tuple[float, ...]
    starts: tuple[float, ...] = ()
    counts: bool = False


class TaskTarget(NamedTuple):
    """How the compiled engine gathers tasks: `forms.begin`, `forms.add` and `forms.close`."""

    begin: Callable[..., None]
    add: Callable[..., None]
    close: Callable[..., None]


class OverTasks(NamedTuple):
    """An update that gathers the tasks' inner loops, and how far it goes to the target."""

    target: TaskTarget
    step: Callable[[Clock], Number]


class OverRows(NamedTuple):
    """An update that steps on the loss of all rows of a batch.

    by_task: whether the tasks present weigh the same, and not the rows. once: whether it takes one
    step, however many an inner loop has. scale: the factor on the learning rate, of the clock, the
    tasks and r; None for 1.
    """

    by_task: bool
    once: bool = True
    scale: Callable[[Clock, Tasks, int], Number] | None = None


class CompiledStep(NamedTuple):
    """What a method's step is made of, if it has a compiled form.

    loss: None is the cross-entropy among the classes seen so far. steps, last_steps: r, and r on
    the newest task of the last task; None for r. fresh: whether each inner loop begins with a new
    optimizer, whose state the method's does not hold.
    """

    loss: object
    optimizer: object
    update: OverTasks | OverRows | None
    steps: int = 1
    last_steps: int | None = None
    fresh: bool = False


@runtime_checkable
class Compiled(Protocol):
    """A component with a compiled form beside its torch form, which stays the reference.

    Of a loss it is a function like `ablate.compiled.forms.slope`, of an optimizer an `ElementStep`,
    of a gather a `TaskTarget`, of an update an `OverTasks` or `OverRows`, of a method a
    `CompiledStep`; None where these settings have none.
    """

    def compiled(self) -> object:
        """Give the compiled form."""


class CompiledModel(Protocol):
    """A model that is a chain of linear layers with ReLU between them."""

    def chain(self, inputs: tuple[int, ...], classes: int) -> tuple[tuple[int, bool], ...] | None:
        """Give each layer's outputs and whether it has a bias; None where it is no such chain."""
