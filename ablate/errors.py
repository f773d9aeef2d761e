"""The exception tree: every error names what was found and what would be accepted."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from enum import IntEnum
from typing import TYPE_CHECKING

from ablate.core.foreign_text import LINE, STORED, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class ExitCode(IntEnum):
    """How every command ends; a batch system and a shell script read nothing else.

    DIFFERENCE: `verify` or a gate found one. REFUSED: the input is at fault, nothing was run.
    RUNS_LOST: done, but runs diverged or failed. NOTHING_TESTED: every claim was UNTESTABLE.
    UNDECIDED: a gate asked for a verdict that there is not. The last three are 128 + the signal.
    """

    DONE = 0
    DIFFERENCE = 1
    REFUSED = 2
    RUNS_LOST = 3
    NOTHING_TESTED = 4
    UNDECIDED = 5
    HANGUP = 129
    INTERRUPTED = 130
    TERMINATED = 143


class AblateError(Exception):
    """Whatever this toolkit raises on purpose; `exit_code` is what the command line returns."""

    exit_code = ExitCode.REFUSED

    def text(self) -> str:
        """Say it in one line: a path or a stranger's word in it cannot start a line of its own."""
        return plain(self, STORED)


class CatalogueError(AblateError):
    """A component that cannot be read, or two that claim one name."""


class DataError(AblateError):
    """A data file that is missing or unreadable; names the file and the remedy."""


class SelectionError(AblateError):
    """A name asked for on the command line that nothing answers to."""


class SourceError(AblateError):
    """Code that cannot be told: a file is missing, or was changed while it was being loaded."""


class TrustError(AblateError):
    """Code of others that nobody has allowed to be run."""


class StoreError(AblateError):
    """The store cannot be opened, is in use, or was written by another version."""


class PairingError(AblateError):
    """Records that must not be compared with one another."""


class WorkerError(AblateError):
    """Worker processes that cannot be started, or end before they take up any work."""


class ExtraError(AblateError):
    """A package that only an extra installs is missing; names the extra."""


class Stopped(KeyboardInterrupt):
    """A signal asked the command to end; `number` is the signal's.

    No AblateError: what catches errors of components must let it pass.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@dataclass(frozen=True, order=True)
class Problem:
    """One fault of a suite file: where (1-based), what was found, what is allowed."""

    line: int
    column: int
    found: str
    allowed: str = ""
    nearest: str = ""

    def text(self, path: str) -> str:
        """Say it in one line: `file:line:column: found; allowed: ...; did you mean ...?`."""
        at = plain(path)
        location = f"{at}:{self.line}:{self.column}" if self.line else f"{at}, command line"
        return f"{location}: {self.words()}"

    def words(self) -> str:
        """Say it without its place."""
        allowed = f"; allowed: {plain(self.allowed, STORED)}" if self.allowed else ""
        nearest = f"; did you mean {plain(self.nearest)!r}?" if self.nearest else ""
        return f"{plain(self.found)}{allowed}{nearest}"


def once(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Sort problems by place, those that differ in their first word alone told once.

    What stands once in a file is a fault once, however many components are said to lack it.
    """
    remaining: dict[tuple[int, int, str], Problem] = {}
    for problem in sorted(set(problems)):
        rest = problem.found.partition(" ")[2] or problem.found
        remaining.setdefault((problem.line, problem.column, rest), problem)
    return tuple(remaining.values())


class SuiteError(AblateError):
    """A suite that cannot be read: all of its problems at once."""

    def __init__(self, path: str, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(problem.text(path) for problem in problems))
        self.path = path
        self.problems = tuple(problems)

    def text(self) -> str:
        """Say all problems, a line each."""
        return str(self)


class ArgumentError(SuiteError):
    """A study in Python whose arguments are no suite: all problems, each with its argument."""

    def __init__(self, named: Sequence[tuple[str, Problem]]) -> None:
        super().__init__("", [problem for _, problem in named])
        self.args = ("\n".join(f"Study({name}=...): {problem.words()}" for name, problem in named),)


def nearest(name: str, known: Iterable[str]) -> str:
    """Give the known name most like `name`, or an empty string.

    >>> nearest("reptle", ["reptile", "itaml"]), nearest("rl", ["lr", "momentum"])
    ('reptile', 'lr')
    >>> nearest("BH", ["holm", "bh"])
    'bh'
    """
    names = [*known]
    names.sort(key=lambda word: word.casefold() != name.casefold())
    if names and names[0].casefold() == name.casefold() and names[0] != name:
        return names[0]
    anagrams = [word for word in names if word != name and sorted(word) == sorted(name)]
    return next(iter([*anagrams, *get_close_matches(name, names, n=1, cutoff=0.6)]), "")


def mistyped(name: str, written: Iterable[str], known: Iterable[str]) -> bool:
    """Say whether a name that is missing was written in another way: that is told already."""
    names = [*known]
    return any(word not in names and nearest(word, names) == name for word in written)


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Say that `name` is not known, what is, and the nearest match."""
    names = sorted(known)
    guess = nearest(name, names)
    hint = f" Did you mean {guess!r}?" if guess else ""
    known_names = plain(", ".join(names), STORED) or "none"
    return f"There is no {what} {name[:LINE]!r}.{hint} Known: {known_names}."
