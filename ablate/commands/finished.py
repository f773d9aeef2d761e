"""How a run ended, kept in its store: where nothing has changed since, it is said again at once."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ablate.commands.terminal import say
from ablate.core import resources

if TYPE_CHECKING:
    from ablate.records.store import Store
    from ablate.types import Facts, Json, Suite

PREFIX = "finished:"
"""Of the notes' keys."""
PACKAGES = ("numpy", "scipy", "pandas", "matplotlib", "fonttools", "pydantic")
"""What a report's words and pictures depend on beside our own code."""


class Ending(NamedTuple):
    """What a command said at its end: lines, warnings on standard error, the exit code."""

    lines: list[str]
    warnings: list[str]
    code: int


class Idle(NamedTuple):
    """What a run that finds nothing to do says first, and what that rests on.

    facts: of the data sets, by the canonical text of their Choice. packages: that records name.
    """

    first: list[str]
    facts: Mapping[str, Facts]
    packages: frozenset[str]


def leave(ending: Ending) -> None:
    """Say how it ended, and exit with its code where that is not 0."""
    for line in ending.lines:
        say(line)
    for line in ending.warnings:
        say(line, err=True)
    if ending.code:
        sys.exit(ending.code)


def keep(ending: Ending, suite: Suite, store: Store, folder: Path, idle: Idle | None) -> None:
    """Note how a suite's run ended, what it rests on, and the report's files as they are.

    idle: what holds where nothing is left to run; None where something is, or nobody can tell.
    """
    content: Json = {"stamp": stamp(suite, store), "files": files(folder), "ending": ending}
    if idle:
        content["first"], content["packages"] = idle.first, {n: _version(n) for n in idle.packages}
        content["ground"] = _ground(content["stamp"], idle.facts, content["packages"], folder)
    store.note({PREFIX + suite.name: json.dumps(content)})


def recall(suite: Suite, store: Store, folder: Path) -> Ending | None:
    """Give how the run ended, if its records, suite, code and report are what they were then."""
    if store.damage.runs or store.damage.notes:
        return None
    content = _noted(suite, store)
    same = content.get("stamp") == stamp(suite, store) and content.get("files") == files(folder)
    return _ending(content) if content and same else None


def at_once(
    suite: Suite, data_root: Path, results: Path, name: Callable[[Suite, Store, Path], object]
) -> Ending | None:
    """Give how the run ended, if all that it rests on is to the byte what it was then.

    That nothing is left to run and nothing is damaged was found then, from the same records, code,
    packages and data; whatever differs has to be looked into by those who know. Nobody can tell
    where other people's packages take part, nor where a suite has a function called.

    name: says under which name the suite goes in the results.
    """
    from ablate.errors import AblateError
    from ablate.plan.pending import look
    from ablate.records.ownership import settled
    from ablate.records.results_folder import sole_writer
    from ablate.records.store import is_there, open_store
    from ablate.registry import GROUP, scan

    if not is_there(results) or entry_points(group=GROUP):
        return None
    with sole_writer(results):
        try:
            facts = look(suite, scan(), data_root, fetch=False)
            with closing(open_store(results, create=False)) as store:
                named = settled(suite, store)
                folder = results / named.name
                content = _noted(suite, store) if folder.is_dir() else {}
                if "ground" not in content or content.get("files") != files(folder):
                    return None
                packages = {name: _version(name) for name in content["packages"]}
                if content["ground"] != _ground(stamp(suite, store), facts, packages, folder):
                    return None
                name(suite, store, results)
        except (AblateError, TypeError):  # whoever goes on will say it
            return None
    ending = _ending(content)
    first = [*map(str, content.get("first", ()))]
    return ending and ending._replace(lines=[*first, *ending.lines])


def stamp(suite: Suite, store: Store) -> str:
    """Give a digest of all that a report is made from."""
    digest = hashlib.sha256(repr(suite).encode("utf-8", "surrogatepass"))
    digest.update(store.digest(PREFIX).encode())
    for path in sorted({*sources()}):
        digest.update(str(path).encode() + path.read_bytes())
    for name in PACKAGES:
        digest.update(f"{name} {_version(name)}".encode())
    return digest.hexdigest()


def sources() -> Iterator[Path]:
    """Give every file of ours, and those of components of other packages."""
    from ablate.registry import scan

    for folder in (resources.ENGINE, resources.ROOT / "reports", resources.ROOT / "variants"):
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


def _ground(
    stamp: str, facts: Mapping[str, Facts], packages: Mapping[str, str], folder: Path
) -> str:
    """Give a digest of what decides that nothing is left to run, and of where it is said to be."""
    python = platform.python_version()
    parts = [
        stamp,
        python,
        str(folder),
        repr(sorted(facts.items())),
        repr(sorted(packages.items())),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _noted(suite: Suite, store: Store) -> Json:
    """Read what was noted of a suite; nothing where there is no note of this form."""
    text = store.notes([PREFIX + suite.name]).get(PREFIX + suite.name, "{}")
    try:
        content = json.loads(text)
    except ValueError:  # a note of another version
        content = {}
    return content if isinstance(content, dict) else {}


def _ending(content: Json) -> Ending | None:
    try:
        lines, warnings, code = content["ending"]
        return Ending([*map(str, lines)], [*map(str, warnings)], int(code))
    except (ValueError, KeyError, TypeError):
        return None


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
