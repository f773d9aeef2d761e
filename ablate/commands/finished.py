"""How a run ended, kept in its store: where nothing has changed since, it is said again at once."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ablate.commands.terminal import say
from ablate.core import resources

if TYPE_CHECKING:
    from ablate.records.store import Store
    from ablate.types import Suite

PREFIX = "finished:"
"""Of the notes' keys."""
PACKAGES = ("numpy", "scipy", "pandas", "matplotlib", "fonttools", "pydantic")
"""What a report's words and pictures depend on beside our own code."""


class Ending(NamedTuple):
    """What a command said at its end: lines, warnings on standard error, the exit code."""

    lines: list[str]
    warnings: list[str]
    code: int


def leave(ending: Ending) -> None:
    """Say how it ended, and exit with its code where that is not 0."""
    for line in ending.lines:
        say(line)
    for line in ending.warnings:
        say(line, err=True)
    if ending.code:
        sys.exit(ending.code)


def keep(ending: Ending, suite: Suite, store: Store, folder: Path) -> None:
    """Note how a suite's run ended, what it rests on, and the report's files as they are."""
    content = {"stamp": stamp(suite, store), "files": files(folder), "ending": ending}
    store.note({PREFIX + suite.name: json.dumps(content)})


def recall(suite: Suite, store: Store, folder: Path) -> Ending | None:
    """Give how the run ended, if its records, suite, code and report are what they were then."""
    text = store.notes([PREFIX + suite.name]).get(PREFIX + suite.name)
    if text is None or store.damage.runs or store.damage.notes:
        return None
    try:
        content = json.loads(text)
        lines, warnings, code = content["ending"]
        same = content["stamp"] == stamp(suite, store) and content["files"] == files(folder)
    except (ValueError, KeyError, TypeError):  # a note of another version
        return None
    return Ending([*map(str, lines)], [*map(str, warnings)], int(code)) if same else None


def stamp(suite: Suite, store: Store) -> str:
    """Give a digest of all that a report is made from."""
    digest = hashlib.sha256(repr(suite).encode("utf-8", "surrogatepass"))
    digest.update(store.digest(PREFIX).encode())
    for path in sorted(sources()):
        digest.update(str(path).encode() + path.read_bytes())
    for name in PACKAGES:
        digest.update(f"{name} {_version(name)}".encode())
    return digest.hexdigest()


def sources() -> Iterator[Path]:
    """Give every file of ours, and those of components of other packages."""
    from ablate.registry import scan

    for folder in (resources.ENGINE, resources.ROOT / "reports"):
        yield from folder.rglob("*.py")
    yield resources.ROOT / "suites" / "references.csv"
    yield from {Path(entry.origin) for entry in scan().components.values()}


def files(folder: Path) -> dict[str, str]:
    """Give a digest of each file of a report by its name."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.suffix in (".md", ".png")
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
