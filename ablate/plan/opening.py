"""What a user names -> Suite: a file or a shipped name, with what the command line changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ablate.core import resources
from ablate.design.reader import read_suite
from ablate.design.tuning.tuning_keys import Own
from ablate.errors import SelectionError, unknown
from ablate.parsing.changes import other_seeds
from ablate.parsing.choices import ChoiceReader
from ablate.parsing.located_yaml import DocumentError, read_document
from ablate.registry import scan
from ablate.types import Choice, Suite


def find_suite(source: str) -> Path:
    """Find a suite: a file, or the name of a shipped one, with or without its folder and ending.

    Raises SelectionError with the nearest name.
    """
    path, suites = Path(source), resources.suites()
    try:
        if path.is_file():
            return path
        folder = path.is_dir()
    except OSError as error:
        raise SelectionError(f"{source[:60]!r} is no suite: {error.strerror}") from error
    name = path.with_suffix("").as_posix().removeprefix("suites/")
    if path.suffix in ("", ".yaml") and name in suites:
        return suites[name]
    if folder:
        raise SelectionError(f"{source} is a folder, not a suite file")
    raise SelectionError(unknown("suite", source, suites))


def open_suite(
    source: str | Path,
    seeds: int | None = None,
    quick: bool = False,
    changes: Sequence[str] = (),
    values: Own | None = None,
) -> Suite:
    """Read a suite, by its file or its shipped name; `seeds` overrides how many it declares.

    quick: apply its `quick` block. changes: `path=value`, put into its base. values: by arm and
    path, in the place of tuned ones.
    """
    suite = read_suite(find_suite(str(source)), scan(), quick, changes, values)
    return suite if seeds is None else with_seeds(suite, seeds)


def read_executor(text: str) -> Choice:
    """Read an executor with its settings as a suite writes it: `ray`, `{ray: {gpus: 0.5}}`.

    The braces around the whole may be left out. Raises SelectionError with what is known.
    """
    reader, choice = ChoiceReader(scan()), None
    try:
        node = read_document(text.encode())
        choice = reader.read(node, "executor", ("executor",))
        problems = reader.problems
    except (DocumentError, UnicodeEncodeError) as error:
        problems = [*error.problems] if isinstance(error, DocumentError) else []
    if choice is None:
        told = "; ".join(
            f"{problem.found}: {problem.allowed}" if problem.allowed else problem.found
            for problem in problems
        )
        raise SelectionError(f"--executor {text}: {told or 'no executor'}")
    return choice


def with_seeds(suite: Suite, seeds: int) -> Suite:
    """Give a suite that runs another number of seeds than it declares, and says so.

    Raises SelectionError where it names fewer.
    """
    if seeds == suite.seeds:
        return suite
    named = suite.variants[0].named_seeds
    if named and seeds > len(named):
        raise SelectionError(f"{seeds} seeds: {suite.name} names {len(named)}")
    words = other_seeds(suite.changed_words, seeds, suite.declared_seeds)
    return replace(suite, seeds=seeds, changed_words=words)
