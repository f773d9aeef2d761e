"""The store: what is written comes back, one writer at a time, clear refusals."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from ablate.errors import StoreError
from ablate.records.results_folder import sole_writer
from ablate.records.store import open_store
from tests.conftest import record


def test_records_come_back_as_they_went(tmp_path: Path) -> None:
    """Every field; unknown keys are absent."""
    store = open_store(tmp_path)
    first, second = record(0, key="a"), record(1, key="b", status="failed")
    store.save([first, second])
    found = store.load(["a", "b", "c"])
    assert set(found) == {"a", "b"}
    assert found["b"] == second
    assert found["a"].right == {"all-classes": [[8, 0], [6, 9]]}
    assert found["a"].seconds == 0.5


def test_a_record_is_replaced_by_its_key(tmp_path: Path) -> None:
    """A failed run that is run again."""
    store = open_store(tmp_path)
    store.save([record(0, key="a", status="failed")])
    store.save([record(0, key="a")])
    assert store.load(["a"])["a"].status == "ok"


def test_thousands_of_keys_are_asked_for_in_parts(tmp_path: Path) -> None:
    """SQLite limits the variables of a query."""
    store = open_store(tmp_path)
    store.save([record(i, key=f"k{i}") for i in range(1200)])
    assert len(store.load([f"k{i}" for i in range(1200)])) == 1200


def test_a_store_that_is_not_there_is_not_made_by_reading(tmp_path: Path) -> None:
    """A report of nothing says so."""
    with pytest.raises(StoreError, match="nothing has been run"):
        open_store(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()


def test_a_damaged_store_is_named_with_the_remedy(tmp_path: Path) -> None:
    """Not a traceback of the database."""
    (tmp_path / "runs.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match=r"runs\.sqlite cannot be used.*Move the file away"):
        open_store(tmp_path)


def test_a_store_of_another_layout_is_not_touched(tmp_path: Path) -> None:
    """It belongs to another version."""
    open_store(tmp_path).close()
    with sqlite3.connect(tmp_path / "runs.sqlite") as link:
        link.execute("update layout set version = 99")
    with pytest.raises(StoreError, match="layout 99"):
        open_store(tmp_path)


def test_a_results_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """With the system's reason."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        open_store(tmp_path / "file")


def test_a_damaged_record_counts_as_missing(tmp_path: Path) -> None:
    """So that it is run again; its neighbours stay."""
    store = open_store(tmp_path)
    store.save([record(0, key="a"), record(1, key="b"), record(2, key="c")])
    with sqlite3.connect(tmp_path / "runs.sqlite") as link:
        link.execute("update runs set record = '{' where key = 'a'")
        link.execute("""update runs set record = '{"no": 1}' where key = 'b'""")
    assert set(store.load(["a", "b", "c"])) == {"c"}


def test_a_folder_name_with_a_question_mark_is_a_folder_name(tmp_path: Path) -> None:
    """Not the query of a database address."""
    open_store(tmp_path / "q?mode=ro").save([record(0, key="a")])
    assert (tmp_path / "q?mode=ro" / "runs.sqlite").is_file()


def test_a_lock_that_cannot_be_taken_is_an_error_with_its_reason(tmp_path: Path) -> None:
    """Such as a folder of that name."""
    (tmp_path / ".lock").mkdir()
    with pytest.raises(StoreError, match="cannot be locked"), sole_writer(tmp_path):
        pass


def test_two_writers_are_one_too_many(tmp_path: Path) -> None:
    """The second is told; when the first is done it may."""
    with (
        sole_writer(tmp_path),
        pytest.raises(StoreError, match="another run is writing"),
        sole_writer(tmp_path),
    ):
        pass
    with sole_writer(tmp_path):
        pass


def test_the_journal_is_safe_on_network_folders(tmp_path: Path) -> None:
    """No write-ahead log beside the file."""
    store = open_store(tmp_path)
    store.save([replace(record(), key="a")])
    store.close()
    assert {path.name for path in tmp_path.iterdir()} == {"runs.sqlite"}
