"""What can be read of a damaged store, put into a new one; what is lost is counted.

SQLite gives up a query at the first page that makes no sense, so that rows are asked for in blocks
that shrink around what cannot be read. A row counts only with the digest that it states: what was
read of the pieces of another is no record.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ablate.core.foreign_text import plain
from ablate.errors import StoreError
from ablate.records.rows.sealing import is_whole, note_seal, shared_seal
from ablate.records.store import is_there, open_store
from ablate.records.store_file import FILE, LAYOUT, NOTES, PROVENANCE, RUNS, read_notes, read_runs

BLOCK = 512
"""Rows that are asked for at once where nothing is damaged."""

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Recovered:
    """What was saved. runs, notes: rows. lost: runs that were there beside them, by the index of
    their keys; -1 where that cannot be read.
    """

    runs: int
    notes: int
    lost: int


def recover(damaged: Path, into: Path) -> Recovered:
    """Save what is whole of a results folder's store into that of another, which must be empty.

    Raises StoreError where there is nothing to read, or the other folder has a store.
    """
    path = damaged / FILE
    if not path.is_file():
        raise StoreError(f"no {FILE} in {damaged}")
    if is_there(into):
        raise StoreError(f"{into} has a store already: name a new folder")
    with closing(_opened(path)) as link:
        runs = [row for row in _rows(link, "runs", read_runs(LAYOUT)) if _is_run(row)]
        texts = [row for row in _rows(link, "provenance", _SHARED) if _is_shared(row)]
        notes = [row for row in _rows(link, "notes", read_notes(LAYOUT)) if _is_note(row)]
        stated = _count(link)
    known = {digest for digest, _ in texts}
    runs = list({row[0]: row for row in runs if row[6] is None or row[6] in known}.values())
    if not runs and not notes:
        raise StoreError(f"nothing of {path} can be read")
    store = open_store(into)
    try:
        with closing(sqlite3.connect(into / FILE)) as link:
            _put(link, PROVENANCE, [(_text(digest), _text(text)) for digest, text in texts])
            _put(link, RUNS, [_run_columns(row) for row in runs])
            _put(link, NOTES, list({row[0]: tuple(map(_text, row)) for row in notes}.values()))
            link.commit()
    finally:
        store.close()
    lost = -1 if stated < 0 else max(0, stated - len(runs))
    return Recovered(len(runs), len(notes), lost)


_SHARED = "SELECT CAST(digest AS BLOB), CAST(text AS BLOB) FROM provenance"


def _opened(path: Path) -> sqlite3.Connection:
    link = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        link.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        link.close()
        raise StoreError(f"nothing of {path} can be read: {plain(str(error))}") from error
    return link


def _rows(link: sqlite3.Connection, table: str, query: str) -> Iterator[Row]:
    """Give the rows of a table that can be read, by the order of its key."""
    order = "rowid" if table in ("runs", "notes") else "digest"
    if order == "digest":  # without row numbers: what comes before the damage is what there is
        with suppress(sqlite3.Error):
            yield from link.execute(query)
        with suppress(sqlite3.Error):
            yield from link.execute(f"{query} ORDER BY digest DESC")
        return
    ends = _ends(link, table)
    for first in range(ends[0], ends[1] + 1, BLOCK):
        yield from _block(link, query, first, min(first + BLOCK - 1, ends[1]))


def _block(link: sqlite3.Connection, query: str, first: int, last: int) -> Iterator[Row]:
    """Give the rows of a stretch of numbers, in halves where it cannot be read as a whole."""
    try:
        rows = link.execute(f"{query} WHERE rowid BETWEEN ? AND ?", (first, last)).fetchall()
    except sqlite3.Error:
        if first < last:
            middle = (first + last) // 2
            yield from _block(link, query, first, middle)
            yield from _block(link, query, middle + 1, last)
        return
    yield from rows


def _ends(link: sqlite3.Connection, table: str) -> tuple[int, int]:
    """Give the least and the largest number of a table's rows, as far as they can be found."""
    ends = []
    for order in ("", " DESC"):
        query = f"SELECT rowid FROM {table} ORDER BY rowid{order} LIMIT 1"
        try:
            row = link.execute(query).fetchone()
        except sqlite3.Error:
            row = None
        ends.append(row[0] if row else None)
    first, last = ends
    if last is None and first is not None:
        last = first + 1_000_000  # the way to the last row is damaged: as far as anybody has run
    return (first or 1, last if last is not None else 0)


def _count(link: sqlite3.Connection) -> int:
    """Count the runs by the index of their keys, which has pages of its own; -1 where it fails."""
    query = "SELECT key FROM runs INDEXED BY sqlite_autoindex_runs_1 ORDER BY key"
    link.text_factory = bytes
    try:
        return sum(1 for _ in link.execute(query))
    except sqlite3.Error:
        return -1


def _is_run(row: Row) -> bool:
    key, *columns, stated = row
    return is_whole(LAYOUT, key, columns, stated)


def _is_shared(row: Row) -> bool:
    digest, text = row
    return bool(text) and shared_seal(text).encode() == digest


def _is_note(row: Row) -> bool:
    key, text, stated = row
    return bool(key) and text is not None and stated == note_seal(key, text).encode()


def _run_columns(row: Row) -> Row:
    key, seed, status, finished, seconds, record, rests_on, counts, digest = row
    texts = (_text(key), seed, _text(status), _text(finished), seconds, _text(record))
    return (*texts, _text(digest), _text(rests_on), counts)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8")


def _put(link: sqlite3.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    places = ", ".join("?" * len(table.columns))
    names = ", ".join(column.name for column in table.columns)
    link.executemany(f"INSERT OR REPLACE INTO {table.name} ({names}) VALUES ({places})", rows)
