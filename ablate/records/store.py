"""The embedded store: one record a run, by content key. The parent process is its only writer.

Every row has a digest over its key and its data; a row that does not have the digest that it states
counts as missing, and is counted out loud. See `store_file` for earlier and later layouts.
"""

from __future__ import annotations

import gc
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from ablate.errors import StoreError
from ablate.records.results_folder import make_folder
from ablate.records.rows.curves import Curves, curve_row, read_curves
from ablate.records.rows.sealing import (
    is_whole,
    note_seal,
    read_record,
    read_shared,
    run_row,
    shown,
)
from ablate.records.store_file import (
    CURVES,
    FILE,
    LAYOUT,
    NOTES,
    PROVENANCE,
    READ_CURVES,
    READ_PROVENANCE,
    READ_STANDING,
    RUNS,
    SHARING,
    connect,
    is_empty,
    read_notes,
    read_runs,
    stated_layout,
    translated,
)
from ablate.records.upgrade import upgrade
from ablate.types import RunResult


@dataclass(frozen=True)
class Damage:
    """What cannot be believed in a store: keys of damaged rows, as far as they can be read.

    unchecked: rows of a store of layout 1, whose damage nobody can see.
    """

    runs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unchecked: int = 0

    def lines(self, name: str = FILE) -> Iterator[str]:
        """Say it, in a line each; nothing where all is well."""
        for count, what in ((len(self.runs), "record"), (len(self.notes), "note")):
            if count:
                template = (
                    "s of {} are damaged and count" if count > 1 else " of {} is damaged and counts"
                )
                yield f"{count} {what}{template.format(name)} as missing."
        if self.unchecked:
            yield (
                f"{name} was written by an earlier version, without checksums: damage in its "
                f"{self.unchecked} records cannot be seen."
            )


class RunRow(NamedTuple):
    """What the columns say of a run. rests_on: the digest of what it shares with others."""

    status: str
    seconds: float
    rests_on: str


class Store:
    """Run records in a SQLite file."""

    def __init__(self, engine: sa.Engine, layout: int = LAYOUT) -> None:
        """Wrap an engine; `open_store` makes it. layout: of the file, see `store_file`."""
        self._engine = engine
        self._layout = layout
        self._damaged: dict[str, tuple[str, ...]] = {}
        self._unchecked = 0
        self._shared: set[str] = set()  # texts that this process has written already

    @property
    def damage(self) -> Damage:
        """Say what is damaged, as of the last time that runs and notes were read."""
        if "runs" not in self._damaged:
            self.load(())
        if "notes" not in self._damaged:
            self.notes(())
        return Damage(self._damaged["runs"], self._damaged["notes"], self._unchecked)

    def save(self, results: Iterable[RunResult]) -> None:
        """Write results in one transaction, replacing those of the same keys; then their curves."""
        results, texts = list(results), dict[str, str]()
        rows = [run_row(result, texts) for result in results]
        shared: list[dict[str, object]] = [
            {"digest": digest, "text": text}
            for digest, text in texts.items()
            if digest not in self._shared
        ]
        self._write((PROVENANCE, shared), (RUNS, rows))
        self._shared |= texts.keys()
        with suppress(StoreError):  # a table that somebody spoilt costs no record
            learnt = [result for result in results if not result.provenance.get("outside")]
            self._write((CURVES, [curve_row(result) for result in learnt]))

    def curves(self, keys: Iterable[str]) -> Curves:
        """Give how the runs of the keys learnt, as far as that is there and can be read."""
        if self._layout < LAYOUT:
            return Curves()
        try:
            return read_curves(self._rows(READ_CURVES), keys)
        except StoreError:
            return Curves(fault="the store's table of curves is damaged: none is shown")

    def load(self, keys: Iterable[str]) -> dict[str, RunResult]:
        """Give the records of the keys that have one; a damaged one is none.

        Raises StoreError for a record of a newer version.
        """
        with uncollected():
            return self._load({key.encode(): key for key in keys})

    def _load(self, wanted: Mapping[bytes, str]) -> dict[str, RunResult]:
        records: dict[str, RunResult] = {}
        damaged, count, sealed = [], 0, self._layout > 1
        shared = read_shared(self._rows(READ_PROVENANCE)) if self._layout >= SHARING else {}
        rows = self._rows(read_runs(self._layout))
        twice = _twice(key for key, *_ in rows)
        for key, *data, stated in rows:
            count += 1
            whole = not sealed or is_whole(self._layout, key, data, stated)
            *_, rests_on, _ = data
            if not whole or key in twice or (rests_on is not None and rests_on not in shared):
                damaged.append(shown(key))
            elif key in wanted:
                record = read_record(wanted[key], data, self._layout, shared)
                if record is None:
                    damaged.append(wanted[key])
                else:
                    records[record.key] = record
        self._damaged["runs"], self._unchecked = tuple(damaged), 0 if sealed else count
        return records

    def standing(self) -> dict[str, RunRow]:
        """Give what there is of every run, by key, without its record: nothing of it is checked."""
        if self._layout < SHARING:
            return {}
        return {
            shown(key): RunRow(shown(status), seconds or 0.0, shown(rests_on))
            for key, status, seconds, rests_on in self._rows(READ_STANDING)
        }

    def hosts(self) -> dict[str, str]:
        """Give the names of the machines, by what their runs rest on."""
        facts = read_shared(self._rows(READ_PROVENANCE)) if self._layout >= SHARING else {}
        return {shown(key): str(fact["host"]) for key, fact in facts.items() if "host" in fact}

    def note(self, texts: Mapping[str, str]) -> None:
        """Write texts under their keys, replacing those that are there."""
        rows = [
            {"key": key, "text": text, "digest": note_seal(key.encode(), text.encode())}
            for key, text in texts.items()
        ]
        self._write((NOTES, rows))

    def notes(self, keys: Iterable[str]) -> dict[str, str]:
        """Give the texts of the keys that have one; a damaged one is none."""
        wanted = set(keys)
        texts: dict[str, str] = {}
        damaged = []
        rows = self._rows(read_notes(self._layout))
        twice = _twice(key for key, *_ in rows)
        for key, text, stated in rows:
            try:
                name, content = key.decode(), text.decode()
            except (AttributeError, UnicodeDecodeError):
                damaged.append(shown(key))
                continue
            if key in twice or (self._layout > 1 and stated != note_seal(key, text).encode()):
                damaged.append(name)
            elif name in wanted:
                texts[name] = content
        self._damaged["notes"] = tuple(damaged)
        return texts

    def note_keys(self) -> set[str]:
        """Name the notes, damaged ones too; reading one tells of that."""
        rows = self._rows("SELECT CAST(key AS BLOB) FROM notes")
        return {shown(key) for (key,) in rows}

    def digest(self, beside: str) -> str:
        """Give a digest of all records, and of the notes whose keys do not begin with `beside`."""
        digest = hashlib.sha256()
        shared = [READ_PROVENANCE] if self._layout >= SHARING else []
        for query in (*shared, read_runs(self._layout), read_notes(self._layout)):
            for row in self._rows(f"{query} ORDER BY 1, 2"):
                if not (row[0] or b"").startswith(beside.encode()):
                    parts = [
                        part if isinstance(part, bytes) else repr(part).encode() for part in row
                    ]
                    digest.update(repr([*map(len, parts)]).encode() + b"".join(parts))
        return digest.hexdigest()

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def _rows(self, query: str) -> Sequence[Any]:
        with translated(), self._engine.connect() as link:
            return link.exec_driver_sql(query).all()

    def _write(self, *tables: tuple[sa.Table, Sequence[Mapping[str, object]]]) -> None:
        """Write rows of several tables in one transaction, replacing those of their keys."""
        if not any(rows for _, rows in tables):
            return
        with translated(), self._engine.begin() as link:
            for table, rows in tables:
                if rows:
                    first, *_ = table.primary_key
                    keys = [row[first.name] for row in rows]
                    link.execute(sa.delete(table).where(first.in_(keys)))
                    link.execute(sa.insert(table), rows)


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the collector of circles away while much is made that holds none.

    It looks at all that is alive, again and again as that grows: most of the time of 10^5 records.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _twice(keys: Iterable[bytes | None]) -> set[bytes | None]:
    """Name the keys of several rows: a table that somebody rebuilt may have lost its uniqueness."""
    return {key for key, count in Counter(keys).items() if count > 1}


def is_there(folder: Path) -> bool:
    """Say whether a results folder has a store with something in it."""
    path = folder / FILE
    return path.exists() and not (path.is_file() and path.stat().st_size == 0)


def open_store(folder: Path, create: bool = True) -> Store:
    """Open the store of a results folder; only for reading where `create` is false.

    Raises StoreError where there is none and `create` is false, where it cannot be read, or where
    it is another program's, or a newer version's.
    """
    path = folder / FILE
    if not create and not path.exists():
        raise StoreError(f"no results in {folder}: nothing has been run there yet")
    if create:
        make_folder(folder)
    with translated(str(path)):
        empty = is_empty(path)
    if not create and empty:
        raise StoreError(f"no results in {folder}: {FILE} is empty, nothing has been run there yet")
    engine = sa.create_engine("sqlite://", creator=lambda: connect(path, create))
    try:
        with translated(str(path)), engine.begin() as link:
            version = stated_layout(link, path)
            if create and version < LAYOUT:
                upgrade(link, version)
                version = LAYOUT
            if create:
                CURVES.create(link, checkfirst=True)  # whoever dropped it: no record is in it
    except BaseException:
        engine.dispose()
        raise
    return Store(engine, version)
