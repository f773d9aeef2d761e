"""How far a suite has come: what is done, lost and left, on which machine, and what is at work."""

from __future__ import annotations

import json
import os
import platform
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from ablate import flow
from ablate.plan.run_keys import keys, run_names
from ablate.records import underway
from ablate.records.store import open_store
from tests.commands.test_cli import ask
from tests.outside.test_outside_suites import SUITE, TRAIN


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a program that fails at one seed of one arm, run with three seeds."""
    broken = "given.seed == 1 and given.aug == 'false' and 1 / 0\nprint(\"epoch"
    (tmp_path / "train.py").write_text(TRAIN.replace('print("epoch', broken))
    (tmp_path / "mine.yaml").write_text(SUITE.replace("seeds: 10", "seeds: 4"))
    monkeypatch.chdir(tmp_path)
    only = ["--only", "seed=0", "--only", "seed=1", "--only", "seed=2"]
    ask("run", "mine.yaml", "--results", "r", "--workers", "1", *only)
    return tmp_path


def test_what_is_done_lost_and_left(folder: Path) -> None:
    """By arm and seed, with the reason of what was lost and the machine that ran it."""
    code, said = ask("status", "mine.yaml", "--results", "r")
    lines = said.splitlines()
    assert code == 0, said
    assert lines[0] == "Does augmentation help?"
    assert lines[1] == "8 of 12 runs done, 1 lost, 3 left"
    assert [" ".join(line.split()) for line in lines[2:5]] == [
        "full 3 done, left: seed 3",
        "no-aug 2 done, 1 lost, left: seed 3",
        "slow 3 done, left: seed 3",
    ]
    assert "lost: failed: exit code 1: ZeroDivisionError" in lines[5]
    assert lines[5].endswith("(no-aug: seed 1)")
    assert lines[6].startswith(f"  {platform.node()}: 9 runs, ")
    assert lines[7].startswith("Nothing is at work on it; about ")


def test_the_same_as_json(folder: Path) -> None:
    """With every seed named."""
    seen = json.loads(ask("status", "mine.yaml", "--results", "r", "--json")[1])
    assert (seen["total"], seen["done"], seen["lost"], seen["left"]) == (12, 8, 1, 3)
    assert seen["arms"]["no-aug"]["done"] == [0, 2]
    assert [*seen["arms"]["no-aug"]["lost"]] == ["1"]
    assert seen["arms"]["no-aug"]["left"] == [3]
    assert seen["drivers"] == []


def test_a_command_at_work_is_named_as_long_as_it_lives(folder: Path) -> None:
    """One of this machine by its process, one of another by when it was heard of."""
    mine = underway.now(12, 5, 1, 2, 90.0)
    place = folder / "r/mine"
    underway.write(place, mine)
    said = ask("status", "mine.yaml", "--results", "r")[1]
    assert f"process {os.getpid()}, 2 at a time: 5 of 12 runs done, 1 lost, 2 min left" in said
    underway.remove(place)
    for gone in (
        replace(mine, pid=_unused()),
        replace(mine, born=mine.born - 100),  # its number is another process's now
        replace(mine, host="elsewhere", heard=time.time() - 600),
    ):
        underway.write(place, gone)
        assert "Nothing is at work" in ask("status", "mine.yaml", "--results", "r")[1]
    underway.write(place, replace(mine, host="elsewhere"))
    assert "At work: elsewhere" in ask("status", "mine.yaml", "--results", "r")[1]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"host": "a"}', '{"pid": "x"}'])
def test_a_file_of_somebody_else_is_nobody_at_work(folder: Path, text: str) -> None:
    """Half a file, or another program's."""
    (folder / "r/mine/.running-a-1.json").write_text(text)
    assert "Nothing is at work" in ask("status", "mine.yaml", "--results", "r")[1]


def test_a_run_leaves_its_file_while_it_runs_alone(folder: Path) -> None:
    """And a program that looks for it finds it."""
    look = (
        "import pathlib, sys\nsys.stderr.write(str([*pathlib.Path('r/mine').glob('.running-*')]))\n"
    )
    (folder / "train.py").write_text(look + TRAIN)
    ask("run", "mine.yaml", "--results", "r", "--workers", "1", "--fresh")
    logs = [path.read_text() for path in (folder / "r/programs/runs").glob("*/log.txt")]
    assert all(f".running-{platform.node()}-{os.getpid()}.json" in log for log in logs)
    assert not [*(folder / "r/mine").glob(".running-*")]


def test_names_of_runs_are_their_keys(folder: Path) -> None:
    """Those that everything else goes by, without a run held for each."""
    suite = flow.open_suite("mine.yaml")
    rows = [[key for key, _ in run_names(variant, suite)] for variant in suite.variants]
    assert tuple(map(tuple, rows)) == keys(suite)


def test_nothing_stored_is_refused(folder: Path) -> None:
    """As `report` does."""
    code, said = ask("status", "mine.yaml", "--results", "nowhere")
    assert (code, "nothing has been run there yet" in said) == (2, True)


def test_a_lost_record_whose_row_is_damaged_counts_all_the_same(folder: Path) -> None:
    """Its reason is not shown, since nobody can believe it."""
    store = open_store(folder / "r")
    with store._engine.begin() as link:
        link.exec_driver_sql("UPDATE runs SET seconds = 1.5 WHERE status = 'failed'")
    said = ask("status", "mine.yaml", "--results", "r")[1]
    assert "8 of 12 runs done, 1 lost, 3 left" in said
    assert "ZeroDivisionError" not in said


def _unused() -> int:
    """Give a number that no process has."""
    return next(pid for pid in range(4_000_000, 1, -1) if not psutil.pid_exists(pid))
