"""Whether a program's seed settles its scores: one run is made twice, and the report says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ablate import flow
from ablate.records.store import open_store
from tests.commands.test_cli import ask
from tests.outside.test_outside_suites import SUITE, TRAIN

UNSETTLED = "The seed does not settle what a run scores."

PROGRAMS = {
    "settled": (TRAIN, ""),
    "drawn from the clock": (
        TRAIN.replace("+ noise", "+ noise + random.Random().gauss(0, 0.01)"),
        UNSETTLED,
    ),
    "without its seed": (
        TRAIN.replace("given.seed", "0"),
        "The same scores with every one of 3 seeds:",
    ),
    "lost the second time": (
        TRAIN + "\nif __import__('pathlib').Path('once').exists(): raise SystemExit('no twice')\n"
        "__import__('pathlib').Path('once').touch()\n",
        "A repeated run was lost.",
    ),
    "another in one metric": (
        TRAIN.replace("1 - accuracy", "random.Random().random()"),
        UNSETTLED,
    ),
    "another in the middle of its curve": (
        TRAIN.replace(
            "print(json", 'print(json.dumps({"accuracy": random.random(), "epoch": 0}))\nprint(json'
        ).replace('"split"', '"epoch": 1, "split"'),
        UNSETTLED,
    ),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a suite of three seeds."""
    (tmp_path / "mine.yaml").write_text(SUITE.replace("seeds: 10", "seeds: 3"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", PROGRAMS)
def test_the_first_screen_says_what_a_seed_settles(folder: Path, kind: str) -> None:
    """Of all kinds, its own sentence and no other; the scores are those of the first time."""
    text, says = PROGRAMS[kind]
    (folder / "train.py").write_text(text)
    said = ask("run", "mine.yaml", "--results", "r", "--workers", "1")[1]
    screen = (folder / "r/mine/report.md").read_text("utf-8").partition("\n## ")[0]
    every = {sentence for _, sentence in PROGRAMS.values() if sentence}
    assert {s for s in every if s in screen} == ({says} if says else set())
    assert {s for s in every if s in said} == ({says} if says else set())


def test_one_run_is_made_twice_in_a_folder_of_its_own(folder: Path) -> None:
    """The first arm's first seed, once, whatever is resumed; seconds are of one time."""
    (folder / "train.py").write_text(
        TRAIN + "open('made', 'a').write(f'{given.lr} {given.aug} {given.seed}\\n')\n"
    )
    for _ in range(2):
        ask("run", "mine.yaml", "--results", "r", "--workers", "1")
    made = (folder / "made").read_text().splitlines()
    assert len(made) == 10
    assert [line for line in set(made) if made.count(line) == 2] == ["0.1 true 0"]
    folders = {path.name for path in (folder / "r/programs/runs").iterdir()}
    assert len(folders) == 10
    assert len({name.removesuffix("-again") for name in folders}) == 9


def test_what_differed_is_stored(folder: Path) -> None:
    """Both scores of the run, in the record's provenance."""
    (folder / "train.py").write_text(PROGRAMS["drawn from the clock"][0])
    ask("run", "mine.yaml", "--results", "r", "--workers", "1")
    records = flow.records(flow.open_suite("mine.yaml"), open_store(folder / "r"))
    again = [r for r in records.values() if "again" in r.provenance]
    first, second = again[0].provenance["again"]["scores"]["accuracy"]
    assert len(again) == 1
    assert first == again[0].scores["accuracy"][-1][1]
    assert second != first
