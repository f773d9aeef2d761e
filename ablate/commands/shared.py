"""What the commands share: options, lines on the terminal, errors as messages."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ablate.flow import Study
    from ablate.store import Store
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


device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 ..."
)
workers_option = click.option(
    "--workers", type=click.IntRange(1, 1024), help="Processes [default: one a core]."
)


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


def under_own_name(suite: Suite, store: Store, results: Path) -> Suite:
    """Give a suite under a name that no other suite has here, and say where it was taken."""
    from ablate import ownership

    mine = ownership.settled(suite, store)
    if mine.name != suite.name:
        owner = ownership.owner_of(suite.name, store)
        whose = owner.origin if owner and owner.origin else "another suite"
        say(f"{results / suite.name} is of {whose}; this suite's report goes to "
            f"{results / mine.name}.", err=True)  # fmt: skip
    return mine


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
