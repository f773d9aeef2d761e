"""The file of a store: its tables, whose it is, and how earlier and later layouts are opened.

Every row of `runs` and `notes` has a digest over its key and its data, and the file has an
`application_id`. A row that does not have its digest counts as missing and is counted out loud; a
file that another program made is never written to. What many runs rest on word for word (packages,
code, machine) stands once, in `provenance`, under a digest of its text, which each of them names.
`curves` has how each run learnt, for a picture: no record rests on it, whatever becomes of it.
What a run scored are numbers in a column of bytes, see `counts`; the rest of it is JSON.

Layout 3 had the scores in the JSON and no curves, layout 2 (record version 4 on) what runs rest on
in it, too, layout 1 (versions 1 to 3) no digests either. Reading leaves such a file as it is;
records of layout 1 are said to be unchecked. Opening it for writing brings it to this layout: rows
of layout 1 are sealed as they are found, others if they have their digest; those that do not stay
damaged. Records stay, with the record version that they state.
A file of a newer layout, and a record of a newer version, are refused and never written over.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from ablate.core.foreign_text import plain
from ablate.errors import StoreError

LAYOUT = 4
"""The version of the tables; see above for what becomes of others."""

SHARING = 3
"""The first layout that has what runs share in a table; `runs` has looked the same since."""

APPLICATION = int.from_bytes(b"ABLT", "big")
"""SQLite's `application_id`, by which a file is known to be ours."""

FILE = "runs.sqlite"
HEADER = 100
"""Bytes of the header of a SQLite file."""

TABLES = sa.MetaData()
RUNS = sa.Table(
    "runs",
    TABLES,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("finished", sa.String, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("digest", sa.String),
    sa.Column("rests_on", sa.String),
    sa.Column("counts", sa.LargeBinary),
)
PROVENANCE = sa.Table(
    "provenance",
    TABLES,
    sa.Column("digest", sa.String, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sqlite_with_rowid=False,  # its pages cannot be taken for those of notes
)
NOTES = sa.Table(
    "notes",
    TABLES,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("digest", sa.String),
)
CURVES = sa.Table(
    "curves",
    TABLES,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("digest", sa.String),
    sqlite_with_rowid=False,
)
LAYOUTS = sa.Table("layout", TABLES, sa.Column("version", sa.Integer, primary_key=True))

# whole tables, without their indexes: a row whose key is damaged is found as well. Text comes as
# bytes, since what is no UTF-8 would be an error of the whole query
READ_RUNS = """
    SELECT CAST(key AS BLOB), CASE typeof(seed) WHEN 'integer' THEN seed END,
    CAST(status AS BLOB), CAST(finished AS BLOB),
    CASE typeof(seconds) WHEN 'real' THEN seconds END, CAST(record AS BLOB), {rests_on}, {counts},
    {digest}
    FROM runs
"""
READ_STANDING = """
    SELECT CAST(key AS BLOB), CAST(status AS BLOB),
    CASE typeof(seconds) WHEN 'real' THEN seconds END, CAST(rests_on AS BLOB) FROM runs
"""
READ_PROVENANCE = "SELECT CAST(digest AS BLOB), CAST(text AS BLOB) FROM provenance"
READ_CURVES = "SELECT CAST(key AS BLOB), CAST(text AS BLOB), CAST(digest AS BLOB) FROM curves"
READ_NOTES = "SELECT CAST(key AS BLOB), CAST(text AS BLOB), {digest} FROM notes"


def is_empty(path: Path) -> bool:
    """Say whether a file has no bytes; refuse one that is not ours, without opening it.

    Even a reading SQLite writes beside a file that is in WAL mode, which ours never are.
    """
    if not path.exists():
        return True
    if not path.is_file():  # opening a pipe would wait for a writer, for ever
        raise StoreError(f"{path} cannot be used: it is no file. Move it away")
    with path.open("rb") as file:
        header = file.read(HEADER)
    if not header:
        return True
    if len(header) < HEADER or not header.startswith(b"SQLite format 3\0"):
        raise StoreError(f"{path} cannot be used: it is no SQLite file. Move the file away")
    application = int.from_bytes(header[68:72], "big")
    wal = _is_wal(header)
    if application not in (0, APPLICATION) or (wal and not application):
        raise StoreError(
            f"{path} cannot be used: it is the database of another program (application_id "
            f"{application}). Move the file away, or choose another --results"
        )
    return False


def stated_layout(link: sa.Connection, path: Path) -> int:
    """Give the layout that a file states, 0 for a new one. Raises StoreError for one not ours."""
    fault = link.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if fault != "ok":
        raise StoreError(
            f"{path} cannot be used: it is damaged ({fault}). Move the file away, or put a copy "
            "of it back"
        )
    tables = set(
        link.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars()
    )
    columns = set(link.exec_driver_sql("SELECT name FROM pragma_table_info('runs')").scalars())
    stated = (
        list(link.execute(sa.select(LAYOUTS.c.version)).scalars()) if "layout" in tables else []
    )
    acting = link.exec_driver_sql(
        "SELECT name FROM sqlite_master WHERE type IN ('trigger', 'view')"
    ).scalars()
    if names := sorted(map(str, acting)):  # they would change what is written, or what is read
        raise StoreError(
            f"{path} cannot be used: somebody put triggers or views into it "
            f"({plain(', '.join(names[:5]))}). Remove them, or put a copy of the file back"
        )
    if tables - set(TABLES.tables) or len(stated) > 1 or (tables and "runs" not in tables):
        raise StoreError(
            f"{path} cannot be used: its tables ({', '.join(sorted(tables)[:5])}) are not those of "
            "a store. Move the file away, or choose another --results"
        )
    form = _form(columns)
    version = stated[0] if stated else form
    if isinstance(version, int) and version > LAYOUT:
        raise StoreError(
            f"{path} has layout {version}, this version reads up to {LAYOUT}: it was written by a "
            "newer version; use that one, or another --results"
        )
    if not stated and version == 0:
        return 0
    if version not in range(1, LAYOUT + 1) or version != _form(columns):
        raise StoreError(f"{path} cannot be used: its layout is damaged. Move the file away")
    return version


def _form(columns: set[str]) -> int:
    """Give the first layout whose columns `runs` has, 0 where it has none."""
    if not columns:
        return 0
    added = ("digest", "rests_on", "counts")  # by one layout after the other
    return 1 + next((i for i, name in enumerate(added) if name not in columns), len(added))


def read_runs(layout: int) -> str:
    """Give the query for all rows of `runs` of a file of that layout."""
    rests_on = "CAST(rests_on AS BLOB)" if layout >= SHARING else "NULL"
    counts = "CASE typeof(counts) WHEN 'blob' THEN counts END" if layout > 3 else "NULL"
    return READ_RUNS.format(digest=_digest(layout), rests_on=rests_on, counts=counts)


def read_notes(layout: int) -> str:
    """Give the query for all rows of `notes` of a file of that layout."""
    return READ_NOTES.format(digest=_digest(layout))


def _digest(layout: int) -> str:
    return "CAST(digest AS BLOB)" if layout > 1 else "NULL"


def connect(path: Path, write: bool) -> sqlite3.Connection:
    """Open the file, for reading alone unless it is to be written."""
    if not write:
        return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{_alone(path)}", uri=True)
    link = sqlite3.connect(path)
    # WAL is unsafe on network home folders; a run is milliseconds of writing either way
    link.execute("PRAGMA journal_mode=DELETE")
    link.execute("PRAGMA synchronous=FULL")
    return link


def _alone(path: Path) -> str:
    """Give what keeps a reading SQLite from writing beside a file that another program put in WAL.

    Raises StoreError where that program left changes beside the file, too.
    """
    beside = path.with_name(f"{path.name}-wal")
    if beside.exists() and beside.stat().st_size:
        raise StoreError(
            f"{path} cannot be read: another program has it open, or left changes in "
            f"{beside.name}. Close that program; `run` takes in what it left"
        )
    with path.open("rb") as file:
        return "&immutable=1" if _is_wal(file.read(HEADER)) else ""


def _is_wal(header: bytes) -> bool:
    return 2 in header[18:20]


@contextmanager
def translated(what: str = "the store") -> Iterator[None]:
    """Turn what the database complains of into StoreError."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, sqlite3.Error, UnicodeError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        if "readonly" in str(cause) or Path(f"{what}-journal").exists():
            raise StoreError(
                f"{what} cannot be used: {cause}. A write was interrupted; `run` undoes it"
            ) from error
        full = any(word in str(cause) for word in ("is full", "disk I/O", "No space"))
        advice = "Make room there" if full else "Move the file away"
        raise StoreError(
            f"{what} cannot be used: {cause}. {advice}, or choose another --results"
        ) from error
