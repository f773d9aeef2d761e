"""Commands on components: what there is, what it does, how fast it is."""

from __future__ import annotations

from pathlib import Path

import click

from ablate.commands.shared import data_option, say, say_all


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
def schema() -> None:
    """Print the JSON Schema of suites, for editors that complete YAML."""
    import json

    from ablate.design.json_schema import suite_schema
    from ablate.registry import scan

    say_all(json.dumps(suite_schema(scan()), indent=1).splitlines())


@click.command()
@click.option("--suite", default="update_rule", show_default=True, help="Whose steps to time.")
@click.option(
    "--seconds",
    type=click.FloatRange(0.01, 60),
    default=0.5,
    show_default=True,
    help="Least time spent on each measurement.",
)
@data_option
def bench(suite: str, seconds: float, data_root: Path) -> None:
    """Time update steps: each arm alone and stacked, in one call."""
    from ablate import flow
    from ablate.workflows import benchmark as timing

    work = flow.prepare(flow.open_suite(suite), data_root, None)
    say_all(timing.everything(work.plan, str(data_root.absolute()), seconds))
