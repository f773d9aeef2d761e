"""The file with tuned values: where it may be, and that nothing but such a file is replaced."""

from __future__ import annotations

import os
from pathlib import Path

from ablate.design.tuning.tuning_keys import untuned
from ablate.errors import Problem, StoreError, SuiteError
from ablate.parsing.located_yaml import DocumentError, read_document
from ablate.records.results_folder import make_folder
from ablate.types import Suite

HEADER = "# Written by `tune` of the suite "


def place(suite: Suite, folder: Path, results: Path) -> Path:
    """Give where a suite's tuned values go: the file that it names, or one in the results.

    A suite names a file under its own folder or under the results: what it says must not reach the
    rest of a disk. Raises SuiteError with the place of the name where it does.
    """
    if not suite.tuned_file:
        return results / suite.name / "tuned.yaml"
    path = folder / suite.tuned_file
    inside = any(_under(path, root) for root in (folder, results))
    if not inside:
        accepts = f"a file under {folder.absolute()} or under {results.absolute()}"
        fault = f"tuned values at {path}, outside"
        raise SuiteError(suite.origin, (Problem(*suite.tuned_at, fault, accepts),))
    return path


def writable(path: Path) -> Path:
    """Check that tuned values can be written, before they are looked for. Raises StoreError."""
    _replaceable(path)
    make_folder(path.parent)
    aside = _aside(path)
    try:
        aside.touch()
        aside.unlink()
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    return path


def write(path: Path, suite: str, text: str) -> None:
    """Write tuned values; a suite never reads half a file. Raises StoreError."""
    _replaceable(path)  # once more: the search took its time
    aside = _aside(path)
    try:
        aside.write_text(f"{HEADER}{suite}: values by arm, and its trials.\n{text}", "utf-8")
        aside.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error


def _replaceable(path: Path) -> None:
    """Refuse to replace what `tune` did not write, or what was edited since."""
    try:
        if not path.exists() and not path.is_symlink():
            return
        if not path.is_file():
            raise StoreError(f"{path} is no file: tuned values cannot be written there")
        data = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    try:
        if not data.startswith(HEADER.encode()):
            raise ValueError("it has no such first line")
        untuned(path.name, read_document(data).plain())
    except (DocumentError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(
            f"{path} was not written by `tune`, or was edited since ({_reason(error)}), so it is "
            "not replaced; move it away, or name another file with --out"
        ) from error


def _reason(error: Exception) -> str:
    return error.problems[0].found if isinstance(error, DocumentError) else str(error)


def _aside(path: Path) -> Path:
    return path.with_name(f".tune-{os.getpid()}.part")


def _under(path: Path, root: Path) -> bool:
    """Say whether a path lies under a folder, links and `..` followed."""
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):  # a circle of links, a byte 0
        return False
