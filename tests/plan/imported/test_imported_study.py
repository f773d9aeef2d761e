"""Imported runs as a study: the store, its suite, its report, and a second import."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from ablate.plan.imported import sources, study, suite_text
from ablate.plan.imported.chosen import Request, chosen
from ablate.plan.imported.sorting import sort
from ablate.plan.imported.study import Imported
from ablate.plan.imported.suite_text import Claims, Origin
from ablate.records.store import open_store
from ablate.types import TrackedRun
from tests.commands.test_cli import ask


def rows(seeds: Sequence[int] = range(10)) -> list[dict[str, Any]]:
    """Give runs of two optimizers, the one better by three points, with their seeds' own luck."""
    return [
        {
            "optimizer": name,
            "seed": seed,
            "accuracy": 0.8
            + random.Random(seed).gauss(0, 0.02)
            + 0.03 * (name == "adam")
            + random.Random(f"{name}{seed}").gauss(0, 0.003),
            "state": "finished",
        }
        for name in ("sgd", "adam")
        for seed in seeds
    ]


def write(table: Sequence[dict[str, Any]], path: Path = Path("runs.csv")) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*table[0]])
        writer.writeheader()
        writer.writerows(table)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


STUDY = ("import", "runs.csv", "--margin", "0.01")


@pytest.mark.slow
def test_a_table_becomes_a_study_like_any_other() -> None:
    """Verdict, report, verify, plan; and nothing trains it."""
    write(rows())
    code, said = ask(*STUDY, "--results", "r", "--name", "mine")
    assert code == 0, said
    assert "The seed is taken to be seed." in said
    assert "Arms are told apart by optimizer (--arm)." in said
    assert "The metric is taken to be accuracy (--metric)." in said
    assert "MATTERS (hurts)        sgd  −  adam  [accuracy]" in said
    report = Path("r/mine/report.md").read_text("utf-8")
    assert (
        "**20 runs were imported: they were there before the question and its margin.**" in report
    )
    assert "It was registered when 20 of its runs were already there." in report
    assert "paired by seed number, not audited" in report
    assert "Not tuned" not in report
    assert "](contrasts.png)" in report
    assert ask("verify", "r/mine/report.md")[0] == 0
    assert ask("report", "r/mine/mine.yaml", "--results", "r")[0] == 0
    assert Path("r/mine/report.md").read_text("utf-8") == report
    assert (
        "20 done or not asked for, 0 to run" in ask("plan", "r/mine/mine.yaml", "--results", "r")[1]
    )
    code, said = ask("run", "r/mine/mine.yaml", "--results", "r")
    assert (code, "were imported from runs.csv and cannot be trained here" in said) == (2, True)
    code, said = ask("compare", "r/mine/runs.csv", "--arm", "arm", "--margin", "0.01")
    assert (code, "MATTERS" in said) == (0, True)


@pytest.mark.slow
def test_lost_and_missing_runs_are_in_the_report() -> None:
    """A crash, and a seed that one arm lacks."""
    table = rows()
    table[4]["state"], table[5]["accuracy"] = "crashed", "nan"
    write([row for row in table if (row["optimizer"], row["seed"]) != ("adam", 7)])
    code, said = ask(*STUDY, "--results", "r")
    report = Path("r/runs/report.md").read_text("utf-8")
    assert code == 3, said
    assert "| sgd | 4 | failed | crashed |" in report
    assert "| sgd | 5 | diverged | accuracy is nan at step 0 |" in report
    assert "| adam | 7 | failed | no such run was read |" in report
    assert "Seeds that not every arm has, without a pair: adam lacks 7." in report
    assert "19 runs were imported" in report


@pytest.mark.slow
def test_the_same_runs_change_nothing_and_others_are_noticed() -> None:
    """By their scores, whatever the file's bytes."""
    write(rows())
    ask(*STUDY, "--results", "r")
    before = Path("r/runs/report.md").read_text("utf-8")
    write(rows()[::-1])
    code, said = ask(*STUDY, "--results", "r")
    assert (code, "Nothing has changed since these runs were imported." in said) == (0, True)
    assert Path("r/runs/report.md").read_text("utf-8") == before
    edited = rows()
    edited[3]["accuracy"] += 0.1
    write(edited)
    code, said = ask(*STUDY, "--results", "r")
    assert code == 2
    assert "runs.csv has changed since it was imported into runs: 1 runs are not what" in said
    assert Path("r/runs/report.md").read_text("utf-8") == before
    code, said = ask(*STUDY, "--results", "r", "--replace")
    assert (code, "the new ones count" in said) == (0, True)
    assert Path("r/runs/report.md").read_text("utf-8") != before


@pytest.mark.slow
def test_more_seeds_are_a_deviation() -> None:
    """They were not there when it was registered."""
    write(rows())
    ask(*STUDY, "--results", "r")
    write(rows(range(12)))
    code, said = ask(*STUDY, "--results", "r")
    assert code == 0, said
    assert "seeds: registered 10, now 12." in Path("r/runs/report.md").read_text("utf-8")


@pytest.mark.slow
def test_seeds_that_are_no_row_stand_by_their_place() -> None:
    """And the report says which is which."""
    write(rows([1993, 7, 42, 100, 2**40, 5]))
    code, said = ask(*STUDY, "--results", "r")
    assert code == 0, said
    report = Path("r/runs/report.md").read_text("utf-8")
    assert "0 is 5, 1 is 7, 2 is 42, 3 is 100, 4 is 1993, 5 is 1099511627776." in report


@pytest.mark.slow
def test_without_a_margin_or_a_seed_there_are_differences_alone() -> None:
    """Paired, or of independent runs."""
    write(rows())
    code, said = ask("import", "runs.csv", "--results", "r")
    assert code == 0, said
    assert "No margin was given" in said
    assert "MATTERS" not in said
    write([{k: v for k, v in row.items() if k != "seed"} for row in rows()])
    code, said = ask(*STUDY, "--results", "r", "--name", "free")
    assert code == 0, said
    assert "compared as independent ones (Welch)" in said
    assert "MATTERS" in said
    page = Path("r/free/comparison/report.md").read_text("utf-8")
    assert "No run has a seed" in page


@pytest.mark.slow
def test_blocks_are_settings_of_the_study() -> None:
    """A contrast in each."""
    write([{"data": data, **row} for data in ("cifar", "svhn") for row in rows(range(6))])
    code, said = ask(*STUDY, "--results", "r", "--block", "data", "--baseline", "sgd")
    assert code == 0, said
    assert "adam, data = cifar" in said
    assert "adam, data = svhn" in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["absent.csv"], "absent.csv: there is no such file or folder"),
        (["runs.csv", "--reader", "tabel"], "There is no reader 'tabel'. Did you mean 'table'?"),
        (["runs.csv", "--metric", "acuracy"], "Did you mean 'accuracy'?"),
        (["runs.csv", "--margin", "0.1", "--baseline", "adm"], "Did you mean 'adam'?"),
        (["runs.csv", "--step", "first"], "last, best, or the number of a step"),
        (["runs.csv", "--where", "optimizer=rms"], "no run has optimizer = rms"),
        (["runs.csv", "runs.csv"], "two runs are called"),
        (["picture.png"], "is nothing that a reader knows"),
    ],
)
def test_refusals_name_what_there_is(words: list[str], sentence: str) -> None:
    """And nothing is written."""
    write(rows())
    Path("picture.png").write_bytes(b"\x89PNG")
    code, said = ask("import", *words, "--results", "r")
    assert code == 2, said
    assert sentence in " ".join(said.split())
    assert not Path("r").exists()


TEXT = st.text(max_size=8)
VALUE = st.one_of(
    TEXT, st.none(), st.booleans(), st.integers(-(10**12), 10**12), st.floats(allow_nan=False)
)
SCORE = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(TEXT.filter(bool), min_size=1, max_size=2, unique=True),
    arms=st.lists(st.tuples(VALUE, VALUE), min_size=2, max_size=4, unique_by=repr),
    curve=st.lists(st.tuples(st.integers(0, 99), SCORE), min_size=1, max_size=5),
    seeds=st.lists(st.integers(-5, 10**7), min_size=1, max_size=4, unique=True),
)
def test_every_run_is_stored_as_it_was_logged(
    names: list[str], arms: list[Any], curve: list[tuple[int, float]], seeds: list[int]
) -> None:
    """Whatever parameters, seeds and metrics are called, and whatever their values."""
    runs = [
        TrackedRun(
            f"{place} {seed}",
            {**dict(zip(names, values, strict=False)), "seed!": seed},
            {"score": [(float(at), value) for at, value in curve]},
        )
        for place, values in enumerate(arms)
        for seed in seeds
    ]
    request = Request(arm=tuple(names), seed="seed!", metrics=("score",))
    if len({repr([r.params[n] for n in names]) for r in runs}) < 2 or "seed!" in names:
        return
    choice = chosen(runs, request)
    whole = sort(runs, choice, request)
    origin = Origin(("table",), ("x: y.csv",), "last")
    read = Imported(
        sources.Sources(("table",), ("x: y.csv",), tuple(runs), sources.digest(runs)),
        *(whole, origin, ("score",), whole.notes),
    )
    text = suite_text.written(whole, Claims("Is it?", 1.0), origin, ("score",), "x.yaml")
    suite = study.parsed(text, Path("x.yaml"))
    assert [variant.arm for variant in suite.variants] == [*whole.arms]
    logged = [[float(at), value] for at, value in sorted(dict(curve).items())]
    stored = [*study.records(suite, read)]
    counted = [run for by_seed in whole.cells.values() for run in by_seed.values()]
    assert sum(record.status == "ok" for record in stored) == sum(not r.lost for r in counted) > 0
    with_scores = [record for record in stored if record.status == "ok"]
    assert all([*map(list, r.scores["score"])] == logged for r in with_scores)
    store = open_store(Path("s"))
    store.save(stored)
    again = store.load([record.key for record in stored])
    store.close()
    assert all(study.same(again[record.key], record) for record in stored)
