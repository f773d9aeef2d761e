"""The picture that tells a rule from its step: score against the effective step, a line an arm."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ablate.analysis.arm_summary import Estimate
from ablate.core.foreign_text import figure as drawable
from ablate.flow import Study
from ablate.types import Variant, cell_words

from . import files, floors
from .arm_figures import metric_of
from .figures import LINES, MOST_CURVES, MOST_PANELS, SHORT, canvas, curve_style

STEPS = "effective_steps.png"

Point = tuple[float, Estimate]
"""An effective step, and the score at it."""


def draw(study: Study, folder: Path) -> files.Pictures:
    """Draw the picture, where an arm was run at several effective steps."""
    with canvas() as pyplot:
        return files.draw(((STEPS, against_steps),), study, folder, pyplot)


def explained(names: Iterable[str]) -> str:
    """Say how the picture is read, where there is one."""
    if STEPS not in names:
        return ""
    return (
        "The effective step is how far a batch moves the parameters to first order, in slopes of "
        "the mean loss and averaged over the tasks: lr · K · eta · r / (1 − m) for a chain of K "
        "tasks, outer step eta, r inner steps and a carried momentum m. Where arms lie on one "
        "line, the step explains them and the rule does not."
    )


def effective_step(study: Study, index: int) -> float:
    """Give a variant's effective step as its records have it; nan where none has one."""
    for run in study.runs[index].values():
        value = run.provenance.get("effective_step")
        if isinstance(value, float | int) and math.isfinite(value) and value > 0:
            return float(value)
    return math.nan


def lines(study: Study, metric: str) -> dict[str, dict[str, list[Point]]]:
    """Give each panel's lines: an arm's points in order, at the settings that move no step."""
    steps = {i: effective_step(study, i) for i in range(len(study.suite.variants))}
    moving = _moving(study.suite.variants, steps)
    panels: dict[str, dict[str, list[Point]]] = {}
    for index, variant in enumerate(study.suite.variants):
        estimate = study.measured(variant, metric)
        if math.isnan(steps[index]) or math.isnan(estimate.mean):
            continue
        rest = {axis: level for axis, level in variant.cell.items() if axis not in moving}
        panel = panels.setdefault(", ".join(cell_words(rest)), {})
        panel.setdefault(variant.arm, []).append((steps[index], estimate))
    for panel in panels.values():
        for points in panel.values():
            points.sort(key=lambda point: point[0])
    return panels


def _moving(variants: tuple[Variant, ...], steps: Mapping[int, float]) -> set[str]:
    """Name the crossed axes that change an arm's effective step when they change alone."""
    moving: set[str] = set()
    first: dict[object, float] = {}
    for axis in {axis for variant in variants for axis in variant.cell}:
        for index, variant in enumerate(variants):
            others = (variant.arm, *((a, v) for a, v in variant.cell.items() if a != axis))
            before = first.setdefault((axis, others), steps[index])
            if not math.isnan(before) and not math.isclose(before, steps[index], rel_tol=1e-6):
                moving.add(axis)
    return moving


def against_steps(study: Study, pyplot: Any) -> Any:
    """Draw every arm's score against its effective step, a panel a setting."""
    metric = metric_of(study)
    panels = lines(study, metric) if metric else {}
    arms = list(dict.fromkeys(variant.arm for variant in study.suite.variants))
    longest = max(
        (len(points) for panel in panels.values() for points in panel.values()), default=0
    )
    if longest < 2 or len(panels) > MOST_PANELS or len(arms) > MOST_CURVES:
        return None
    columns = min(3, len(panels))
    rows = math.ceil(len(panels) / columns)
    size = (0.8 + 3.6 * columns, 0.6 + 2.9 * rows)
    figure, grid = pyplot.subplots(
        rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False
    )
    by_arm = {variant.arm: variant for variant in study.suite.variants}
    for axes, (title, panel) in zip(grid.flat, panels.items(), strict=False):
        for arm, points in panel.items():
            _line(axes, by_arm[arm], arms.index(arm), points)
        for label, value in _floors(study, metric).items():
            axes.axhline(value, color="#888888", lw=1, ls=LINES[label], label=label)
        axes.set_xscale("log")
        axes.set_title(drawable(title, 2 * SHORT), fontsize=9)
    for axes in list(grid.flat)[len(panels) :]:
        axes.axis("off")
    figure.supxlabel(
        "effective step: how far a batch moves, in slopes of the mean loss", fontsize=9
    )
    figure.supylabel(f"{drawable(metric)}, points", fontsize=9)
    handles = {
        n: h for axes in grid.flat for h, n in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        frameon=False,
    )
    figure.tight_layout()
    return figure


def _line(axes: Any, variant: Variant, place: int, points: list[Point]) -> None:
    style = curve_style(variant, place)
    steps, estimates = [step for step, _ in points], [estimate for _, estimate in points]
    axes.errorbar(
        steps,
        [estimate.mean for estimate in estimates],
        yerr=[
            [estimate.mean - estimate.low for estimate in estimates],
            [estimate.high - estimate.mean for estimate in estimates],
        ],
        marker="osD^vP*X"[place % 8],
        ms=4,
        lw=1.2,
        elinewidth=0.8,
        label=drawable(variant.name, SHORT),
        **style,
    )


def _floors(study: Study, metric: str) -> dict[str, float]:
    """Give the lines that cost nothing, where all arms share them."""
    values: dict[str, set[float]] = {}
    for variant in study.suite.variants:
        for label, value in floors.under(study, variant, metric).items():
            values.setdefault(label, set()).add(round(value, 1))
    return {label: min(levels) for label, levels in values.items() if len(levels) == 1}
