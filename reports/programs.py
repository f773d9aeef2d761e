"""The arms of somebody's own program: means in its metrics' own units, and what its runs took."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ablate.analysis.arm_summary import Estimate
from ablate.flow import Study
from ablate.types import Status

from . import arm_figures, arm_names, readings, words
from .tables import table


def section(study: Study, pictures: Sequence[str]) -> list[str]:
    """Give the section on the arms."""
    return [
        "## Arms",
        f"Mean over seeds ± half the {words.percent(study.suite.alpha)} interval of the mean, each "
        "metric in its own unit, of curves the last step. Overlap of two such intervals is no "
        "test: the arms share their seeds, and the table above uses that.",
        arms(study),
        words.picture(arm_figures.MEANS, "The arms' means", pictures),
    ]


def arms(study: Study) -> str:
    """Write one row an arm: its runs, each metric's mean, the seconds of a run."""
    names = [*study.suite.measures]
    rows = []
    for arm, runs in zip(study.arms, study.level, strict=True):
        seconds = [record.seconds for record in runs.values() if record.status == Status.OK]
        rows.append(
            [
                arm_names.shown(study, arm.variant.label),
                str(arm.statuses[Status.OK]),
                *(mean(arm.values[name]) for name in names),
                f"{sum(seconds) / len(seconds):.3g}" if seconds else "–",
            ]
        )
    return table(["arm", "runs", *names, "seconds a run"], rows)


def mean(estimate: Estimate) -> str:
    """Write a mean with two digits of its interval's half.

    >>> mean(Estimate(0.81234, 0.80111, 0.82357, 5)), mean(Estimate(1234.5, 1200, 1269, 5))
    ('0.812 ± 0.011', '1234 ± 34')
    """
    if math.isnan(estimate.mean):
        return "–"
    half = (estimate.high - estimate.low) / 2
    if math.isnan(half) or not half:
        return readings.minus(f"{estimate.mean:.4g}")
    decimals = max(0, 1 - math.floor(math.log10(half)))
    return readings.minus(f"{estimate.mean:.{decimals}f} ± {half:.{decimals}f}")
