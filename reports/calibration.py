"""The calibration study as a document: markdown tables with their Monte-Carlo errors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ablate.calibration.early_ends import Ends
from ablate.calibration.rare_events import RareEvents
from ablate.calibration.scenarios import WORLDS
from ablate.calibration.simulation import Rates
from ablate.calibration.study import COLUMNS, MARGINS, PLANS, SIZES, Calibration
from ablate.core.foreign_text import Markup
from ablate.registry import component

from . import calibrated_parts, tables
from .rates import rate as printed, share

TRUTHS = {0.0: "0", 0.5: "half the margin", 1.0: "the margin", 2.0: "twice the margin"}


@component("report", "calibration")
@dataclass(frozen=True)
class CalibrationPage:
    """How often the verdicts are right in simulated worlds."""

    def write(self, results: Calibration, path: Path, command: str) -> Path:
        """Write the page, with the command that repeats it; gives its path."""
        return write(results, path, command)


def write(results: Calibration, path: Path, command: str) -> Path:
    """Write the document; gives its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(_text(results, command)) + "\n", "utf-8")
    return path


def _text(results: Calibration, command: str) -> Iterable[str]:
    studies = f"{results.studies:,}"
    yield "# How often the verdicts are right"
    yield (
        f"Simulated studies in which the truth is known, {studies} for each rate, alpha .05. This "
        f"file is written by `{command}`. Differences are in standard deviations of a paired "
        "difference; *margin* is the smallest difference that matters. After ± stands the "
        "Monte-Carlo standard error."
    )
    yield "## Power: normal differences, a look at every seed from 5"
    yield (
        "Share of the right verdict / median seeds until any verdict, and for the truth on the "
        "margin the shares of false MATTERS and of false NEGLIGIBLE."
    )
    yield _power(results)
    if results.ends:
        yield from _ends(results.ends, max(50, results.studies // 10))
    if results.left:
        yield from calibrated_parts.lines(results.left, results.studies)
    yield "## False claims, the truth on the margin, worlds that are promised"
    yield (
        "Shares that can be called MATTERS at some look, and NEGLIGIBLE at some look: so often "
        "does somebody claim it who stops at the first MATTERS, at the first NEGLIGIBLE, or goes "
        "on after looking. The second column of each pair is to be at most .05, and the first as "
        "well (with an interval of two sides, .025 is all of it that the truth on one margin can "
        "spend). **Bold**: more than two standard errors above .05. Fewer than five pairs are "
        "never decided."
    )
    yield _errors(results, tamed=True)
    yield (
        "A schedule that was broken has spent its alpha when it is extended, so that no rule could "
        "hold it at .05 exactly; the t-mixture that reads what comes after is given a quarter of "
        "alpha, which bounds the sum by .0625, and here is what it comes to."
    )
    yield "## Families of ten contrasts, Holm, margin of one standard deviation"
    yield "Shares of families with at least one false MATTERS, and with a false NEGLIGIBLE."
    rows = [
        [world, family, plan, *(printed(rate, results.studies // 2) for rate in both)]
        for (world, family, plan), both in results.families.items()
    ]
    yield table(["world", "family", "read", "false MATTERS", "false NEGLIGIBLE"], rows)
    yield "## Contrasts with a declared side, margin of one standard deviation"
    yield (
        "`claim: helps`, the truth on the margin: shares that can be called MATTERS at some look, "
        "and NO GAIN. Each of the two has the whole of alpha, as they cannot both be false: with "
        "the truth at or under the margin MATTERS alone can be, with the truth above it NO GAIN."
    )
    yield table(
        ["world", "read", "MATTERS", "NO GAIN"],
        [
            [world, plan, *(printed(rate, results.studies, 0.05) for rate in both)]
            for (world, plan), both in results.sides.items()
        ],
    )
    yield "Families of ten of them, Holm: at least one false MATTERS, and a false NO GAIN."
    yield table(
        ["world", "family", "read", "false MATTERS", "false NO GAIN"],
        [
            [world, family, plan, *(printed(rate, results.studies // 2, 0.05) for rate in both)]
            for (world, family, plan), both in results.sided.items()
        ],
    )
    yield "## Worlds that nothing tames: does a warning fire?"
    yield (
        "Skewed differences, seeds that share a batch and crashes that pick their victims break "
        "the promise at small n; no test of a few numbers can see it. Judged by the engine itself, "
        "margin half a standard deviation, truths 0 and ± the margin; *warned*: of the wrong "
        "verdicts, the share whose report carries a warning; *pointed*: one that names a fault in "
        "the differences (skew, an outlier, neighbours alike, lost pairs), and not only that the "
        "signs alone do not bear the verdict out. That line is strict: nothing under eight pairs "
        "escapes it, and a verdict near its margin seldom does, right or wrong; it says that "
        "normality is assumed, and here is how often it is right to. After it the same two shares "
        "of the right verdicts. The first two worlds are there to compare with."
    )
    yield _misled(results)
    yield "False claims in these worlds, as above:"
    yield _errors(results, tamed=False)
    if results.rare:
        yield from _rare(results.rare, results.studies)
    yield "## Is this the engine?"
    agreements = ", ".join(f"{world} {same}" for world, same in results.agreement.items())
    yield (
        "The rates come from a copy of the rules that works on arrays. The engine that judges "
        f"suites was put to {results.checked} families of four contrasts a world, with a look at "
        "every seed from 5 to 20. Families where verdict and seeds agreed throughout: "
        f"{agreements}."
    )


def _ends(ends: Ends, studies: int) -> Iterable[str]:
    yield "## Spending of alpha, and stops for futility"
    yield (
        f"Looks at 5, 8, 13, 20, 32 and 50 seeds, as far as they go; {studies:,} studies of normal "
        "differences for each rate. *right*: the share of the right verdict, without any stop "
        "for futility and with it; with the truth on the margin no verdict is right. A stop for "
        "futility makes no claim, so that it adds none that is false: it ends a study whose "
        "seeds left bring a verdict in fewer than 5 % of its futures, at the most favourable truth "
        "of its 80 % interval."
    )
    yield table(
        ["margin", "most seeds", "spend", "truth", "right", "mean seeds", "ended for futility"],
        [
            [
                f"{margin:g} sd",
                str(most),
                spend,
                TRUTHS[truth],
                f"{share(end.right)}, {share(end.kept)}",
                f"{end.seeds:.1f}, {end.spared:.1f}",
                printed(end.stopped, studies),
            ]
            for (margin, most, spend, truth), end in ends.items()
        ],
    )


def _rare(rare: RareEvents, studies: int) -> Iterable[str]:
    """Write what was found on ties, collapsed runs and skew."""
    yield "## Pairs that tie exactly, the truth on the margin"
    yield (
        "Margins in test rows; all pairs but the ties differ by one size, or by some whole rows. "
        "First single contrasts whose worst difference was declared as what it is, then families "
        "of ten, where the largest difference that was seen counts: shares called MATTERS and "
        "NEGLIGIBLE at some look."
    )
    for rates, count in ((rare.ties, studies), (rare.families, studies // 10)):
        plans = dict.fromkeys((world, plan) for world, plan, _ in rates)
        margins = sorted({margin for *_, margin in rates})
        yield table(
            ["world", "read", *(f"margin {margin:g} rows" for margin in margins)],
            [
                [
                    *key,
                    *(
                        ", ".join(printed(rate, count, 0.05) for rate in rates[*key, margin])
                        for margin in margins
                    ),
                ]
                for key in plans
            ],
        )
    yield "## Are skew and collapsed runs seen?"
    yield (
        "*skew*: the share of studies whose differences are named skewed; of the first world it is "
        "a false alarm. *collapse*: scores about 90 with a standard deviation of 1, of which one "
        "arm's fall to 10 to 50 at a rate; of the studies that hold such a run the share that is "
        "warned, and without any the false alarms. No table shows what did not happen in it: "
        "events in fewer than 45, 31, 22, 14 and 6 % of seeds go unseen in 5, 8, 12, 20 and 50."
    )
    sizes = sorted({n for _, n in rare.skew})
    rows = [
        [f"skew, {world}", *(printed(rare.skew[world, n], studies // 10) for n in sizes)]
        for world in dict.fromkeys(world for world, _ in rare.skew)
    ] + [
        [
            f"collapse in {100 * rate:g} %",
            *(printed(rare.collapses[rate, n], studies // 10) for n in sizes),
        ]
        for rate in dict.fromkeys(rate for rate, _ in rare.collapses)
    ]
    yield table(["world", *(f"{n} seeds" for n in sizes)], rows)


def _power(results: Calibration) -> str:
    head = [
        "true difference",
        *(f"margin {margin:g} sd, at most {most} seeds" for margin, most in COLUMNS),
    ]
    rows = []
    for truth, name in TRUTHS.items():
        cells = [
            _power_cell(results.power[m, most, truth], truth, results.studies, most)
            for m, most in COLUMNS
        ]
        rows.append([name, *cells])
    return table(head, rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table of figures, some of them bold: no cell here is somebody else's text."""
    return tables.table(head, [[Markup(cell) for cell in row] for row in rows])


def _power_cell(rates: Rates, truth: float, studies: int, most: int) -> str:
    if truth == 1:
        return f"{printed(rates.matters, studies)}, {printed(rates.negligible, studies)}"
    right = rates.negligible if truth < 1 else rates.higher
    seeds = f"{rates.seeds:.0f}" if math.isfinite(rates.seeds) else f"> {most}"
    return f"{printed(right, studies)} / {seeds}"


def _errors(results: Calibration, tamed: bool) -> str:
    head = ["world", "read", *(f"margin {m:g} sd: MATTERS, NEGLIGIBLE" for m in MARGINS)]
    rows = [
        [
            name,
            plan,
            *(
                ", ".join(
                    printed(rate, results.studies, 0.05 if tamed else 1.0)
                    for rate in results.errors[name, plan, m]
                )
                for m in MARGINS
            ),
        ]
        for name, world in WORLDS.items()
        if world.tamed == tamed
        for plan in PLANS
    ]
    return table(head, rows)


def _misled(results: Calibration) -> str:
    worlds = dict.fromkeys(world for world, _ in results.misled)
    head = [
        "world",
        "seeds",
        "decided",
        "refused",
        "wrong",
        "warned",
        "pointed",
        "right: warned",
        "right: pointed",
    ]
    rows = []
    for world in worlds:
        for n in SIZES:
            shares = results.misled[world, n]
            figures = (
                shares.decided,
                shares.refused,
                shares.wrong,
                shares.warned,
                shares.pointed,
                shares.alarms,
                shares.alarmed,
            )
            rows.append([world, str(n), *(share(figure) for figure in figures)])
    return table(head, rows)
