"""A store that layout 2 wrote, `tests/golden/store_of_layout_2.sql`: read, and brought up."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ablate.records.store import open_store
from ablate.types import RunResult

GOLDEN = Path(__file__).parent.parent / "golden" / "store_of_layout_2.sql"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the store's file: six runs of two arms, and a registration."""
    with closing(sqlite3.connect(tmp_path / "runs.sqlite")) as link:
        link.executescript(GOLDEN.read_text("utf-8"))
    return tmp_path / "runs.sqlite"


def asked(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as link:
        answer = link.execute(query).fetchall()
        link.commit()
    return answer


def written(path: Path) -> dict[str, RunResult]:
    """Give its records from their text alone."""
    rows = asked(path, "SELECT seconds, record FROM runs")
    records = [RunResult(**json.loads(str(text)), seconds=seconds) for seconds, text in rows]  # type: ignore[arg-type]
    return {record.key: record for record in records}


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
    assert asked(path, "SELECT version FROM layout") == [(4,)]
    assert asked(path, "SELECT count(*) FROM provenance") == [(2,)]
    texts = [str(text) for (text,) in asked(path, "SELECT record FROM runs")]
    assert not any("packages" in text or "engine" in text for text in texts)


@pytest.mark.parametrize(
    "damage",
    [
        "record = replace(record, 'torch', 'torches')",
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
