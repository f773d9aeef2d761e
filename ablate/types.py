"""Every value that flows, frozen; the protocols of the components come with it.

Shapes use this alphabet: `S` stacked replicas, `P` parameters, `T` tasks in the study, `K` tasks
seen, `C` classes, `U_k` classes of task k, `B` rows per task in a batch, `D` inputs, `N` rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from ablate.core.capabilities import (
    Adaptable as Adaptable,
    Adapting as Adapting,
    Alias as Alias,
    Carries as Carries,
    Compiled as Compiled,
    CompiledModel as CompiledModel,
    CompiledStep as CompiledStep,
    Counted as Counted,
    ElementStep as ElementStep,
    Evaluates as Evaluates,
    Finishes as Finishes,
    Limited as Limited,
    Noisy as Noisy,
    OverRows as OverRows,
    OverTasks as OverTasks,
    Represents as Represents,
    Reviews as Reviews,
    Scales as Scales,
    Scores as Scores,
    Slope as Slope,
    State as State,
    TaskTarget as TaskTarget,
    Wraps as Wraps,
)
from ablate.core.claim_values import (
    Contrast as Contrast,
    Design as Design,
    Effect as Effect,
    FactorialEffect as FactorialEffect,
    Measure as Measure,
    PooledContrast as PooledContrast,
    Reference as Reference,
)
from ablate.core.inputs import (
    Batch as Batch,
    Clock as Clock,
    Data as Data,
    Facts as Facts,
    Fit as Fit,
    Floats as Floats,
    Inner as Inner,
    Ints as Ints,
    Net as Net,
    Number as Number,
    Objective as Objective,
    TaskClasses as TaskClasses,
    Tasks as Tasks,
)
from ablate.core.interfaces import (
    Augment as Augment,
    Checkpoint as Checkpoint,
    Dataset as Dataset,
    Gather as Gather,
    Loss as Loss,
    Memory as Memory,
    Method as Method,
    Model as Model,
    Optimizer as Optimizer,
    Predict as Predict,
    Reader as Reader,
    Schedule as Schedule,
    Step as Step,
    Training as Training,
    Update as Update,
)
from ablate.core.naming import axis_name as axis_name, cell_words as cell_words
from ablate.core.outcomes import (
    Decision as Decision,
    Lost as Lost,
    RunResult as RunResult,
    Site as Site,
    Status as Status,
    TrackedRun as TrackedRun,
    calm as calm,
)
from ablate.core.tuning_values import Search as Search, Tuned as Tuned
from ablate.core.verdict_values import (
    DECIDED as DECIDED,
    NO_WORST as NO_WORST,
    SIDES as SIDES,
    Comparison as Comparison,
    LostPair as LostPair,
    Standing as Standing,
    TestResult as TestResult,
    Verdict as Verdict,
    Worst as Worst,
)

Json: TypeAlias = Any
"""Plain data: what crosses a process border and what is stored."""

TOP_KINDS = ("dataset", "augment", "model", "memory", "method", "predict")
"""The kinds a suite chooses directly; every other kind is chosen inside one of these."""

ENOUGH_PAIRS = 5
"""Fewer pairs decide nothing, and no look is taken before."""


# --- what a suite says -------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """One component with its settings; a setting is plain data or another Choice."""

    kind: str
    name: str
    settings: Mapping[str, Any]

    def label(self) -> str:
        """Name it with its settings' values, as in `continuum(20)`."""
        settings = self.settings.values()
        values = ", ".join(v.label() if isinstance(v, Choice) else str(v) for v in settings)
        return f"{self.name}({values})" if values else self.name

    def plain(self) -> Json:
        """Turn it into plain data that `unplain` reads back."""
        settings = {k: v.plain() if isinstance(v, Choice) else v for k, v in self.settings.items()}
        return {"kind": self.kind, "name": self.name, "settings": settings}


def unplain(data: Json) -> Choice:
    """Read a Choice back from plain data.

    >>> unplain(Choice("step", "fixed", {"epsilon": 0.5}).plain()).label()
    'fixed(0.5)'
    """
    settings = {
        k: unplain(v) if isinstance(v, dict) and "kind" in v else v
        for k, v in data["settings"].items()
    }
    return Choice(data["kind"], data["name"], settings)


@dataclass(frozen=True)
class Variant:
    """One full assignment of components: an arm in one cell of the grid.

    arm: the arm's name in the suite. cell: the values of the crossed axes, by path.
    choices: one Choice a kind, `predict` included. tasks_at: line and column of its data set's
    `tasks`, for a complaint that only the data can raise. first_seed: where its seeds begin, unless
    named_seeds says which they are; an A/A twin's are its own. unvaried: the crossed axes that do
    not reach it, so that it is run once and not once a value.
    """

    arm: str
    cell: Mapping[str, str]
    choices: Mapping[str, Choice]
    tasks_at: tuple[int, int] = (1, 1)
    first_seed: int = 0
    unvaried: tuple[str, ...] = ()
    named_seeds: tuple[int, ...] = ()

    def seed(self, nth: int) -> int:
        """Give the number of its nth seed, from 0."""
        return self.named_seeds[nth] if self.named_seeds else self.first_seed + nth

    @cached_property
    def runs(self) -> dict[tuple[int, str] | str, Any]:
        """Hold its runs by seed's place and precision, what they share by precision: for `plan`."""
        return {}

    @property
    def name(self) -> str:
        """Give the arm's name, stamped ORACLE where its training saw what no user has."""
        return f"{self.arm} (ORACLE)" if self.oracle else self.arm

    @property
    def label(self) -> str:
        """Say what differs from the base: the arm and, where axes are crossed, the cell."""
        return ", ".join([self.name, *self.setting])

    @property
    def setting(self) -> list[str]:
        """Say its cell in words, and the axes that do not reach it."""
        return [
            *cell_words(self.cell),
            *(f"{axis_name(axis)} not varied" for axis in self.unvaried),
        ]

    @property
    def outside(self) -> bool:
        """Say whether it is somebody's own program: it has no data, model or protocol of ours."""
        return "predict" not in self.choices

    @property
    def imported(self) -> bool:
        """Say whether its runs were read from a tracker, and cannot be run here."""
        return self.outside and "imported" in self.choices["method"].settings

    @property
    def oracle(self) -> bool:
        """Say whether a setting of its training is an oracle's: its value ends in `-ORACLE`."""
        return any(_oracle(choice) for kind, choice in self.choices.items() if kind != "predict")


def _oracle(choice: Choice) -> bool:
    values = choice.settings.values()
    inner = any(_oracle(value) for value in values if isinstance(value, Choice))
    return inner or any(isinstance(value, str) and value.endswith("-ORACLE") for value in values)


@dataclass(frozen=True)
class Suite:
    """A question with everything that was declared before the runs.

    origin: what error messages call the file. seeds: how many are run; declared_seeds: how many the
    suite asked for. changes: what the command line changed in it. references: published figures to
    be shown. effects: what its factorial asks. twins: the variants (of an arm, and of the same arm
    on seeds of its own) whose differences are chance alone. looks: seeds at which verdicts are
    read; none means once, after the declared number; spend: how alpha is shared over them. spread:
    the sd that paired differences will have, in points; 0 where not said. spreads: the same of the
    metrics of somebody's own program, by name. search: what may be tuned. tuned: the tuned values
    of its arms, from the file `tuned_file`, named at line and column `tuned_at`. budget: the axis
    that makes training longer; costs: what is made equal along it: `gradients`, `seconds`, or a
    metric of somebody's own program. changed_words: what the command line changed, and unread: what
    the base says and no arm reads, a sentence each. measures: the metrics of somebody's own
    program, by name. lacks: what an arm lacks of the base, by its name.
    screening: arms run before, to be chosen by. executor: where it runs unless the command says.
    """

    name: str
    origin: str
    text: str
    question: str
    variants: tuple[Variant, ...]
    seeds: int
    declared_seeds: int
    contrasts: tuple[Contrast, ...]
    alpha: float
    correction: str
    precision: str
    changes: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    effects: tuple[Effect, ...] = ()
    twins: tuple[tuple[int, int], ...] = ()
    looks: tuple[int, ...] = ()
    spend: str = "flat"
    spread: float = 0.0
    spreads: Mapping[str, float] = field(default_factory=dict)
    search: Search | None = None
    tuned: Tuned | None = None
    tuned_file: str = ""
    budget: str = ""
    costs: tuple[str, ...] = ("gradients", "seconds")
    tuned_at: tuple[int, int] = (1, 1)
    changed_words: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    measures: Mapping[str, Measure] = field(default_factory=dict)
    lacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    screening: Suite | None = None
    executor: Choice | None = None

    @property
    def seed_numbers(self) -> tuple[int, ...]:
        """Give the numbers of its seeds, as reports name them; an A/A twin's stand for others."""
        return tuple(self.variants[0].seed(nth) for nth in range(self.seeds))


# --- what is run -------------------------------------------------------------------------------


@dataclass(frozen=True)
class RunSpec:
    """One run: a variant's training choices with a seed. `key` is its content hash."""

    key: str
    seed: int
    precision: str
    choices: Mapping[str, Choice]

    @property
    def outside(self) -> bool:
        """Say whether it is somebody's own program."""
        return "dataset" not in self.choices


@dataclass(frozen=True)
class Stack:
    """Runs of equal structure that are trained as one tensor program.

    predictors: how the trained models are scored. Settings in which runs differ are numbers `[S]`.
    """

    runs: tuple[RunSpec, ...]
    predictors: tuple[Choice, ...]
