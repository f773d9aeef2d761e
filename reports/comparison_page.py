"""The report on anybody's table: markdown, its pictures beside it, and every figure as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ablate.core.foreign_text import STORED, Markup, code, markdown
from ablate.errors import SelectionError
from ablate.records.results_folder import make_folder
from ablate.registry import component
from ablate.tables.arm_means import ArmMean
from ablate.tables.compared import DOCUMENT, Compared
from ablate.types import Decision, Verdict

from . import comparison_figures as figures, files, readings, tables, words
from .compared import excluded, items, levels, ranks, sample, sentence, title

REPORT = "report.md"


@component("report", "comparison-page")
@dataclass(frozen=True)
class ComparisonPage:
    """Verdicts on a table of other people's scores, with its pictures."""

    def write(self, compared: Compared, folder: Path, origin: Mapping[str, str]) -> Path:
        """Write `report.md`, its pictures and `comparison.json`; gives the report's path.

        origin: what the scores are from, a fact a row.
        """
        return write(compared, folder, origin)


def write(compared: Compared, folder: Path, origin: Mapping[str, str]) -> Path:
    """Write `report.md`, its pictures and `comparison.json`; gives the report's path.

    Raises SelectionError where another report stands there.
    """
    make_folder(folder)
    if (folder / REPORT).exists() and not (folder / DOCUMENT).exists():
        raise SelectionError(
            f"{folder / REPORT} is the report of something else: name a new folder"
        )
    pictures = figures.draw(compared, folder)
    document = json.dumps(compared.to_dict(), indent=1, ensure_ascii=False)
    files.save(folder / DOCUMENT, f"{document}\n")
    failures = files.failures(pictures)
    return files.save(folder / REPORT, text(compared, origin, pictures.names, failures))


def text(
    compared: Compared,
    origin: Mapping[str, str],
    pictures: Sequence[str] = (),
    failures: Sequence[str] = (),
) -> str:
    """Give the report as markdown, the answer first."""
    notes = [markdown(sentence(note), STORED) for note in compared.notes]
    parts = [
        f"# {heading(compared)}",
        answer(compared),
        claims(compared, compared.verdicts),
        "\n".join(f"> {line}" for line in [*levels(compared), *notes, *failures]),
        words.picture(figures.FOREST, "Differences with intervals and margins", pictures),
        _legend(compared),
        *_inside(compared),
        *_over(compared),
        "## Arms",
        _about_arms(compared),
        arms(compared.arms),
        words.picture(figures.MEANS, "The arms' means", pictures),
        *_pairs(compared, pictures),
        "## Why these verdicts" if compared.declared else "## Beside the differences",
        reasons(compared),
        _about_reasons(compared),
        "## Lost pairs",
        lost(compared) or "None.",
        "## Warnings",
        "\n".join(f"- {markdown(warning, STORED)}" for warning in compared.warnings) or "None.",
        "## Provenance",
        tables.table(["fact", "value"], [*origin.items()]),
        f"Every figure stands in [`{DOCUMENT}`]({DOCUMENT}), by the JSON Schema that `schema "
        "comparison` prints.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def heading(compared: Compared) -> str:
    """Ask what the table answers."""
    metric = markdown(compared.metric)
    if len(compared.verdicts) == 1:
        comparison = compared.verdicts[0].comparison
        arms = f"{markdown(comparison.treatment)} against {markdown(comparison.baseline)}"
        return f"{arms}: does {metric} differ?"
    count = len({name for v in compared.verdicts for name in _arms(v)})
    return f"Which of {count} arms differ in {metric}?"


def _arms(verdict: Verdict) -> tuple[str, str]:
    return verdict.comparison.treatment, verdict.comparison.baseline


def answer(compared: Compared) -> str:
    """Answer in one paragraph: the verdict, or how many there are of each."""
    verdicts = compared.verdicts
    if not compared.declared:
        lead = "**No verdict:** no margin was declared; these are differences with their intervals."
        return lead if len(verdicts) > 1 else f"{lead} {_outcome(verdicts[0], compared)}"
    if len(verdicts) == 1:
        return f"**{verdicts[0].decision}.** {_outcome(verdicts[0], compared)}"
    counts = [
        f"{count} {decision}"
        for decision in Decision
        if (count := sum(verdict.decision == decision for verdict in verdicts))
    ]
    matter = [v for v in verdicts if v.decision == Decision.MATTERS]
    named = "; ".join(_outcome(verdict, compared) for verdict in matter[:3])
    more = f" MATTERS: {named}{' ...' if len(matter) > 3 else '.'}" if named else ""
    return f"**Of {len(verdicts)} differences: {', '.join(counts)}.**{more}"


def _outcome(verdict: Verdict, compared: Compared) -> str:
    treatment, baseline = map(code, _arms(verdict))
    if verdict.decision == Decision.UNTESTABLE and not readings.is_estimate(verdict):
        return f"{treatment} − {baseline}: {markdown(verdict.why, STORED)}"
    estimate, interval = readings.figures(verdict, readings.in_units)
    read = f", interval {interval}" if interval != "–" else ""
    metric = markdown(compared.metric)
    return f"{treatment} − {baseline}: {estimate} in {metric}{read}, {sample(verdict)}"


def claims(compared: Compared, verdicts: Sequence[Verdict]) -> str:
    """Write one row a difference."""
    correction = words.procedure(compared.design.correction)
    head = ["treatment − baseline", f"difference ({compared.metric})", "its interval"]
    head += ["margin", "verdict", "of", f"p ({correction})"] if compared.declared else ["of"]
    rows = []
    for verdict in verdicts:
        estimate, interval = readings.figures(verdict, readings.in_units)
        row = [figures.name(verdict), estimate, interval]
        p = Markup(readings.p(verdict, compared.design.alpha))
        side = f" ({verdict.comparison.claim})" if verdict.comparison.claim else ""
        decision = Markup(f"**{title(verdict, compared.lower)}**")
        judged = [f"{readings.margin(verdict)}{side}", decision, sample(verdict), p]
        rows.append([*row, *(judged if compared.declared else [sample(verdict)])])
    return tables.table(head, rows)


def _legend(compared: Compared) -> str:
    present = dict.fromkeys(v.decision for v in compared.verdicts if compared.declared)
    return "\n".join(f"- **{decision}**: {words.MEANINGS[decision]}" for decision in present)


def _inside(compared: Compared) -> Iterator[str]:
    if not compared.blocks:
        return
    yield "## Inside each block, a family of its own"
    for block, verdicts in compared.blocks.items():
        yield f"### {markdown(block)}"
        yield claims(compared, verdicts)


def _over(compared: Compared) -> Iterator[str]:
    if compared.settings:
        yield "## Over the blocks"
        lines = [line.strip() for line in ranks(compared.settings, compared)]
        yield "\n".join([f"{markdown(lines[0])}\n", *(f"- {markdown(line)}" for line in lines[1:])])


def _about_arms(compared: Compared) -> str:
    level = readings.percent(1 - compared.design.alpha)
    return (
        f"Mean of each arm's own scores with its {level} interval, alone. Overlap of two such "
        "intervals is no test: the table above reads differences."
    )


def arms(means: Sequence[ArmMean]) -> str:
    """Write one row an arm and block."""
    blocks = any(mean.block for mean in means)
    head = ["arm", *(["block"] if blocks else []), "scores", "lost", "mean", "interval", "sd"]
    rows = [
        [
            mean.arm,
            *([mean.block or "all, equal weights"] if blocks else []),
            str(mean.n),
            str(mean.lost),
            _number(mean.mean),
            "–" if math.isnan(mean.low) else f"{_number(mean.low)} to {_number(mean.high)}",
            _number(mean.sd),
        ]
        for mean in means
    ]
    return tables.table(head, rows)


def _number(value: float) -> str:
    return readings.minus(f"{value:.4g}")


def _pairs(compared: Compared, pictures: Sequence[str]) -> Iterator[str]:
    if picture := words.picture(figures.DIFFERENCES, "Every paired difference", pictures):
        yield "## Paired differences"
        yield picture


def reasons(compared: Compared) -> str:
    """Write why each verdict is what it is, and what stands beside it."""
    head = ["treatment − baseline", "why", "read by", "chosen afterwards", "robust"]
    head += ["r between arms", "pairing bought"]
    return tables.table(head, [_reason(verdict, compared) for verdict in compared.verdicts])


def _reason(verdict: Verdict, compared: Compared) -> list[str]:
    comparison = verdict.comparison
    r = comparison.correlation
    gain = compared.gain(comparison)
    return [
        figures.name(verdict),
        "; ".join(filter(None, (f"{verdict.why}{excluded(verdict)}", items(verdict)))),
        verdict.rule or "–",
        readings.afterwards(verdict) or "–",
        readings.robust(verdict, readings.in_units) or "–",
        "–" if math.isnan(r) else f"{r:.2f}",
        "–" if math.isnan(gain) else f"{gain:.3g} times",
    ]


def _about_reasons(compared: Compared) -> str:
    margins = (
        "*chosen afterwards*: the smallest margin with which a difference would have been "
        "NEGLIGIBLE, and the largest with which it would MATTER; they hold for all differences at "
        "once (Bonferroni), whatever made somebody choose them. "
    )
    return (
        f"{margins if compared.declared else ''}*pairing bought*: as many times larger would the "
        "variance of the mean difference be if as many runs of each arm were no pairs, "
        "(s1² + s2²) / s²(d)."
    )


def lost(compared: Compared) -> str:
    """Write every pair that is missing, and why."""
    rows = {
        (figures.name(verdict), pair.reason): None
        for verdict in compared.verdicts
        for pair in verdict.comparison.lost
    }
    return tables.table(["treatment − baseline", "reason"], [*rows]) if rows else ""
