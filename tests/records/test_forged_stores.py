"""Stores that somebody edited and sealed anew: a proper digest makes no record of what is none."""

from __future__ import annotations

import json
import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ablate.analysis import chance
from ablate.errors import StoreError
from ablate.plan import standing
from ablate.records import cohort, metrics
from ablate.records.provenance import RECORD_VERSION
from ablate.records.rows.sealing import note_seal, run_seal, shared_seal
from ablate.records.store import open_store
from ablate.records.store_file import LAYOUT
from ablate.types import RunResult
from tests.conftest import record, variant
from tests.records.earlier_layouts import to_layout_3

FACTS = {
    "record_version": RECORD_VERSION,
    "python": "3.11.1",
    "packages": {"torch": "2", "numpy": "2"},
    "cores": 2,
    "device": "cpu",
    "engine": "e",
    "components": {"update.reptile": "c"},
    "helpers": {},
    "protocols": {"all-classes": "p"},
    "streams": {"init": "i"},
    "class_rows": [5, 5, 5, 5],
    "data_warnings": [],
}

ODD: tuple[Any, ...] = (
    *(None, -1, 0.5, 2**60, 10**400, float("nan"), float("inf"), "x", "", True),
    *([], [None], [[]], ["x"], {}, {"x": {"y": [1]}}, [-1, 2], [[99, 99], [99, 99]]),
)


def forged(
    path: Path, key: str, text: str, seconds: float = 0.5, shared: str | None = None
) -> None:
    """Put a text in the place of a record, under a digest that fits it.

    shared: what it rests on with others, put under its own digest.
    """
    link = sqlite3.connect(path)
    ((layout,),) = link.execute("SELECT version FROM layout")
    columns = f"seed, status, finished{', counts' if layout > 3 else ''}"
    (row,) = link.execute(f"SELECT {columns} FROM runs WHERE key = ?", (key,))
    rests_on = None if shared is None else shared_seal(shared.encode())
    if shared is not None:
        link.execute("INSERT OR REPLACE INTO provenance VALUES (?, ?)", (rests_on, shared))
    parts = (row[0], row[1].encode(), row[2].encode(), seconds, text.encode(), rests_on, *row[3:])
    digest = run_seal(key.encode(), *parts).decode()
    change = "UPDATE runs SET record = ?, seconds = ?, digest = ?, rests_on = ? WHERE key = ?"
    link.execute(change, (text, seconds, digest, rests_on, key))
    link.commit()
    link.close()


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Name every place in nested data."""
    if not isinstance(value, (dict, list)):
        return
    for name, child in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, name)
        yield from places(child, (*path, name))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = open_store(tmp_path)
    store.save([record(3, key="a", **FACTS), record(4, key="b", **FACTS)])
    store.note({"kept": "{}"})
    store.close()
    return tmp_path


def content(folder: Path) -> Any:
    link = sqlite3.connect(folder / "runs.sqlite")
    query = "SELECT record, text FROM runs JOIN provenance p ON rests_on = p.digest WHERE key = 'a'"
    text, shared = link.execute(query).fetchone()
    link.close()
    whole = json.loads(text)
    return {**whole, "provenance": {**json.loads(shared), **whole["provenance"]}}


@pytest.mark.parametrize("layout", [3, LAYOUT])
@pytest.mark.parametrize("apart", [False, True])
def test_a_forged_record_can_be_worked_with_or_is_damaged(
    folder: Path, apart: bool, layout: int
) -> None:
    """Whatever stands at any place of it; a number that no run can have is damage.

    apart: what it rests on stands in its own table, as it does in a record that was not forged.
    """
    if layout == 3:
        to_layout_3(folder / "runs.sqlite")
    whole = content(folder)
    believed = 0
    for place in places(whole):
        for value in random.Random(str(place)).sample(ODD, 4):
            edited = inner = json.loads(json.dumps(whole))
            for name in place[:-1]:
                inner = inner[name]
            inner[place[-1]] = value
            shared = edited.get("provenance") if apart else None
            if shared is not None:
                edited = {**edited, "provenance": {}}
            forged(
                folder / "runs.sqlite",
                "a",
                json.dumps(edited),
                shared=None if shared is None else json.dumps(shared),
            )
            edited = edited if shared is None else {**edited, "provenance": shared}
            store = open_store(folder, create=False)
            records = store.load(["a", "b"])
            damage = store.damage.runs
            store.close()
            assert set(records) == {"a", "b"} - set(damage), (place, value)
            if record_a := records.get("a"):
                believed += 1
                work_with(record_a, records["b"])
            if place[0] in ("key", "seed", "status", "rows", "right", "task_right", "protocols"):
                renamed = place == ("protocols", 0) and isinstance(value, str)
                assert damage == ("a",) or edited == whole or renamed, (place, value)
    assert believed > 5


def work_with(forged: RunResult, other: RunResult) -> None:
    """Do what reports do with records."""
    arm = variant("x")
    for protocol in forged.right:
        assert metrics.value(forged, protocol, protocol) == 75
    chance.lines(forged)
    cohort.refusals([arm], [{3: forged, 4: other}])
    cohort.same_run(forged, other)
    standing.reasons(forged, standing.Current("d", {**FACTS, "engine": "e"}, {"all-classes": "p"}))
    standing.basis(forged)


@pytest.mark.parametrize(
    "counts",
    [
        None,
        "",
        b"",
        bytes(4),
        bytes(7),
        bytes(9),
        bytes(24),
        bytes([11, 0, 6, 9, 10, 0, 8, 9]),
        bytes([8, 0, 6, 9, 10, 0, 8, 11]),
        bytes([0, 1, 0, 0, 6, 0, 9, 0, 10, 0, 0, 0, 8, 0, 9, 0]),
        bytes(63) + b"\xff",
    ],
)
def test_forged_counts_are_damage(folder: Path, counts: object) -> None:
    """No bytes, too few, too many, or more right rows than there are; others could be a run's."""
    whole = content(folder)
    recounted(folder, "a", whole, counts)
    recounted(folder, "b", {**whole, "key": "b", "seed": 4}, bytes([9, 0, 6, 9, 10, 0, 8, 10]))
    store = open_store(folder, create=False)
    assert store.load(["a", "b"])["b"].right == {"all-classes": [[9, 0], [6, 9]]}
    assert store.damage.runs == ("a",)
    store.close()


@pytest.mark.parametrize(
    "protocols", [[], ["all-classes"] * 2, ["all-classes", "b", "b"], ["a", "b"]]
)
def test_scores_are_those_of_protocols_of_a_run_that_ended_well(
    folder: Path, protocols: list[str]
) -> None:
    """Each once, one at least."""
    recounted(folder, "a", {**content(folder), "protocols": protocols}, bytes(8 * len(protocols)))
    store = open_store(folder, create=False)
    assert set(store.load(["a", "b"])) == {"a", "b"} - set(store.damage.runs)
    assert store.damage.runs == (() if protocols == ["a", "b"] else ("a",))
    store.close()


def recounted(folder: Path, key: str, content: Any, counts: object) -> None:
    """Put a record and its counts in the place of others, under a digest that fits them."""
    link = sqlite3.connect(folder / "runs.sqlite")
    link.execute("UPDATE runs SET counts = ? WHERE key = ?", (counts, key))
    link.commit()
    link.close()
    forged(folder / "runs.sqlite", key, json.dumps(content))


@pytest.mark.parametrize(
    "text",
    [
        "null",
        '"a"',
        "[" * 100_000,
        '{"provenance":' * 50_000,
        "9" * 5000,
        '{"provenance": {"record_version": 4}}',
        "{}",
        "",
    ],
)
def test_a_forged_text_that_is_no_record_is_damaged(folder: Path, text: str) -> None:
    """However deep it nests."""
    forged(folder / "runs.sqlite", "a", text)
    store = open_store(folder, create=False)
    assert set(store.load(["a", "b"])) == {"b"}
    assert store.damage.runs == ("a",)
    store.close()


@pytest.mark.parametrize("seconds", [-1.0, float("inf")])
def test_a_run_takes_a_time(folder: Path, seconds: float) -> None:
    """Finite, from 0 on."""
    forged(folder / "runs.sqlite", "a", json.dumps(content(folder)), seconds)
    store = open_store(folder, create=False)
    assert set(store.load(["a", "b"])) == {"b"}
    store.close()


def sql(script: str) -> Callable[[Path], None]:
    def act(path: Path) -> None:
        link = sqlite3.connect(path)
        link.executescript(script)
        link.close()

    return act


def two_rows(path: Path) -> None:
    """Rebuild the tables without their unique keys, and add a second, whole row and note."""
    sql(
        "CREATE TABLE r AS SELECT * FROM runs; DROP TABLE runs; ALTER TABLE r RENAME TO runs;"
        "CREATE TABLE n AS SELECT * FROM notes; DROP TABLE notes; ALTER TABLE n RENAME TO notes;"
        "INSERT INTO runs SELECT * FROM runs WHERE key = 'a';"
        f"INSERT INTO notes VALUES ('kept', '[]', '{note_seal(b'kept', b'[]')}')"
    )(path)


def test_of_two_rows_of_one_run_neither_is_believed(folder: Path) -> None:
    """Nor of two notes: nobody can tell which is meant."""
    two_rows(folder / "runs.sqlite")
    store = open_store(folder, create=False)
    assert set(store.load(["a", "b"])) == {"b"}
    assert store.notes(["kept"]) == {}
    assert (set(store.damage.runs), set(store.damage.notes)) == ({"a"}, {"kept"})
    store.close()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "act",
    [
        sql("CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM runs; END"),
        sql("CREATE TRIGGER t BEFORE DELETE ON notes BEGIN SELECT RAISE(IGNORE); END"),
        sql("CREATE VIEW seen AS SELECT * FROM runs"),
        sql("ALTER TABLE notes RENAME TO runs2; CREATE VIEW notes AS SELECT * FROM runs2"),
        *(pipe, device, directory),
    ],
)
@pytest.mark.parametrize("create", [True, False])
def test_what_is_no_plain_store_is_refused(
    folder: Path, act: Callable[[Path], None], create: bool
) -> None:
    """What acts on its own inside the file, and what is no file: at once, without waiting."""
    act(folder / "runs.sqlite")
    with pytest.raises(StoreError, match="cannot be used"):
        open_store(folder, create=create)


def test_reading_leaves_a_file_that_another_program_put_in_wal_as_it_is(folder: Path) -> None:
    """Nothing appears beside it; changes that lie beside it are not passed over."""
    sql("PRAGMA journal_mode = WAL")(folder / "runs.sqlite")
    before = sorted(folder.iterdir())
    store = open_store(folder, create=False)
    assert set(store.load(["a", "b"])) == {"a", "b"}
    store.close()
    assert sorted(folder.iterdir()) == before
    (folder / "runs.sqlite-wal").write_bytes(b"something")
    with pytest.raises(StoreError, match=r"left changes in runs\.sqlite-wal"):
        open_store(folder, create=False)
    store = open_store(folder)
    assert set(store.load(["a", "b"])) == {"a", "b"}
    store.close()
