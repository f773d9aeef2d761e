"""The one-page form of reproducibility studies, filled in from the records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ablate.commands.describe import duration
from ablate.core.foreign_text import STORED, code, markdown
from ablate.flow import Study
from ablate.registry import component
from ablate.types import Decision, RunResult, Status

from . import answers, files, floors, programs, readings, references, words


@component("report", "summary")
@dataclass(frozen=True)
class OnePage:
    """A study as the form of the ML reproducibility challenge."""

    def write(self, study: Study, folder: Path) -> Path:
        """Write `summary.md` into a folder; gives its path."""
        return write(study, folder)


def write(study: Study, folder: Path) -> Path:
    """Write `summary.md` into a folder; gives its path."""
    return files.save(folder / "summary.md", text(study))


def text(study: Study) -> str:
    """Give the form as markdown."""
    sections = {
        "Scope of reproducibility": [
            markdown(study.suite.question, STORED),
            answers.answer(study),
            *floors.qualifiers(study),
        ],
        "Claims": bullets(claims(study)),
        "Method": bullets(method(study)),
        "Results against the claims": bullets(results(study)),
        "What was easy": bullets(easy(study)) or ["Nothing can be said: there are no records."],
        "What was hard": bullets(hard(study)) or ["Nothing stood out in the records."],
        "Computational cost": bullets(cost(study)),
    }
    parts = [f"# Reproducibility summary: {markdown(study.suite.name)}"]
    for heading, lines in sections.items():
        parts += [f"## {heading}", *lines]
    return "\n\n".join(parts) + "\n"


def bullets(lines: Iterator[str]) -> list[str]:
    """Make a markdown list; nothing of nothing."""
    block = "\n".join(f"- {line}" for line in lines)
    return [block] if block else []


def records(study: Study) -> list[RunResult]:
    """Give every record once; arms may share them."""
    return list({r.key: r for runs in study.runs for r in runs.values()}.values())


def claims(study: Study) -> Iterator[str]:
    """Say what was to be shown, and what was published."""
    for verdict in study.verdicts:
        comparison = verdict.comparison
        if comparison.claim:
            yield (
                f"{code(comparison.treatment)} {comparison.claim} against "
                f"{code(comparison.baseline)}, in {markdown(comparison.metric)} by more than "
                f"{comparison.margin:g}{readings.unit(verdict)}."
            )
            continue
        yield (
            f"{code(comparison.treatment)} and {code(comparison.baseline)} differ in "
            f"{markdown(comparison.metric)} by more than "
            f"{comparison.margin:g}{readings.unit(verdict)}."
        )
    yield from references.claimed(study)


def method(study: Study) -> Iterator[str]:
    """Say what was run, and how it was judged."""
    suite = study.suite
    yield from programs.used(study) if suite.measures else _components(study)
    marks = {str(r.provenance.get("data_mark") or "") for r in records(study)} - {""}
    if marks:
        yield f"The data are {markdown(', '.join(sorted(marks)))}, not a published data set."
    yield (
        f"{len(suite.variants)} arms, {suite.seeds} seeds each, paired by seed; alpha "
        f"{suite.alpha:g}, {words.procedure(suite.correction)}, contrasts: {len(study.verdicts)}."
    )
    if suite.changes:
        yield f"Run with {', '.join(map(code, suite.changes))}: not the suite as it stands."


def _components(study: Study) -> Iterator[str]:
    """Name what was chosen of each kind, three of several."""
    for kind in ("dataset", "augment", "model", "memory", "method"):
        used = {v.choices[kind].label() for v in study.suite.variants if kind in v.choices}
        few = sorted(used)[:3]
        more = f" and {len(used) - len(few)} more" if len(used) > len(few) else ""
        yield f"{kind}: {markdown('; '.join(few))}{more}"


def results(study: Study) -> Iterator[str]:
    """Give each verdict, and each distance from a published figure."""
    for verdict in study.verdicts:
        comparison = verdict.comparison
        decision = words.decision(verdict)
        estimate, interval = readings.figures(verdict)
        yield (
            f"{decision}: {code(comparison.treatment)} − {code(comparison.baseline)}, "
            f"{markdown(comparison.metric)}: "
            f"{estimate}{readings.unit(verdict)}, interval {interval}, "
            f"margin {readings.margin(verdict)}, "
            f"{verdict.n} seeds."
        )
    for pooled, verdict in study.pooled:
        estimate, interval = readings.figures(verdict)
        yield (
            f"{words.decision(verdict)}: {markdown(words.named(study, pooled))}, "
            f"{markdown(pooled.metric)}: {estimate}{readings.unit(verdict)}, interval {interval}, "
            "margin "
            f"{readings.margin(verdict)}, {verdict.n} seeds."
        )
    for effect, verdict in study.factors:
        if verdict.decision == Decision.MATTERS:
            yield (
                f"{words.decision(verdict)}: {markdown(effect.name)} "
                f"({markdown(effect.low)} → {markdown(effect.high)}), "
                f"{words.of(verdict, verdict.estimate)}{readings.unit(verdict)} on "
                f"{markdown(effect.metric)}."
            )
    yield from references.reached(study)


def easy(study: Study) -> Iterator[str]:
    """Name what the records show went well."""
    all_records = records(study)
    if all_records and all(r.status == Status.OK for r in all_records):
        yield f"All {len(all_records)} runs that were started ended."
    decided = [v for v in study.verdicts if v.decided]
    if decided:
        yield f"{len(decided)} of {len(study.verdicts)} contrasts were decided with these seeds."
    if all_records and not any(v.comparison.refusal for v in study.verdicts):
        yield "Every pair of records agreed on data, code and random streams."


def hard(study: Study) -> Iterator[str]:
    """Name what the records show went badly, or stays open."""
    lost = [r for r in records(study) if r.status != Status.OK]
    if lost:
        reasons = sorted({markdown(f"{r.status}: {r.reason}") for r in lost})
        yield f"{len(lost)} runs were lost ({'; '.join(reasons[:3])})."
    missing = len({key for row in study.keys for key in row}) - len(records(study))
    if missing:
        yield f"{missing} runs have not been run."
    for decision in (Decision.INCONCLUSIVE, Decision.UNTESTABLE):
        count = sum(v.decision == decision for v in study.verdicts)
        if count:
            yield f"{count} of the contrasts {decision}: {words.MEANINGS[decision]}."
    for index in study.inert:
        comparison = study.verdicts[index].comparison
        arms = f"{code(comparison.treatment)} and {code(comparison.baseline)}"
        yield f"{arms} are INERT: the same from the first steps on."
    yield from map(markdown, study.warnings)


def cost(study: Study) -> Iterator[str]:
    """Add up what the runs took."""
    all_records = records(study)
    seconds = sum(r.seconds for r in all_records)
    of_ours = (
        f" {sum(r.gradients for r in all_records):,} gradients,"
        f" {sum(r.updates for r in all_records):,} updates,"
    )
    outside = bool(study.suite.measures)
    yield f"{len(all_records)} runs,{'' if outside else of_ours} {duration(seconds)} of one worker."
    facts = {
        f"{r.provenance.get('cpu')}, {r.provenance.get('cores')} cores"
        + ("" if outside else f", {r.provenance.get('device')}, torch {_torch(r)}")
        for r in all_records
    }
    yield from map(markdown, sorted(facts))


def _torch(record: RunResult) -> str:
    return str(record.provenance.get("packages", {}).get("torch"))
