"""Imported runs as a study: its suite, its records in a store, and the table of its runs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.core.foreign_text import plain
from ablate.design.reader import parse_suite
from ablate.errors import StoreError
from ablate.plan import run_keys
from ablate.plan.imported import suite_text
from ablate.plan.imported.sorting import Run, Sorted
from ablate.plan.imported.sources import Sources
from ablate.plan.imported.suite_text import Origin
from ablate.records import notes, ownership, provenance, registration
from ablate.records.store import Store
from ablate.registry import scan
from ablate.types import Json, RunResult, Status, Suite

if TYPE_CHECKING:
    import pandas as pd

SEED = "seed"

ABSENT = Run("", lost="no such run was read")
"""What stands for an arm and a seed that no run has."""


@dataclass(frozen=True)
class Imported:
    """What was read, and sorted into arms and seeds. sentences: what was guessed, and left out."""

    sources: Sources
    sorted: Sorted
    origin: Origin
    metrics: tuple[str, ...]
    sentences: tuple[str, ...]


def records(suite: Suite, read: Imported) -> Iterator[RunResult]:
    """Give the record of every run that a suite has: one that was not read is a lost one.

    No seed is still to come, as it would be of a study that is under way.
    """
    given = suite_text.numbers(read.sorted.seeds)
    by_number = {number: seed for seed, number in given.items()}
    blocks = [*read.sorted.blocks] or [""]
    facts = {
        "record_version": provenance.RECORD_VERSION,
        "python": "",
        "packages": {},
        "streams": {},
        "imported": _source(read),
        "imported_digest": read.sources.digest,
    }
    absent = {key: value for key, value in facts.items() if not key.startswith("imported")}
    # variants stand cell by cell, and in each in the order of the arms
    cells = [(arm, block) for block in blocks for arm in read.sorted.arms]
    for cell, variant in zip(cells, suite.variants, strict=True):
        runs = read.sorted.cells.get(cell, {})
        for nth, number in enumerate(suite.seed_numbers):
            run = runs.get(by_number[number])
            spec = run_keys.specify(variant, nth, suite.precision)
            yield _record(run or ABSENT, spec.key, number, facts if run else absent)


def _record(run: Run, key: str, seed: int, facts: Json) -> RunResult:
    status = Status.OK if not run.lost else Status.DIVERGED if run.diverged else Status.FAILED
    return RunResult(
        key=key,
        seed=seed,
        status=status,
        reason=run.lost,
        rows=[],
        right={},
        task_right={},
        updates=0,
        gradients=0,
        seconds=run.seconds if math.isfinite(run.seconds) and run.seconds >= 0 else 0.0,
        provenance=facts,
        scores={name: [*curve] for name, curve in run.curves.items()},
    )


def save(suite: Suite, read: Imported, store: Store, replace: bool) -> str:
    """Put the records of imported runs into a store; says in a sentence what became of it.

    replace: records that are there already and differ are replaced. Raises StoreError where they
    differ and are not to be.
    """
    runs = {record.key: record for record in records(suite, read)}
    there = store.load(key for row in run_keys.keys(suite) for key in row)
    other = [key for key, run in runs.items() if key in there and not same(there[key], run)]
    gone = [key for key in there if key not in runs]
    what = f"{len(other)} runs are not what they were"
    if gone:
        what += f", {len(gone)} are gone"
    if (other or gone) and not replace:
        raise StoreError(
            f"{', '.join(map(plain, read.origin.names))} has changed since it was imported into "
            f"{suite.name}: {what}. Nothing was written; --replace takes what is there now"
        )
    changed = [run for key, run in runs.items() if key not in there or key in other]
    ownership.take(suite, store)
    if changed:
        store.save(changed)
    registration.freeze(suite, store, len(runs))
    note = {"origin": _source(read), "notes": [*read.sentences], "runs": len(runs)}
    store.note({notes.imported_key(suite.name): json.dumps(note, sort_keys=True)})
    if not changed:
        return "Nothing has changed since these runs were imported."
    if other or gone:
        return f"The runs have changed since they were imported: {what}; the new ones count."
    return f"{len(changed)} runs were put into the store."


def same(a: RunResult, b: RunResult) -> bool:
    """Say whether two records say the same of a run, whatever else its source holds."""

    def content(record: RunResult) -> Json:
        curves = {name: [*map(list, curve)] for name, curve in record.scores.items()}
        return record.status, record.reason, curves

    return bool(content(a) == content(b))


def _source(read: Imported) -> str:
    names = ", ".join(plain(name) for name in read.origin.names)
    return f"{names} (reader: {', '.join(read.origin.readers)})"


def parsed(text: str, path: Path) -> Suite:
    """Read the suite that describes imported runs. path: where it will stand."""
    return parse_suite(text.encode(), path.stem, str(path), scan(), folder=path.parent)


def frame(read: Imported, metrics: Sequence[str] = ()) -> pd.DataFrame:
    """Give a row a run: its name, arm, block, seed, scores that count, and why it has none."""
    import pandas as pd

    metrics = metrics or read.metrics
    rows: list[dict[str, Any]] = []
    for (arm, block), seed, run in _every(read.sorted):
        row: dict[str, Any] = {"run": run.run, "arm": arm}
        row |= {read.sorted.block: block} if read.sorted.block else {}
        row |= {SEED: seed} if read.sorted.paired else {}
        row |= {name: run.curves[name][-1][1] if run.curves else None for name in metrics}
        rows.append({**row, "lost": run.lost})
    return pd.DataFrame(rows)


def _every(whole: Sorted) -> Iterator[tuple[tuple[str, str], Any, Run]]:
    for cell, by_seed in whole.cells.items():
        yield from ((cell, seed, run) for seed, run in by_seed.items())
    yield from ((cell, None, run) for cell, run in whole.without)


def write(path: Path, text: str) -> None:
    """Write a file of a study's folder. Raises StoreError where the system does not allow it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
