"""A family of comparisons at its looks: every contrast is read, corrected and closed in turn.

The looks are replayed from the records, so it does not matter how the runs came to be there: in one
go, look by look, or with interruptions. A contrast that is decided stays as it was at that look.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from ablate.registry import scan
from ablate.stats.correction import Step, steps
from ablate.stats.guarded import beside
from ablate.stats.resolution import smallest_step
from ablate.types import NO_WORST, Comparison, Decision, Design, TestResult, Verdict, Worst
from ablate.verdicts import decision, futility
from ablate.verdicts.interim import Interim, continued
from ablate.verdicts.sequential import Looks, Mixture, Rule
from ablate.verdicts.ties import worst

Tests: TypeAlias = Mapping[str, Callable[[Comparison, float], TestResult]]

BROKEN = Mixture(share=0.25)
"""Reads a broken schedule. Its looks may have spent alpha already; what this adds to the error rate
is at most a quarter of it, and in simulation about a fiftieth (docs/calibration_statistics.md).
"""


FUTILE = "futile"
"""Flag of an open contrast that the seeds left are not likely to decide."""


@dataclass(frozen=True)
class Contest:
    """A contrast on its way: what was read so far, and the verdict once it is closed.

    whole: all of its pairs. seen: those of the last look that could be read. interim: what the
    looks came to; None before the first. broken: a test that raised on `seen`. worst: what seeds
    that were not seen may differ by, of that look.
    """

    whole: Comparison
    seen: Comparison | None = None
    interim: Interim | None = None
    broken: str = ""
    closed: Verdict | None = None
    worst: Worst = NO_WORST

    @property
    def shut(self) -> bool:
        """Say whether nothing can be decided at its last look."""
        if self.seen is None or self.interim is None or self.broken:
            return True
        return bool(decision.fault(self.seen) or decision.withheld(self.seen))

    def p(self) -> float:
        """Give the p that it brings into the family: 1 where nothing can be decided."""
        if self.closed:
            return self.closed.p
        return 1.0 if self.shut or self.interim is None else self.interim.p

    def settles(self, step: Step) -> bool:
        """Say whether it would be decided at a step of the family."""
        if self.shut or self.interim is None or self.seen is None:
            return False
        return self.interim.read(step.level).decision != Decision.INCONCLUSIVE


def battery(names: Sequence[str] = ()) -> Tests:
    """Build tests by name, all of the catalogue unless named; those beside verdicts guarded."""
    catalogue = scan()
    return beside(
        {name: catalogue.load("test", name)() for name in names or catalogue.names("test")}
    )


def conclude(compared: Sequence[Comparison], tests: Tests, design: Design) -> list[Verdict]:
    """Replay the looks of a family and decide; the untestable ones count fully in it.

    A verdict at a look is a function of the pairs up to it, of all the family's claims: its
    estimate, direction and interval are of that look. Only a refusal to pair records at all, which
    is no matter of scores, holds for the whole study.
    """
    contests = [Contest(comparison) for comparison in compared]
    for look, rule in schedule(design):
        family = [first(contest.whole, look) for contest in contests]
        contests = [
            contest if contest.closed else _read(contest, seen, family, rule, design)
            for contest, seen in zip(contests, family, strict=True)
        ]
        contests = _settled(contests, tests, design)
    ladder = _ladder(contests, design)
    return [
        contest.closed or _verdict(contest, step, tests, design, len(contests))
        for contest, step in zip(contests, ladder, strict=True)
    ]


def _ladder(contests: Sequence[Contest], design: Design) -> list[Step]:
    return steps([contest.p() for contest in contests], design.alpha, design.correction)


def _settled(contests: list[Contest], tests: Tests, design: Design) -> list[Contest]:
    """Close what is decided at this look; a test that raises takes its contrast out of the look."""
    while True:
        ladder = _ladder(contests, design)
        after = [
            _close(contest, step, tests, design)
            if not contest.closed and contest.settles(step)
            else contest
            for contest, step in zip(contests, ladder, strict=True)
        ]
        raised = [
            replace(before, broken=now.broken) if now.broken else before
            for before, now in zip(contests, after, strict=True)
        ]
        if raised == contests:  # else the steps of the others were not those of this family
            return after
        contests = raised


def schedule(design: Design) -> Iterator[tuple[int, Rule]]:
    """Give the looks that were reached, each with its rule.

    A number of seeds that was not declared breaks the schedule: what was not decided at a declared
    look is then read by the t-mixture, which holds at any number. Where the study was to be read at
    any time, the mixture has all of alpha.
    """
    if design.anytime:
        yield design.seeds, Mixture()
        return
    for place, look in enumerate(design.looks):
        if look <= design.seeds:
            yield look, Looks(design.looks, design.spend, place)
    if design.seeds not in design.looks:
        yield design.seeds, BROKEN


def first(comparison: Comparison, seeds: int) -> Comparison:
    """Give the comparison as it stood after the first `seeds` seeds."""
    early = set(comparison.schedule[:seeds])
    places = [i for i, seed in enumerate(comparison.seeds) if seed in early]
    if len(places) == len(comparison.seeds) and early >= {pair.seed for pair in comparison.lost}:
        return comparison
    then = comparison.at(places)
    unit = comparison.resolution
    if comparison.blocks and places:  # it was taken from the scores, later ones included
        unit = smallest_step([*then.treatment_values, *then.baseline_values], comparison.blocks)
    lost = tuple(pair for pair in comparison.lost if pair.seed in early)
    return replace(then, lost=lost, resolution=unit)


def _read(
    contest: Contest, seen: Comparison, family: Sequence[Comparison], rule: Rule, design: Design
) -> Contest:
    """Read a further look; family: all of its comparisons as they stand there."""
    if rule is BROKEN and len(contest.whole.schedule) in design.looks:
        return contest  # this one kept to its schedule, whatever others did
    if any(pair.missing for pair in seen.lost):
        return contest
    if decision.fault(seen):
        return replace(contest, seen=seen, broken="", interim=None, worst=NO_WORST)
    allowed = worst(seen, family)
    interim = continued(contest.interim, seen, rule, allowed.size)
    return replace(contest, seen=seen, broken="", interim=interim, worst=allowed)


def _close(contest: Contest, step: Step, tests: Tests, design: Design) -> Contest:
    verdict = _verdict(contest, step, tests, design)
    if verdict.decided:
        return replace(contest, closed=verdict)
    return replace(contest, broken=verdict.why)


def _verdict(
    contest: Contest, step: Step, tests: Tests, design: Design, claims: int = 1
) -> Verdict:
    shown = contest.seen or contest.whole
    evidence = decision.examine(shown, tests, design.alpha, contest.interim, contest.worst)
    reached = decision.decide(evidence, step)
    waiting = any(pair.missing for pair in contest.whole.lost)
    if reached.decision == Decision.INCONCLUSIVE and contest.seen and waiting:
        return _awaited(reached, contest, design, claims)
    return reached


def _awaited(verdict: Verdict, contest: Contest, design: Design, claims: int) -> Verdict:
    """Say of a contrast that is open before the last look whether seeds to come can decide it."""
    seen, unit = contest.seen or contest.whole, contest.whole.unit
    later = next((look for look in design.looks if look > len(seen.schedule)), 0)
    if not later:
        return verdict
    chance = math.nan if contest.shut else futility.of(seen, contest.interim, design, claims)
    if not chance < futility.SLIM:
        why = f"{verdict.why}; the next look is at {later} {unit}"
        return replace(verdict, why=why, chance=chance)
    why = (
        f"{verdict.why}; futile: the {unit} left up to {design.looks[-1]} bring a verdict in fewer "
        f"than {100 * futility.SLIM:g} % of studies, wherever in its 80 % interval the truth lies"
    )
    return replace(verdict, why=why, chance=chance, flags=(*verdict.flags, FUTILE))
