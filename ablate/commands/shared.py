"""What the commands share: options, lines on the terminal, errors as messages."""

from __future__ import annotations

import io
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ablate.commands.finished import Ending
from ablate.commands.standard import open_streams
from ablate.commands.stopping import stoppable
from ablate.commands.terminal import private, say as say
from ablate.core.foreign_text import STORED, of_error, plain
from ablate.core.outcomes import Decision, Status

if TYPE_CHECKING:
    from ablate.flow import Study, Work
    from ablate.records.store import Store
    from ablate.types import Site, Suite, Verdict

EXIT_CODES = (
    "Exit codes: 0 done; 1 verify or a gate found a difference; 2 refused, nothing was done with "
    "the input; 3 done, but runs were lost (diverged or failed); 4 done, but no claim could be "
    "tested; 5 a gate asked for a verdict that there is not; 129, 130, 143 stopped by SIGHUP, "
    "SIGINT (Ctrl-C), SIGTERM: what had finished is kept."
)
"""The one place where a user reads what `ablate.errors.ExitCode` names; every --help ends so."""


def compile_first(work: Work, site: Site) -> None:
    """Compile what the work's steps call, before workers start; say so where there is any."""
    from ablate.registry import scan
    from ablate.workflows import warming

    warming.warm(work.stacks, site, scan(), lambda line: say(line, err=True))


class Commands(click.Group):
    """Keeps the commands in the order of use, and turns our errors into messages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands as they were defined."""
        return list(self.commands)

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command: its help ends with the exit codes, and the terminal is its alone."""
        cmd.epilog = EXIT_CODES
        if cmd.callback:
            cmd.callback = guarded(cmd.callback)
        super().add_command(cmd, name)

    def main(self, *words: Any, **options: Any) -> Any:
        """Start, wherever: a scheduler may have closed the standard streams."""
        open_streams()
        return super().main(*words, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an expected error is a message and an exit code, never a traceback."""
        from ablate.errors import AblateError, ExitCode

        for standard in (sys.stdout, sys.stderr):
            if isinstance(standard, io.TextIOWrapper):  # a console that lacks a letter gets a '?'
                standard.reconfigure(errors="replace")
        with stoppable():
            try:
                return super().invoke(ctx)
            except AblateError as error:
                say(error.text(), err=True)
                sys.exit(error.exit_code)
            except click.ClickException as error:
                usage = io.StringIO()
                error.show(usage)  # it quotes what was typed
                say(usage.getvalue().rstrip("\n"), err=True)
                sys.exit(error.exit_code)
            except OSError as error:  # a full disk, a folder that is gone: nobody's bug
                say(refused(error), err=True)
                sys.exit(ExitCode.REFUSED)


def refused(error: OSError) -> str:
    """Say what the system did not let a command do."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return "The current folder is gone; change to one that is there."
    where = f" ({plain(error.filename)})" if error.filename else ""
    return f"The system refused: {plain(error.strerror or error)}{where}"


def under_own_name(suite: Suite, store: Store, results: Path) -> Suite:
    """Give a suite under a name that no other suite has here, and say where it was taken."""
    from ablate.records import ownership

    settled = ownership.settled(suite, store)
    if settled.name != suite.name:
        owner = ownership.owner_of(suite.name, store)
        whose = owner.origin if owner and owner.origin else "another suite"
        here, there = plain(results / suite.name, STORED), plain(results / settled.name, STORED)
        say(f"{here} is of {plain(whose)}; this suite's report goes to {there}.", err=True)
    return settled


def guarded(command: Callable[..., Any]) -> Callable[..., Any]:
    """Keep the terminal for a command, and let nobody's exit pass for its own."""

    @wraps(command)
    def calling(*values: Any, **options: Any) -> Any:
        from ablate.errors import AblateError, Stopped
        from ablate.source import extras

        with private():
            try:
                return command(*values, **options)
            except ImportError as error:
                raise extras.explained(error) or error from None
            except (Exception, Stopped):
                raise
            except BaseException as error:
                frames = traceback.extract_tb(error.__traceback__)
                last = Path(frames[-1].filename)
                if isinstance(error, SystemExit) and Path(__file__).parent in last.parents:
                    raise
                raise AblateError(
                    f"a component, a plug-in or a data function would have ended the command: "
                    f"{of_error(error)} ({plain(last.name)}:{frames[-1].lineno})"
                ) from None

    return calling


def say_all(lines: Iterable[str], err: bool = False) -> None:
    """Print lines as they come."""
    for line in lines:
        say(line, err=err)


def finish(study: Study, folder: Path, style: str = "full") -> Ending:
    """Write the report, and give the answer with the exit code that the table has for it."""
    from ablate.records.results_folder import make_folder
    from ablate.registry import scan

    make_folder(folder)
    path = scan().load("report", style)().write(study, folder)
    lines = [*scan().load("report", "answer")().lines(study), f"\nReport: {plain(path, STORED)}"]
    warnings = [caveat.plainly() for caveat in study.caveats]
    lost = len({r.key for runs in study.runs for r in runs.values() if r.status != Status.OK})
    if lost:
        warnings.append(f"{lost} runs were lost; the report says which and why.")
    more, code = end([*study.verdicts, *study.effects], lost)
    return Ending(lines, [*warnings, *more], code)


def end(verdicts: Sequence[Verdict], lost: int = 0) -> tuple[list[str], int]:
    """Give 3 where runs were lost, else 4 where no claim could be tested, with what to say."""
    from ablate.errors import ExitCode

    if lost:
        return [], ExitCode.RUNS_LOST
    if verdicts and all(verdict.decision == Decision.UNTESTABLE for verdict in verdicts):
        return ["No claim could be tested."], ExitCode.NOTHING_TESTED
    return [], ExitCode.DONE
