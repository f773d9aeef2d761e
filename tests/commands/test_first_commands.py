"""The commands to begin with: a study to look at, and a suite to start from."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from ablate import flow
from ablate.plan import stored_study
from ablate.records.provenance import RECORD_VERSION

ROOT = Path(__file__).parents[2]
FLAGS = ("--question", "Does it matter?", "--margin", "2 points")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def ask(*words: str) -> tuple[int, str]:
    """Run a command in this process. Gives its exit code and all of its output."""
    done = CliRunner().invoke(cli.main, list(words))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_the_demo_is_a_whole_study_that_says_where_it_was_run() -> None:
    """Verdicts, report, pictures; every number agrees, and so does a second call."""
    code, said = ask("demo")
    assert code == 0
    assert "NEGLIGIBLE             herding  −  random" in said
    assert "MATTERS (helps)        random  −  none" in said
    assert "100 runs are stored records: they were not trained here." in said
    assert "`ablate-study run memory` trains them." in said
    folder = Path("demo/memory")
    assert {path.name for path in folder.iterdir()} == {
        "report.md",
        "contrasts.png",
        "curves.png",
        "arms.png",
        "matrix.png",
        "tasks.png",
        "training.png",
    }
    report = (folder / "report.md").read_text("utf-8")
    assert "> **100 runs are stored records: they were not trained here.**" in report
    assert "not registered" not in report
    assert ask("verify", "demo/memory/report.md") == (0, "Every number agrees with the store.\n")
    assert ask("demo") == (0, said)
    assert (folder / "report.md").read_text("utf-8") == report
    assert ask("report", "memory", "--results", "demo") == (0, said)


def test_the_stored_records_answer_the_suite_as_it_ships() -> None:
    """Else `docs/store_study.py` has to write them again: the suite or a default has changed."""
    suite = flow.open_suite(stored_study.STUDY)
    entry, runs = stored_study.unpack(stored_study.path())
    assert {*runs} == {key for row in flow.keys(suite) for key in row}
    assert stored_study.registration.declared(suite) == entry["declared"]
    assert {run.status for run in runs.values()} == {"ok"}
    assert {run.provenance["record_version"] for run in runs.values()} == {RECORD_VERSION}
    assert stored_study.path().stat().st_size < 300_000


def written(arms: str, *more: str) -> str:
    """Write a suite by flags, and give what it has for arms, as the reader takes it."""
    code, said = ask("init", "mine", "--arms", arms, *FLAGS, *more)
    assert code == 0, said
    assert said == "Written: mine.yaml\nNext: ablate-study plan mine.yaml\n"
    suite = flow.open_suite("mine.yaml")
    assert suite.question == "Does it matter?"
    return "; ".join(variant.label for variant in suite.variants)


@pytest.mark.parametrize(
    ("arms", "baseline", "changed"),
    [
        ("herding,random,none", "random", "herding: {memory: herding}"),
        ("reptile, itaml", "itaml", "reptile: {method.meta.update: reptile}"),
        ("sgd,adam", "sgd", "adam: {optimizer: adam}"),
        ("full,no memory", "full", "no memory: {optimizer.sgd.lr: 0.05} # a stand-in"),
        ("replay,gem,ewc", "replay", "ewc: {method: ewc}"),
        ("replay,herding", "replay", "herding: {optimizer.sgd.lr: 0.05} # a stand-in"),
    ],
)
def test_init_writes_a_suite_that_is_read(arms: str, baseline: str, changed: str) -> None:
    """Components of one kind are taken for that; other names are arms to fill in."""
    names = [arm.strip() for arm in arms.split(",")]
    labels = written(arms, "--baseline", baseline, "--seeds", "7")
    assert labels.split("; ") == [baseline, *(name for name in names if name != baseline)]
    text = Path("mine.yaml").read_text("utf-8")
    assert f"\n  {changed}" in text
    assert text.count("\n# ") >= 6
    suite = flow.open_suite("mine.yaml")
    assert suite.seeds == 7
    assert {contrast.margin for contrast in suite.contrasts} == {2.0}
    assert [suite.variants[c.baseline].label for c in suite.contrasts] == [baseline] * (
        len(names) - 1
    )


def test_a_suite_of_init_is_planned() -> None:
    """As it was written, also with its quick block."""
    written("herding,random")
    for more in ((), ("--quick",)):
        code, said = ask("plan", "mine.yaml", *more)
        assert code == 0, said
        assert "2 arms x" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mine", "--arms", "a,b", *FLAGS), "mine.yaml is there already and stays as it is"),
        (("smoke", "--arms", "a,b", *FLAGS), "'smoke' is the name of a shipped suite"),
        (("x", "--arms", "a", *FLAGS), "a contrast takes two arms at least"),
        (("x", "--arms", "a,bb", "--baseline", "b", *FLAGS), "Did you mean 'bb'?"),
        (("x", "--arms", "a,b", "--question", "Q"), "--margin is missing"),
        (("x", "--arms", "a,b", "--question", "Q", "--margin", "2"), "as in '1.0 points'"),
        (("x", "--arms", "a,b", *FLAGS, "--metric", "al-classes"), "did you mean 'all-classes'?"),
        (("x/y", "--arms", "a,b", *FLAGS), "x/y.yaml cannot be written: No such file"),
    ],
)
def test_what_cannot_be_written_is_said_in_a_line(words: Sequence[str], said: str) -> None:
    """Exit code 2; nothing is overwritten, and no half of a suite is left."""
    Path("mine.yaml").write_text("mine")
    code, output = ask("init", *words)
    assert code == 2
    assert said in output
    assert [path.name for path in Path().iterdir()] == ["mine.yaml"]
    assert Path("mine.yaml").read_text() == "mine"


def test_a_terminal_is_asked_for_what_no_flag_says(tmp_path: Path) -> None:
    """An empty line takes the default, which stands in brackets."""
    theirs, ours = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, ROOT / "cli.py", "init", "mine", "--metric", "known-task"],
        stdin=ours,
        stdout=ours,
        stderr=ours,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
    )
    os.write(theirs, b"Does it matter?\nherding,random\n\n1 point\n\n")
    assert running.wait(timeout=120) == 0
    os.close(ours)
    said = os.read(theirs, 100_000).decode()
    assert "Which of them is the baseline? [herding]: " in said
    assert "Which metric" not in said
    suite = flow.open_suite(tmp_path / "mine.yaml")
    (contrast,) = suite.contrasts
    assert (contrast.metric, contrast.margin, suite.seeds) == ("known-task", 1.0, 20)
    assert suite.variants[contrast.baseline].label == "herding"
