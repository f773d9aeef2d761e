"""Stores as earlier versions wrote them, made from one of today."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from ablate.records.rows.counts import unpacked
from ablate.records.rows.sealing import run_seal


def whole_record(record: str, counts: bytes, shared: str = "{}") -> str:
    """Write a record with its scores, as layouts up to 3 had it; shared: what it rests on, too."""
    content = json.loads(record)
    labels = content.pop("protocols")
    right = unpacked(len(labels), len(content["rows"]), counts)
    assert right is not None
    for name, tables in zip(("right", "task_right"), right.tolist(), strict=True):
        content[name] = dict(zip(labels, tables, strict=True))
    content["provenance"] |= json.loads(shared)
    return json.dumps(content, sort_keys=True)


def to_layout_3(path: Path) -> None:
    """Turn a file into one of layout 3: scores in the text, sealed without a column of bytes."""
    link = sqlite3.connect(path)
    query = "SELECT key, seed, status, finished, seconds, record, rests_on, counts FROM runs"
    for key, seed, status, finished, seconds, record, rests_on, counts in link.execute(query):
        text = whole_record(record, counts)
        parts = (seed, status.encode(), finished.encode(), seconds, text.encode(), rests_on)
        stated = run_seal(key.encode(), *parts).decode()
        change = "UPDATE runs SET record = ?, digest = ? WHERE key = ?"
        link.execute(change, (text, stated, key))
    link.execute("ALTER TABLE runs DROP COLUMN counts")
    link.execute("UPDATE layout SET version = 3")
    link.commit()
    link.close()
