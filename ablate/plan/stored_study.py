"""Records of a shipped study that travel with the toolkit, so that nobody has to train to see one.

They are what a run has stored, word for word: no score is copied by hand. `docs/store_study.py`
writes the file again.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from ablate.core import resources
from ablate.errors import DataError, StoreError
from ablate.plan import run_keys
from ablate.records import notes, ownership, provenance, registration
from ablate.records.rows.sealing import OWN, content
from ablate.records.store import Store
from ablate.types import Json, RunResult, Status, Suite

FOLDER = resources.ROOT / "suites" / "records"
STUDY = "memory"
"""The suite whose records are shipped: each outcome that it has is read in a sentence."""

STATED = ("torch", "numpy")
"""Packages whose versions are named where records are said to be stored ones."""


def path(name: str = STUDY) -> Path:
    """Give the file of a suite's stored records."""
    return FOLDER / f"{name}.json.gz"


def pack(suite: Suite, store: Store) -> bytes:
    """Write all records of a suite, with their curves, and its registration; what runs share once.

    Raises StoreError where runs are missing or were lost, or where they were not registered before.
    """
    keys = {key for row in run_keys.keys(suite) for key in row}
    runs, entry = store.load(keys), registration.registered(suite, store)
    if keys - {*runs} or any(run.status != Status.OK for run in runs.values()):
        raise StoreError(f"{suite.name} has runs that are missing or lost: nothing was written")
    if entry is None or entry["runs_present"]:
        raise StoreError(f"{suite.name} was not registered before its runs: nothing was written")
    learnt = store.curves(keys).by_key
    shared: dict[str, int] = {}
    rows = []
    for key in sorted(runs):
        row = content(runs[key])
        facts = row.pop("provenance")
        row |= {name: dict(row[name]) for name in ("right", "task_right")}
        row["curves"] = [task.model_dump() for task in learnt.get(key, ())]
        common = json.dumps({k: v for k, v in facts.items() if k not in OWN}, sort_keys=True)
        row["rests_on"] = shared.setdefault(common, len(shared))
        rows.append({**row, **{name: facts[name] for name in OWN if name in facts}})
    document = {
        "registered": entry,
        "rests_on": [json.loads(text) for text in shared],
        "runs": rows,
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return gzip.compress(text.encode(), mtime=0)


def unpack(file: Path) -> tuple[Json, dict[str, RunResult]]:
    """Read `pack`'s bytes: the registration, and the records by key.

    Raises DataError for a file that cannot be read.
    """
    try:
        document = json.loads(gzip.decompress(file.read_bytes()))
        runs = {row["key"]: _record(row, document["rests_on"]) for row in document["runs"]}
        return document["registered"], runs
    except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(f"{file} cannot be read: {error}. Install the toolkit again") from error


def _record(row: Json, shared: list[Json]) -> RunResult:
    facts = shared[row.pop("rests_on")] | {name: row.pop(name) for name in OWN if name in row}
    return RunResult(**row, provenance=facts)


def restore(suite: Suite, store: Store, file: Path) -> None:
    """Put stored records into a store, with a note that they were not made there.

    Raises StoreError where the store has other records of the suite: none is replaced.
    """
    entry, runs = unpack(file)
    there = store.load(key for row in run_keys.keys(suite) for key in row)
    known = registration.registered(suite, store)
    others = [key for key, record in there.items() if not _same(record, runs.get(key))]
    if others or known not in (None, entry):
        raise StoreError(
            f"there are runs of {suite.name} in this folder already, which stay as they are: "
            "choose another --results"
        )
    ownership.take(suite, store)
    store.note({registration.key_of(suite.name): json.dumps(entry, sort_keys=True)})
    store.save(run for key, run in runs.items() if key not in there)
    marks = {key: provenance.mark(record.provenance) for key, record in runs.items()}
    note = {"runs": marks, "origin": origin(entry, runs)}
    store.note({notes.stored_key(suite.name): json.dumps(note, sort_keys=True)})


def _same(a: RunResult, b: RunResult | None) -> bool:
    """Say whether two records are of the very same run: no two take the same time."""
    return b is not None and (a.seconds, a.provenance) == (b.seconds, b.provenance)


def origin(entry: Json, runs: dict[str, RunResult]) -> str:
    """Say when, on what and with which packages records were made."""
    facts = [record.provenance for record in runs.values()]
    machines = sorted({str(fact["cpu"]) for fact in facts})
    versions = sorted({f"{n} {fact['packages'][n]}" for fact in facts for n in STATED})
    return f"on {entry['frozen'][:10]} on {', '.join(machines)} with {', '.join(versions)}"
