"""The values of the flow: what a command will do, its events, what a report is made from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ablate.analysis import equal_budgets, judge
from ablate.analysis.aa_test import Same
from ablate.analysis.arm_summary import ArmSummary, Estimate, of_metric
from ablate.analysis.caveats import Caveat
from ablate.analysis.importance import Importance
from ablate.analysis.leave_one_out.screening import Screened
from ablate.analysis.scored_rows import NewRows
from ablate.plan.run_keys import START_SECONDS, Plan
from ablate.plan.standing import Reason
from ablate.records.cohort import together
from ablate.records.rows.curves import Curves
from ablate.stats.across_datasets import Settings
from ablate.types import (
    FactorialEffect,
    Facts,
    Json,
    PooledContrast,
    RunResult,
    Stack,
    Suite,
    Variant,
    Verdict,
)


@dataclass(frozen=True)
class Study:
    """Everything that a report is made from.

    keys: of the runs, `[variant][seed]`; arms that differ in scoring alone share them.
    runs: by variant, the records by seed; level: those at the seeds that all arms have run. arms:
    by variant. protocols: the labels of those that
    score the runs; oracles: those among them that know what a user cannot; chunks: rows in a chunk
    of those that vote. inert: of contrasts, by place, whose arms took the same first steps: how
    alike they were (`tied`) and why (`reason`). effects: of a factorial and of contrasts that are
    pooled over settings, in the suite's order.
    same: what comparing an arm with its own twin came to. deviations: how the suite differs from
    what was registered before its runs. settings: the grid's cells together, by metric. importance:
    which of its axes explains the scores, by metric. registered: verdicts on the claims as they
    were registered, where these were changed, at registered_alpha. equal: the contrasts at equal
    budgets. caveats: what is damaged, of another version, kept on purpose, or does not go together
    among the records. uncalibrated: by label, the methods of an arm that reproduce no published
    figure. curves: reads how the runs learnt, which a picture alone asks for. new_rows: what the
    claims' intervals would be for test rows drawn anew. screened: which parts were claimed about,
    where others were left behind by a screening.
    """

    suite: Suite
    keys: tuple[tuple[str, ...], ...]
    runs: judge.Runs
    level: judge.Runs
    arms: tuple[ArmSummary, ...]
    verdicts: tuple[Verdict, ...]
    warnings: tuple[str, ...]
    protocols: tuple[str, ...]
    oracles: frozenset[str]
    chunks: Mapping[str, int]
    inert: Mapping[int, Json]
    effects: tuple[Verdict, ...] = ()
    same: tuple[Same, ...] = ()
    deviations: tuple[str, ...] = ()
    settings: tuple[Settings, ...] = ()
    importance: tuple[Importance, ...] = ()
    registered: tuple[Verdict, ...] = ()
    equal: tuple[equal_budgets.AtEqual, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    registered_alpha: float = math.nan
    uncalibrated: Mapping[str, Sequence[str]] = field(default_factory=dict)
    curves: Callable[[], Curves] = field(default=Curves, compare=False)
    new_rows: tuple[NewRows, ...] = ()
    screened: Screened | None = None

    @property
    def pooled(self) -> list[tuple[PooledContrast, Verdict]]:
        """Give the contrasts that are pooled over settings."""
        pairs = zip(self.suite.effects, self.effects, strict=True)
        return [(claim, verdict) for claim, verdict in pairs if isinstance(claim, PooledContrast)]

    @property
    def factors(self) -> list[tuple[FactorialEffect, Verdict]]:
        """Give a factorial's main effects and interactions."""
        pairs = zip(self.suite.effects, self.effects, strict=True)
        return [(claim, verdict) for claim, verdict in pairs if isinstance(claim, FactorialEffect)]

    @cached_property
    def beside(self) -> set[int]:
        """Name the arms, by place, that may stand side by side."""
        return together(self.suite.variants, self.runs)

    def measured(self, variant: Variant, metric: str) -> Estimate:
        """Give the mean of a metric over a variant's runs that ended well."""
        index = self.suite.variants.index(variant)
        runs = self.level[index] if index in self.beside else {}
        return of_metric(variant, runs, metric, self.suite.alpha)


@dataclass(frozen=True)
class Work:
    """What a run command will do. stacks: what is left to run; records: what is there, by key.

    reasons: of every run, by key, why it is not done. kept: the runs that count as done although
    their records are stale. facts: of the data sets, by the canonical text of their Choice.
    """

    plan: Plan
    stacks: tuple[Stack, ...]
    records: Mapping[str, RunResult]
    reasons: Mapping[str, tuple[Reason, ...]] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    facts: Mapping[str, Facts] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """A rough estimate for what is left, on one core, with what it takes to start."""
        return self.stack_seconds + (START_SECONDS if self.stacks else 0.0)

    @cached_property
    def stack_seconds(self) -> float:
        """A rough estimate for the stacks that are left, on one core; 0 where nobody knows."""
        shares = self.seconds_by_run
        return sum(shares[run.key] for stack in self.stacks for run in stack.runs)

    @cached_property
    def seconds_by_run(self) -> dict[str, float]:
        """A rough estimate of each run's share of its stack's seconds, by key."""
        pairs = zip(self.plan.stacks, self.plan.costs, strict=True)
        return {r.key: cost.seconds / len(stack.runs) for stack, cost in pairs for r in stack.runs}


@dataclass(frozen=True)
class Finished:
    """An event: a stack is done. records: all of the suite's records so far, by key."""

    results: tuple[RunResult, ...]
    records: Mapping[str, RunResult]
