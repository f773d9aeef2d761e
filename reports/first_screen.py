"""The first screen beside answer and table: changes, what must not be hidden, how to read."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ablate.analysis.calibrated import NOT_CALIBRATED
from ablate.core.foreign_text import STORED, code, markdown
from ablate.flow import Study
from ablate.types import Status, Verdict
from ablate.verdicts.decision import COLLAPSED, ROBUST
from ablate.verdicts.family import FUTILE

from . import budgets, floors, tuned, words

SEEDS = "seeds: "
"""How a change, and a deviation, in the number of seeds begins."""


def _claims(study: Study) -> Iterator[Verdict]:
    yield from study.verdicts
    yield from study.effects


def _changed_seeds(study: Study) -> bool:
    """Say whether the line of changes under the title tells of the seeds already."""
    return any(words.startswith(SEEDS) for words in study.suite.changed_words)


def changed(study: Study) -> str:
    """Say in words what the command line made of the suite; '' where nothing."""
    changes = [markdown(words) for words in study.suite.changed_words]
    return f"**Changed on the command line: {'; '.join(changes)}.**" if changes else ""


def notes(study: Study) -> list[str]:
    """Say in a line each what the first screen must not hide."""
    suite = study.suite
    keys = {key for row in study.keys for key in row}
    records = {record.key: record for runs in study.runs for record in runs.values()}
    total, there = len(keys), len(records)
    ended = sum(record.status == Status.OK for record in records.values())
    lines = [
        " ".join(filter(None, (c.head and f"**{c.head}**", markdown(c.text, STORED), c.advice)))
        for c in study.caveats
    ]
    for mark in sorted({str(r.provenance.get("data_mark") or "") for r in records.values()} - {""}):
        lines.append(f"**The data are {markdown(mark)}**, not a published data set.")
    if any(variant.oracle for variant in suite.variants):
        lines.append(
            "**ORACLE** after an arm's name: its checkpoints were chosen on test rows, so its "
            "scores cannot be had in use."
        )
    if suite.seeds != suite.declared_seeds and not _changed_seeds(study):
        declared, ran = suite.declared_seeds, suite.seeds
        lines.append(
            f"**The suite declares {declared} seeds; this report is of {ran}** (`--seeds`)."
        )
    lines += [
        f"**Deviation from the registration:** {markdown(d, STORED)}"
        for d in study.deviations
        if not (d.startswith(SEEDS) and _changed_seeds(study))
    ]
    lines += [*budgets.notes(study), tuned.note(study), *uncalibrated(study)]
    rules = {v.rule for v in _claims(study)} - {"", "Student t"}
    if suite.looks and len(suite.looks) > 1:
        looks = ", ".join(map(str, suite.looks))
        lines.append(
            f"Verdicts are read at {looks} seeds by repeated t intervals that hold over all looks; "
            "a contrast that is decided keeps the seeds of that look."
        )
    elif any(v.decided and len(v.comparison.schedule) < suite.seeds for v in _claims(study)):
        lines.append(
            "What the registered seeds decided is read from them alone: seeds that were added "
            "later count where a claim was open then."
        )
    if "t-mixture" in rules:
        lines.append(
            "**The number of seeds is not a declared look:** what was still open is read by a "
            "t-mixture confidence sequence, which holds whenever one stops."
        )
    lines += [*_shared(study), *_audited(study)]
    if there < total:
        decided = all(v.decided for v in study.verdicts)
        why = " What is decided needs no more." if len(suite.looks) > 1 and decided else ""
        lines.append(f"**{total - there} of {total} runs have not been run yet.**{why}")
    if ended < there:
        lines.append(
            f"**{there - ended} of {there} runs were lost** (diverged or failed, see below)."
        )
    if ended == total:
        lines.append(f"All {total} runs ended.")
    if study.suite.measures:
        lines.append("Differences are treatment − baseline, paired by seed, in each metric's unit.")
        return lines
    lines.append(
        "Differences are treatment − baseline, paired by seed, in percentage points. Scores by "
        "`all-classes` know nothing of the task; other protocols may"
        + ("; what is marked ORACLE cannot be had in use." if study.oracles else ".")
    )
    return lines


def _shared(study: Study) -> list[str]:
    """Say which seeds all arms share, where some ran on."""
    pairs = zip(study.runs, study.level, strict=True)
    longer = [len(runs) for runs, level in pairs if len(runs) > len(level)]
    if not longer:
        return []
    shared = min(len(level) for level in study.level if level)
    arms = "1 arm" if len(longer) == 1 else f"{len(longer)} arms"
    return [
        f"Arm means, ranks and shares are over the {shared} seeds that all arms have run. {arms} "
        f"ran on, to {max(longer)} at most, for claims that were open."
    ]


def _audited(study: Study) -> list[str]:
    """Say whether the pairing of somebody's own program could be audited."""
    if not any(variant.outside for variant in study.suite.variants):
        return []
    records = [record for runs in study.runs for record in runs.values() if record.scores]
    names = sorted({name for r in records for name in r.provenance.get("streams") or {}})
    if any(variant.imported for variant in study.suite.variants):
        return []  # what can be said of their pairing is said where they were read
    if not names:
        return [
            "Paired by seed number, not audited: the program does not say what it drew (`pairs`)."
        ]
    return [f"Pairing is audited: runs of one seed drew the same {markdown(', '.join(names))}."]


def legend(study: Study) -> str:
    """Explain the verdicts that occur."""
    decisions = {verdict.decision for verdict in (*study.verdicts, *study.effects)}
    parts = [
        f"**{name}**: {meaning}" for name, meaning in words.MEANINGS.items() if name in decisions
    ]
    flags = {flag for verdict in (*study.verdicts, *study.effects) for flag in verdict.flags}
    parts += [says for flag, says in (BESIDE | FLOORS).items() if flag in flags]
    return "; ".join(parts) + "." if parts else ""


BESIDE = {
    "INERT": "**INERT**: both arms scored the same in every seed, as if never switched on",
    "TIED": "**TIED**: no difference in this metric, though other scores differ",
    "CONSTANT": "**CONSTANT**: every seed shows the same difference, as if it were no draw",
    ROBUST: f"*{ROBUST}*: the trimmed mean of the seeds lies on the other side of the margin: a "
    "few far seeds carry the verdict, or hide what most of them show",
    COLLAPSED: f"*{COLLAPSED}*: some runs are at chance, or far from their arm's other seeds; they "
    "count, and are counted under *Collapsed runs*",
    NOT_CALIBRATED: f"*{NOT_CALIBRATED}*: no published figure was reproduced with a method of "
    "these arms",
    "differs": "*differs*: the interval excludes 0, but no verdict was reached",
    FUTILE: f"*{FUTILE}*: the seeds left hardly ever bring a verdict, so that `--until-decided` "
    "ran none of them; `run` without it does",
}
"""By flag of a verdict, what it means."""

FLOORS = {flag: f"*{flag}*: {says}" for flag, says in floors.SAYS.items()}


def reading(study: Study) -> str:
    """Say how a row is to be read: which interval it shows, and whose p."""
    every, suite = (*study.verdicts, *study.effects), study.suite
    if all(math.isnan(verdict.low) for verdict in every):
        return ""
    sides = (
        " Of a contrast with a declared side, which stands beside the margin, each end has that "
        "level: wholly beyond the margin for MATTERS, wholly short of it for NO GAIN or NO HARM."
        if any(verdict.comparison.claim for verdict in every)
        else ""
    )
    ties = (
        " Where half of the pairs tie exactly, it includes what seeds that were not seen may "
        "differ by: the pairs show only that differences are rare."
        if any(verdict.worst.size for verdict in every)
        else ""
    )
    rate = min(verdict.unseen for verdict in every if verdict.unseen > 0)
    rare = f"Events in fewer than {100 * rate:.3g} % of seeds are not excluded by any verdict."
    levels = words.levels(suite.correction, family(study))
    return (
        "*Its interval* is the one that the verdict is read from, with its level: wholly outside "
        "the margin for MATTERS, wholly inside for NEGLIGIBLE, across for INCONCLUSIVE; none where "
        f"nothing may be read.{sides}{ties} {levels} *p* is that of the claim in brackets, the "
        f"better supported of the two that the contrast may come to. {rare}"
    )


def uncalibrated(study: Study) -> Iterator[str]:
    """Name the methods whose label states no published figure that they reproduce, if any."""
    names = sorted({name for methods in study.uncalibrated.values() for name in methods})
    if names:
        yield (
            f"**Not calibrated:** {', '.join(map(code, names))}. No published figure of the method "
            "was reproduced with the implementation that ran here: what is found may be the "
            "implementation's."
        )


def family(study: Study) -> int:
    """Count the claims that share alpha."""
    return len(study.verdicts) + len(study.effects)
