"""The two pictures of a report: a forest of contrasts, and accuracy along the tasks."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ablate.analysis.reference_lines import reference
from ablate.core.foreign_text import figure as drawable
from ablate.flow import Study
from ablate.types import Contrast, Decision, Variant, Verdict, cell_words

from . import files, floors, words

COLOURS = {
    Decision.MATTERS: "#c1440e",
    Decision.NEGLIGIBLE: "#1b6f8a",
    Decision.NO_GAIN: "#1b6f8a",
    Decision.NO_HARM: "#1b6f8a",
    Decision.INCONCLUSIVE: "#77777d",
    Decision.UNTESTABLE: "#b9b9c0",
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

MOST_LETTERS = 48
"""Letters of a claim's name."""

FAR = 1e9
"""Where a line without an end is drawn to, in points."""

CROWDED = 4
"""A claim this many times as large as the next makes a dot of it."""

LINES = {"chance": ":", "majority class": "-.", "newest task alone": "--"}
"""How the lines that cost nothing are drawn."""

MOST_BANDS = 9
"""Arms of a panel whose intervals are drawn: of more, the bands would hide the curves."""

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
        warnings.filterwarnings("ignore", "Glyph .* missing from|Tight layout", UserWarning)
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
    """Draw every claim's difference with its interval, before its margin.

    Where a few are so large that the others would be dots, a second panel shows those others.
    """
    named = [label(study, contrast) for contrast in study.suite.contrasts]
    named += [words.in_metric(study, effect) for effect in study.suite.effects]
    pairs = zip(named, (*study.verdicts, *study.effects), strict=True)
    return claims([*pairs], "" if study.suite.measures else "points", pyplot)


def claims(named: Sequence[tuple[str, Verdict]], unit: str, pyplot: Any) -> Any:
    """Draw named verdicts' differences, before their margins where there are any."""
    shown = [(name, v) for name, v in named if not math.isnan(v.estimate)][::-1]
    if not shown:
        return None
    verdicts = [verdict for _, verdict in shown]
    large = giants(verdicts)
    panels = 2 if large else 1
    figure, grid = pyplot.subplots(
        1, panels, figsize=(3.5 + 4 * panels, 0.9 + 0.42 * len(shown)), sharey=True, squeeze=False
    )
    for axes in grid[0]:
        axes.set_xlim(*_span(verdicts))  # set, or lines without an end would stretch it
        for row, verdict in enumerate(verdicts):
            _claim(axes, row, verdict)
        axes.axvline(0, color="#999999", lw=0.8, zorder=0)
    grid[0, 0].set_yticks(range(len(shown)), [drawable(name, MOST_LETTERS) for name, _ in shown])
    grid[0, 0].set_ylim(-0.6, len(shown) - 0.4)
    if large:
        _zoom(grid[0, 1], verdicts, large)
        grid[0, 0].set_title("all claims", fontsize=9)
    for row, verdict in enumerate(verdicts):
        grid[0, -1].annotate(
            _words(verdict),
            (1.02, row),
            xycoords=("axes fraction", "data"),
            color=colour_of(verdict),
            va="center",
            fontsize=7,
            linespacing=1.2,
        )
    declared = any(verdict.comparison.margin > 0 for verdict in verdicts)
    read = "the interval its verdict is read from; shaded: margin" if declared else "its interval"
    figure.supxlabel(f"difference{f' in {unit}' if unit else ''} with {read}", fontsize=9)
    figure.tight_layout()
    return figure


def colour_of(verdict: Verdict) -> str:
    """Give the colour of its decision; of a difference without a margin, that of ink."""
    return COLOURS[verdict.decision] if verdict.comparison.margin > 0 else "#444444"


def _words(verdict: Verdict) -> str:
    """Write a verdict beside its interval; without a margin there is none."""
    if not verdict.comparison.margin > 0:
        return "no margin"
    return "\n".join([verdict.decision, *(f for f in verdict.flags if f in floors.SAYS)])


def _claim(axes: Any, row: int, verdict: Verdict) -> None:
    bounds, colour = verdict.comparison.bounds, colour_of(verdict)
    axes.fill_betweenx([row - 0.42, row + 0.42], *bounds, color="#e8eef0", lw=0)
    axes.plot([verdict.low, verdict.high], [row, row], color=colour, lw=2.4)
    for end in (verdict.low, verdict.high):  # no interval at so few seeds
        if math.isinf(end):
            axes.plot(
                [verdict.estimate, math.copysign(FAR, end)], [row, row], ":", color=colour, lw=1.4
            )
    axes.plot(verdict.estimate, row, "o", color=colour, ms=6)


def _span(verdicts: Sequence[Verdict]) -> tuple[float, float]:
    """Give the limits of a panel: every finite end, every margin, and some room."""
    ends = [end for v in verdicts for end in (v.estimate, v.low, v.high) if math.isfinite(end)]
    ends += [bound for v in verdicts for bound in v.comparison.bounds]
    ends += [0.0]
    ends = [end for end in ends if math.isfinite(end)]
    ends = ends if max(ends) > min(ends) else [-1.0, 1.0]
    room = 0.05 * (max(ends) - min(ends))
    return min(ends) - room, max(ends) + room


def reach(verdict: Verdict) -> float:
    """Give how far from 0 a claim is drawn, its finite ends and its margin included."""
    ends = (verdict.estimate, verdict.low, verdict.high, *verdict.comparison.bounds)
    return max(abs(end) for end in ends if math.isfinite(end))


def giants(verdicts: Sequence[Verdict]) -> set[int]:
    """Give the places of the few claims beside which the others could not be read; often none.

    The others, at least half of them, all lie within a quarter of the nearest of these.
    """
    order = sorted(range(len(verdicts)), key=lambda index: -reach(verdicts[index]))
    spans = [reach(verdicts[index]) for index in order]
    cuts = [
        k
        for k in range(1, len(order) // 2 + 1)
        if spans[k - 1] > CROWDED * spans[k] and _distinct(verdicts[order[k - 1]])
    ]
    return {*order[: max(cuts, default=0)]}


def _distinct(verdict: Verdict) -> bool:
    """Say whether a claim is large itself, and not merely its interval."""
    return 2 * abs(verdict.estimate) > reach(verdict)


def _zoom(axes: Any, verdicts: Sequence[Verdict], large: set[int]) -> None:
    """Cut a panel to the claims that are not the largest; these say that they lie outside."""
    span = 1.15 * max(reach(v) for index, v in enumerate(verdicts) if index not in large)
    axes.set_xlim(-span, span)
    largest = "largest" if len(large) == 1 else f"{len(large)} largest"
    axes.set_title(f"the same without the {largest}", fontsize=9)
    for index in large:
        value, colour = verdicts[index].estimate, COLOURS[verdicts[index].decision]
        figure = words.of(verdicts[index], value)
        text = f"{figure} →" if value > 0 else f"← {figure}"
        at, side = math.copysign(0.97 * span, value), "right" if value > 0 else "left"
        axes.annotate(
            text,
            (at, index),
            ha=side,
            va="center",
            fontsize=8,
            color=colour,
            bbox={"fc": "white", "ec": "none", "pad": 1},
        )


def label(study: Study, contrast: Contrast) -> str:
    """Name a contrast in one line, the metric only where several are declared."""
    arms = [study.suite.variants[i] for i in (contrast.treatment, contrast.baseline)]
    cell = f" ({', '.join(cell_words(arms[0].cell))})" if arms[0].cell else ""
    several = len({declared.metric for declared in study.suite.contrasts}) > 1
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
            tasks = range(1, len(arm.curve) + 1)
            style = curve_style(arm.variant, names.index(arm.variant.arm))
            axes.plot(
                tasks,
                [e.mean for e in arm.curve],
                "o",
                ms=3,
                label=drawable(arm.variant.name, SHORT),
                **style,
            )
            if len(arms) <= MOST_BANDS:
                low, high = [e.low for e in arm.curve], [e.high for e in arm.curve]
                axes.fill_between(tasks, low, high, color=style["color"], alpha=0.12, lw=0)
        _lines(axes, study, [arm.variant for arm in arms])
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
    figure.legend(
        unique.values(), unique.keys(), loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False
    )
    figure.tight_layout()
    return figure


def curve_style(variant: Variant, index: int) -> dict[str, str]:
    """Give an arm's colour and dashes; the references `joint` and `fine-tune` are black."""
    if kind := reference(variant):
        return {"color": "#000000", "ls": "-" if kind == "joint" else "--"}
    dashes = ("-", "--", ":", "-.")[index // len(ARM_COLOURS) % 4]
    return {"color": ARM_COLOURS[index % len(ARM_COLOURS)], "ls": dashes}


def _lines(axes: Any, study: Study, variants: Sequence[Variant]) -> None:
    """Draw what costs nothing under the curves, once for arms that share it."""
    drawn: set[tuple[str, tuple[float, ...]]] = set()
    for variant in variants:
        for label, values in floors.along(study, variant).items():
            key = label, tuple(round(value, 1) for value in values)
            if key not in drawn:
                drawn.add(key)
                tasks = range(1, len(values) + 1)
                axes.plot(tasks, values, color="#888888", lw=1, ls=LINES[label], label=label)
