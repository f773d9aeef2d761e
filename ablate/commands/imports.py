"""The command import: finished runs of trackers and tables -> a study in the store."""

from __future__ import annotations

import math
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ablate.commands import finished
from ablate.commands.numbers import margins, origin
from ablate.commands.options.opened_suite import results_option
from ablate.commands.shared import say, say_all
from ablate.core.foreign_text import STORED, plain
from ablate.core.naming import folder_name
from ablate.errors import ExitCode

if TYPE_CHECKING:
    from ablate.plan.imported.study import Imported
    from ablate.plan.imported.suite_text import Claims

RUNS = "runs.csv"
"""The table of a study's runs, beside its report."""


@click.command("import")
@click.argument(
    "paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path)
)
@click.option("--reader", default="", help="Whose files they are [default: what recognises them].")
@click.option(
    "--arm",
    multiple=True,
    metavar="NAMES",
    help="Parameters that tell arms apart, as in lr,optimizer [default: what varies between runs].",
)
@click.option("--seed", default="", help="Parameter that is the seed [default: one called so].")
@click.option("--block", default="", help="Parameter of data sets or settings, each with all arms.")
@click.option(
    "--metric",
    multiple=True,
    help="Metric that is compared; repeated, the first is and the others are shown.",
)
@click.option(
    "--step",
    default="last",
    show_default=True,
    metavar="STEP",
    help="Which step of a run counts: last, best (an ORACLE), or a number.",
)
@click.option(
    "--where",
    multiple=True,
    metavar="NAME=VALUE",
    help="Only runs that have it count; repeated, all together.",
)
@click.option("--margin", help="Smallest difference that matters, in its own unit; or -1,+2.")
@click.option(
    "--baseline", default="", help="Arm that others are compared with [default: all pairs]."
)
@click.option("--question", default="", help="What is request, a sentence.")
@click.option("--name", default="", help="The study's name [default: the first path's].")
@click.option("--replace", is_flag=True, help="Take runs that have changed since the last import.")
@results_option
def import_(paths: tuple[Path, ...], **options: Any) -> None:
    """Read finished runs of a tracker into the store, and write their report.

    PATH is a file or a folder: of Weights & Biases, MLflow, TensorBoard, Optuna, Hydra, Lightning,
    lm-eval, Inspect, or a table. What was guessed is said. With --margin, and a seed for the runs,
    they become a study with a suite of its own; else differences and intervals are shown.
    """
    from ablate.plan.imported import reading
    from ablate.plan.imported.chosen import Request
    from ablate.plan.imported.suite_text import Claims
    from ablate.registry import scan
    from ablate.tables.columns.where import conditions

    margin = margins(options["margin"])
    request = Request(
        arm=tuple(word.strip() for names in options["arm"] for word in names.split(",")),
        seed=options["seed"],
        block=options["block"],
        metrics=options["metric"],
        where=conditions(options["where"]),
        step=counting(options["step"]),
    )
    read = reading.read(paths, scan(), request, options["reader"])
    names, readers = (", ".join(words) for words in (read.origin.names, read.origin.readers))
    say(f"{len(read.sources.runs)} runs of {plain(names)}, read by {plain(readers)}.")
    say_all(plain(sentence, STORED) for sentence in read.sentences)
    name = folder_name(options["name"] or Path(read.origin.names[0]).stem)
    folder = options["results"] / name
    if margin is None or not read.sorted.paired:
        compared(read, margin, options["baseline"], folder)
        return
    question = options["question"] or (
        f"Which of {len(read.sorted.arms)} arms differ in {read.metrics[0]}?"
    )
    size = list(margin) if isinstance(margin, tuple) else margin
    stored(read, Claims(question, size, options["baseline"]), folder, options["replace"])


def counting(step: str) -> str:
    """Read which step counts. Raises UsageError for what is none."""
    if step in ("last", "best"):
        return step
    try:
        if math.isfinite(float(step)):
            return step
    except ValueError:
        pass
    raise click.UsageError(f"--step {step!r}: last, best, or the number of a step")


def stored(read: Imported, claims: Claims, folder: Path, replace: bool) -> None:
    """Put imported runs into the store as a study, and write its suite and its report."""
    from ablate import flow
    from ablate.commands.shared import finish, under_own_name
    from ablate.plan.imported import study, suite_text
    from ablate.records.results_folder import sole_writer
    from ablate.records.store import open_store

    results, path = folder.parent, folder / f"{folder.name}.yaml"
    text = suite_text.written(read.sorted, claims, read.origin, read.metrics, path.name)
    suite = study.parsed(text, path)
    study.write(folder / RUNS, study.frame(read).to_csv(index=False))
    with sole_writer(results), closing(open_store(results)) as store:
        suite = under_own_name(suite, store, results)
        say(study.save(suite, read, store, replace))
        study.write(path, text)
        ending = finish(flow.analyse(suite, store), results / suite.name)
    say(f"Suite: {plain(path, STORED)}\nTable: {plain(folder / RUNS, STORED)}\n")
    finished.leave(ending)


def compared(
    read: Imported, margin: float | tuple[float, ...] | None, baseline: str, folder: Path
) -> None:
    """Show differences of imported runs that no margin, or no seed, makes a study."""
    from dataclasses import replace

    from ablate.analysis.tables.compare import compare
    from ablate.plan.imported import study
    from ablate.registry import scan
    from ablate.tables.names import less_is_better

    table = study.frame(read)
    text = table.to_csv(index=False)
    study.write(folder / RUNS, text)
    paired = read.sorted.paired
    if paired:
        say("No margin was given: differences have intervals, and nothing is decided (--margin).")
        table = table[table[study.SEED].notna()]
    result = compare(
        table.drop(columns=["lost"]),
        margin=margin,
        pair=study.SEED if paired else "run",
        arm="arm",
        metric=read.metrics[0],
        block=read.sorted.block or None,
        baseline=baseline or None,
        lower=less_is_better(read.metrics[0]),
        unpaired=not paired,
    )
    say_all(scan().load("report", "comparison")().lines(result))
    sentences = (sentence.removesuffix(".") for sentence in read.sentences)
    result = replace(result, notes=(*sentences, *result.notes))
    page = scan().load("report", "comparison-page")()
    path = page.write(result, folder / "comparison", origin(folder / RUNS, text.encode()))
    say(f"\nReport: {plain(path, STORED)}")
    if not result.tested:
        sys.exit(ExitCode.NOTHING_TESTED)
