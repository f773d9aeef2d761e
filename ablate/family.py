"""A family of comparisons at its looks: every contrast is read, corrected and closed in turn.

The looks are replayed from the records, so it does not matter how the runs came to be there: in one
go, look by look, or with interruptions. A contrast that is decided stays as it was at that look.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from ablate import verdict
from ablate.looks import Looks, Mixture, Rule
from ablate.registry import scan
from ablate.stats.student import spread
from ablate.types import Comparison, Design, TestResult, Verdict

Tests: TypeAlias = Mapping[str, Callable[[Comparison, float], TestResult]]


NOTHING_READ = verdict.Reading()
BROKEN = Mixture(share=0.25)
"""Reads a broken schedule. Its looks may have spent alpha already; what this adds to the error rate
is at most a quarter of it, and in simulation about a fiftieth (docs/calibration_statistics.md).
"""


@dataclass(frozen=True)
class Contest:
    """A contrast on its way: what was read so far, and the verdict once it is closed.

    whole: all of its pairs, with their tests. seen: those of the last look that could be read.
    """

    whole: Comparison
    evidence: verdict.Evidence
    seen: Comparison | None = None
    reading: verdict.Reading = NOTHING_READ
    closed: Verdict | None = None

    def fault(self) -> str:
        """Say why it cannot be judged at its last look; '' where it can."""
        seen = verdict.fault(self.seen) if self.seen else "no look yet"
        return self.evidence.broken or seen

    def p(self) -> float:
        """Give the p that it brings into the family: 1 where it cannot be judged."""
        if self.closed:
            return self.closed.p
        if self.fault():
            return 1.0
        return self.reading.p


def battery(names: Sequence[str] = ()) -> Tests:
    """Build tests by name, all of the catalogue unless names are given."""
    catalogue = scan()
    return {name: catalogue.load("test", name)() for name in names or catalogue.names("test")}


def conclude(compared: Sequence[Comparison], tests: Tests, design: Design) -> list[Verdict]:
    """Replay the looks of a family and decide; the untestable ones count fully in it."""
    contests = [_opened(one, tests, design.alpha) for one in compared]
    family = 1 if design.correction == "none" else len(contests)
    for look, rule in schedule(design):
        contests = [one if one.closed else _read(one, look, rule, design) for one in contests]
        adjusted = verdict.adjust([one.p() for one in contests], design.correction)
        contests = [
            one if one.closed else _close(one, p, tests, design, family)
            for one, p in zip(contests, adjusted, strict=True)
        ]
    adjusted = verdict.adjust([one.p() for one in contests], design.correction)
    pairs = zip(contests, adjusted, strict=True)
    return [one.closed or _verdict(one, p, tests, design, family) for one, p in pairs]


def schedule(design: Design) -> Iterator[tuple[int, Rule]]:
    """Give the looks that were reached, each with its rule.

    A number of seeds that was not declared breaks the schedule: what was not decided at a declared
    look is then read by the t-mixture, which holds at any number.
    """
    for look in design.looks:
        if look <= design.seeds:
            yield look, Looks(design.looks)
    if design.seeds not in design.looks:
        yield design.seeds, BROKEN


def first(comparison: Comparison, seeds: int) -> Comparison:
    """Give the comparison as it stood after the first `seeds` seeds."""
    early = set(comparison.schedule[:seeds])
    kept = [i for i, seed in enumerate(comparison.seeds) if seed in early]
    if len(kept) == len(comparison.seeds) and early >= {one.seed for one in comparison.lost}:
        return comparison
    return replace(
        comparison,
        seeds=tuple(comparison.seeds[i] for i in kept),
        treatment_values=tuple(comparison.treatment_values[i] for i in kept),
        baseline_values=tuple(comparison.baseline_values[i] for i in kept),
        lost=tuple(one for one in comparison.lost if one.seed in early),
    )


def read(
    before: verdict.Reading, comparison: Comparison, rule: Rule, alpha: float
) -> verdict.Reading:
    """Add a look to what was read: running minima of p, running intersections of intervals."""
    n = len(comparison.deltas)
    mean, error = math.fsum(comparison.deltas) / n, spread(comparison) / math.sqrt(n)

    def p(t: float) -> float:
        return float(rule.p(t, n))

    outer = _narrowed(before.outer, mean, rule.constant(alpha / 2, n) * error)
    inner = _narrowed(before.inner, mean, rule.constant(alpha, n) * error)
    margin = comparison.margin
    return verdict.Reading(
        look=before.look + 1,
        rule=rule.name,
        large=min(before.large, 2 * p((abs(mean) - margin) / error)),
        under=min(before.under, p((margin - mean) / error)),
        over=min(before.over, p((mean + margin) / error)),
        outer=outer,
        inner=inner,
    )


def _narrowed(before: tuple[float, float], mean: float, half: float) -> tuple[float, float]:
    low, high = max(before[0], mean - half), min(before[1], mean + half)
    return (low, high) if low <= high else (mean - half, mean + half)


def _opened(comparison: Comparison, tests: Tests, alpha: float) -> Contest:
    return Contest(comparison, verdict.examine(comparison, tests, alpha))


def _read(contest: Contest, look: int, rule: Rule, design: Design) -> Contest:
    if rule is BROKEN and len(contest.whole.schedule) in design.looks:
        return contest  # this one kept to its schedule, whatever others did
    seen = first(contest.whole, look)
    if any(pair.missing for pair in seen.lost):
        return contest
    now = replace(contest, seen=seen)
    if len(seen.deltas) < 2 or now.fault():
        return now
    before = replace(NOTHING_READ, look=contest.reading.look) if rule is BROKEN else contest.reading
    return replace(now, reading=read(before, seen, rule, design.alpha))


def _close(contest: Contest, p: float, tests: Tests, design: Design, family: int) -> Contest:
    if contest.seen is None or contest.fault():
        return contest
    if p > design.alpha and not verdict.is_zero(contest.seen):
        return contest
    found = _verdict(contest, p, tests, design, family)
    decided = found.decision in ("MATTERS", "NEGLIGIBLE")
    return replace(contest, closed=found) if decided else contest


def _verdict(contest: Contest, p: float, tests: Tests, design: Design, family: int) -> Verdict:
    shown = contest.seen or contest.whole
    evidence = contest.evidence
    if shown is not contest.whole:  # the same pairs have the same tests
        evidence = verdict.examine(shown, tests, design.alpha)
    evidence = replace(evidence, reading=contest.reading if contest.reading.look else None)
    found = verdict.decide(evidence, p, design.alpha, family)
    waiting = any(pair.missing for pair in contest.whole.lost)
    if found.decision == "INCONCLUSIVE" and contest.seen and waiting:
        later = next((look for look in design.looks if look > len(contest.seen.schedule)), 0)
        why = f"{found.why}; the next look is at {later} seeds" if later else found.why
        found = replace(found, why=why)
    return found
