"""Pictures of the arms themselves: each one's mean with its interval, over what costs nothing."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ablate.analysis.reference_lines import reference
from ablate.core.foreign_text import figure as drawable
from ablate.flow import Study

from . import files, floors, words
from .figures import LINES, MOST_LETTERS, canvas

MEANS = "arms.png"
MOST_ARMS = 64
"""More arms than this have a table only."""

INK = {"": "#1b6f8a", "joint": "#000000", "fine-tune": "#000000"}


def draw(study: Study, folder: Path) -> files.Pictures:
    """Draw what there is to show."""
    with canvas() as pyplot:
        return files.draw(((MEANS, means),), study, folder, pyplot)


def metric_of(study: Study) -> str:
    """Name the metric that the arms are shown in: that of the first claim."""
    contrasts = [contrast.metric for contrast in study.suite.contrasts]
    return next(iter([*contrasts, *(effect.metric for effect in study.suite.effects)]), "")


def means(study: Study, pyplot: Any) -> Any:
    """Draw every arm's mean score, with a tick at each line that costs nothing."""
    metric, variants = metric_of(study), study.suite.variants[::-1]
    estimates = [(v, study.measured(v, metric)) for v in variants] if metric else []
    estimates = [(v, estimate) for v, estimate in estimates if not math.isnan(estimate.mean)]
    if not estimates or len(estimates) > MOST_ARMS:
        return None
    figure, axes = pyplot.subplots(figsize=(7.5, 1.1 + 0.26 * len(estimates)))
    for row, (variant, estimate) in enumerate(estimates):
        colour = INK[reference(variant)]
        for label, value in floors.under(study, variant, metric).items():
            axes.plot(
                [value, value],
                [row - 0.5, row + 0.5],
                color="#888888",
                lw=1.2,
                ls=LINES[label],
                label=label,
            )
        axes.plot([estimate.low, estimate.high], [row, row], color=colour, lw=1.6)
        axes.plot(estimate.mean, row, "o", color=colour, ms=5)
    names = [drawable(variant.label, MOST_LETTERS) for variant, _ in estimates]
    axes.set_yticks(range(len(estimates)), names)
    axes.set_ylim(-0.6, len(estimates) - 0.4)
    level, unit = words.percent(study.suite.alpha), "" if study.suite.measures else ", points"
    axes.set_xlabel(f"{drawable(metric)}{unit}: mean over seeds with its {level} interval")
    unique = dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
    if unique:
        axes.legend(
            unique.values(),
            unique.keys(),
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=3,
            frameon=False,
            fontsize=8,
        )
    return figure
