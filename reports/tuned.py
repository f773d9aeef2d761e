"""What tuning has found, in words: on the terminal, and as a section of the report."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ablate.core.foreign_text import STORED, code, markdown, plain, unmarked
from ablate.core.tuning_values import Tuned, TunedArm
from ablate.flow import Study
from ablate.registry import component
from ablate.source.program import words as typed

from . import tables, words

ENOUGH_TRIALS = 16
"""With fewer, a report says how few they are."""


@component("report", "tuning")
@dataclass(frozen=True)
class TuningLines:
    """What tuning has found, for a terminal."""

    def lines(self, tuned: Tuned) -> Iterator[str]:
        """Say an arm's values in a line each."""
        return lines(tuned)


def lines(tuned: Tuned) -> Iterator[str]:
    """Say what each arm gained, line by line."""
    scored = (
        f"on {tuned.rows} held-out training rows of each class"
        if tuned.rows
        else f"as the program says it{unmarked(held_out(tuned))}, "
        f"{'lower' if tuned.lower else 'higher'} is better"
    )
    yield (
        f"\n{tuned.trials} trials of {tuned.seeds} seeds for each of {len(tuned.arms)} arms, by "
        f"{plain(tuned.metric)} {scored}:"
    )
    for name, arm in tuned.arms.items():
        first, best = (figure(tuned, arm.scores[i]) for i in (0, arm.best))
        # a gain stands with its sign, in whichever direction the metric is better
        gain = "" if math.isnan(arm.gain) else f"({figure(tuned, arm.gain, signed=True)} better)  "
        taken = plain(values(arm)) if arm.best else "as written"
        yield f"  {plain(name):<24} {first:>8} -> {best:>8}  {gain}{taken}"
    path = plain(tuned.file, STORED)
    yield f"\nTuned values: {path}. A suite takes them with `tuned: <that file>`."


def figure(tuned: Tuned, value: float, *, signed: bool = False) -> str:
    """Write a score of the search; `lost` where its trial had none."""
    if math.isnan(value):
        return "lost"
    return words.amount(value, of_points=tuned.rows > 0, signed=signed)


def held_out(tuned: Tuned) -> str:
    """Say which parameters the trials of a program had instead; '' where none."""
    parts = [f"{name} {typed(value)}" for name, value in tuned.held_out.items()]
    return f" with {markdown(', '.join(parts))}" if parts else ""


def values(arm: TunedArm) -> str:
    """Show an arm's best values."""
    return ", ".join(f"{path.rsplit('.', 1)[-1]} {value}" for path, value in arm.values.items())


def note(study: Study) -> str:
    """Say in one line with what budget the arms were tuned, or that they were not."""
    tuned, twins = study.suite.tuned, {twin for _, twin in study.suite.twins}
    named = [v.arm for place, v in enumerate(study.suite.variants) if place not in twins]
    arms = list(dict.fromkeys(named))
    if any(variant.imported for variant in study.suite.variants):
        return ""  # nobody knows here
    if tuned is None:
        return "Not tuned: every arm has the settings that the suite writes down."
    left = tuned.untuned(arms)
    changes = f" ({', '.join(map(code, tuned.changes))})" if tuned.changes else ""
    rest = f" Not tuned: {markdown(', '.join(left))}." if left else ""
    if tuned.trials < ENOUGH_TRIALS:
        rest += (
            f" **{tuned.trials} trials are few** (fewer than {ENOUGH_TRIALS}): an arm that depends "
            "on its settings may stand far under what it can do."
        )
    return (
        f"Tuned with {tuned.trials} trials each ({tuned.seeds} seeds a trial), by "
        f"{markdown(tuned.metric)} {_scored(study, tuned, changes)}{rest}"
    )


def _scored(study: Study, tuned: Tuned, changes: str) -> str:
    """Say on what trials were scored, and what of this study they did not use."""
    if tuned.rows:
        return (
            f"on training rows of {markdown(tuned.data)}{changes} held out for it; seeds, class "
            "orders and test rows of this study were not used."
        )
    claims = (*study.suite.contrasts, *study.suite.effects)
    told = f"as the program says it{held_out(tuned)}{changes}; seeds of this study were not used."
    if tuned.held_out:
        return told
    if tuned.metric not in {claim.metric for claim in claims}:
        return f"{told} Whether it is of rows that claims are about, too, nobody sees here."
    return (
        f"{told} **Values were chosen by a metric that is claimed about:** where the program "
        "scores the same rows with every seed, they were chosen on these rows, in every arm alike "
        "(`held_out` of `tune` lets it score others)."
    )


def section(study: Study) -> list[str]:
    """Show what the budget bought: each arm's best-of-n curve and the spread of its trials."""
    tuned = study.suite.tuned
    if tuned is None:
        return []
    any_lost = any(map(math.isnan, (s for arm in tuned.arms.values() for s in arm.scores)))
    points = sorted({n for n in (1, 2, 4, 8, 16, 32, 64) if n < tuned.trials} | {tuned.trials})
    head = [
        "arm",
        "as written",
        *(f"best of {n}" for n in points),
        "taken",
        "spread",
        "seeds' spread",
        *(["lost"] if any_lost else []),
        "values",
    ]
    rows = []
    for name, arm in tuned.arms.items():
        scores = [score for score in arm.scores if not math.isnan(score)]
        mean = sum(scores) / max(1, len(scores))
        spread = (sum((s - mean) ** 2 for s in scores) / max(1, len(scores) - 1)) ** 0.5
        figures = [arm.scores[0], *(arm.expected_best(n) for n in points)]
        figures += [arm.scores[arm.best], spread if scores else math.nan, arm.spreads[arm.best]]
        taken = values(arm) if arm.best else "as written"
        lost = [f"{len(arm.scores) - len(scores)} of {len(arm.scores)}"] if any_lost else []
        rows.append([name, *(figure(tuned, size) for size in figures), *lost, taken])
    return [
        "## Tuning",
        f"{_measured(tuned)} *best of n*: the expected best of n trials drawn from those that were "
        "made; where it still gets better at the end, the arm would gain from a larger budget. "
        "*spread*: the standard deviation over the trials, which says how much the arm depends on "
        "its settings; "
        "*seeds' spread*: over the seeds of the best trial. *taken*: the score of the values "
        "taken, too good for having been picked; no verdict reads it."
        + (
            " *lost*: trials with a run that failed or diverged, which have no score; they count "
            "as the worst of the others."
            if any_lost
            else ""
        ),
        tables.table(head, rows),
    ]


def _measured(tuned: Tuned) -> str:
    """Say what the scores of the search are."""
    if tuned.rows:
        return (
            f"Points of {markdown(tuned.metric)} on {tuned.rows} training rows of each class that "
            "were held out."
        )
    way = "lower" if tuned.lower else "higher"
    return (
        f"Means of {markdown(tuned.metric)} as the program says it{held_out(tuned)}, over seeds "
        f"that nothing else uses; {way} is better."
    )
