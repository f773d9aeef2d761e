"""The embedded store: one record a run, by content key. The parent process is its only writer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout

from ablate.errors import StoreError
from ablate.types import RunResult

LAYOUT = 1
"""The version of the tables; a store of another layout is not opened."""

_TABLES = sa.MetaData()
_RUNS = sa.Table(
    "runs",
    _TABLES,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("finished", sa.String, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
)
_NOTES = sa.Table(
    "notes",
    _TABLES,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
)
_LAYOUT = sa.Table("layout", _TABLES, sa.Column("version", sa.Integer, primary_key=True))


class Store:
    """Run records in a SQLite file, or in any database that a SQLAlchemy URL names."""

    def __init__(self, engine: sa.Engine) -> None:
        """Wrap an engine; `open_store` makes it."""
        self._engine = engine

    def save(self, results: Iterable[RunResult]) -> None:
        """Write results in one transaction, replacing those of the same keys."""
        rows = [_row(result) for result in results]
        with _translated(), self._engine.begin() as link:
            link.execute(sa.delete(_RUNS).where(_RUNS.c.key.in_([row["key"] for row in rows])))
            link.execute(sa.insert(_RUNS), rows)

    def load(self, keys: Iterable[str]) -> dict[str, RunResult]:
        """Give the records of the keys that have one."""
        wanted = sorted(set(keys))
        found: dict[str, RunResult] = {}
        with _translated(), self._engine.connect() as link:
            for start in range(0, len(wanted), 500):
                some = wanted[start : start + 500]
                query = sa.select(_RUNS.c.record, _RUNS.c.seconds).where(_RUNS.c.key.in_(some))
                for text, seconds in link.execute(query):
                    if record := _read(text, seconds):
                        found[record.key] = record
        return found

    def note(self, texts: Mapping[str, str]) -> None:
        """Write texts under their keys, replacing those that are there."""
        rows = [{"key": key, "text": text} for key, text in texts.items()]
        with _translated(), self._engine.begin() as link:
            link.execute(sa.delete(_NOTES).where(_NOTES.c.key.in_(list(texts))))
            link.execute(sa.insert(_NOTES), rows)

    def notes(self, keys: Iterable[str]) -> dict[str, str]:
        """Give the texts of the keys that have one."""
        wanted = sorted(set(keys))
        found: dict[str, str] = {}
        with _translated(), self._engine.connect() as link:
            for start in range(0, len(wanted), 500):
                some = wanted[start : start + 500]
                query = sa.select(_NOTES.c.key, _NOTES.c.text).where(_NOTES.c.key.in_(some))
                found |= {row.key: row.text for row in link.execute(query)}
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()


def open_store(folder: Path, create: bool = True) -> Store:
    """Open the store of a results folder.

    Raises StoreError where there is none and `create` is false, or where it cannot be read.
    """
    path = folder / "runs.sqlite"
    if not create and not path.exists():
        raise StoreError(f"no results in {folder}: nothing has been run there yet")
    if create:
        make_folder(folder)
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
    sa.event.listen(engine, "connect", _pragmas)
    with _translated(str(path)):
        _TABLES.create_all(engine)
        with engine.begin() as link:
            version = link.execute(sa.select(_LAYOUT.c.version)).scalar()
            if version is None:
                link.execute(sa.insert(_LAYOUT), {"version": LAYOUT})
    if version not in (None, LAYOUT):
        raise StoreError(
            f"{path} has layout {version}, this version reads {LAYOUT}; use another --results"
        )
    return Store(engine)


def make_folder(folder: Path) -> None:
    """Make a folder for results. Raises StoreError where the system does not allow it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder} cannot be made: {error.strerror}") from error


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Hold a results folder for writing. Raises StoreError while another process does.

    The operating system lets go of the lock however the process ends.
    """
    make_folder(folder)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:  # an OSError too, so it comes first
        raise StoreError(
            f"another run is writing to {folder}; wait for it or choose another --results"
        ) from None
    except OSError as error:
        raise StoreError(f"{folder / '.lock'} cannot be locked: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


def _row(result: RunResult) -> dict[str, object]:
    record = asdict(result)
    seconds = record.pop("seconds")
    return {
        "key": result.key,
        "seed": result.seed,
        "status": result.status,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": seconds,
        "record": json.dumps(record, sort_keys=True),
    }


def _read(text: str, seconds: float) -> RunResult | None:
    """Read a record; one that is damaged counts as missing, so that it is run again."""
    try:
        return RunResult(**json.loads(text), seconds=seconds)
    except (ValueError, TypeError):
        return None


def _pragmas(link: object, _record: object) -> None:
    # WAL is unsafe on network home folders; a run is milliseconds of writing either way
    cursor = link.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=DELETE")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


@contextmanager
def _translated(what: str = "the store") -> Iterator[None]:
    try:
        yield
    except sa.exc.DatabaseError as error:
        cause = error.orig or error
        raise StoreError(
            f"{what} cannot be used: {cause}. Move the file away, or choose another --results"
        ) from error
