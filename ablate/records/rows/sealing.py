"""Rows of the store: what a record is as a row, its digest, and what of it can be believed."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ablate.errors import StoreError
from ablate.records.provenance import RECORD_VERSION, digest
from ablate.records.rows.counts import packed
from ablate.records.rows.record_form import is_provenance, scores
from ablate.types import Json, RunResult

OWN = ("streams", "class_rows")
"""What of its provenance a run hardly ever has in common with others."""

ELSEWHERE = ("right", "task_right", "seconds", "curves")
"""Fields of a run that have columns, or a table, of their own."""

SEALED = 3
"""Layout 2 sealed five columns beside the key; each later one had one more."""


class Provenance(dict[str, Json]):
    """What a record rests on, with the digest of that part of it which runs share; '' for none."""

    shared = ""


def parted(provenance: Mapping[str, Json]) -> tuple[dict[str, Json], tuple[str, str]]:
    """Give what is a run's own, and the digest and text of what others may share with it."""
    private = {name: fact for name, fact in provenance.items() if name in OWN}
    rest = {name: fact for name, fact in provenance.items() if name not in OWN}
    text = json.dumps(rest, sort_keys=True)
    return private, (shared_seal(text.encode()), text)


def content(result: RunResult) -> dict[str, Json]:
    """Give what a record says, by field: its curves stand beside it; scores, where it has some."""
    left_out = {"curves", *(() if result.scores else ("scores",))}
    return {name: value for name, value in vars(result).items() if name not in left_out}


def run_row(result: RunResult, texts: dict[str, str]) -> dict[str, object]:
    """Give the columns of a result; the text that it shares with others goes to `texts`."""
    record = {name: fact for name, fact in content(result).items() if name not in ELSEWHERE}
    seconds = float(result.seconds)
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    record["provenance"], (rests_on, shared) = parted(result.provenance)
    record["protocols"], counts = packed(result.right, result.task_right)
    texts[rests_on] = shared
    text = json.dumps(record, sort_keys=True)
    parts = (result.status.encode(), finished.encode(), seconds, text.encode(), rests_on, counts)
    return {
        "key": result.key,
        "seed": result.seed,
        "status": result.status,
        "finished": finished,
        "seconds": seconds,
        "record": text,
        "rests_on": rests_on,
        "counts": counts,
        "digest": run_seal(result.key.encode(), result.seed, *parts).decode(),
    }


def run_seal(key: bytes, *data: object) -> bytes:
    """Give the digest of a run's row: of its key, and of its other columns in their order."""
    return seal(b"run", key, *data)


def is_whole(layout: int, key: bytes | None, data: Sequence[object], stated: object) -> bool:
    """Say whether a run's row has its digest: one of the columns that its layout had."""
    return bool(key) and stated == run_seal(key or b"", *data[: SEALED + layout])


def shared_seal(text: bytes) -> str:
    """Give the digest of a text that runs share, which it stands under."""
    return seal(b"provenance", text).decode()


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


def read_shared(rows: Iterable[tuple[bytes, bytes]]) -> dict[bytes, dict[str, Json]]:
    """Give what runs share by its digest; what has not its digest, or the form, is not there."""
    whole = {digest: text for digest, text in rows if text and shared_seal(text).encode() == digest}
    return {digest: json.loads(text) for digest, text in whole.items() if is_provenance(text)}


def read_record(
    key: str, data: list[Any], layout: int, shared: Mapping[bytes, dict[str, Json]]
) -> RunResult | None:
    """Read a record; None where it is none, or not that of its row.

    A digest says that a row is as it was written, not that a record was written. shared: what runs
    share, by digest. Raises StoreError where a newer version wrote it.
    """
    seed, status, _, seconds, text, rests_on, counts = data
    sealed = layout > 1
    try:
        fields = json.loads(text)
        provenance = Provenance({**(shared[rests_on] if rests_on else {}), **fields["provenance"]})
        version = provenance.get("record_version")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    if sealed and isinstance(version, int) and version > RECORD_VERSION:
        raise StoreError(
            f"the store has records of version {version}, this version reads up to "
            f"{RECORD_VERSION}: they were written by a newer version; use that one, or "
            "another --results"
        )
    tables = scores(text, fields, counts, layout) if _is_time(seconds) else None
    if tables is None:
        return None
    if rests_on and not {*fields["provenance"]} - {*OWN}:
        provenance.shared = rests_on.decode()
    fields |= {"right": tables[0], "task_right": tables[1], "provenance": provenance}
    fields.pop("protocols", None)
    record = RunResult(**fields, seconds=seconds)
    same = (record.key, record.seed, record.status.encode()) == (key, seed, status)
    return record if same and (sealed or version != RECORD_VERSION) else None


def _is_time(seconds: object) -> bool:
    return isinstance(seconds, float) and 0 <= seconds < math.inf


def shown(key: bytes | None) -> str:
    """Write a key that may be none, or no text."""
    return (key or b"?").decode("utf-8", "replace")
