"""The significance report: markdown, with its pictures beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ablate.core.foreign_text import STORED, markdown, visible
from ablate.flow import Study
from ablate.records.results_folder import make_folder
from ablate.registry import component

from . import (
    answers,
    arm_figures,
    budgets,
    digests,
    effective_steps,
    effects,
    files,
    first_screen,
    floors,
    learning_figures,
    left_out,
    overview,
    overview_figures,
    programs,
    references,
    rows_tested,
    tables,
    tuned,
    words,
)
from .figures import draw


@component("report", "full")
@dataclass(frozen=True)
class Full:
    """The whole report of a study, with its pictures."""

    def write(self, study: Study, folder: Path) -> Path:
        """Write `report.md` and its pictures into a folder; gives the report's path."""
        return write(study, folder)


def write(study: Study, folder: Path) -> Path:
    """Write `report.md` and its pictures into a folder; gives the report's path."""
    make_folder(folder)
    pictures = draw(study, folder) + arm_figures.draw(study, folder)
    pictures += overview_figures.draw(study, folder) + effective_steps.draw(study, folder)
    pictures += learning_figures.draw(study, folder)
    failures = files.failures(pictures)
    return files.save(folder / "report.md", text(study, pictures.names, failures))


def text(study: Study, pictures: Sequence[str] = (), failures: Sequence[str] = ()) -> str:
    """Give the report as markdown, the answer first.

    failures: lines on pictures that could not be drawn.
    """
    parts = [
        f"# {markdown(study.suite.question, STORED)}",
        first_screen.changed(study),
        answers.answer(study),
        *floors.qualifiers(study),
        tables.verdicts(study) if study.verdicts or study.pooled else "",
        "\n".join(f"> {line}" for line in [*first_screen.notes(study), *failures]),
        first_screen.legend(study),
        first_screen.reading(study),
        words.picture("contrasts.png", "Differences with intervals and margins", pictures),
        *left_out.section(study),
        *effects.factorial(study),
        *overview.importance(study, pictures),
        *overview.settings(study, pictures),
        *(programs.section if study.suite.measures else arms)(study, pictures),
        *references.section(study),
        "## Why these verdicts",
        tables.reasons(study) if study.verdicts or study.pooled else "No contrast was declared.",
        f"The *simultaneous* interval is Bonferroni's, {simultaneous(study)}. "
        "The p columns, uncorrected and as if read once, ask the two questions of a verdict "
        "without a declared side: is the effect larger than the margin "
        "(minimal-effect test), is it smaller (two one-sided tests). The sign-flip "
        "and the paired t test of no difference at all are shown beside them. "
        "*chosen afterwards*: the smallest margin with which it would have been NEGLIGIBLE, and "
        "the largest with which it would MATTER; they hold over all looks and all contrasts at "
        "once (Bonferroni), whatever made somebody choose them. "
        "*detectable*: the true difference that a study of these seeds and this spread "
        "would find to matter four times of five. *r* is the "
        "correlation between the arms over the seeds: the higher, the more pairing bought.",
        *collapsed(study),
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


def arms(study: Study, pictures: Sequence[str]) -> list[str]:
    """Give the section on the arms: their means over what costs nothing, and how they learnt."""
    return [
        "## Arms",
        f"Final accuracy in points, mean over seeds ± half the {words.percent(study.suite.alpha)} "
        "interval of the mean. Overlap of two such intervals is no test: the arms share their "
        "seeds, and the table above uses that. The last rows cost nothing: a class at random, "
        "always the most frequent class, the newest task without a fault and no other.",
        tables.arms(study),
        words.picture(arm_figures.MEANS, "The arms' means over what costs nothing", pictures),
        rows_tested.finite_test(study),
        words.picture(effective_steps.STEPS, "Score against the effective step", pictures),
        effective_steps.explained(pictures),
        words.picture("curves.png", "Accuracy on the tasks seen so far", pictures),
        *learning_figures.section(pictures),
        "`task-prediction` × `within-task` = `all-classes` accuracy, in every single run: P(task "
        "right) × P(class right | task right).",
        tables.summaries(study),
        rows_tested.leftovers(study),
        *rows_tested.new_rows(study),
    ]


def collapsed(study: Study) -> list[str]:
    """Tell of runs that collapsed, where there are any."""
    table = tables.collapses(study)
    if not table:
        return []
    note = (
        "At chance, or far from all other seeds of their arm. Their scores count in every verdict. "
        "Rates with their exact 95 % intervals (Clopper & Pearson), each alone; *p* is the exact "
        "McNemar test of the seeds in which one arm alone collapsed; the difference without them "
        "is conditional on no collapse and decides nothing."
    )
    return ["## Collapsed runs", table, note]


def simultaneous(study: Study) -> str:
    """Say what Bonferroni's intervals hold for."""
    claims = first_screen.family(study)
    if claims == 1:
        return "for the one claim"
    return f"and those of all {claims} claims hold at once, whatever the correction"


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
    lines = [f"- {answers.twins(same)}." for same in study.same]
    return [
        "## A/A: one arm against itself",
        "The arm was run again on seeds of its own. Its runs are paired at random, many times "
        "over, and judged like any contrast; every difference claimed is a false one.",
        "\n".join(lines) or "Too few runs ended well to say anything; five a side are needed.",
    ]


def inert(study: Study) -> list[str]:
    """Name the contrasts whose arms were the same from the first steps on."""
    if not study.inert:
        return []
    lines = []
    for index, tie in study.inert.items():
        comparison = study.verdicts[index].comparison
        arms = f"{markdown(comparison.treatment)} and {markdown(comparison.baseline)}"
        lines.append(f"- {arms}: {markdown(tie['tied'])}; {markdown(tie['reason'])}.")
    return [
        "## INERT from the first steps",
        "Before training, both arms of each contrast took a few steps on the same batches. These "
        "came out with the same parameters:",
        "\n".join(dict.fromkeys(lines)),
    ]


def fenced(text: str) -> str:
    """Put text into a code fence that no fence inside it can close, with nothing hidden in it."""
    text = visible(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}yaml\n{text}\n{fence}"
