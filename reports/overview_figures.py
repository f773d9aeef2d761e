"""Pictures of a suite as a whole: ranks with what is not told apart, profiles, shares, levels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ablate.analysis.importance import Importance
from ablate.core.foreign_text import figure as drawable
from ablate.flow import Study
from ablate.stats.across_datasets import Settings

from . import files, floors
from .figures import ARM_COLOURS, LINES, SHORT, canvas
from .overview import RANKS, SHARES

BAR, REST = "#1b6f8a", "#d8d8dc"


def draw(study: Study, folder: Path) -> files.Pictures:
    """Draw what there is to show."""
    with canvas() as pyplot:
        return files.draw(((SHARES, shares), (RANKS, ranks)), study, folder, pyplot)


def shares(study: Study, pyplot: Any) -> Any:
    """Draw the shares of variance of each metric, and the levels of each factor beside them."""
    tall = [
        len(analysis.levels) + len({level.factor for level in analysis.levels})
        for analysis in study.importance
    ]
    levels = partial(_levels, unit="difference" if study.suite.measures else "points")
    return _rows(pyplot, study.importance, (_shares, levels), 0.9 + 0.2 * max([6, *tall]))


def _rows(pyplot: Any, many: Sequence[Any], draw: tuple[Any, Any], height: float) -> Any:
    """Draw a row of two panels for each metric; None where there is none."""
    if not many:
        return None
    figure, grid = pyplot.subplots(len(many), 2, figsize=(10, len(many) * height), squeeze=False)
    for row, entry in zip(grid, many, strict=True):
        for axes, panel in zip(row, draw, strict=True):
            panel(axes, entry)
    figure.tight_layout()
    return figure


def _shares(axes: Any, analysis: Importance) -> None:
    terms = sorted(analysis.shares.terms, key=lambda term: term.share)[-15:]
    places = np.arange(1, len(terms) + 1)
    axes.barh(0, 100 * analysis.shares.residual, color=REST)
    axes.barh(places, [100 * term.share for term in terms], color=BAR)
    for y, term in zip(places, terms, strict=True):
        if term.low == term.low:  # an interval was computed
            axes.plot([100 * term.low, 100 * term.high], [y, y], color="#333333", lw=1.2)
    axes.set_yticks(
        [0, *places], ["not explained", *(drawable(term.name, SHORT) for term in terms)]
    )
    axes.set_xlabel(f"% of the variance of {drawable(analysis.metric)}")


def _levels(axes: Any, analysis: Importance, unit: str) -> None:
    axes.axvline(0, color="#999999", lw=0.8)
    y, ticks, names = 0.0, [], []
    for name in reversed(list(dict.fromkeys(level.factor for level in analysis.levels))):
        for level in reversed([level for level in analysis.levels if level.factor == name]):
            axes.plot([level.apart.low, level.apart.high], [y, y], color=BAR, lw=1.6)
            axes.plot(level.apart.mean, y, "o", color=BAR, ms=5)
            ticks.append(y)
            names.append(drawable(f"{name}: {level.level}", 48))
            y += 1
        y += 0.8
    axes.set_yticks(ticks, names)
    axes.set_xlabel(f"{unit} from the mean over all levels")


def ranks(study: Study, pyplot: Any) -> Any:
    """Draw average ranks with the cliques under them, and each arm's performance profile."""
    tall = [len(ranking.arms) for ranking in study.settings]

    def profile(axes: Any, ranking: Settings) -> None:
        _profile(axes, ranking, "" if study.suite.measures else ", points")
        known = {
            (label, round(value, 1))
            for variant in study.suite.variants
            for label, value in floors.under(study, variant, ranking.metric).items()
        }
        for label, value in sorted(known):
            axes.axvline(value, color="#888888", lw=1, ls=LINES[label], label=label)
        handles, labels = axes.get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        axes.legend(
            unique.values(),
            unique.keys(),
            fontsize=7,
            frameon=False,
            loc="center left",
            bbox_to_anchor=(1.0, 0.5),
        )

    return _rows(pyplot, study.settings, (_diagram, profile), 1.6 + 0.22 * max([6, *tall]))


def _diagram(axes: Any, ranking: Settings) -> None:
    """Draw a critical-difference diagram: Demsar 2006, JMLR 7, figure 1."""
    k, order = len(ranking.arms), np.argsort(ranking.test.ranks, kind="stable")
    axes.set(xlim=(0.7, k + 0.3), ylim=(-(k + 2 + 0.7 * len(ranking.cliques)), 1.6))
    axes.axis("off")
    axes.plot([1, k], [0, 0], color="black", lw=1)
    for rank in range(1, k + 1):
        axes.plot([rank, rank], [0, 0.25], color="black", lw=1)
        axes.annotate(str(rank), (rank, 0.4), ha="center")
    depth = 1 + 0.7 * len(ranking.cliques)
    for index, i in enumerate(order):
        left = index < (k + 1) // 2
        row = -(depth + (index if left else k - 1 - index))
        rank, end = ranking.test.ranks[i], 0.7 if left else k + 0.3
        axes.plot([rank, rank, end], [0, row, row], color="#555555", lw=0.8)
        named = f" {drawable(ranking.arms[i], SHORT)} ({rank:.2f}) "
        axes.annotate(
            named,
            (end, row),
            va="center",
            fontsize=8,
            ha="right" if left else "left",
            annotation_clip=False,
        )
    for index, clique in enumerate(ranking.cliques):
        among = [ranking.test.ranks[i] for i in clique]
        row = -0.55 - 0.6 * index
        axes.plot([min(among) - 0.04, max(among) + 0.04], [row, row], color="#c1440e", lw=3)
    axes.set_title(f"{drawable(ranking.metric)}: average ranks; joined: not told apart", fontsize=9)


def _profile(axes: Any, ranking: Settings, unit: str) -> None:
    for index, (arm, profile) in enumerate(zip(ranking.arms, ranking.profiles, strict=True)):
        colour = ARM_COLOURS[index % len(ARM_COLOURS)]
        style = "-" if index < len(ARM_COLOURS) else "--"
        axes.plot(
            ranking.thresholds,
            [100 * share for share in profile],
            style,
            color=colour,
            label=drawable(arm, SHORT),
            lw=1.4,
        )
    axes.set(xlabel=f"{drawable(ranking.metric)}{unit}", ylabel="% of runs above")
