"""Files and folders of trackers -> finished runs, by the reader that recognises them."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ablate.core.foreign_text import of_error, plain
from ablate.errors import AblateError, DataError, SelectionError, unknown
from ablate.records import provenance
from ablate.registry import Catalogue
from ablate.source.foreign_code import contained
from ablate.types import Choice, TrackedRun

GENERAL = "table"
"""The reader of what no tracker's own recognises."""

MOST_RUNS = 100_000


@dataclass(frozen=True)
class Sources:
    """What was read. names: of the files or folders. digest: of all runs, in any order.

    readers: their names, each once.
    """

    readers: tuple[str, ...]
    names: tuple[str, ...]
    runs: tuple[TrackedRun, ...]
    digest: str


def read(paths: Sequence[Path], catalogue: Catalogue, reader: str = "") -> Sources:
    """Read every run of some files or folders. reader: whose they are, '' to recognise it.

    Raises DataError for what cannot be read, SelectionError where no reader or several recognise a
    path.
    """
    readers, runs = [], list[TrackedRun]()
    for path in paths:
        name = reader or recognised(path, catalogue)
        readers.append(name)
        part = _read(path, name, catalogue)
        several = len(paths) > 1
        runs += [replace(run, run=f"{path.name}/{run.run}") for run in part] if several else part
    if not runs:
        raise DataError(f"{', '.join(str(path) for path in paths)}: there are no runs in it")
    if len(runs) > MOST_RUNS:
        raise DataError(f"{len(runs):,} runs; at most {MOST_RUNS:,} are imported at once")
    twice = [run for run, count in Counter(run.run for run in runs).items() if count > 1]
    if twice:
        raise DataError(f"two runs are called {plain(twice[0])!r}: name each path once")
    return Sources(
        readers=tuple(dict.fromkeys(readers)),
        names=tuple(path.resolve().name or str(path) for path in paths),
        runs=tuple(runs),
        digest=digest(runs),
    )


def recognised(path: Path, catalogue: Catalogue) -> str:
    """Name the reader that recognises a path. Raises SelectionError where none does, or several."""
    if not path.exists():
        raise DataError(f"{plain(path)}: there is no such file or folder")
    names = catalogue.names("reader")
    fitting = [name for name in names if _recognises(path, name, catalogue)]
    special = [name for name in fitting if name != GENERAL] or fitting
    if len(special) == 1:
        return special[0]
    which = f"may be any of {', '.join(special)}" if special else "is nothing that a reader knows"
    raise SelectionError(
        f"{plain(path)} {which}; name one with --reader: {', '.join(special or names)}"
    )


def _recognises(path: Path, name: str, catalogue: Catalogue) -> bool:
    with contained(f"reader.{name}"):
        return bool(catalogue.build(Choice("reader", name, {})).recognises(path))


def _read(path: Path, name: str, catalogue: Catalogue) -> list[TrackedRun]:
    if name not in catalogue.names("reader"):
        raise SelectionError(unknown("reader", name, catalogue.names("reader")))
    if not path.exists():
        raise DataError(f"{plain(path)}: there is no such file or folder")
    try:
        with contained(f"reader.{name}"):
            return [*catalogue.build(Choice("reader", name, {})).read(path)]
    except AblateError:
        raise
    except Exception as error:  # whatever a stranger's file makes a library raise
        raise DataError(f"{plain(path)} cannot be read as {name}: {of_error(error)}") from error


def digest(runs: Iterable[TrackedRun]) -> str:
    """Give a digest of what runs say, whatever their order."""
    texts = sorted(json.dumps(_content(run), sort_keys=True, default=str) for run in runs)
    return provenance.digest(text.encode() for text in texts)


def _content(run: TrackedRun) -> list[Any]:
    curves = {name: [*map(list, curve)] for name, curve in run.curves.items()}
    seconds = run.seconds if math.isfinite(run.seconds) else None
    return [run.run, dict(run.params), curves, run.lost, seconds]
