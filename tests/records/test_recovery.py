"""Of a store that somebody damaged, every whole row is saved, and no other."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from ablate.errors import StoreError
from ablate.records.recovery import recover
from ablate.records.store import open_store
from ablate.records.store_file import FILE
from ablate.types import RunResult, Status
from tests.commands.test_cli import ask

RUNS = 400


def result(number: int) -> RunResult:
    return RunResult(
        key=f"{number:032x}",
        seed=number,
        status=Status.OK,
        reason="",
        rows=[],
        right={},
        task_right={},
        updates=0,
        gradients=0,
        seconds=1.0,
        provenance={"outside": True, "record_version": 6, "host": f"host {number % 3}"},
        scores={"score": [(0.0, number / 7)]},
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Give the bytes of a store of 400 runs and ten notes."""
    folder = tmp_path_factory.mktemp("whole")
    store = open_store(folder)
    store.save(map(result, range(RUNS)))
    store.note({f"note {i}": f"text {i}" for i in range(10)})
    store.close()
    return (folder / FILE).read_bytes()


def saved(folder: Path) -> dict[str, RunResult]:
    store = open_store(folder, create=False)
    try:
        assert not [*store.damage.lines()]
        return store.load(result(number).key for number in range(RUNS))
    finally:
        store.close()


@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_damaged_what_is_saved_is_whole(
    whole: bytes, tmp_path: Path, seed: int
) -> None:
    """Bytes changed, pages zeroed, the end cut off; what is lost is counted where it can be."""
    draw, content = random.Random(seed), bytearray(whole)
    kind = ("bytes", "page", "cut")[seed % 3]
    if kind == "bytes":
        for _ in range(draw.randint(1, 40)):
            content[draw.randrange(4096, len(content))] = draw.randrange(256)
    elif kind == "page":
        for _ in range(draw.randint(1, 4)):
            page = draw.randrange(1, len(content) // 4096)
            content[page * 4096 : (page + 1) * 4096] = bytes(4096)
    else:
        del content[draw.randrange(len(content) // 2, len(content)) :]
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / FILE).write_bytes(content)
    try:
        found = recover(tmp_path / "old", tmp_path / "new")
    except StoreError as error:
        assert "can be read" in str(error)  # noqa: PT017
        return
    there = saved(tmp_path / "new")
    assert len(there) == found.runs
    assert {k: r.scores for k, r in there.items()} == {
        key: {"score": [[0.0, run.seed / 7]]} for key, run in there.items()
    }
    assert found.lost in (-1, *range(RUNS - found.runs + 1))
    assert (tmp_path / "old" / FILE).read_bytes() == content


def test_one_damaged_page_of_rows_costs_its_rows_alone(whole: bytes, tmp_path: Path) -> None:
    """The others are saved, and the index says how many are lost."""
    content = bytearray(whole)
    page = content.index(b'"key": "' + f"{200:032x}".encode()) // 4096
    content[page * 4096 : (page + 1) * 4096] = bytes(4096)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / FILE).write_bytes(content)
    found = recover(tmp_path / "old", tmp_path / "new")
    assert RUNS - 30 < found.runs < RUNS
    assert found.lost == RUNS - found.runs


def test_a_whole_store_is_saved_whole(whole: bytes, tmp_path: Path) -> None:
    """By the command, into a folder of its own."""
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / FILE).write_bytes(whole)
    code, said = ask("doctor", "--results", tmp_path / "old", "--recover", tmp_path / "new")
    assert (code, said.splitlines()[0].partition(" saved")[0]) == (0, "400 runs and 10 notes")
    assert said.splitlines()[0].endswith("; 0 runs are lost")
    assert len(saved(tmp_path / "new")) == RUNS
    again = ask("doctor", "--results", tmp_path / "old", "--recover", tmp_path / "new")
    assert again[0] == 2
    assert "has a store already" in again[1]


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    """Nothing, and a text."""
    assert ask("doctor", "--results", tmp_path, "--recover", tmp_path / "new")[0] == 2
    (tmp_path / FILE).write_text("no database " * 1000)
    code, said = ask("doctor", "--results", tmp_path, "--recover", tmp_path / "new")
    assert (code, "can be read" in said) == (2, True)
    assert not (tmp_path / "new").exists()


def test_the_doctor_names_what_is_amiss(whole: bytes, tmp_path: Path) -> None:
    """A damaged record, with what to do; nothing of a store in order."""
    (tmp_path / FILE).write_bytes(whole)
    data = ("--data-root", tmp_path)
    code, said = ask("doctor", "--results", tmp_path, *data)
    assert code == 0, said
    assert f"store: 400 runs in {tmp_path}" in said
    link = sqlite3.connect(tmp_path / FILE)
    link.execute("UPDATE runs SET seconds = 2.5 WHERE seed = 7")
    link.commit()
    link.close()
    code, said = ask("doctor", "--results", tmp_path, *data)
    assert code == 1, said
    assert "1 record of runs.sqlite is damaged and counts as missing. -> `run` runs" in said
