"""The significance report: markdown, with its pictures beside it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

from ablate.flow import Study
from ablate.foreign_text import STORED, code, markdown, visible
from ablate.store import make_folder
from ablate.summary import sampling_error

from . import (
    arm_figures,
    budgets,
    digests,
    files,
    floors,
    overview,
    overview_figures,
    tables,
    tuned,
    words,
)
from .figures import draw


def write(study: Study, folder: Path) -> Path:
    """Write `report.md` and its pictures into a folder; gives the report's path."""
    make_folder(folder)
    pictures = draw(study, folder) + arm_figures.draw(study, folder)
    pictures += overview_figures.draw(study, folder)
    failures = files.failures(pictures)
    return files.save(folder / "report.md", text(study, pictures.names, failures))


def text(study: Study, pictures: Sequence[str] = (), failures: Sequence[str] = ()) -> str:
    """Give the report as markdown, the answer first.

    failures: lines on pictures that could not be drawn.
    """
    parts = [
        f"# {markdown(study.suite.question, STORED)}",
        changed(study),
        words.answer(study),
        *floors.qualifiers(study),
        tables.verdicts(study) if study.verdicts or study.pooled else "",
        "\n".join(f"> {line}" for line in [*notes(study), *failures]),
        legend(study),
        reading(study),
        words.picture("contrasts.png", "Differences with intervals and margins", pictures),
        *factorial(study),
        *overview.importance(study, pictures),
        *overview.settings(study, pictures),
        "## Arms",
        f"Final accuracy in points, mean over seeds ± half the {words.percent(study.suite.alpha)} "
        "interval of the mean. Overlap of two such intervals is no test: the arms share their "
        "seeds, and the table above uses that. The last rows cost nothing: a class at random, "
        "always the most frequent class, the newest task without a fault and no other.",
        tables.arms(study),
        words.picture(arm_figures.MEANS, "The arms' means over what costs nothing", pictures),
        finite_test(study),
        words.picture("curves.png", "Accuracy on the tasks seen so far", pictures),
        "`task-prediction` × `within-task` = `all-classes` accuracy, in every single run: P(task "
        "right) × P(class right | task right).",
        tables.summaries(study),
        leftovers(study),
        *beside(study),
        "## Why these verdicts",
        tables.reasons(study) if study.verdicts or study.pooled else "No contrast was declared.",
        f"The *simultaneous* interval is Bonferroni's: those of all {family(study)} claims hold at "
        "once, whatever the correction. The p columns, uncorrected and as if read once, ask the "
        "two questions of a verdict without a declared side: is the effect larger than the margin "
        "(minimal-effect test), is it smaller (two one-sided tests). The sign-flip "
        "and the paired t test of no difference at all are shown beside them. "
        "*detectable*: the true difference in points that a study of these seeds and this spread "
        "would find to matter four times of five. *r* is the "
        "correlation between the arms over the seeds: the higher, the more pairing bought.",
        *inert(study),
        *budgets.section(study),
        *tuned.section(study),
        *twins(study),
        *as_registered(study),
        "## Lost runs",
        tables.lost(study) or "None.",
        "## Warnings",
        "\n".join(f"- {markdown(warning, STORED)}" for warning in study.warnings) or "None.",
        "## Provenance",
        digests.provenance_table(study),
        "## The suite",
        fenced(study.suite.text.rstrip()),
        digests.stated(study),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def finite_test(study: Study) -> str:
    """Say what a test set that is the same in every seed leaves uncertain."""
    records = [record for runs in study.runs for record in runs.values() if record.status == "ok"]
    rows = {sum(record.rows) for record in records}
    errors = [
        sampling_error(arm.values[label].mean, min(rows))
        for arm in study.arms
        for label in study.protocols
        if label not in study.oracles and arm.values[label].n
    ]
    if not errors:
        return ""
    return (
        f"Every seed is scored on the same {'/'.join(map(str, sorted(rows)))} test rows. On "
        "another test set of that size an accuracy would come out up to "
        f"{max(errors):.2f} points apart (one standard error), and more seeds do not take that "
        "away; arms share their rows, so "
        "that differences move less."
    )


def leftovers(study: Study) -> str:
    """Say how many test rows are scored in chunks smaller than asked for."""
    records = [record for runs in study.runs for record in runs.values() if record.status == "ok"]
    parts = []
    for label, size in study.chunks.items():
        left = sorted({sum(n % size for n in record.rows) for record in records})
        if left and left[-1] and size > 1:
            span = f"{left[0]}" if left[0] == left[-1] else f"{left[0]} to {left[-1]}"
            parts.append(f"{code(label)} {span}")
    rows = sorted({sum(record.rows) for record in records})
    if not parts:
        return ""
    return (
        "A chunk never spans two tasks; rows of a task that do not fill one are scored as one "
        f"smaller chunk. Of {'/'.join(map(str, rows))} test rows, by seed: {', '.join(parts)}."
    )


def factorial(study: Study) -> list[str]:
    """Show main effects and interactions, if the suite is a factorial."""
    if not study.factors:
        return []
    metric = study.factors[0][0].metric
    return [
        f"## Effects on {markdown(tables.stamped(study, metric))}",
        "A factor's effect is the mean over the arms at its second level less that over the arms "
        "at its first, seed by seed; that of A × B is half of how much B changes the effect of A. "
        "Effects that this design cannot tell apart share a row. All belong to one family of "
        "claims, with the contrasts if there are any.",
        tables.effects(study),
        aliases(study),
    ]


def aliases(study: Study) -> str:
    """Name the interactions of three factors and more that a fraction adds to an effect."""
    mixed = [effect for effect, _ in study.factors if effect.aliases]
    if not mixed:
        return ""
    lines = [f"- {effect.name}: {', '.join(effect.aliases)}" for effect in mixed]
    return (
        "The design is a fraction of all combinations: what stands behind an effect here cannot be "
        "told from it, and is taken to be small.\n\n" + "\n".join(lines)
    )


def as_registered(study: Study) -> list[str]:
    """Show what the claims come to as they were registered, where they were changed since."""
    if not study.registered:
        return []
    return [
        "## As registered",
        "The claims, margins, alpha or correction are not those that were frozen before the first "
        "run. On the same records, these would have come to:",
        tables.claims(study.registered, study.registered_alpha),
    ]


def twins(study: Study) -> list[str]:
    """Show what comparing an arm with itself came to."""
    if not study.suite.twins:
        return []
    told = [f"- {words.twins(one)}." for one in study.same]
    return [
        "## A/A: one arm against itself",
        "The arm was run again on seeds of its own. Its runs are paired at random, many times "
        "over, and judged like any contrast; every difference claimed is a false one.",
        "\n".join(told) or "Too few runs ended well to say anything; five a side are needed.",
    ]


def inert(study: Study) -> list[str]:
    """Name the contrasts whose arms were the same from the first steps on."""
    if not study.inert:
        return []
    lines = []
    for place, told in study.inert.items():
        one = study.verdicts[place].comparison
        arms = f"{markdown(one.treatment)} and {markdown(one.baseline)}"
        lines.append(f"- {arms}: {markdown(told['tied'])}; {markdown(told['reason'])}.")
    return [
        "## INERT from the first steps",
        "Before training, both arms of each contrast took a few steps on the same batches. These "
        "came out with the same parameters:",
        "\n".join(dict.fromkeys(lines)),
    ]


def beside(study: Study) -> list[str]:
    """Show published figures beside those measured, if the suite asks for it."""
    if not study.suite.references:
        return []
    return [
        "## Beside published figures",
        "Published figures come from other code, data splits and protocols: a check of "
        "calibration, not a target. No test is made against them.",
        tables.references(study),
    ]


def notes(study: Study) -> list[str]:
    """Say in a line each what the first screen must not hide."""
    suite = study.suite
    keys = {key for row in study.keys for key in row}
    records = {record.key: record for runs in study.runs for record in runs.values()}
    total, there = len(keys), len(records)
    ended = sum(record.status == "ok" for record in records.values())
    lines = [
        " ".join(filter(None, (f"**{c.head}**", markdown(c.text, STORED), c.advice)))
        for c in study.caveats
    ]
    for mark in sorted({str(r.provenance.get("data_mark") or "") for r in records.values()} - {""}):
        lines.append(f"**The data are {markdown(mark)}**, not a published data set.")
    if any(variant.oracle for variant in suite.variants):
        lines.append(
            "**ORACLE** after an arm's name: its checkpoints were chosen on test rows, so its "
            "scores cannot be had in use."
        )
    if suite.seeds != suite.declared_seeds:
        asked, ran = suite.declared_seeds, suite.seeds
        lines.append(f"**The suite declares {asked} seeds; this report is of {ran}** (`--seeds`).")
    lines += [
        f"**Deviation from the registration:** {markdown(d, STORED)}" for d in study.deviations
    ]
    lines += [*budgets.notes(study), tuned.note(study)]
    rules = {v.rule for v in (*study.verdicts, *study.effects)} - {"", "Student t"}
    if suite.looks and len(suite.looks) > 1:
        looks = ", ".join(map(str, suite.looks))
        lines.append(
            f"Verdicts are read at {looks} seeds by repeated t intervals that hold over all looks; "
            "a contrast that is decided keeps the seeds of that look."
        )
    if "t-mixture" in rules:
        lines.append(
            "**The number of seeds is not a declared look:** what was still open is read by a "
            "t-mixture confidence sequence, which holds whenever one stops."
        )
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
    lines.append(
        "Differences are treatment − baseline, paired by seed, in percentage points. Scores by "
        "`all-classes` know nothing of the task; other protocols may"
        + ("; what is marked ORACLE cannot be had in use." if study.oracles else ".")
    )
    return lines


def fenced(text: str) -> str:
    """Put text into a code fence that no fence inside it can close, with nothing hidden in it."""
    text = visible(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}yaml\n{text}\n{fence}"


def changed(study: Study) -> str:
    """Say in words what the command line made of the suite; '' where nothing."""
    changes = [markdown(words) for words in study.suite.changed_words]
    return f"**Changed on the command line: {'; '.join(changes)}.**" if changes else ""


def family(study: Study) -> int:
    """Count the claims that share alpha."""
    return len(study.verdicts) + len(study.effects)


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
    count = family(study)
    levels = LEVELS[suite.correction].format(claims=count) if count > 1 else ALONE
    return (
        "*Its interval* is the one that the verdict is read from, with its level: wholly outside "
        "the margin for MATTERS, wholly inside for NEGLIGIBLE, across for INCONCLUSIVE; none where "
        f"nothing may be read.{sides} {levels} *p* is that of the claim in brackets, the better "
        "supported of the two that the contrast may come to."
    )


ALONE = "There is one claim, which has the whole of alpha."


LEVELS = {
    "holm": "The level is that of Holm's step for the claim, of an undecided one where the "
    "procedure over the {claims} claims stopped.",
    "bonferroni": "The level is Bonferroni's for {claims} claims, which hold at once.",
    "hommel": "It is per claim, at the level to which Hommel's procedure over the {claims} claims "
    "came; Hommel's has no simultaneous interval.",
    "bh": "It is per claim, at the level to which Benjamini and Hochberg's procedure over the "
    "{claims} claims came: where the false share of the claims is held, there is no simultaneous "
    "interval.",
    "by": "It is per claim, at the level to which Benjamini and Yekutieli's procedure over the "
    "{claims} claims came: where the false share of the claims is held, there is no simultaneous "
    "interval.",
    "none": "It is per claim: nothing is corrected for there being {claims}.",
}


def legend(study: Study) -> str:
    """Explain the verdicts that occur."""
    found = {verdict.decision for verdict in (*study.verdicts, *study.effects)}
    said = [f"**{name}**: {meaning}" for name, meaning in words.MEANINGS.items() if name in found]
    if any("INERT" in verdict.flags for verdict in study.verdicts):
        said.append("**INERT**: both arms scored the same in every seed, as if never switched on")
    if any("TIED" in verdict.flags for verdict in study.verdicts):
        said.append("**TIED**: no difference in this metric, though other scores differ")
    for flag, says in floors.SAYS.items():
        if any(flag in verdict.flags for verdict in (*study.verdicts, *study.effects)):
            said.append(f"*{flag}*: {says}")
    if any("differs" in verdict.flags for verdict in study.verdicts):
        said.append("*differs*: the interval excludes 0, but no verdict was reached")
    return "; ".join(said) + "." if said else ""
