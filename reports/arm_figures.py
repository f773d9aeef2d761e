"""Pictures of the arms themselves: each one's mean with its interval, over what costs nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ablate.analysis.arm_summary import Estimate
from ablate.analysis.reference_lines import reference as line_of
from ablate.core.claim_values import Published
from ablate.core.foreign_text import figure as drawable
from ablate.flow import Study
from ablate.types import Variant

from . import files, floors, references, words
from .figures import ARM_COLOURS, LINES, MOST_LETTERS, SHORT, canvas

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


def metrics_of(study: Study) -> list[str]:
    """Name the metrics that the arms are shown in: that of the first claim, those of figures."""
    figures = [reference.metric for reference in study.suite.references]
    return list(dict.fromkeys(filter(None, [metric_of(study), *figures])))


def means(study: Study, pyplot: Any) -> Any:
    """Draw every arm's mean score, a panel a metric.

    There is a tick at each line that costs nothing, and a mark at each published figure.
    """
    panels = [(metric, _estimates(study, metric)) for metric in metrics_of(study)]
    panels = [(metric, rows) for metric, rows in panels if 0 < len(rows) <= MOST_ARMS]
    if not panels:
        return None
    tall = [1.1 + 0.26 * len(rows) for _, rows in panels]
    figure, grid = pyplot.subplots(
        len(panels), figsize=(7.5, sum(tall)), height_ratios=tall, squeeze=False
    )
    for axes, (metric, rows) in zip(grid[:, 0], panels, strict=True):
        _panel(axes, study, metric, rows)
    if len(panels) > 1:
        figure.tight_layout()
    return figure


def _estimates(study: Study, metric: str) -> list[tuple[Variant, Estimate]]:
    """Give the arms that have a mean, the first of them last: pictures are drawn from below."""
    rows = [(v, study.measured(v, metric)) for v in study.suite.variants[::-1]]
    return [(variant, estimate) for variant, estimate in rows if not math.isnan(estimate.mean)]


def _panel(
    axes: Any, study: Study, metric: str, estimates: Sequence[tuple[Variant, Estimate]]
) -> None:
    places = {variant.label: row for row, (variant, _) in enumerate(estimates)}
    for row, (variant, estimate) in enumerate(estimates):
        colour = INK[line_of(variant)]
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
    for nth, reference in enumerate(study.suite.references):
        if reference.metric == metric:
            rows = [
                places[variant.label]
                for stated, variant in references.beside(study)
                if stated is reference
                and variant.label in places
                and references.of_data(reference, variant)
            ]
            _published(axes, reference.figure, rows, ARM_COLOURS[(nth + 1) % len(ARM_COLOURS)])
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


def _published(axes: Any, figure: Published, rows: Sequence[int], colour: str) -> None:
    """Draw a published figure in the rows of the arms that it stands beside, with its ±."""
    label = drawable(f"{figure.method} (published)", SHORT)
    for row in rows:
        ends = [row - 0.5, row + 0.5]
        axes.plot([figure.value] * 2, ends, color=colour, lw=1.4, label=label, zorder=1)
        if not math.isnan(figure.spread):
            low, high = figure.value - figure.spread, figure.value + figure.spread
            axes.fill_betweenx(ends, low, high, color=colour, alpha=0.15, lw=0, zorder=0)
