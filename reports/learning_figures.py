"""Pictures of learning: loss and accuracy against epochs, each task's own curve, and R as a map."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ablate.analysis.arm_summary import ArmSummary
from ablate.analysis.learning import ArmCourse, Course, courses
from ablate.core.foreign_text import figure as drawable
from ablate.errors import StoreError
from ablate.flow import Study
from ablate.types import Floats

from . import files, words
from .figures import MOST_CURVES, MOST_PANELS, SHORT, canvas, curve_style

TRAINING, TASKS, MATRIX = "training.png", "tasks.png", "matrix.png"

MOST_LINES = 6
"""Arms in a panel: more share out over several."""

MOST_NUMBERS = 10
"""Tasks of a map whose cells have their numbers in them: in smaller cells they do not fit."""

MAP, SHADES = "cividis", "viridis"
"""Of cells and of lines: even in lightness, and told apart by all eyes (Nunez, Anderton & Renslow
2018, PLoS ONE 13(7))."""

FAR = 3.0
"""Losses beyond so many times a guess's run along the upper edge."""

DARK = 60.0
"""Points from which a cell is so light that its number is black."""

ALTERNATIVES = {
    TRAINING: "Training loss and training accuracy of every arm against epochs, task after task",
    TASKS: "Accuracy on every task alone after each task, a panel an arm",
    MATRIX: "Accuracy on task k after task t as a heat map, a panel an arm",
}


def draw(study: Study, folder: Path) -> files.Pictures:
    """Draw what there is to show."""
    makers = ((TRAINING, training), (TASKS, tasks), (MATRIX, matrix))
    with canvas() as pyplot:
        return files.draw(makers, study, folder, pyplot)


def section(pictures: Sequence[str]) -> list[str]:
    """Show the pictures that were drawn, the training with what was measured."""
    parts = [words.picture(name, title, pictures) for name, title in ALTERNATIVES.items()]
    if TRAINING in pictures:
        parts.insert(
            1,
            "Measured alike in every arm, at the end of up to ten epochs of each task: "
            "cross-entropy among the classes seen so far, and accuracy over these, of at most 64 "
            "of the task's own training rows, by the network's outputs even where a method "
            "classifies otherwise. Means over the seeds that ended well; no verdict rests on them.",
        )
    return [part for part in parts if part]


def training(study: Study, pyplot: Any) -> Any:
    """Draw loss and accuracy against epochs, a row a setting; None where there is no curve.

    Raises StoreError where there are curves and none can be read.
    """
    if len({variant.arm for variant in study.suite.variants}) > MOST_CURVES:
        return None
    curves = study.curves()
    rows = _rows(courses(study, curves.by_key))
    if not rows and curves.fault:
        raise StoreError(curves.fault)
    if not rows or len(rows) > MOST_PANELS:
        return None
    names = list(dict.fromkeys(variant.arm for variant in study.suite.variants))
    figure, grid = _grid(pyplot, (len(rows), 2), (3.2, 1.5), (0.7, 0.4), sharey="col")
    top = _top([arm for _, arms in rows for arm in arms])
    for (title, arms), (left, right) in zip(rows, grid, strict=True):
        for arm in arms:
            _curve(left, right, arm, names.index(arm.variant.arm), top)
        for axes in (left, right):
            _borders(axes, arms)
        left.set(ylabel="loss (nats)", ylim=(0, top))
        right.set(ylabel="accuracy (%)", ylim=(0, 103))
        left.set_title(drawable(title, SHORT), fontsize=9, loc="left")
        right.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
    _under(figure, "\n".join(_notes(study, rows, curves.fault)))
    return figure


def _grid(
    pyplot: Any,
    count: tuple[int, int],
    size: tuple[float, float],
    gaps: tuple[float, float],
    sharey: bool | str = True,
) -> tuple[Any, Any]:
    """Give a figure of rows and columns of panels of one size, with gaps between them, in inches.

    A layout that is sought takes as long as all the drawing; here all sizes are known.
    """
    (rows, columns), (width, height), (beside, above) = count, size, gaps
    wide, high = columns * (width + beside), rows * (height + above)
    figure, grid = pyplot.subplots(
        rows, columns, figsize=(wide, high), sharex=True, sharey=sharey, squeeze=False
    )
    figure.subplots_adjust(
        left=beside / wide,
        right=1,
        bottom=0,
        top=1 - above / high,
        wspace=beside / width,
        hspace=above / height,
    )
    return figure, grid


def _under(figure: Any, text: str) -> None:
    """Write under a figure, below the numbers of its axes."""
    figure.text(0.5, -0.32 / figure.get_figheight(), text, ha="center", va="top", fontsize=8)


def _rows(arms: Sequence[ArmCourse]) -> list[tuple[str, list[ArmCourse]]]:
    """Share out arms over panels: those of a setting together, as evenly as they go."""
    cells: dict[str, list[ArmCourse]] = {}
    for arm in arms:
        cells.setdefault(", ".join(arm.variant.setting), []).append(arm)
    rows = []
    for title, members in cells.items():
        count = math.ceil(len(members) / MOST_LINES)
        size = math.ceil(len(members) / count)
        rows += [(title, members[i : i + size]) for i in range(0, len(members), size)]
    return rows


def _top(arms: Sequence[ArmCourse]) -> float:
    """Give where the axis of losses ends: above all means, but not far above a guess.

    An arm that runs away would make a line at 0 of all others.
    """
    means = [value for arm in arms for value in arm.mean.loss if math.isfinite(value)]
    far = FAR * max(arm.guess for arm in arms)
    return min(1.08 * max(means, default=far), far) or 1.0


def _curve(left: Any, right: Any, arm: ArmCourse, index: int, top: float) -> None:
    """Draw an arm into a panel of losses and one of accuracies."""
    style, label = curve_style(arm.variant, index), drawable(arm.variant.name, SHORT)
    for axes, values in ((left, np.minimum(arm.mean.loss, top)), (right, arm.mean.accuracy)):
        x, y = _parted(arm.mean.epochs, values, arm.ends)
        axes.plot(x, y, marker="o", ms=2, lw=1.2, label=label, **style)
    for run in arm.diverged:
        _lost(left, run, np.minimum(run.loss, top), style["color"])
        _lost(right, run, run.accuracy, style["color"])


def _lost(axes: Any, run: Course, values: Floats, colour: str) -> None:
    """Draw a run that diverged, up to a cross where it was last measured."""
    there = np.isfinite(run.loss)
    x, y = run.epochs[there], values[there]
    axes.plot(x, y, color=colour, lw=0.6, alpha=0.7)
    axes.plot(x[-1:], y[-1:], "x", color=colour, ms=5, clip_on=False)


def _parted(epochs: Floats, values: Floats, ends: Sequence[int]) -> tuple[Floats, Floats]:
    """Part a line where a task ends: what follows is measured on other rows."""
    cuts = np.searchsorted(epochs, ends[:-1], side="right")
    return np.insert(epochs, cuts, np.nan), np.insert(values, cuts, np.nan)


def _borders(axes: Any, arms: Sequence[ArmCourse]) -> None:
    for end in {end for arm in arms for end in arm.ends[:-1]}:
        axes.axvline(end, color="#bbbbbb", lw=0.8, ls=":", zorder=0)


def _notes(study: Study, rows: Sequence[tuple[str, list[ArmCourse]]], fault: str) -> Iterator[str]:
    """Say under the picture what its lines are, and what is not in it."""
    arms = [arm for _, members in rows for arm in members]
    yield "epochs, counted on over the tasks; dotted: where a task ends"
    if any((arm.mean.loss > FAR * arm.guess).any() or arm.diverged for arm in arms):
        yield "at the upper edge: any larger loss; thin, to a cross: runs that diverged"
    whole = {summary.variant.label: summary.statuses["ok"] for summary in study.arms}
    runs = sum(whole[arm.variant.label] for arm in arms)
    if (shown := sum(arm.n for arm in arms)) < runs:
        yield f"of {shown} of the {runs} runs that ended well: the others have no such curve"
    if fault:
        yield drawable(fault, 100)


def _arms(study: Study) -> list[ArmSummary]:
    """Give the arms whose matrix has more than a number, if they are few enough for pictures."""
    arms = [arm for arm in study.arms if len(arm.matrix) > 1]
    return arms if len(arms) <= MOST_CURVES else []


def _panels(
    pyplot: Any, arms: Sequence[ArmSummary], labels: tuple[str, str]
) -> tuple[Any, list[Any]]:
    """Give a figure with a titled panel for each arm, and the labels of its axes."""
    columns = min(4, len(arms))
    rows = math.ceil(len(arms) / columns)
    figure, grid = _grid(pyplot, (rows, columns), (2.1, 1.6), (0.15, 0.4))
    panels = list(grid.flat)
    for axes in panels[len(arms) :]:
        axes.remove()
    for place, (axes, arm) in enumerate(zip(panels, arms, strict=False)):
        axes.set_title(drawable(arm.variant.label, SHORT), fontsize=8)
        axes.tick_params(labelbottom=place + columns >= len(arms))  # the lowest of its column
    _under(figure, labels[0])
    figure.text(-0.3 / figure.get_figwidth(), 0.5, labels[1], rotation=90, va="center", fontsize=8)
    return figure, panels[: len(arms)]


def _scale(figure: Any, colours: Any, **settings: Any) -> None:
    """Draw the one scale of all panels to their right."""
    wide, top = figure.get_figwidth(), figure.subplotpars.top
    beside = figure.add_axes((1 + 0.15 / wide, 0, 0.12 / wide, top))
    figure.colorbar(colours, cax=beside, **settings)


def tasks(study: Study, pyplot: Any) -> Any:
    """Draw every task's own accuracy after each task; None where there is one task."""
    from matplotlib import cm, colormaps, colors

    arms = _arms(study)
    if not arms:
        return None
    most = max(len(arm.matrix) for arm in arms)
    # its light end would vanish on white
    shades = colors.ListedColormap(colormaps[SHADES](np.linspace(0, 0.85, most)))
    figure, panels = _panels(pyplot, arms, ("tasks learnt", "accuracy on the task (%)"))
    low = min(value for arm in arms for row in arm.matrix for value in row)
    for axes, arm in zip(panels, arms, strict=True):
        size = len(arm.matrix)
        for k in range(size):
            after = [arm.matrix[t][k] for t in range(k, size)]
            axes.plot(range(k + 1, size + 1), after, "-o", ms=2.5, lw=1.2, color=shades(k))
        axes.set(ylim=(max(-3, low - 5), 103))
        axes.xaxis.get_major_locator().set_params(integer=True)
    edges = colors.BoundaryNorm(np.arange(most + 1) + 0.5, most)
    ticks = np.unique(np.linspace(1, most, min(most, 10)).round())
    _scale(figure, cm.ScalarMappable(edges, shades), ticks=ticks, label="task")
    return figure


def matrix(study: Study, pyplot: Any) -> Any:
    """Draw R of every arm as a heat map with one scale; None where there is one task."""
    arms = _arms(study)
    if not arms:
        return None
    figure, panels = _panels(pyplot, arms, ("accuracy on task k", "after task t"))
    for axes, arm in zip(panels, arms, strict=True):
        size = len(arm.matrix)
        cells = np.array([[*row, *[math.nan] * (size - len(row))] for row in arm.matrix])
        corners = (0.5, size + 0.5, size + 0.5, 0.5)
        image = axes.imshow(cells, cmap=MAP, vmin=0, vmax=100, extent=corners, aspect="auto")
        for locator in (axes.xaxis.get_major_locator(), axes.yaxis.get_major_locator()):
            locator.set_params(integer=True, nbins=min(size, 10))
        for t, row in enumerate(arm.matrix if size <= MOST_NUMBERS else ()):
            for k, value in enumerate(row):
                colour = "black" if value >= DARK else "white"
                where = {"ha": "center", "va": "center", "color": colour}
                axes.text(k + 1, t + 1, f"{value:.0f}", fontsize=8 - size / 3, **where)
    _scale(figure, image, label="accuracy (%), mean over seeds")
    return figure
