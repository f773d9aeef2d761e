"""The command line: parses, calls the flow, shows progress. No logic.

Imports wait until a command needs them, so that `--help` answers at once.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, nullcontext
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ablate.flow import Finished, Study
    from ablate.progress import Progress
    from ablate.types import Suite

RUNS_LOST = 3
"""The exit code of a command that did its work but lost runs (diverged or failed)."""

results_option = click.option(
    "--results", type=click.Path(path_type=Path), default=Path("results"), show_default=True,
    help="Folder of the store and the reports.",
)  # fmt: skip
data_option = click.option(
    "--data-root", type=click.Path(path_type=Path), envvar="ABLATE_DATA", default=Path("data"),
    show_default=True, help="Folder of the data files; also ABLATE_DATA.",
)  # fmt: skip


def of_suite(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that open a suite; it receives the Suite itself."""

    @wraps(command)
    def opening(
        suite: str, quick: bool, changes: tuple[str, ...], seeds: int | None, **rest: Any
    ) -> None:
        from ablate import flow

        command(flow.open_suite(suite, seeds, quick, changes), **rest)

    options = (
        click.argument("suite", metavar="SUITE"),
        click.option("--quick", is_flag=True, help="Apply the suite's `quick` block: minutes."),
        click.option("--set", "changes", multiple=True, metavar="PATH=VALUE",
                     help="Change the suite's base, as in dataset=digits; may be repeated."),
        click.option("--seeds", type=click.IntRange(1, 100_000),
                     help="Seeds, instead of the suite's own number."),
        results_option,
    )  # fmt: skip
    for option in reversed(options):
        opening = option(opening)
    return opening


class Commands(click.Group):
    """Keeps the commands in the order of use, and turns our errors into messages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands as they were defined."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an expected error is a message and an exit code, never a traceback."""
        from ablate.errors import AblateError

        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a console that lacks a letter gets a '?'
                stream.reconfigure(errors="replace")
        try:
            return super().invoke(ctx)
        except AblateError as error:
            click.echo(str(error), err=True)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("Stopped. Finished runs are kept; the same command goes on.", err=True)
            sys.exit(130)


def show_version(ctx: click.Context, _option: object, wanted: bool) -> None:
    """Print the installed version, or that there is none."""
    if wanted:
        from ablate.provenance import version_of

        click.echo(f"ablate {version_of('ablate')}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=show_version,
              help="Show the version and exit.")  # fmt: skip
def main() -> None:
    """Ablation studies with verdicts: does a component of an incremental meta-learner matter?

    SUITE is a YAML file, or the name of a shipped suite such as `update_rule`.
    """


@main.command()
@of_suite
@click.option("--workers", type=click.IntRange(1, 1024), help="Processes [default: one a core].")
@click.option("--only", multiple=True, metavar="SELECTOR",
              help="An arm or label, with wildcards, or seed=N; may be repeated.")  # fmt: skip
@data_option
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 ...")
@click.option("--fresh", is_flag=True, help="Run everything again, replacing its records.")
@click.option("--until-decided", is_flag=True, help="Add seeds look by look until it is decided.")
def run(
    opened: Suite,
    results: Path,
    workers: int | None,
    only: tuple[str, ...],
    data_root: Path,
    device: str,
    fresh: bool,
    until_decided: bool,
) -> None:
    """Train, test and write the significance report. Runs that are done are not repeated."""
    from ablate import describe, flow, registration
    from ablate.device import checked
    from ablate.progress import Progress
    from ablate.provenance import usable_cores
    from ablate.store import make_folder, open_store, sole_writer
    from ablate.types import Site

    site, count = Site(str(data_root.absolute()), checked(device)), workers or usable_cores()
    if until_decided and (only or fresh):
        raise click.UsageError("--until-decided goes with neither --only nor --fresh")
    asked, opened = opened, flow.with_looks(opened) if until_decided else opened
    flow.prepare(opened, data_root, None, only, fetch=True)  # every fault shows before we write
    with sole_writer(results), closing(open_store(results)) as store:
        make_folder(results / opened.name)
        whole = flow.prepare(opened, data_root, store, only, fresh=fresh)
        registration.freeze(opened, store, len(whole.records))
        parts = flow.by_look(opened, data_root, store) if until_decided else [whole]
        for work in parts:
            say(describe.work(work))
            if work.stacks:
                from ablate.inert import check  # needs torch, which a finished suite does not

                say_all(check(opened, store, site))
                show_runs(Progress(opened, work, count), flow.run(work, store, site, count))
        study = flow.analyse(asked, store)
    finish(study, results / opened.name)


@main.command()
@of_suite
@data_option
def plan(
    opened: Suite,
    results: Path,
    data_root: Path,
) -> None:
    """Show the grid, its size and its estimated cost; runs nothing."""
    from ablate import describe, flow
    from ablate.store import open_store

    there = (results / "runs.sqlite").exists()
    with closing(open_store(results, create=False)) if there else nullcontext() as store:
        work = flow.prepare(opened, data_root, store)
    say("\n  ".join([opened.question, *(variant.label for variant in opened.variants)]))
    say(describe.work(work))


@main.command()
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
    from ablate.store import open_store

    with closing(open_store(results, create=False)) as store:
        study = flow.analyse(opened, store)
    finish(study, results / opened.name, style)


@main.command()
@click.argument("report", type=click.Path(path_type=Path))
def verify(report: Path) -> None:
    """Recompute every number of a REPORT (its report.md) from the store two folders up."""
    from ablate import shipped
    from ablate.store import open_store

    with closing(open_store(report.absolute().parents[1], create=False)) as store:
        found = list(shipped.module("reports.verify").verify(report, store))
    say_all(found or ["Every number agrees with the store."])
    if found:
        sys.exit(1)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--margin", type=float, help="Smallest difference that matters, in its own unit.")
@click.option(
    "--pair", default="seed", show_default=True, help="Column that makes two rows a pair."
)
@click.option("--arm", multiple=True, default=("method",), show_default=True,
              help="Column that names the arm; repeated, the columns of the arms.")  # fmt: skip
@click.option("--metric", default="accuracy", show_default=True, help="Column of the scores.")
@click.option("--block", help="Column of data sets or settings; pairs are made inside each.")
@click.option("--baseline", help="Arm that all others are compared with [default: all pairs].")
@click.option("--alpha", type=float, default=0.05, show_default=True, help="Rate of false claims.")
@click.option("--correction", default="holm", show_default=True,
              help="holm, hommel, bonferroni or none.")  # fmt: skip
@click.option("--looks", default="", help="Numbers of pairs at which it was to be read: 5,8,12.")
@click.option("--resolution", type=float, help="What one test row is worth in the metric.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def compare(file: Path, arm: tuple[str, ...], looks: str, as_json: bool, **settings: Any) -> None:
    """Judge a table that this toolkit did not make: CSV, Parquet or JSON lines, long or wide."""
    import json

    from ablate import api, frame

    try:
        planned = [int(word) for word in looks.replace(",", " ").split()]
    except ValueError:
        raise click.UsageError(f"--looks {looks!r}: whole numbers, as in 5,8,12,20") from None
    names: Any = arm[0] if len(arm) == 1 else arm
    found = api.compare(frame.read_table(file), arm=names, looks=planned, **settings)
    if as_json:
        say(json.dumps(found.to_dict(), indent=1))
    else:
        from ablate import shipped

        say_all(shipped.module("reports.compared").lines(found))


@main.command("list")
@click.argument("kind", required=False)
def list_(kind: str | None) -> None:
    """List the components of a KIND, or of all kinds, and the shipped suites."""
    from ablate import describe

    for heading, lines in describe.catalogue(kind):
        say("\n  ".join([click.style(heading, bold=True), *lines]))
    for warning in describe.warnings():
        say(f"warning: {warning}", err=True)


@main.command()
@click.argument("name", metavar="KIND.NAME")
def show(name: str) -> None:
    """Show a component: formula, fields with ranges and defaults, source."""
    from ablate import describe

    say_all(describe.component(name))


@main.command()
def schema() -> None:
    """Print the JSON Schema of suites, for editors that complete YAML."""
    import json

    from ablate.registry import scan
    from ablate.suite_schema import suite_schema

    say(json.dumps(suite_schema(scan()), indent=1))


@main.command()
@click.option("--suite", default="update_rule", show_default=True, help="Whose steps to time.")
@click.option("--seconds", type=click.FloatRange(0.01, 60), default=0.5, show_default=True,
              help="Least time spent on each measurement.")  # fmt: skip
@data_option
def bench(suite: str, seconds: float, data_root: Path) -> None:
    """Time update steps: each arm alone and stacked, in one call."""
    from ablate import bench as timing
    from ablate import flow

    work = flow.prepare(flow.open_suite(suite), data_root, None)
    say_all(timing.everything(work.plan, str(data_root.absolute()), seconds))


# --- what the commands share --------------------------------------------------------------------


def say(text: str, err: bool = False) -> None:
    """Print a line; a reader who has left does not stop the work."""
    try:
        click.echo(text, err=err)
    except BrokenPipeError:
        stream = sys.stderr if err else sys.stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def say_all(lines: Iterable[str]) -> None:
    """Print lines as they come."""
    for line in lines:
        say(line)


def show_runs(progress: Progress, events: Iterator[Finished]) -> None:
    """Show the runs as they finish: a live display on a terminal, else a line a stack."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        for event in events:
            progress = progress.after(event)
            say(progress.line(), err=True)
        return
    from rich.live import Live

    with Live(get_renderable=lambda: panel(progress), console=console, refresh_per_second=2):
        for event in events:
            progress = progress.after(event)


def panel(progress: Progress) -> Any:
    """Lay progress out for a terminal."""
    from rich.markup import escape
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("contrast", "seeds", "difference so far"):
        table.add_column(column)
    for label, seeds, estimate in progress.estimates():
        table.add_row(escape(label), str(seeds), estimate)
    rows = Table.grid()
    for part in (progress.line(), ProgressBar(progress.total, progress.done, width=60), table):
        rows.add_row(part)
    return rows


def finish(study: Study, folder: Path, style: str = "full") -> None:
    """Write the report, say the answer, and exit with 3 where runs were lost."""
    from ablate import shipped
    from ablate.store import make_folder

    words = shipped.module("reports.words")
    make_folder(folder)
    path = shipped.module("reports.write" if style == "full" else "reports.one_page").write(
        study, folder
    )
    say_all([*words.told(study), f"\nReport: {path}"])
    if lost := len({r.key for runs in study.runs for r in runs.values() if r.status != "ok"}):
        say(f"{lost} runs were lost; the report says which and why.", err=True)
        sys.exit(RUNS_LOST)


if __name__ == "__main__":
    main()
