"""What tuning has found, in words: on the terminal, and as a section of the report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ablate.core.foreign_text import STORED, code, markdown, plain
from ablate.core.tuning_values import Tuned, TunedArm
from ablate.flow import Study
from ablate.registry import component

from . import tables

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
    yield (
        f"\n{tuned.trials} trials of {tuned.seeds} seeds for each of {len(tuned.arms)} arms, by "
        f"{plain(tuned.metric)} on {tuned.rows} held-out training rows of each class:"
    )
    for name, arm in tuned.arms.items():
        gain = arm.scores[arm.best] - arm.scores[0]
        yield (
            f"  {plain(name):<24} {arm.scores[0]:6.2f} -> {arm.scores[arm.best]:6.2f} "
            f"(+{gain:.2f})  " + (plain(values(arm)) if arm.best else "as written")
        )
    path = plain(tuned.file, STORED)
    yield f"\nTuned values: {path}. A suite takes them with `tuned: <that file>`."


def values(arm: TunedArm) -> str:
    """Show an arm's best values."""
    return ", ".join(f"{path.rsplit('.', 1)[-1]} {value}" for path, value in arm.values.items())


def note(study: Study) -> str:
    """Say in one line with what budget the arms were tuned, or that they were not."""
    tuned, arms = study.suite.tuned, [variant.arm for variant in study.suite.variants]
    if any(variant.imported for variant in study.suite.variants):
        return ""  # nobody knows here
    if tuned is None:
        return "Not tuned: every arm has the settings that the suite writes down."
    left = tuned.untuned(list(dict.fromkeys(arms)))
    changes = f" ({', '.join(map(code, tuned.changes))})" if tuned.changes else ""
    rest = f" Not tuned: {markdown(', '.join(left))}." if left else ""
    if tuned.trials < ENOUGH_TRIALS:
        rest += (
            f" **{tuned.trials} trials are few** (fewer than {ENOUGH_TRIALS}): an arm that depends "
            "on its settings may stand far under what it can do."
        )
    return (
        f"Tuned with {tuned.trials} trials each ({tuned.seeds} seeds a trial), by "
        f"{markdown(tuned.metric)} on training rows of {markdown(tuned.data)}{changes} held "
        f"out for it; seeds, class orders and test rows of this study were not used.{rest}"
    )


def section(study: Study) -> list[str]:
    """Show what the budget bought: each arm's best-of-n curve and the spread of its trials."""
    tuned = study.suite.tuned
    if tuned is None:
        return []
    points = sorted({n for n in (1, 2, 4, 8, 16, 32, 64) if n < tuned.trials} | {tuned.trials})
    head = [
        "arm",
        "as written",
        *(f"best of {n}" for n in points),
        "taken",
        "spread",
        "seeds' spread",
        "values",
    ]
    rows = []
    for name, arm in tuned.arms.items():
        mean = sum(arm.scores) / len(arm.scores)
        spread = (sum((s - mean) ** 2 for s in arm.scores) / max(1, len(arm.scores) - 1)) ** 0.5
        figures = [arm.scores[0], *(arm.expected_best(n) for n in points)]
        figures += [arm.scores[arm.best], spread, arm.spreads[arm.best]]
        taken = values(arm) if arm.best else "as written"
        rows.append([name, *(f"{figure:.2f}" for figure in figures), taken])
    return [
        "## Tuning",
        f"Points of {markdown(tuned.metric)} on {tuned.rows} training rows of each class that were "
        "held out. *best of n*: the expected best of n trials drawn from those that were made; "
        "where it still rises at the end, the arm would gain from a larger budget. *spread*: the "
        "standard deviation over the trials, which says how much the arm depends on its settings; "
        "*seeds' spread*: over the seeds of the best trial. *taken*: the score of the values "
        "taken, too good for having been picked; no verdict reads it.",
        tables.table(head, rows),
    ]
