"""Reference lines that cost nothing, and the claims whose arms all stand at one of them.

Two floors and a ceiling. Where no arm of a claim is above chance, nothing has been learnt, and a
difference or its absence says nothing: UNTESTABLE. Where every arm keeps the newest task alone, or
is within the margin of 100, the verdict stands, with a flag that says what it cannot speak of.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ablate.analysis.chance import CLASS_ROWS, inside, lines, newest_line
from ablate.analysis.pairing import own
from ablate.records import cohort, metrics
from ablate.types import ENOUGH_PAIRS, Comparison, RunResult, Standing, Status, Variant

NEWEST, CEILING = "newest task only", "at the ceiling"
"""Flags of verdicts whose arms all stand there."""

REFERENCES = ("joint", "fine-tune")
"""Methods that serve as lines where they were run: the upper bound and the lower one."""

WAY_TO_JOINT, WITHOUT_JOINT = 0.25, 1.5
"""An arm stands at the newest task under a quarter of the way from there to `joint`. Where that was
not run, under one and a half times the line, or a quarter of the way to the best arm of its cell:
no arm is expected above `joint`, so that this asks for no less. Nor is `joint` expected above 100:
a quarter of the way there is the most, or of two tasks, or tasks of unequal size, nobody would ever
be said to remember."""

UNBOUNDED = ("forgetting", "backward-transfer")
"""Metrics without a ceiling at 100."""


@dataclass(frozen=True)
class Ground:
    """What claims are placed on. known: protocols that are told the task. looks: seeds at each."""

    variants: Sequence[Variant]
    runs: Sequence[Mapping[int, RunResult]]
    known: frozenset[str]
    alpha: float
    looks: tuple[int, ...]
    gaps: dict[tuple[int, str], Gaps] = field(default_factory=dict)
    apart: dict[tuple[int, ...], bool] = field(default_factory=dict)
    scores: dict[tuple[int, str, tuple[int, ...]], list[float]] = field(default_factory=dict)

    def of(self, index: int, protocol: str) -> Gaps:
        """Give an arm's distances from the floor by seed, worked out once."""
        if (index, protocol) not in self.gaps:
            self.gaps[index, protocol] = gaps(self.runs[index], protocol, protocol in self.known)
        return self.gaps[index, protocol]

    def beside(self, index: int, other: int) -> bool:
        """Say whether the records of two arms may stand side by side."""
        if not self.apart:
            self.apart[()] = bool(cohort.refusals(self.variants, self.runs, across_data=True))
        if self.apart[()] and (index, other) not in self.apart:
            arms = [self.variants[place] for place in (index, other)]
            runs = [self.runs[place] for place in (index, other)]
            self.apart[index, other] = bool(cohort.refusals(arms, runs, across_data=True))
        return not self.apart.get((index, other), False)


Gaps = Mapping[int, tuple[float, float]]
"""By seed, accuracy less its floor and within-task accuracy less its own, in points."""


def gaps(runs: Mapping[int, RunResult], protocol: str, known: bool) -> Gaps:
    """Give an arm's distances from the floor; runs that cannot be placed are left out."""
    floors = {
        seed: (floor.floor, inside(record))
        for seed, record in runs.items()
        if protocol in record.right and (floor := lines(record, known)) is not None
    }
    placed = [runs[seed] for seed in floors]
    asked = (protocol, f"within-task@{protocol}")
    whole, part = (metrics.values(placed, metric, protocol).tolist() for metric in asked)
    return {
        seed: (accuracy - floor, within - guessed)
        for (seed, (floor, guessed)), accuracy, within in zip(
            floors.items(), whole, part, strict=True
        )
    }


def placed(
    compared: Sequence[Comparison], arms: Sequence[Sequence[int]], ground: Ground
) -> list[Comparison]:
    """Say of every claim where its arms stand at each look; arms: the variants of each claim."""
    return [
        replace(
            comparison,
            standing=dict(_standings(comparison, tuple(places), ground)),
            chance=_chance(comparison, tuple(places), ground),
        )
        for comparison, places in zip(compared, arms, strict=True)
    ]


def _chance(comparison: Comparison, places: tuple[int, ...], ground: Ground) -> float:
    """Give what guessing scores in a final accuracy; nan in other metrics, and where not known."""
    name = comparison.metric.split("@", 1)[0]
    if name in metrics.SUMMARIES or not comparison.seeds:
        return math.nan
    index, seed = places[0], comparison.seeds[0]
    protocol = metrics.protocol_of(comparison.metric, own(ground.variants[index]))
    record = ground.runs[index].get(seed)
    line = lines(record, protocol in ground.known) if record else None
    return line.floor if line else math.nan


def _standings(
    comparison: Comparison, places: tuple[int, ...], ground: Ground
) -> Iterator[tuple[int, Standing]]:
    """Give by seeds spent where the arms stand, from the seeds to that look alone."""
    schedule, paired = comparison.schedule, {*comparison.seeds}
    for look in sorted({*ground.looks, len(schedule)}):
        seeds = [seed for seed in schedule[:look] if seed in paired]
        if look > len(schedule) or len(seeds) < ENOUGH_PAIRS:
            continue  # nothing is decided at so few
        if reason := unlearnt(comparison.metric, places, seeds, ground):
            yield look, Standing(nothing_learnt=reason)
        elif flag := _flag(comparison, places, seeds, ground):
            yield look, flag


def unlearnt(metric: str, places: Sequence[int], seeds: Sequence[int], ground: Ground) -> str:
    """Say that no arm is above chance, nor inside its tasks; '' where one is, or it is unknown.

    One-sided t tests at alpha over all arms together: each has its share of it.
    """
    level = ground.alpha / (2 * len(places))
    for index in places:
        known = ground.of(index, metrics.protocol_of(metric, own(ground.variants[index])))
        distances = [known[seed] for seed in seeds if seed in known]
        if len(distances) < len(seeds):
            return ""
        step = metrics.resolution(ground.runs[index][seeds[0]])
        if any(above(column, level, step) for column in zip(*distances, strict=True)):
            return ""
    first = ground.runs[places[0]][seeds[0]]
    protocol = metrics.protocol_of(metric, own(ground.variants[places[0]]))
    line = lines(first, protocol in ground.known)
    return (
        f"nothing has been learnt: no arm is above chance ({line.floor if line else 0:.1f} %), "
        f"nor above {inside(first):.1f} % within its own tasks"
    )


def above(gaps: Sequence[float], level: float, step: float) -> bool:
    """Say whether a mean gap is above 0 by a one-sided t test; step: the least spread, one row.

    >>> above([5.0, 6.0, 5.5, 4.0, 6.5], 0.05, 0.1), above([1.0, -2.0, 0.5, 0.0, 1.5], 0.05, 0.1)
    (True, False)
    """
    from scipy.special import stdtr

    finite = [gap for gap in gaps if math.isfinite(gap)]
    if len(finite) < 2:
        return False
    spread = max(float(np.std(finite, ddof=1)), step)
    t = float(np.mean(finite)) / spread * math.sqrt(len(finite))
    return float(stdtr(len(finite) - 1, -t)) <= level


def _flag(
    comparison: Comparison, places: Sequence[int], seeds: Sequence[int], ground: Ground
) -> Standing | None:
    metric = comparison.metric
    scores = [_scores(index, metric, seeds, ground) for index in places]
    if not all(scores):
        return None
    bottom, *_, top = sorted(float(np.mean(values)) for values in [*scores, *scores])
    reach = max(comparison.margin, comparison.resolution)
    if metric.split("@", 1)[0] not in UNBOUNDED and bottom >= 100 - reach:
        return Standing(flag=CEILING, line=100.0, low=bottom, high=top)
    pairs = zip(places, scores, strict=True)
    if not all(_at_newest(index, values, metric, seeds, ground) for index, values in pairs):
        return None
    lines = [newest_line(ground.runs[index][seed], metric) for index in places for seed in seeds]
    return Standing(flag=NEWEST, line=float(np.mean(lines)), low=bottom, high=top)


def _at_newest(
    index: int, scores: Sequence[float], metric: str, seeds: Sequence[int], ground: Ground
) -> bool:
    """Say whether the upper end of an arm's interval is still near the newest task alone."""
    from scipy.special import stdtrit

    variant, runs = ground.variants[index], ground.runs[index]
    if metrics.protocol_of(metric, own(variant)) in ground.known:
        return False
    line = float(np.mean([newest_line(runs[seed], metric) for seed in seeds]))
    error = float(np.std(scores, ddof=1)) / math.sqrt(len(scores))
    upper = float(np.mean(scores)) - float(stdtrit(len(scores) - 1, ground.alpha / 2)) * error
    return upper < _limit(index, metric, seeds, ground, line)  # never without a line: it is nan


def _limit(index: int, metric: str, seeds: Sequence[int], ground: Ground, line: float) -> float:
    """Give under what an arm keeps the newest task alone, by arms of its cell that go with it."""
    cell = {
        p: arm
        for p, arm in enumerate(ground.variants)
        if arm.cell == ground.variants[index].cell and ground.beside(index, p)
    }
    joint = [other for other, arm in cell.items() if reference(arm) == "joint"]
    best = max((_mean(other, metric, seeds, ground) for other in joint or cell), default=0.0)
    way = line + WAY_TO_JOINT * (best - line)
    if joint and best > line:
        return way
    return min(max(way, WITHOUT_JOINT * line), line + WAY_TO_JOINT * (100 - line))


def _mean(index: int, metric: str, seeds: Sequence[int], ground: Ground) -> float:
    """Give an arm's mean at the seeds that it ran; 0 where its scores cannot be read."""
    scores = _scores(index, metric, [s for s in seeds if s in ground.runs[index]], ground)
    return float(np.mean(scores)) if scores else 0.0


def reference(variant: Variant) -> str:
    """Name the reference that an arm is, `joint` or `fine-tune`; '' for any other."""
    method = variant.choices.get("method")
    return method.name if method and method.name in REFERENCES else ""


def _scores(index: int, metric: str, seeds: Sequence[int], ground: Ground) -> list[float]:
    """Give an arm's finite scores at seeds; none where one of them cannot be read."""
    variant, runs = ground.variants[index], ground.runs[index]
    asked = (index, metric, tuple(seeds))  # every claim asks for all arms of its cell
    if asked in ground.scores:
        return ground.scores[asked]
    try:
        known = [
            runs[seed]
            for seed in seeds
            if runs[seed].status == Status.OK and runs[seed].provenance.get(CLASS_ROWS)
        ]
        scores = metrics.values(known, metric, own(variant)).tolist()
    except KeyError:
        scores = []
    ground.scores[asked] = scores if all(map(math.isfinite, scores)) else []
    return ground.scores[asked]
