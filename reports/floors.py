"""Reference lines beside the arms, and what claims at a floor or at the ceiling cannot speak of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ablate.analysis import chance
from ablate.analysis.chance import Lines
from ablate.analysis.pairing import own
from ablate.analysis.reference_lines import CEILING, NEWEST
from ablate.core.foreign_text import markdown
from ablate.flow import Study
from ablate.records.metrics import SUMMARIES, protocol_of
from ablate.types import RunResult, Status, Variant, Verdict, cell_words

from . import words

MOST_NAMED = 3
SAYS = {
    NEWEST: "all arms keep only the newest task; this says nothing of learners that remember",
    CEILING: "all arms stand at the ceiling; this says nothing of harder tasks, on which there is "
    "room for a difference",
}
KINDS = {NEWEST: "A floor", CEILING: "A ceiling"}
LABELS = {"chance": "chance", "majority": "majority class", "newest": "newest task alone"}
CLOSE, APART = 0.05, 1.0
"""Lines that are nearer than this, in points, are one: in a table, in a picture."""


@dataclass(frozen=True)
class Reference:
    """The lines of one cell by protocol, as means over its runs."""

    cell: str
    by_protocol: dict[str, Lines]


def told(study: Study) -> tuple[tuple[str, Verdict], ...]:
    """Name every claim with its verdict, in the suite's order."""
    contrasts = [(f"{v.comparison.treatment} − {v.comparison.baseline}", v) for v in study.verdicts]
    effects = zip(study.suite.effects, study.effects, strict=True)
    return (*contrasts, *((words.in_metric(study, effect), verdict) for effect, verdict in effects))


def qualifiers(study: Study) -> Iterator[str]:
    """Say in a line for each flag what the verdicts that bear it cannot speak of, in markdown."""
    claims = told(study)
    for flag, says in SAYS.items():
        marked = [(name, verdict) for name, verdict in claims if flag in verdict.flags]
        if marked:
            about = f"{_which(marked, len(claims))}; {_where(marked)}"
            yield f"**{KINDS[flag]}: {says}** ({about})."
    blank = [(name, v) for name, v in claims if v.comparison.stands.nothing_learnt]
    if blank:
        yield f"**Nothing has been learnt** in {_which(blank, len(claims))}."


def _which(marked: Sequence[tuple[str, Verdict]], claims: int) -> str:
    if len(marked) == claims:
        return f"all {claims} claims" if claims > 1 else "the one claim"
    names = [markdown(name, 120) for name, _ in marked[:MOST_NAMED]]
    more = f" and {len(marked) - MOST_NAMED} more" if len(marked) > MOST_NAMED else ""
    return f"{len(marked)} of {claims} claims, {'; '.join(names)}{more}"


def _where(marked: Sequence[tuple[str, Verdict]]) -> str:
    stands = [verdict.comparison.stands for _, verdict in marked]
    low, high = min(stand.low for stand in stands), max(stand.high for stand in stands)
    if CEILING in marked[0][1].flags:
        return f"the arms' means are {low:.1f} to {high:.1f} of 100"
    lines = sorted({round(stand.line, 1) for stand in stands})
    line = f"{lines[0]:.1f}" if len(lines) == 1 else f"{lines[0]:.1f} to {lines[-1]:.1f}"
    return f"the arms' means are {low:.1f} to {high:.1f}; the newest task alone gives {line}"


def references(study: Study) -> list[Reference]:
    """Give the lines of each cell, one for all cells where they agree."""
    cells: dict[str, list[RunResult]] = {}
    for variant, runs in zip(study.suite.variants, study.runs, strict=True):
        cell = ", ".join(cell_words(variant.cell))
        cells.setdefault(cell, []).extend(r for r in runs.values() if r.status == Status.OK)
    per_cell = [Reference(cell, _by_protocol(study, records)) for cell, records in cells.items()]
    per_cell = [reference for reference in per_cell if reference.by_protocol]
    alike = all(_alike(per_cell[0], other) for other in per_cell[1:]) if per_cell else False
    return [Reference("", per_cell[0].by_protocol)] if alike else per_cell


def _by_protocol(study: Study, records: Sequence[RunResult]) -> dict[str, Lines]:
    told = {known: mean_lines(records, known) for known in (False, True)}
    by_protocol = {label: told[label in study.oracles] for label in study.protocols}
    return {label: means for label, means in by_protocol.items() if means}


def mean_lines(records: Sequence[RunResult], known: bool, seen: int | None = None) -> Lines | None:
    """Give the mean of the lines of several runs; None where none has any."""
    per_run = [line for r in records if (line := chance.lines(r, known, seen))]
    if not per_run:
        return None
    return Lines(*(float(np.mean([getattr(line, name) for line in per_run])) for name in LABELS))


def _alike(a: Reference, b: Reference) -> bool:
    return a.by_protocol.keys() == b.by_protocol.keys() and all(
        _close(getattr(lines, name), getattr(b.by_protocol[label], name))
        for label, lines in a.by_protocol.items()
        for name in LABELS
    )


def _close(a: float, b: float) -> bool:
    return (math.isnan(a) and math.isnan(b)) or abs(a - b) < CLOSE


def rows(study: Study) -> Iterator[list[str]]:
    """Give the reference lines as rows of the table of arms: a name, no runs, a figure each."""
    for reference in references(study):
        where = f" ({reference.cell})" if reference.cell else ""
        for name, label in LABELS.items():
            figures = [
                words.points(getattr(reference.by_protocol[protocol], name), signed=False)
                if protocol in reference.by_protocol
                else "–"
                for protocol in study.protocols
            ]
            yield [f"{label}{where}", "–", *figures]


def along(study: Study, variant: Variant) -> dict[str, list[float]]:
    """Give the lines under an arm's curve by label, after each task, `[T]`; its own protocol's."""
    runs = study.runs[study.suite.variants.index(variant)]
    records = [record for record in runs.values() if record.status == Status.OK]
    known = own(variant) in study.oracles
    tasks = max((len(record.rows) for record in records), default=0)
    steps = [mean_lines(records, known, seen) for seen in range(1, tasks + 1)]
    if not all(steps):
        return {}
    lines = {
        label: [getattr(step, name) for step in steps if step] for name, label in LABELS.items()
    }
    pairs = zip(lines[LABELS["chance"]], lines[LABELS["majority"]], strict=True)
    if all(abs(a - b) < APART for a, b in pairs):
        del lines[LABELS["majority"]]
    return {label: values for label, values in lines.items() if not all(map(math.isnan, values))}


def under(study: Study, variant: Variant, metric: str) -> dict[str, float]:
    """Give the lines under an arm's final score in a metric by label; none where it has none."""
    runs = study.runs[study.suite.variants.index(variant)]
    records = [record for record in runs.values() if record.status == Status.OK]
    if not records:
        return {}
    name, protocol = metric.split("@", 1)[0], protocol_of(metric, own(variant))
    known = protocol in study.oracles
    if name in SUMMARIES:
        newest = float(np.mean([chance.newest_line(record, metric) for record in records]))
        return {} if known or math.isnan(newest) else {LABELS["newest"]: newest}
    line = mean_lines(records, known)
    if line is None:
        return {}
    values = {label: float(getattr(line, part)) for part, label in LABELS.items()}
    if abs(line.chance - line.majority) < APART:
        del values[LABELS["majority"]]
    return {label: value for label, value in values.items() if not math.isnan(value)}
