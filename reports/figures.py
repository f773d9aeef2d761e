"""The two pictures of a report: a forest of contrasts, and accuracy along the tasks."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ablate.flow import Study
from ablate.foreign_text import figure as drawable
from ablate.types import Contrast, cell_words

from . import files, words

COLOURS = {
    "MATTERS": "#c1440e",
    "NEGLIGIBLE": "#1b6f8a",
    "INCONCLUSIVE": "#77777d",
    "UNTESTABLE": "#b9b9c0",
}
ARM_COLOURS = (
    "#1b6f8a",
    "#c1440e",
    "#6a9a1f",
    "#7b4fa3",
    "#d29a00",
    "#444444",
    "#d16ba5",
    "#2aa198",
)
MOST_CURVES = 24
"""More arms than this, as factorials have, make a tangle that nobody can read."""

SHORT = 40
"""Letters of a name in a legend or over a panel."""

MOST_PANELS = 16
"""More settings than this have no picture of curves."""


@contextmanager
def canvas() -> Iterator[Any]:
    """Give pyplot, without a screen and in the look that all pictures share."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    with warnings.catch_warnings():
        # a name in a script that the font lacks is drawn as boxes; the table beside it has it
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        with pyplot.rc_context(
            {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
        ):
            yield pyplot


def draw(study: Study, folder: Path) -> files.Pictures:
    """Draw what there is to show, in the report's order."""
    makers = (("contrasts.png", forest), ("curves.png", curves))
    with canvas() as pyplot:
        return files.draw(makers, study, folder, pyplot)


def forest(study: Study, pyplot: Any) -> Any:
    """Draw every contrast's difference with its interval, before its margin."""
    named = [label(study, contrast) for contrast in study.suite.contrasts]
    named += [words.named(study, effect) for effect in study.suite.effects]
    pairs = zip(named, (*study.verdicts, *study.effects), strict=True)
    shown = [(name, v) for name, v in pairs if not math.isnan(v.estimate)]
    if not shown:
        return None
    figure, axes = pyplot.subplots(figsize=(7.5, 0.9 + 0.42 * len(shown)))
    labels = []
    for row, (name, verdict) in enumerate(reversed(shown)):
        labels.append(drawable(name))
        margin, colour = verdict.comparison.margin, COLOURS[verdict.decision]
        axes.fill_betweenx([row - 0.42, row + 0.42], -margin, margin, color="#e8eef0", lw=0)
        if math.isinf(verdict.low):  # no interval at so few seeds: open on both sides
            axes.axhline(row, color=colour, lw=1.4, ls=":")
        axes.plot([verdict.low, verdict.high], [row, row], color=colour, lw=1.4)
        axes.plot(verdict.inner, [row, row], color=colour, lw=3.6)
        axes.plot(verdict.estimate, row, "o", color=colour, ms=6)
        axes.annotate(verdict.decision, (1.01, row), xycoords=("axes fraction", "data"),
                      color=colour, va="center", fontsize=8)  # fmt: skip
    axes.axvline(0, color="#999999", lw=0.8, zorder=0)
    axes.set_yticks(range(len(shown)), labels)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    outer, inner = (words.percent(alpha) for alpha in (study.suite.alpha, 2 * study.suite.alpha))
    axes.set_xlabel(f"difference in points, {outer} (thin) and {inner} interval; shaded: margin")
    return figure


def label(study: Study, contrast: Contrast) -> str:
    """Name a contrast in one line, the metric only where several are declared."""
    arms = [study.suite.variants[i] for i in (contrast.treatment, contrast.baseline)]
    cell = f" ({', '.join(cell_words(arms[0].cell))})" if arms[0].cell else ""
    several = len({one.metric for one in study.suite.contrasts}) > 1
    metric = f", {contrast.metric}" if several else ""
    return f"{arms[0].name} − {arms[1].name}{metric}{cell}"


def curves(study: Study, pyplot: Any) -> Any:
    """Draw each arm's accuracy on the tasks seen so far, a panel a setting, where they are few."""
    if len({variant.arm for variant in study.suite.variants}) > MOST_CURVES:
        return None
    cells: dict[str, list[Any]] = {}
    for arm in study.arms:
        if arm.curve:
            cells.setdefault(", ".join(arm.variant.setting), []).append(arm)
    if (
        not cells
        or len(cells) > MOST_PANELS
        or max(len(arm.curve) for arms in cells.values() for arm in arms) < 2
    ):
        return None
    columns = min(3, len(cells))
    rows = math.ceil(len(cells) / columns)
    size = (0.8 + 3.4 * columns, 0.6 + 2.7 * rows)
    figure, grid = pyplot.subplots(rows, columns, figsize=size, sharey=True, squeeze=False)
    names = list(dict.fromkeys(variant.arm for variant in study.suite.variants))
    for axes, (title, arms) in zip(grid.flat, cells.items(), strict=False):
        for arm in arms:
            place = names.index(arm.variant.arm)
            tasks = range(1, len(arm.curve) + 1)
            style = {
                "color": ARM_COLOURS[place % len(ARM_COLOURS)],
                "ls": ("-", "--", ":", "-.")[place // len(ARM_COLOURS) % 4],
            }
            axes.plot(
                tasks,
                [e.mean for e in arm.curve],
                "o",
                ms=3,
                label=drawable(arm.variant.name, SHORT),
                **style,
            )
            low, high = [e.low for e in arm.curve], [e.high for e in arm.curve]
            axes.fill_between(tasks, low, high, color=style["color"], alpha=0.12, lw=0)
        axes.set_title(drawable(title, SHORT), fontsize=9)
        axes.set_xticks(tasks)
        axes.set_xlabel("tasks learnt")
    for axes in list(grid.flat)[len(cells) :]:
        axes.axis("off")
    for line in grid[:, 0]:
        line.set_ylabel("accuracy on tasks seen (%)")
    handles = {
        h: n for axes in grid.flat for h, n in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    unique = {name: handle for handle, name in handles.items()}
    figure.legend(unique.values(), unique.keys(), loc="center left", bbox_to_anchor=(1.0, 0.5),
                  frameon=False)  # fmt: skip
    figure.tight_layout()
    return figure
