"""What the commands share: options, lines on the terminal, errors as messages."""

from __future__ import annotations

import io
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ablate.commands.finished import Ending
from ablate.commands.standard import open_streams
from ablate.commands.stopping import stoppable
from ablate.commands.terminal import ComponentLog, confirmed, is_terminal, private, say as say
from ablate.core.foreign_text import STORED, of_error, plain
from ablate.core.outcomes import Decision, Status

if TYPE_CHECKING:
    from ablate.flow import Study, Work
    from ablate.records.store import Store
    from ablate.types import Choice, Site, Suite, Verdict

EXIT_CODES = (
    "Exit codes: 0 done; 1 verify or a gate found a difference; 2 refused, nothing was done with "
    "the input; 3 done, but runs were lost (diverged or failed); 4 done, but no claim could be "
    "tested; 5 a gate asked for a verdict that there is not; 129, 130, 143 stopped by SIGHUP, "
    "SIGINT (Ctrl-C), SIGTERM: what had finished is kept."
)
"""The one place where a user reads what `ablate.errors.ExitCode` names; every --help ends so."""

results_option = click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder of the store and the reports.",
)
data_option = click.option(
    "--data-root",
    type=click.Path(path_type=Path),
    envvar="ABLATE_DATA",
    default=Path("data"),
    show_default=True,
    help="Folder of the data files; also ABLATE_DATA.",
)


device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 ..."
)


@dataclass(frozen=True)
class Labour:
    """What a command says of who does its work: how many, where, and how long a stack may take."""

    workers: int | None = None
    executor: str | None = None
    stack_timeout: float | None = None

    def where(self, suite: Suite) -> Choice | None:
        """Give the executor that the command names, else the suite's own; None for the usual."""
        from ablate.plan.opening import read_executor

        return read_executor(self.executor) if self.executor else suite.executor


def labour_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of who does its work; it receives a Labour."""

    @wraps(command)
    def working(
        *values: Any,
        workers: int | None,
        executor: str | None,
        stack_timeout: float | None,
        **rest: Any,
    ) -> None:
        command(*values, labour=Labour(workers, executor, stack_timeout), **rest)

    options = (
        click.option(
            "--workers",
            type=click.IntRange(1, 1024),
            help="Stacks at a time [default: one a core, or as many as a cluster holds]; 1 runs "
            "everything in the command's own process.",
        ),
        click.option(
            "--executor",
            metavar="NAME",
            help="Where stacks run: inline, processes, ray, slurm, or one with settings as a suite "
            "has it, 'ray: {gpus: 0.5}' [default: the suite's own, else processes].",
        ),
        click.option(
            "--stack-timeout",
            type=click.FloatRange(0, min_open=True),
            metavar="SECONDS",
            help="How long a stack of runs may take [default: 200 times its estimate, half an hour "
            "at least; ten minutes where its process does not use the processor].",
        ),
    )
    for option in reversed(options):
        working = option(working)
    return working


@contextmanager
def workforce(labour: Labour, suite: Suite, folder: Path) -> Iterator[Any]:
    """Keep an executor for a suite, with `size` workers; a log of prints stands in the folder."""
    from ablate import flow
    from ablate.records.provenance import usable_cores

    log, where, workers = ComponentLog(folder / "components.log"), labour.where(suite), 0
    if not where or where.name == "processes":
        workers = usable_cores()
    inline = labour.workers == 1 and not where
    try:
        count = labour.workers or workers
        with flow.crew(count, log.write, inline=inline, where=where) as crew:
            yield crew
    finally:
        if line := log.line():
            say(line, err=True)
        log.close()


def compile_first(work: Work, site: Site) -> None:
    """Compile what the work's steps call, before workers start; say so where there is any."""
    from ablate.registry import scan
    from ablate.workflows import warming

    warming.warm(work.stacks, site, scan(), lambda line: say(line, err=True))


quick_option = click.option(
    "--quick",
    is_flag=True,
    help="Apply the suite's `quick` block, else five seeds and half of the epochs: minutes.",
)
trust_option = click.option(
    "--trust",
    is_flag=True,
    help="A suite can run code (arrays: {source: module:function}): call its functions also where "
    "they are neither installed nor in its folder, without asking.",
)


def admit(suite: Suite, trusted: bool) -> None:
    """Let a suite's functions be called, asking where somebody sits at a terminal."""
    from ablate.registry import scan
    from ablate.workflows import trust

    def ask(question: str) -> bool:
        return confirmed(f"{question} Run it?")

    trust.admit(suite, scan(), trusted, ask if is_terminal() else None)


def functions(suite: Suite) -> list[str]:
    """Name the functions that a suite has called while it is planned."""
    from ablate.registry import scan
    from ablate.workflows import trust

    return [call.source for call in trust.calls(suite, scan())]


def of_suite(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that open a suite; it receives the Suite itself."""

    @wraps(command)
    def opening(
        suite: str,
        quick: bool,
        changes: tuple[str, ...],
        seeds: int | None,
        trust: bool,
        **rest: Any,
    ) -> None:
        from ablate.commands.rehearsal import rehearse
        from ablate.plan.opening import open_suite

        rehearse(lambda: open_suite(suite, seeds, quick, changes))
        opened = open_suite(suite, seeds, quick, changes)
        admit(opened, trust)  # before anything that the suite names is called, in a copy too
        if root := rest.get("data_root"):
            rehearse(lambda: _planned(opened, root), functions(opened))
        command(opened, **rest)

    options = (
        click.argument("suite", metavar="SUITE"),
        quick_option,
        trust_option,
        click.option(
            "--set",
            "changes",
            multiple=True,
            metavar="PATH=VALUE",
            help="Change the suite's base, as in dataset=digits; may be repeated.",
        ),
        click.option(
            "--seeds",
            type=click.IntRange(1, 100_000),
            help="Seeds, instead of the suite's own number.",
        ),
        results_option,
    )
    for option in reversed(options):
        opening = option(opening)
    return opening


def _planned(suite: Suite, root: Path) -> object:
    from ablate import flow  # here, since a run with nothing to do needs none of it

    return flow.prepare(suite, root, None)


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
                if isinstance(error, SystemExit) and last.parent == Path(__file__).parent:
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
