"""Commands on a suite and its report: run, report, verify, and demo, which shows a stored one."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ablate.commands import finished
from ablate.commands.options.labour import Labour, labour_options, workforce
from ablate.commands.options.opened_suite import data_option, device_option, functions, of_suite
from ablate.commands.shared import compile_first, finish, say, say_all, under_own_name
from ablate.core.foreign_text import plain

if TYPE_CHECKING:
    from ablate.flow import Study, Work
    from ablate.records.store import Store
    from ablate.types import Site, Suite


@click.command()
@of_suite
@labour_options
@click.option(
    "--only",
    multiple=True,
    metavar="SELECTOR",
    help="An arm or label, with wildcards, or seed=N; may be repeated.",
)
@data_option
@device_option
@click.option("--fresh", is_flag=True, help="Run everything again, replacing its records.")
@click.option("--until-decided", is_flag=True, help="Add seeds look by look until it is decided.")
@click.option(
    "--keep-stale", is_flag=True, help="Count records of other code, data or packages as done."
)
@click.option(
    "--register-anew",
    is_flag=True,
    help="Freeze the claims again, as a new study; the report says so.",
)
def run(
    opened: Suite,
    results: Path,
    labour: Labour,
    only: tuple[str, ...],
    data_root: Path,
    device: str,
    fresh: bool,
    until_decided: bool,
    keep_stale: bool,
    register_anew: bool,
) -> None:
    """Train, test and write the significance report. Runs that are done are not repeated.

    A suite can run code: components of installed packages, and functions that it names.
    """
    from ablate.executors.device import checked
    from ablate.types import Site

    site = Site(
        str(data_root.absolute()), checked(device), folder=str(results.absolute() / "programs")
    )
    if until_decided and (only or fresh):
        raise click.UsageError("--until-decided goes with neither --only nor --fresh")
    part = only or until_decided or fresh or keep_stale or register_anew or functions(opened)
    known = (
        None
        if part or opened.screening
        else finished.at_once(opened, data_root, results, under_own_name)
    )
    if known:
        finished.leave(known)
        return
    from ablate import flow
    from ablate.analysis import caveats
    from ablate.commands import describe, why
    from ablate.commands.progress import Progress, show_runs
    from ablate.plan import dispatch, pending
    from ablate.records import ownership, registration
    from ablate.records.results_folder import make_folder, sole_writer
    from ablate.records.store import open_store
    from ablate.registry import scan
    from ablate.workflows import prospects
    from ablate.workflows.inert_check import check

    suite = opened
    if opened.screening:
        opened = _screen(opened, results, site, data_root, labour, fresh, keep_stale)
    opened = flow.with_looks(opened) if until_decided else opened
    # every fault shows before we write
    planned = flow.prepare(opened, data_root, None, only, fetch=True)
    dispatch.demand(planned.stacks, scan())
    with sole_writer(results), closing(open_store(results)) as store:
        opened, suite = under_own_name(opened, store, results), ownership.settled(suite, store)
        ownership.take(opened, store)
        make_folder(results / opened.name)
        todo = flow.prepare(
            opened, data_root, store, only, fresh=fresh, keep=keep_stale, before=planned
        )
        say_all(store.damage.lines(), err=True)
        stale = pending.stale_ones(todo.reasons, todo.records, todo.stacks)
        caveats.keep(opened, store, stale, todo.kept)
        registration.freeze(opened, store, len(todo.records), register_anew)
        cautions = list(describe.cautions(todo))
        say_all(cautions)
        if not (todo.stacks or only or until_decided):
            before = finished.recall(suite, store, results / opened.name)
            if before:
                say(describe.work(todo))
                finished.leave(before)
                return
        frozen = registration.registered(opened, store)
        say_all(prospects.lines(registration.as_registered(opened, frozen)))
        looks = flow.by_look(opened, data_root, store, keep_stale, planned)
        parts = looks if until_decided else iter((todo,))
        with workforce(labour, opened, results / opened.name) as crew:
            while work := next(parts, None):  # none is left at the end, with all of its records
                say("\n".join([describe.work(work), *why.stale(work)]))
                if work.stacks:
                    compile_first(work, site)
                    say_all(check(opened, store, site, crew, labour.stack_timeout))
                    events = flow.run(work, store, site, crew, labour.stack_timeout)
                    show_runs(Progress(opened, work, crew.size), events, results / opened.name)
        todo, stale = replace(todo, records={}), {}  # the study reads them again: once is enough
        study = flow.analyse(suite, store)
        ending = finish(study, results / opened.name)
        if not (only or until_decided):
            idle = _idle(study, todo, store, cautions)
            finished.keep(ending, suite, store, results / opened.name, idle)
    finished.leave(ending)


def _screen(
    suite: Suite,
    results: Path,
    site: Site,
    data_root: Path,
    labour: Labour,
    fresh: bool,
    keep: bool,
) -> Suite:
    """Run the arms that say which parts may matter, and give the suite with claims about those."""
    from ablate import flow
    from ablate.commands import describe
    from ablate.commands.progress import Progress, show_runs
    from ablate.records import ownership, registration
    from ablate.records.results_folder import make_folder, sole_writer
    from ablate.records.store import open_store

    if suite.screening is None:
        return suite
    planned = flow.prepare(suite.screening, data_root, None, fetch=True)
    with sole_writer(results), closing(open_store(results)) as store:
        first = ownership.settled(suite.screening, store)
        ownership.take(first, store)
        make_folder(results / suite.name)
        todo = flow.prepare(first, data_root, store, fresh=fresh, keep=keep, before=planned)
        registration.freeze(first, store, len(todo.records))
        say(f"Screening, {len(suite.contrasts)} claims:\n{describe.work(todo)}")
        if todo.stacks:
            compile_first(todo, site)
            with workforce(labour, suite, results / suite.name) as crew:
                events = flow.run(todo, store, site, crew, labour.stack_timeout)
                show_runs(Progress(first, todo, crew.size), events, results / suite.name)
        done = flow.stage(suite, store)
    say(f"Carried on: {len(done.contrasts)} of {len(suite.contrasts)} claims.\n")
    return done


def _idle(study: Study, work: Work, store: Store, cautions: list[str]) -> finished.Idle | None:
    """Give what the next run will say first, if it will find nothing to do and no damage."""
    from ablate.commands import describe
    from ablate.plan.pending import reasons_of
    from ablate.records import cohort

    records = {record.key: record for runs in study.runs for record in runs.values()}
    damaged = store.damage.runs or store.damage.notes
    if damaged or any(reasons_of(work.plan, records, work.facts).values()):
        return None
    rest_on = cohort.bases(records.values())
    packages = {name for facts in rest_on for name in facts.get("packages", {})}
    first = [*cautions, describe.work(replace(work, stacks=()))]
    return finished.Idle(first, work.facts, frozenset(packages))


@click.command()
@of_suite
@click.option(
    "--style",
    type=click.Choice(["full", "summary"]),
    default="full",
    show_default=True,
    help="The significance report, or the one-page form of reproducibility studies.",
)
def report(opened: Suite, results: Path, style: str) -> None:
    """Write the report again, from the store."""
    from ablate import flow
    from ablate.records.store import open_store

    with closing(open_store(results, create=False)) as store:
        opened = under_own_name(opened, store, results)
        ending = finish(flow.analyse(opened, store), results / opened.name, style)
    finished.leave(ending)


@click.command()
@click.argument("report", type=click.Path(path_type=Path))
def verify(report: Path) -> None:
    """Recompute every number of a REPORT (its report.md) from the store two folders up."""
    from ablate.errors import ExitCode, SelectionError
    from ablate.records.store import open_store
    from ablate.registry import scan
    from ablate.tables.compared import DOCUMENT

    here = report.absolute()
    if (here.parent / DOCUMENT).exists():
        raise SelectionError(
            f"{plain(report)} is of `compare`, with nothing stored: the command under its "
            "Provenance writes it again from the scores, whose SHA-256 stands there"
        )
    if not here.exists():
        raise SelectionError(f"there is no report {plain(report)}: `run` writes one")
    with closing(open_store(here.parent.parent, create=False)) as store:
        differences = list(scan().load("report", "verification")().lines(report, store))
    say_all(differences or ["Every number agrees with the store."])
    if differences:
        sys.exit(ExitCode.DIFFERENCE)


@click.command()
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Folder of the store and the report.",
)
def demo(results: Path) -> None:
    """Show a whole verdict and report in seconds, from stored records of a shipped suite.

    Trains nothing and needs no torch. The records are put into a store, so that `verify` recomputes
    the report's numbers.
    """
    from ablate import flow
    from ablate.plan import stored_study
    from ablate.records.results_folder import sole_writer
    from ablate.records.store import open_store

    suite = flow.open_suite(stored_study.STUDY)
    with sole_writer(results), closing(open_store(results)) as store:
        suite = under_own_name(suite, store, results)
        stored_study.restore(suite, store, stored_study.path())
        ending = finish(flow.analyse(suite, store), results / suite.name)
    finished.leave(ending)
