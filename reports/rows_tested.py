"""What the test rows leave uncertain, and how they are cut into chunks."""

from __future__ import annotations

import math

from ablate.analysis.arm_summary import sampling_error
from ablate.core.foreign_text import code
from ablate.flow import Study
from ablate.types import Status

from . import arm_names, readings, tables


def finite_test(study: Study) -> str:
    """Say what a test set that is the same in every seed leaves uncertain."""
    records = [
        record for runs in study.runs for record in runs.values() if record.status == Status.OK
    ]
    rows = {sum(record.rows) for record in records}
    errors = [
        sampling_error(arm.values[label].mean, min(rows))
        for arm in study.arms
        for label in study.protocols
        if label not in study.oracles and arm.values[label].n
    ]
    if not errors:
        return ""
    return (
        f"Every seed is scored on the same {'/'.join(map(str, sorted(rows)))} test rows. On "
        "another test set of that size an accuracy would come out up to "
        f"{max(errors):.2f} points apart (one standard error), and more seeds do not take that "
        "away; arms share their rows, so "
        "that differences move less."
    )


def new_rows(study: Study) -> list[str]:
    """Put beside each claim's interval the one that would hold for test rows drawn anew."""
    if not study.new_rows:
        return []
    rows = []
    for wide in study.new_rows:
        low, high = readings.apart([wide.low, wide.high], (0.0,), readings.in_points)
        rows.append(
            [
                arm_names.versus(study, wide.verdict),
                wide.verdict.comparison.metric,
                readings.figures(wide.verdict)[1],
                "–" if math.isnan(wide.low) else f"{low} to {high}",
                f"{wide.spread.error:.2f}",
                "–" if math.isnan(wide.spread.share) else f"{100 * wide.spread.share:.0f} %",
            ]
        )
    head = ["contrast", "metric", "its interval", "for new rows", "error of the rows", "of a seed"]
    return [
        "### On other test rows",
        "A verdict is on differences on these test rows. *for new rows*: the same interval, "
        "widened to cover the difference on other rows of the same source as often, if rows are "
        "independent draws; it decides nothing. *error of the rows*: the standard error, "
        "in points, that is due to them, most of which no seed takes away. *of a seed*: how much "
        "of the variance between seeds is chance of single rows, which more test rows would take "
        "away; rough where there are few seeds.",
        tables.table(head, rows),
    ]


def leftovers(study: Study) -> str:
    """Say how many test rows are scored in chunks smaller than asked for."""
    records = [
        record for runs in study.runs for record in runs.values() if record.status == Status.OK
    ]
    parts = []
    for label, size in study.chunks.items():
        left = sorted({sum(n % size for n in record.rows) for record in records})
        if left and left[-1] and size > 1:
            span = f"{left[0]}" if left[0] == left[-1] else f"{left[0]} to {left[-1]}"
            parts.append(f"{code(label)} {span}")
    rows = sorted({sum(record.rows) for record in records})
    if not parts:
        return ""
    return (
        "A chunk never spans two tasks; rows of a task that do not fill one are scored as one "
        f"smaller chunk. Of {'/'.join(map(str, rows))} test rows, by seed: {', '.join(parts)}."
    )
