"""Records that travel with the toolkit: what is packed is what was stored, and replaces nothing."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ablate import flow
from ablate.errors import DataError, StoreError
from ablate.plan import stored_study
from ablate.records import registration
from ablate.records.store import Store, open_store
from ablate.types import RunResult, Suite
from tests.conftest import record


@pytest.fixture
def suite(suite_of: Callable[..., Suite]) -> Suite:
    return suite_of()


def run(key: str, seed: int, cpu: str = "abacus") -> RunResult:
    """Make a record of a run on some machine."""
    return record(seed=seed, key=key, cpu=cpu, packages={"torch": "2.3", "numpy": "1.24"})


def made(suite: Suite, folder: Path, registered: bool = True) -> Store:
    """Make a store with a record of every run of a suite, of different seconds."""
    store = open_store(folder)
    if registered:
        registration.freeze(suite, store, 0)
    keys = [key for row in flow.keys(suite) for key in row]
    runs = [replace(run(key, n % 3), seconds=n / 8) for n, key in enumerate(keys)]
    task = {"epochs": 1, "at": [1], "rows": 4, "loss": [0.5], "right": [3]}
    store.save([replace(runs[0], curves=[task]), *runs[1:]])
    return store


@pytest.fixture
def store(suite: Suite, tmp_path: Path) -> Iterator[Store]:
    with closing(made(suite, tmp_path / "theirs")) as store:
        yield store


def test_what_is_restored_is_what_was_packed(suite: Suite, store: Store, tmp_path: Path) -> None:
    """Records, curves and registration; packed again it is the same, byte by byte."""
    file = tmp_path / "suite.json.gz"
    file.write_bytes(stored_study.pack(suite, store))
    with closing(open_store(tmp_path / "ours")) as ours:
        stored_study.restore(suite, ours, file)
        stored_study.restore(suite, ours, file)  # once more changes nothing
        runs = flow.records(suite, ours)
        assert runs == flow.records(suite, store)
        assert len(runs) == 6
        assert ours.curves(runs).by_key == store.curves(runs).by_key != {}
        assert registration.registered(suite, ours) == registration.registered(suite, store)
        assert stored_study.pack(suite, ours) == file.read_bytes()


def test_the_report_says_so_as_long_as_the_records_are_those(
    suite: Suite, store: Store, tmp_path: Path
) -> None:
    """One that was run since counts no more."""
    file = tmp_path / "suite.json.gz"
    file.write_bytes(stored_study.pack(suite, store))
    assert not any("stored" in caveat.head for caveat in flow.analyse(suite, store).caveats)
    with closing(open_store(tmp_path / "ours")) as ours:
        stored_study.restore(suite, ours, file)
        first, *_ = flow.analyse(suite, ours).caveats
        assert first.head == "6 runs are stored records: they were not trained here."
        assert first.text.endswith(" on abacus with numpy 1.24, torch 2.3.")
        key, *_ = flow.records(suite, ours)
        ours.save([run(key, 0, cpu="slide rule")])
        first, *_ = flow.analyse(suite, ours).caveats
        assert first.head == "5 runs are stored records: they were not trained here."


def test_no_record_of_anybody_is_replaced(suite: Suite, store: Store, tmp_path: Path) -> None:
    """Neither a run of the same key nor a registration."""
    file = tmp_path / "suite.json.gz"
    file.write_bytes(stored_study.pack(suite, store))
    key, *_ = flow.records(suite, store)
    with closing(open_store(tmp_path / "run")) as ours:
        ours.save([record(key=key)])
        before = ours.digest("none")
        with pytest.raises(StoreError, match="already, which stay as they are"):
            stored_study.restore(suite, ours, file)
        assert ours.digest("none") == before
    with closing(open_store(tmp_path / "registered")) as ours:
        registration.freeze(replace(suite, alpha=0.01), ours, 0)
        with pytest.raises(StoreError, match="choose another --results"):
            stored_study.restore(suite, ours, file)


def test_a_study_that_is_no_whole_one_is_not_packed(
    suite: Suite, store: Store, tmp_path: Path
) -> None:
    """Of lost or missing runs, or not registered before them."""
    key, *_ = flow.records(suite, store)
    store.save([record(key=key, status="diverged")])
    with pytest.raises(StoreError, match="missing or lost"):
        stored_study.pack(suite, store)
    with closing(made(suite, tmp_path / "late", registered=False)) as late:
        with pytest.raises(StoreError, match="not registered before its runs"):
            stored_study.pack(suite, late)
        registration.freeze(suite, late, 6)
        with pytest.raises(StoreError, match="not registered before its runs"):
            stored_study.pack(suite, late)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", gzip.compress(b"{}"), gzip.compress(b'{"runs": [{"key": 1}]}')],
    ids=["empty", "no gzip", "no study", "no record"],  # what is compressed says when it was
)
def test_a_file_that_is_damaged_is_named(content: bytes, tmp_path: Path) -> None:
    """And one that is gone."""
    file = tmp_path / "suite.json.gz"
    with pytest.raises(DataError, match=r"suite\.json\.gz cannot be read"):
        stored_study.unpack(file)
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"suite\.json\.gz cannot be read"):
        stored_study.unpack(file)
