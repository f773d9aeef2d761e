"""Stores that layouts 2 and 3 wrote, `tests/golden/store_of_layout_*.sql`: read, and brought up."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ablate.records.store import open_store
from ablate.records.store_file import LAYOUT
from ablate.types import RunResult

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.fixture(params=[2, 3])
def path(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Give the store's file: six runs of two arms, and a registration."""
    script = (GOLDEN / f"store_of_layout_{request.param}.sql").read_text("utf-8")
    with closing(sqlite3.connect(tmp_path / "runs.sqlite")) as link:
        link.executescript(script)
    return tmp_path / "runs.sqlite"


def asked(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as link:
        answer = link.execute(query).fetchall()
        link.commit()
    return answer


def written(path: Path) -> dict[str, RunResult]:
    """Give its records from their text, and that of what they share, alone."""
    records = {}
    for seconds, text, shared in asked(path, f"SELECT seconds, record, {shares(path)} FROM runs"):
        content = json.loads(str(text))
        content["provenance"] |= json.loads(str(shared))
        records[content["key"]] = RunResult(**content, seconds=seconds)
    return records


def shares(path: Path) -> str:
    """Give the query for what a run shares with others; nothing in layout 2."""
    if asked(path, "SELECT version FROM layout") == [(2,)]:
        return "'{}'"
    return "(SELECT text FROM provenance p WHERE p.digest = rests_on)"


def test_it_is_read_as_it_is_and_brought_up_when_written(path: Path) -> None:
    """Reading changes no byte; afterwards what runs share stands once an arm."""
    expected, before = written(path), path.read_bytes()
    assert len(expected) == 6
    with closing(open_store(path.parent, create=False)) as store:
        assert store.load(expected) == expected
        assert [*store.notes(["study:tiny"])] == ["study:tiny"]
        assert [*store.damage.lines()] == []
    assert path.read_bytes() == before
    for create in (True, True, False):
        with closing(open_store(path.parent, create=create)) as store:
            assert store.load(expected) == expected
            assert [*store.notes(["study:tiny"])] == ["study:tiny"]
            assert [*store.damage.lines()] == []
    assert asked(path, "SELECT version FROM layout") == [(LAYOUT,)]
    assert asked(path, "SELECT count(*) FROM provenance") == [(2,)]
    texts = [str(text) for (text,) in asked(path, "SELECT record FROM runs")]
    assert not any(word in text for word in ("packages", "engine", "right") for text in texts)
    assert len(asked(path, "SELECT counts FROM runs WHERE typeof(counts) = 'blob'")) == 6


@pytest.mark.parametrize(
    "damage",
    [
        "record = replace(record, 'all-classes', 'all')",
        "record = '{}'",
        "record = NULL",
        "seconds = seconds + 1",
        "digest = NULL",
        "key = 'other'",
    ],
)
def test_a_damaged_row_stays_one(path: Path, damage: str) -> None:
    """Nothing seals it anew: it is told of before and after."""
    keys = [*written(path)]
    if damage == "record = NULL":
        asked(path, "CREATE TABLE r AS SELECT * FROM runs")
        asked(path, "DROP TABLE runs")
        asked(path, "ALTER TABLE r RENAME TO runs")
    asked(path, f"UPDATE runs SET {damage} WHERE key = '{keys[0]}'")
    for create in (False, True, False):
        with closing(open_store(path.parent, create=create)) as store:
            assert set(store.load(keys)) == {*keys[1:]}
            assert len(store.damage.runs) == 1


def test_what_runs_share_is_written_once(path: Path) -> None:
    """However many of them; where it is damaged, each that names it is told of."""
    keys = [*written(path)]
    with closing(open_store(path.parent)) as store:
        store.save(store.load(keys).values())
        assert set(store.load(keys)) == {*keys}
    assert asked(path, "SELECT count(*) FROM provenance") == [(2,)]
    change = "UPDATE provenance SET text = replace(text, 'packages', 'parcels') "
    asked(path, f"{change} WHERE digest = (SELECT min(digest) FROM provenance)")
    with closing(open_store(path.parent, create=False)) as store:
        assert [*store.damage.lines()] == [
            "3 records of runs.sqlite are damaged and count as missing."
        ]
