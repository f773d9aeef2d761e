"""Files of earlier layouts, brought to today's when they are opened for writing: all or nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ablate.records.rows.counts import packed
from ablate.records.rows.record_form import has_form
from ablate.records.rows.sealing import is_whole, note_seal, parted, run_seal
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

CHANGE = (
    "UPDATE runs SET record = CAST(? AS TEXT), rests_on = CAST(? AS TEXT), counts = ?, digest = ? "
    "WHERE rowid = ?"
)


def upgrade(link: sa.Connection, version: int) -> None:
    """Make the tables of a new file, or bring an earlier layout to today's."""
    link.exec_driver_sql("BEGIN IMMEDIATE")
    if 0 < version < LAYOUT:
        runs = link.exec_driver_sql(_numbered(read_runs(version))).all()
        notes = link.exec_driver_sql(_numbered(read_notes(1))).all() if version == 1 else []
        for table in ("runs", "notes") if version == 1 else ():
            link.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN digest VARCHAR")
        if version < SHARING:
            link.exec_driver_sql("ALTER TABLE runs ADD COLUMN rests_on VARCHAR")
        link.exec_driver_sql("ALTER TABLE runs ADD COLUMN counts BLOB")
        TABLES.create_all(link)
        for number, key, text, _ in notes:
            query = "UPDATE notes SET digest = ? WHERE rowid = ?"
            link.exec_driver_sql(query, (note_seal(key, text), number))
        sealed = version > 1
        _move(
            link,
            [
                (number, key, *data)
                for number, key, *data, stated in runs
                if not sealed or is_whole(version, key, data, stated)
            ],
        )
    TABLES.create_all(link)
    link.execute(sa.delete(LAYOUTS))
    link.execute(sa.insert(LAYOUTS), {"version": LAYOUT})
    link.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")


def _numbered(query: str) -> str:
    """Have rows come with their numbers: a damaged key may be no text, or that of several rows."""
    return query.replace("SELECT", "SELECT rowid,", 1)


def _move(link: sa.Connection, rows: Sequence[Sequence[Any]]) -> None:
    """Take the scores, and what runs share, out of their records, and seal them anew."""
    texts: dict[str, str] = {}
    for number, key, *data, text, rests_on, _ in rows:
        moved = record, rests_on, counts = _parted(text, rests_on, texts)
        stated = run_seal(key, *data, *moved)
        link.exec_driver_sql(CHANGE, (record, rests_on, counts, stated.decode(), number))
    if texts:
        rows_of = [{"digest": digest, "text": text} for digest, text in texts.items()]
        link.execute(sa.insert(PROVENANCE).prefix_with("OR REPLACE"), rows_of)


def _parted(
    text: bytes | None, rests_on: bytes | None, texts: dict[str, str]
) -> tuple[bytes | None, bytes | None, bytes | None]:
    """Part a record as it is stored today; one that nobody would have written stays as it is."""
    try:
        content = json.loads(text or b"")
        if json.dumps(content, sort_keys=True).encode() != text or not has_form(text, content):
            return text, rests_on, None
    except (ValueError, TypeError, RecursionError):
        return text, rests_on, None
    if rests_on is None:
        content["provenance"], (digest, shared) = parted(content["provenance"])
        texts[digest], rests_on = shared, digest.encode()
    content["protocols"], counts = packed(content.pop("right"), content.pop("task_right"))
    return json.dumps(content, sort_keys=True).encode(), rests_on, counts
