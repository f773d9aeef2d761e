"""Commands on a suite before it is run: init, plan, tune."""

from __future__ import annotations

import math
import sys
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ablate.commands.options.labour import Labour, labour_options, workforce
from ablate.commands.options.opened_suite import (
    admit,
    data_option,
    device_option,
    of_suite,
    quick_option,
    results_option,
    trust_option,
)
from ablate.commands.shared import compile_first, end, say, say_all, under_own_name
from ablate.commands.terminal import answer, is_terminal
from ablate.core.foreign_text import STORED, plain

if TYPE_CHECKING:
    from ablate.types import Suite


SEEDS = click.IntRange(3, 100_000)


@click.command()
@click.argument("name", metavar="NAME")
@click.option("--question", help="What the study asks, a sentence.")
@click.option(
    "--arms",
    help="Names, as in herding,random: components of one kind, or names of yours to fill in.",
)
@click.option("--baseline", help="Arm that the others are compared with [default: the first].")
@click.option("--metric", help="What is compared [default: all-classes].")
@click.option("--margin", help="Smallest difference that would matter, as in '2 points'.")
@click.option("--seeds", type=SEEDS, help="Runs of every arm [default: 20].")
def init(name: str, **options: str | int | None) -> None:
    """Write a commented suite NAME.yaml for a question; on a terminal, ask for what is missing.

    Nothing is overwritten. `plan` and `run` take the file as it is.
    """
    from ablate.plan import suite_template
    from ablate.registry import scan

    def given(option: str, question: str, default: str = "", needed: bool = False) -> str:
        """Give an option, else what somebody answers, else the default."""
        value = str(options[option] or "") or (
            answer(question, default) if is_terminal() else default
        )
        if not value and needed:
            raise click.UsageError(f"--{option} is missing: {question}")
        return value

    question = given("question", "What does the study ask, in a sentence?", needed=True)
    named = given("arms", "Which arms are compared? Names with commas between them", needed=True)
    arms = tuple(word.strip() for word in named.split(",") if word.strip())
    outline = suite_template.Outline(
        question=question,
        arms=arms,
        baseline=given("baseline", "Which of them is the baseline?", next(iter(arms), "")),
        metric=given("metric", "Which metric decides?", "all-classes"),
        margin=given("margin", "Which difference is the smallest that matters?", needed=True),
        seeds=SEEDS(given("seeds", "How many runs of every arm?", "20")),
    )
    path = suite_template.write(name, outline, scan())
    say(f"Written: {plain(path, STORED)}\nNext: ablate-study plan {plain(path, STORED)}")


@click.command()
@of_suite
@click.option(
    "--why",
    "reasons",
    is_flag=True,
    help="Say of every run why it is to be run, or what it rests on.",
)
@data_option
def plan(
    opened: Suite,
    results: Path,
    reasons: bool,
    data_root: Path,
) -> None:
    """Show the grid, its size and its estimated cost; trains nothing.

    A suite can run code, here too: its data are looked at, by functions that it names.
    """
    from ablate import flow
    from ablate.commands import describe, why
    from ablate.records.store import is_there, open_store
    from ablate.workflows import prospects

    there = is_there(results)
    with closing(open_store(results, create=False)) if there else nullcontext() as store:
        if opened.screening:
            opened = flow.stage(opened, store) if store else opened.screening
        work = flow.prepare(opened, data_root, store)
        say_all(store.damage.lines() if store else (), err=True)
    labels = [plain(variant.label) for variant in opened.variants]
    say("\n  ".join([plain(opened.question, STORED), *labels]))
    say("\n".join([describe.work(work), *why.stale(work)]))
    say_all(describe.cautions(work))
    say_all(prospects.lines(opened))
    if reasons:
        say_all(why.why(work))


@click.command()
@click.argument("suite", metavar="SUITE")
@quick_option
@trust_option
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change the suite's base, as in dataset=digits; may be repeated.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The tuned values' file [default: the one that the suite names].",
)
@results_option
@labour_options
@data_option
@device_option
def tune(
    suite: str,
    quick: bool,
    trust: bool,
    changes: tuple[str, ...],
    out: Path | None,
    results: Path,
    labour: Labour,
    data_root: Path,
    device: str,
) -> None:
    """Tune every arm with the same number of trials, on rows held out of the training rows.

    Trials are runs like any others: what is done is not repeated. The suite's own seeds, class
    orders and test rows are not used.
    """
    from ablate import flow
    from ablate.commands import describe
    from ablate.commands.progress import Progress, show_runs
    from ablate.commands.rehearsal import rehearse
    from ablate.design.tuning.tuned_file import place, writable
    from ablate.executors.device import checked
    from ablate.plan import dispatch
    from ablate.records.results_folder import sole_writer
    from ablate.records.store import open_store
    from ablate.registry import scan
    from ablate.types import Site
    from ablate.workflows.tuner import Tuner

    rehearse(lambda: flow.open_suite(suite, None, quick, changes, {}))
    admit(flow.open_suite(suite, None, quick, changes, {}), trust)
    rehearse(lambda: flow.prepare(flow.open_suite(suite, None, quick, changes), data_root, None))
    tuner = Tuner(
        lambda values: flow.open_suite(suite, None, quick, changes, values), data_root, scan()
    )
    dispatch.demand(flow.prepare(tuner.suite, data_root, None).stacks, scan())
    programs = str(results.absolute() / "programs" / "trials")  # apart from the study's
    site = Site(str(data_root.absolute()), checked(device), folder=programs, trial=True)
    with sole_writer(results), closing(open_store(results)) as store:
        named = under_own_name(tuner.suite, store, results)
    path = writable(out or place(named, flow.find_suite(suite).parent, results))
    folder = results / named.name
    if tuner.untouched:
        say(
            f"The space reaches nothing in {plain(', '.join(tuner.untouched))}: left as written.",
            err=True,
        )
    with (
        sole_writer(results),
        closing(open_store(results)) as store,
        workforce(labour, named, folder) as crew,
    ):
        for number in range(tuner.search.trials):
            trial = tuner.ask()
            work = flow.prepare(trial, data_root, store)
            head = f"trial {number + 1} of {tuner.search.trials}"
            say(f"{head}: {len(trial.variants)} arms, {sum(len(s.runs) for s in work.stacks)} runs")
            if number == 0:
                say_all(describe.cautions(work))
            if work.stacks:
                compile_first(work, site)
                events = flow.run(work, store, site, crew, labour.stack_timeout)
                show_runs(Progress(trial, work, crew.size), events, folder)
            tuner.tell(trial, store.load(work.plan.runs))
    tuner.write(path)
    say_all(scan().load("report", "tuning")().lines(tuner.found(str(path))))
    if tuner.lost:
        counts = (
            "a trial with one has no score"
            if math.isnan(tuner.search.lost)
            else "each counts 0 points"
        )
        say(f"{tuner.lost} runs were lost (diverged or failed); {counts}.", err=True)
    _, code = end((), tuner.lost)
    if code:
        sys.exit(code)
