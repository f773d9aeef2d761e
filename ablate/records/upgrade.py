"""Files of earlier layouts, brought to today's when they are opened for writing: all or nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ablate.records.sealing import note_seal, parted, run_seal, seal
from ablate.records.store_file import (
    APPLICATION,
    LAYOUT,
    LAYOUTS,
    PROVENANCE,
    SHARING,
    TABLES,
    read_notes,
    read_runs,
)

CHANGE = "UPDATE runs SET record = CAST(? AS TEXT), rests_on = ?, digest = ? WHERE rowid = ?"


def upgrade(link: sa.Connection, version: int) -> None:
    """Make the tables of a new file, or bring an earlier layout to today's."""
    link.exec_driver_sql("BEGIN IMMEDIATE")
    if 0 < version < SHARING:
        runs = link.exec_driver_sql(_numbered(read_runs(version))).all()
        notes = link.exec_driver_sql(_numbered(read_notes(1))).all() if version == 1 else []
        for table in ("runs", "notes") if version == 1 else ():
            link.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN digest VARCHAR")
        link.exec_driver_sql("ALTER TABLE runs ADD COLUMN rests_on VARCHAR")
        TABLES.create_all(link)
        for number, key, text, _ in notes:
            query = "UPDATE notes SET digest = ? WHERE rowid = ?"
            link.exec_driver_sql(query, (note_seal(key, text), number))
        _move(link, [row for row in runs if version == 1 or _is_whole(row)])
    TABLES.create_all(link)
    link.execute(sa.delete(LAYOUTS))
    link.execute(sa.insert(LAYOUTS), {"version": LAYOUT})
    link.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")


def _numbered(query: str) -> str:
    """Have rows come with their numbers: a damaged key may be no text, or that of several rows."""
    return query.replace("SELECT", "SELECT rowid,", 1)


def _is_whole(row: Sequence[Any]) -> bool:
    """Say whether a row of layout 2 has its digest: one over nothing but its own columns."""
    _, key, *data, _, stated = row
    return bool(key) and stated == seal(b"run", key, *data)


def _move(link: sa.Connection, rows: Sequence[Sequence[Any]]) -> None:
    """Take what runs share out of their records, and seal them anew."""
    texts: dict[str, str] = {}
    for number, key, *data, _, _ in rows:
        record, rests_on = _parted(data[-1], texts)
        stated = run_seal(key, *data[:-1], record, rests_on)
        link.exec_driver_sql(CHANGE, (record, rests_on, stated.decode(), number))
    if texts:
        rows_of = [{"digest": digest, "text": text} for digest, text in texts.items()]
        link.execute(sa.insert(PROVENANCE), rows_of)


def _parted(text: bytes | None, texts: dict[str, str]) -> tuple[bytes | None, str | None]:
    """Part a record as it is stored today; one that nobody would have written stays as it is."""
    try:
        content = json.loads(text or b"")
        if json.dumps(content, sort_keys=True).encode() != text:
            return text, None
        private, shared = parted(content["provenance"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return text, None
    digest, shared_text = shared
    texts[digest] = shared_text
    return json.dumps({**content, "provenance": private}, sort_keys=True).encode(), digest
