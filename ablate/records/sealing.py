"""Rows of the store: what a record is as a row, its digest, and what of it can be believed."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from ablate.errors import StoreError
from ablate.records.provenance import RECORD_VERSION, digest
from ablate.records.record_form import has_form
from ablate.types import RunResult


def run_row(result: RunResult) -> dict[str, object]:
    """Give the columns of a result."""
    record = asdict(result)
    seconds = float(record.pop("seconds"))
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    text = json.dumps(record, sort_keys=True)
    parts = (result.status.encode(), finished.encode(), seconds, text.encode())
    return {
        "key": result.key,
        "seed": result.seed,
        "status": result.status,
        "finished": finished,
        "seconds": seconds,
        "record": text,
        "digest": seal(b"run", result.key.encode(), result.seed, *parts).decode(),
    }


def seal(kind: bytes, *parts: object) -> bytes:
    """Give the digest of a row: of its table, its key and all of its columns, as they are stored.

    A column without a value, or with one of a wrong type, is no part that any digest has.
    """
    return digest([kind, *map(_stored, parts)]).encode()


def _stored(part: object) -> bytes:
    if isinstance(part, bytes):
        return part
    if isinstance(part, float):
        return struct.pack("<d", part)
    return str(part).encode()


def note_seal(key: bytes, text: bytes) -> str:
    """Give the digest of a note."""
    return seal(b"note", key, text).decode()


def read_record(key: str, data: list[Any], sealed: bool) -> RunResult | None:
    """Read a record; None where it is none, or not that of its row.

    A digest says that a row is as it was written, not that a record was written. Raises StoreError
    where a newer version wrote it.
    """
    seed, status, _, seconds, text = data
    try:
        content = json.loads(text)
        version = content["provenance"].get("record_version")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    if sealed and isinstance(version, int) and version > RECORD_VERSION:
        raise StoreError(
            f"the store has records of version {version}, this version reads up to "
            f"{RECORD_VERSION}: they were written by a newer version; use that one, or "
            "another --results"
        )
    if not _is_time(seconds) or not has_form(text):
        return None
    record = RunResult(**content, seconds=seconds)
    same = (record.key, record.seed, record.status.encode()) == (key, seed, status)
    return record if same and (sealed or version != RECORD_VERSION) else None


def _is_time(seconds: object) -> bool:
    return isinstance(seconds, float) and 0 <= seconds < math.inf


def shown(key: bytes | None) -> str:
    """Write a key that may be none, or no text."""
    return (key or b"?").decode("utf-8", "replace")
