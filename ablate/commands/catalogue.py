"""Commands on components: what there is, what it does, how fast it is."""

from __future__ import annotations

from pathlib import Path

import click

from ablate.commands.options.opened_suite import data_option
from ablate.commands.shared import say, say_all
from ablate.errors import SelectionError


@click.command("list")
@click.argument("kind", required=False)
def list_(kind: str | None) -> None:
    """List the components of a KIND, or of all kinds, and the shipped suites."""
    from ablate.commands import describe

    for heading, lines in describe.catalogue(kind):
        say(heading, bold=True)
        say_all(f"  {line}" for line in lines)
    for warning in describe.warnings():
        say(f"warning: {warning}", err=True)


@click.command()
@click.argument("name", metavar="KIND.NAME")
def show(name: str) -> None:
    """Show a component: formula, fields with ranges and defaults, source."""
    from ablate.commands import describe

    say_all(describe.component(name))


@click.command()
@click.argument("of", type=click.Choice(["suite", "comparison"]), default="suite")
def schema(of: str) -> None:
    """Print the JSON Schema of suites, or of what `compare --json` prints.

    That of suites is for editors that complete YAML.
    """
    import json

    from ablate.design.json_schema import suite_schema
    from ablate.registry import scan
    from ablate.tables.compared import schema_path

    if of == "comparison":
        say_all(schema_path().read_text("utf-8").splitlines())
    else:
        say_all(json.dumps(suite_schema(scan()), indent=1).splitlines())


@click.command()
@click.option("--suite", help="Time the arms of a suite instead, alone and stacked.")
@click.option(
    "--setting",
    "names",
    multiple=True,
    type=click.Choice(["digits", "mnist", "conv"]),
    help="Time this one alone; may be said again.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.001, 60),
    default=0.05,
    show_default=True,
    help="Least time spent on each measurement.",
)
@click.option(
    "--rounds",
    type=click.IntRange(2, 1000),
    default=6,
    show_default=True,
    help="Measurements of everything, forth and back.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--compare",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Print ratios to what an earlier call with --json printed, too.",
)
@data_option
def bench(
    suite: str | None,
    names: tuple[str, ...],
    seconds: float,
    rounds: int,
    as_json: bool,
    compare: Path | None,
    data_root: Path,
) -> None:
    """Time update steps: each rule compiled, stacked and alone, beside plain PyTorch."""
    if suite:
        from ablate import flow
        from ablate.workflows import benchmark as timing

        if as_json or compare:
            raise SelectionError("--json and --compare are of the shipped settings, not of --suite")
        opened = flow.open_suite(suite)
        if opened.measures:
            raise SelectionError(
                "bench times update steps of our own training; the report of a program says the "
                "seconds of its runs"
            )
        work = flow.prepare(opened, data_root, None)
        say_all(timing.everything(work.plan, str(data_root.absolute()), seconds))
        return
    import json

    from ablate.workflows import bench_cases, bench_document

    old = bench_document.read(compare.read_text("utf-8"), compare.name) if compare else None
    chosen = [s for s in bench_cases.settings() if not names or s.name in names]
    measured = bench_document.document(chosen, rounds, seconds)
    say_all([json.dumps(measured)] if as_json else bench_document.lines(measured))
    if old:
        # beside a document, for the eyes alone: what stands on standard output stays JSON
        say_all(bench_document.compared(measured, old), err=as_json)
