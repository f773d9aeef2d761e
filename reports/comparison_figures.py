"""Pictures of anybody's table: a forest, every paired difference, the arms' means."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from ablate.core.foreign_text import figure as drawable
from ablate.tables.compared import Compared
from ablate.types import Verdict

from . import files, readings
from .arm_figures import INK, MOST_ARMS
from .figures import MOST_LETTERS, canvas, claims, colour_of

FOREST, DIFFERENCES, MEANS = "contrasts.png", "differences.png", "arms.png"

MOST_CLAIMS = 40
"""More claims than this have tables only."""

MOST_DOTS = 500
"""Pairs of a claim that are drawn one by one; of more, evenly spaced ones of their order."""


def draw(compared: Compared, folder: Path) -> files.Pictures:
    """Draw what there is to show, in the report's order."""
    makers = ((FOREST, forest), (DIFFERENCES, differences), (MEANS, means))
    with canvas() as pyplot:
        return files.draw(makers, compared, folder, pyplot)


def name(verdict: Verdict) -> str:
    """Name a claim by its arms."""
    return f"{verdict.comparison.treatment} − {verdict.comparison.baseline}"


def forest(compared: Compared, pyplot: Any) -> Any:
    """Draw every claim's difference with its interval, over all blocks and then inside each."""
    named = [(name(verdict), verdict) for verdict in compared.verdicts]
    for block, verdicts in compared.blocks.items():
        named += [(f"{block}: {name(verdict)}", verdict) for verdict in verdicts]
    return claims(named, drawable(compared.metric), pyplot) if len(named) <= MOST_CLAIMS else None


def differences(compared: Compared, pyplot: Any) -> Any:
    """Draw each pair's difference as a dot, in a row a claim, before the margin."""
    shown = [verdict for verdict in compared.verdicts if verdict.comparison.deltas][::-1]
    if not shown or len(shown) > MOST_CLAIMS:
        return None
    figure, axes = pyplot.subplots(figsize=(7.5, 1.1 + 0.55 * len(shown)))
    for row, verdict in enumerate(shown):
        deltas = np.sort(verdict.comparison.deltas)
        if len(deltas) > MOST_DOTS:
            deltas = deltas[np.linspace(0, len(deltas) - 1, MOST_DOTS).astype(int)]
        bounds = verdict.comparison.bounds
        if all(map(math.isfinite, bounds)):
            axes.fill_betweenx([row - 0.42, row + 0.42], *bounds, color="#e8eef0", lw=0)
        # spread up and down by the order of size: equal differences stay apart, nothing is random
        heights = row + 0.28 * (np.arange(len(deltas)) % 7 - 3) / 3
        colour = colour_of(verdict)
        axes.plot(deltas, heights, "o", ms=3, color=colour, alpha=0.6, mew=0)
        axes.plot([verdict.estimate] * 2, [row - 0.38, row + 0.38], color=colour, lw=2)
    axes.axvline(0, color="#999999", lw=0.8, zorder=0)
    axes.set_yticks(range(len(shown)), [drawable(name(v), MOST_LETTERS) for v in shown])
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set_xlabel(f"difference in {drawable(compared.metric)}, a dot a pair; bar: their mean")
    return figure


def means(compared: Compared, pyplot: Any) -> Any:
    """Draw every arm's mean with its own interval."""
    shown = [arm for arm in compared.arms if not math.isnan(arm.mean)][::-1]
    if not shown or len(shown) > MOST_ARMS:
        return None
    figure, axes = pyplot.subplots(figsize=(7.5, 1.1 + 0.26 * len(shown)))
    for row, arm in enumerate(shown):
        if not math.isnan(arm.low):
            axes.plot([arm.low, arm.high], [row, row], color=INK[""], lw=1.6)
        axes.plot(arm.mean, row, "o", color=INK[""], ms=5)
    named = [f"{arm.arm}, {arm.block}" if arm.block else arm.arm for arm in shown]
    axes.set_yticks(range(len(shown)), [drawable(text, MOST_LETTERS) for text in named])
    axes.set_ylim(-0.6, len(shown) - 0.4)
    level = readings.percent(1 - compared.design.alpha)
    axes.set_xlabel(f"{drawable(compared.metric)}: mean with its own {level} interval")
    return figure
