"""SQLite files of trackers, opened for reading alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ._files import fault, start


def tables(path: Path) -> frozenset[str]:
    """Name the tables of a SQLite file; none of any other file."""
    if not start(path, 16).startswith(b"SQLite format 3"):
        return frozenset()
    try:
        with closing(_connection(path)) as link:
            rows = link.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return frozenset(str(name) for (name,) in rows)
    except sqlite3.Error:
        return frozenset()


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file for reading. Raises DataError for one that is damaged."""
    try:
        with closing(_connection(path)) as link:
            yield link
    except sqlite3.Error as error:
        fault(path, "", f"cannot be read as SQLite: {error}")


def _connection(path: Path) -> sqlite3.Connection:
    link = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    link.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return link
