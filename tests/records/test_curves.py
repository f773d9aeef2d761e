"""Curves beside the records: there and back, from every layout, and never in a record's way."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ablate.records.rows.curves import Curves
from ablate.records.store import open_store
from ablate.types import Json, RunResult
from tests.conftest import record

GOLDEN = Path(__file__).parent.parent / "golden" / "store_of_layout_3.sql"

TASK: Json = {"epochs": 4, "at": [2, 4], "rows": 64, "loss": [0.6931471, None], "right": [32, 60]}


def learnt(key: str, *tasks: Json, seed: int = 0, status: str = "ok") -> RunResult:
    return replace(record(seed, key=key, status=status), curves=tasks)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a store of three runs: a long one, one that diverged early, one never looked at."""
    with closing(open_store(tmp_path)) as store:
        store.save(
            [
                learnt("a", TASK, {**TASK, "right": [1, 2]}),
                learnt("b", TASK, seed=1, status="diverged"),
                learnt("c", seed=2),
            ]
        )
    return tmp_path


def sql(folder: Path, *commands: str) -> None:
    with closing(sqlite3.connect(folder / "runs.sqlite")) as link:
        for command in commands:
            link.execute(command)
        link.commit()


def read(folder: Path) -> tuple[Curves, set[str], list[str]]:
    """Give the curves, the keys of records that are there, and what is said of damage."""
    with closing(open_store(folder, create=False)) as store:
        keys = ["a", "b", "c"]
        records = store.load(keys)
        assert all(record.curves == () for record in records.values())
        return store.curves(keys), {*records}, [*store.damage.lines()]


def test_curves_come_back_with_their_losses_rounded(folder: Path) -> None:
    """Also those of a run that diverged; a run without any has none, which is no damage."""
    curves, records, damage = read(folder)
    assert records == {"a", "b", "c"}
    assert damage == []
    assert curves.fault == ""
    assert {key: len(tasks) for key, tasks in curves.by_key.items()} == {"a": 2, "b": 1}
    first, second = curves.by_key["a"]
    assert first.model_dump() == {**TASK, "loss": [0.6931, None]}
    assert second.right == [1, 2]
    with closing(open_store(folder, create=False)) as store:
        assert {*store.curves(["b"]).by_key} == {"b"}


def test_a_record_is_the_same_with_and_without_curves(folder: Path, tmp_path: Path) -> None:
    """In its row and as a value: they are no part of it."""
    plain, curved = record(key="a"), learnt("a", TASK)
    assert plain == curved
    texts = []
    for place, result in enumerate((plain, curved)):
        with closing(open_store(tmp_path / str(place))) as store:
            store.save([result])
        with closing(sqlite3.connect(tmp_path / str(place) / "runs.sqlite")) as link:
            texts += link.execute("SELECT record, rests_on FROM runs").fetchall()
    assert texts[0] == texts[1]
    assert "curves" not in texts[0][0]


def test_a_run_that_is_run_again_has_its_new_curve(folder: Path) -> None:
    """Or none, where it ended before it was looked at."""
    with closing(open_store(folder)) as store:
        store.save([learnt("a", {**TASK, "rows": 99}), learnt("b", seed=1, status="failed")])
    curves, records, _ = read(folder)
    assert records == {"a", "b", "c"}
    assert {key: tasks[0].rows for key, tasks in curves.by_key.items()} == {"a": 99}


DAMAGES = {
    "an edited text": "UPDATE curves SET text = replace(text, '32', '31') WHERE key = 'a'",
    "no UTF-8": "UPDATE curves SET text = CAST(x'80ff' AS TEXT) WHERE key = 'a'",
    "another type": "UPDATE curves SET text = 5 WHERE key = 'a'",
    "no digest": "UPDATE curves SET digest = NULL WHERE key = 'a'",
    "another's text": "UPDATE curves SET text = (SELECT text FROM curves WHERE key = 'b'), "
    "digest = (SELECT digest FROM curves WHERE key = 'b') WHERE key = 'a'",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_row_costs_its_own_curve_alone(damage: str, folder: Path) -> None:
    """It is told of in a line; records, and what is said of them, are as before."""
    sql(folder, damage)
    curves, records, lines = read(folder)
    assert records == {"a", "b", "c"}
    assert lines == []
    assert {*curves.by_key} == {"b"}
    assert curves.fault == "the curves of 1 run are damaged in the store and not shown"


@pytest.mark.parametrize(
    "change",
    [
        {"at": [2, 5]},
        {"at": [4, 2]},
        {"at": [2, 2]},
        {"loss": [0.5]},
        {"loss": [-1.0, 0.5]},
        {"right": [65, 1]},
        {"right": ["1", 2]},
        {"rows": 0},
        {"more": 1},
    ],
    ids=str,
)
def test_what_nobody_would_have_measured_is_damaged(change: Json, tmp_path: Path) -> None:
    """Even under a digest of its own."""
    with closing(open_store(tmp_path)) as store:
        store.save([learnt("a", {**TASK, **change}), learnt("b", TASK, seed=1)])
    curves, _, _ = read(tmp_path)
    assert {*curves.by_key} == {"b"}
    assert curves.fault


LOSSES = {
    "dropped": ["DROP TABLE curves"],
    "other columns": ["ALTER TABLE curves RENAME COLUMN text TO words"],
    "two rows of a run": [
        "CREATE TABLE c AS SELECT * FROM curves",
        "DROP TABLE curves",
        "ALTER TABLE c RENAME TO curves",
        "INSERT INTO curves SELECT * FROM curves",
    ],
}


@pytest.mark.parametrize("damage", LOSSES.values(), ids=LOSSES)
def test_a_spoilt_table_costs_no_record(damage: list[str], folder: Path) -> None:
    """Neither in reading nor in writing."""
    sql(folder, *damage)
    curves, records, lines = read(folder)
    assert records == {"a", "b", "c"}
    assert lines == []
    assert curves.by_key == {}
    assert "damaged" in curves.fault
    with closing(open_store(folder)) as store:
        store.save([learnt("a", TASK, seed=7)])
        assert store.load(["a"])["a"].seed == 7
    curves, records, _ = read(folder)
    assert records == {"a", "b", "c"}
    if damage == LOSSES["dropped"]:
        assert {*curves.by_key} == {"a"}


def test_a_store_of_layout_3_has_no_curves_until_it_is_written(tmp_path: Path) -> None:
    """Reading changes no byte of it; writing makes the table, and leaves what records say."""
    path = tmp_path / "runs.sqlite"
    with closing(sqlite3.connect(path)) as link:
        link.executescript(GOLDEN.read_text("utf-8"))
        keys = [key for (key,) in link.execute("SELECT key FROM runs")]
    before = path.read_bytes()
    with closing(open_store(tmp_path, create=False)) as store:
        records = store.load(keys)
        assert len(records) == 6
        assert store.curves(keys) == Curves()
        assert [*store.notes(["study:tiny"])] == ["study:tiny"]
    assert path.read_bytes() == before
    with closing(open_store(tmp_path)) as store:
        assert store.load(keys) == records
        assert store.curves(keys) == Curves()
        store.save([replace(records[keys[0]], curves=(TASK,))])
        assert {*store.curves(keys).by_key} == {keys[0]}
        assert store.load(keys) == records
        assert [*store.damage.lines()] == []
    with closing(sqlite3.connect(path)) as link:
        assert link.execute("SELECT version FROM layout").fetchall() == [(4,)]
