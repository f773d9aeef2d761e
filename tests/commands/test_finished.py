"""A run with nothing to do says again how it ended, unless anything has changed since."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ablate import flow
from ablate.commands import finished
from ablate.plan import pending
from ablate.records.store import open_store
from ablate.types import Facts, Status
from cli import main
from tests.conftest import TINY


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, int]]:
    """Run a tiny suite; gives the exit code, the lines at the end, and how often it was judged."""
    suite = tmp_path / "tiny.yaml"
    suite.write_text(TINY)
    judged: list[object] = []
    analyse = flow.analyse

    def counted(*values: Any) -> flow.Study:
        judged.append(values)
        return analyse(*values)

    monkeypatch.setattr(flow, "analyse", counted)

    def command(*words: str) -> tuple[int, str, int]:
        before = len(judged)
        place = ["--results", str(tmp_path / "results"), "--workers", "1"]
        done = CliRunner().invoke(main, ["run", str(suite), *place, *words])
        text = done.stdout[done.stdout.index("Does the update rule matter?") :]
        return done.exit_code, text, len(judged) - before

    return command


def test_the_same_is_said_again_and_nothing_judged(
    run: Callable[..., tuple[int, str, int]], tmp_path: Path
) -> None:
    """Word for word, with the same exit code; the report is left as it is."""
    code, text, judged = run()
    report = tmp_path / "results" / "tiny" / "report.md"
    before = report.stat().st_mtime_ns
    assert (code, judged) == (0, 1)
    assert "Report: " in text
    assert run() == (code, text, 0)
    assert report.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "change", ["report", "picture gone", "record", "note", "code", "suite", "package"]
)
def test_whatever_has_changed_is_judged_anew(
    change: str,
    run: Callable[..., tuple[int, str, int]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An edited report, a picture that is gone, another record or note in the store, other code."""
    code, text, _ = run()
    folder = tmp_path / "results"
    if change == "report":
        (folder / "tiny" / "report.md").write_text("mine")
    elif change == "picture gone":
        next((folder / "tiny").glob("*.png")).unlink()
    elif change == "code":
        mine = tmp_path / "mine.py"
        mine.write_text("")
        sources = list(finished.sources())
        monkeypatch.setattr(finished, "sources", lambda: iter([*sources, mine]))
    elif change == "suite":
        (tmp_path / "tiny.yaml").write_text(TINY.replace("2.0 points", "2.00 points"))
    elif change == "package":
        monkeypatch.setattr(finished, "version", lambda name: "0")
    else:
        with sqlite3.connect(folder / "runs.sqlite") as store:
            if change == "record":
                store.execute("UPDATE runs SET record = '{}' WHERE rowid = 1")
            else:
                store.execute("UPDATE notes SET text = '{}' WHERE key LIKE 'finished:%'")
    again = run()
    assert again[2] == 1
    assert again[:2] == (code, text)
    assert (folder / "tiny" / "report.md").read_text() != "mine"


def test_other_seeds_and_selections_are_judged(
    run: Callable[..., tuple[int, str, int]],
) -> None:
    """What was kept is of the suite as it stood."""
    run()
    assert run("--only", "reptile")[2] == 1
    assert run("--fresh")[2] == 1
    assert run()[2] == 0


def test_nothing_is_planned_unless_data_differ_or_a_run_has_to_be_tried_again(
    run: Callable[..., tuple[int, str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then those who know look into it."""
    planned: list[object] = []
    prepare, look = flow.prepare, pending.look

    def counted(*values: Any, **options: Any) -> flow.Work:
        planned.append(values)
        return prepare(*values, **options)

    def other(*values: Any, **options: Any) -> dict[str, Facts]:
        return {k: f._replace(digest="other") for k, f in look(*values, **options).items()}

    monkeypatch.setattr(flow, "prepare", counted)
    code, text, _ = run()
    assert len(planned) == 2
    assert run() == (code, text, 0)
    assert len(planned) == 2
    with monkeypatch.context() as patch:
        patch.setattr(pending, "look", other)
        assert run() == (code, text, 0)
    assert len(planned) == 4
    with closing(open_store(tmp_path / "results")) as store:
        suite = flow.open_suite(tmp_path / "tiny.yaml")
        first = next(iter(flow.records(suite, store).values()))
        lost = replace(first, status=Status.FAILED, reason="x", right={}, task_right={})
        store.save([lost])
    assert run()[2] == 1
    assert run()[2] == 0
    assert len(planned) == 6
