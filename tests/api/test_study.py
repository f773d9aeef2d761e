"""Studies in Python: run, resumed, judged like the suite that they are, shown in a notebook."""

from __future__ import annotations

import importlib
import linecache
import os
import random
import sys
import textwrap
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ablate.api import Study, compare, load
from ablate.errors import SelectionError, StoreError
from ablate.plan import stored_study
from ablate.records.store import open_store
from tests.commands.test_cli import ask, python
from tests.conftest import TINY

pytestmark = pytest.mark.slow

QUESTION = "Does augmentation help?"
ARMS: dict[str, Any] = {"full": {}, "no-aug": {"aug": False}}
NOISE = [0.1, 0.3, 0.2, 0, 0.4]
MORE: dict[str, Any] = {"one": {"gain": 1.0}, "two": {"gain": 2.0}}
MODULE = """
import random
def train(seed, lr=0.1, aug=True):
    noise = random.Random(f"{seed} {lr} {aug}").gauss(0, 0.004)
    accuracy = random.Random(seed).gauss(0.8, 0.05) + 0.05 * aug + noise
    return {"accuracy": accuracy, "loss": [1.0, 1 - accuracy]}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, which is where results go."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def train(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Give a function of a module that workers can import."""
    (folder / "my_studied_training.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(folder))
    yield importlib.import_module("my_studied_training").train
    del sys.modules["my_studied_training"]


PARTS = """
import random
def train(seed, live=True, idle=True, first=True, second=True):
    here = random.Random(f"{seed} {live} {idle} {first} {second}").gauss(0, 0.3)
    return 50 + random.Random(seed).gauss(0, 5) + 4 * live + 4 * (first or second) + here
"""


@pytest.mark.parametrize("screen", [None, 3])
def test_parts_are_left_out_of_a_function(screen: int | None) -> None:
    """As in YAML: pairs, and a screening on seeds of its own."""
    train = cell(PARTS, {})["train"]
    more = {"screen": screen} if screen else {}
    study = Study(
        "Which part is needed?",
        run=train,
        ablate=["live", "idle", "first", "second"],
        pairs=True,
        margin=2.0,
        seeds=8,
        **more,
    ).run()
    verdicts = study.verdicts.set_index("treatment")
    assert "MATTERS" in str(verdicts.loc["without live", "verdict"])
    assert "MATTERS" in str(verdicts.loc["without first + second", "verdict"])
    assert ("without idle" in verdicts.index) == (screen is None)
    assert "edundant: first with second" in study._repr_html_()
    assert ("ot confirmed" in study._repr_html_()) == (screen is not None)
    again = study.run()
    assert again.verdicts.equals(study.verdicts)


def test_named_seeds() -> None:
    """They are the ones that the function gets."""
    train = cell("def train(seed, up=0.0):\n    return seed + up * (1 + seed % 3)\n", {})["train"]
    study = Study(
        "Up?", {"a": {}, "b": {"up": 1.0}}, train, margin=0.5, seeds=[1993, 7, 42, 5, 9]
    ).run()
    assert sorted({*study.records["seed"]}) == [5, 7, 9, 42, 1993]


def cell(source: str, names: dict[str, Any]) -> dict[str, Any]:
    """Run a cell as a notebook does: its source is known, and no import finds its functions."""
    source = textwrap.dedent(source)
    name = f"<cell {hash(source)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    names |= {"__name__": "__main__"}
    exec(compile(source, name, "exec"), names)
    return names


def lines_of(study: Study, **options: Any) -> list[str]:
    """Run a study; gives its lines of progress."""
    lines: list[str] = []
    assert study.run(progress=lines.append, **options) is study
    return lines


def test_a_function_of_a_module_runs_on_two_workers_as_its_suite_does(
    train: Callable[..., Any], folder: Path
) -> None:
    """The saved suite on the command line has the same runs, verdicts and report."""
    arms = {**ARMS, "slow": {"lr": 0.01}}
    metrics = {"accuracy": {"range": [0, 1]}, "loss": {"better": "lower"}}
    study = Study(QUESTION, arms, train, seeds=10, margin=0.02, metrics=metrics, name="mine")
    lines = lines_of(study, workers=2)
    assert lines[-1] == "30 of 30 runs done"
    assert lines_of(study) == []
    path = study.save("mine.yaml")
    code, output = ask("run", path, "--results", "other", "--workers", 2)
    assert code == 0, output
    by_command = load(path, results="other")
    for frame in ("verdicts", "records"):
        pd.testing.assert_frame_equal(getattr(study, frame), getattr(by_command, frame))
    printed = [
        [word.strip(" *") for word in line.strip("|").split("|")]
        for line in (folder / "other/mine/report.md").read_text().splitlines()
        if line.startswith(("| no-aug − full |", "| slow − full |"))
    ][:2]
    for row, verdict in zip(printed, study.verdicts.itertuples(), strict=True):
        estimate, interval = (text.replace("−", "-") for text in row[2:4])
        low, high = interval.split(" (")[0].split(" to ")
        figures = (verdict.estimate, verdict.low, verdict.high)
        assert [float(text) for text in (estimate, low, high)] == pytest.approx(figures, rel=1e-3)
        assert row[5].startswith(verdict.verdict)
        assert int(row[6]) == verdict.n == 10
    code, output = ask("run", path, "--results", "results")
    assert "30 done or not asked for, 0 to run" in output, output
    assert study.report() == Path("results/mine/report.md")
    assert ask("verify", "results/mine/report.md") == (0, "Every number agrees with the store.\n")


def test_an_edited_module_is_run_again(train: Callable[..., Any], folder: Path) -> None:
    """By workers that import it anew, though this process has the old one; a comment is none."""
    study = Study(QUESTION, ARMS, train, seeds=5, margin=0.02)
    lines_of(study, workers=1)
    before = study.records
    path = folder / "my_studied_training.py"
    path.write_text(MODULE + "# a remark\n")
    assert lines_of(study, workers=1) == []
    path.write_text(MODULE.replace("0.8, 0.05", "0.7, 0.05"))
    assert lines_of(study, workers=1)[-1] == "10 of 10 runs done"
    values = study.records.query("metric == 'accuracy'")["value"].to_numpy()
    assert before.query("metric == 'accuracy'")["value"].to_numpy() - 0.1 == pytest.approx(values)


def test_a_lambda_runs_in_this_process_and_is_judged() -> None:
    """Estimate, t interval and p by hand; its records say where they were made."""
    processes: deque[int] = deque()
    study = Study(
        QUESTION,
        {"full": {"gain": 1.0}, "half": {"gain": 0.5}},
        lambda seed, gain: (
            processes.append(os.getpid()) or gain + [0.1, 0.3, 0.2, 0, 0.4][seed] * gain
        ),
        seeds=5,
        margin=0.1,
        metric="score",
    )
    study.run()
    assert {*processes} == {os.getpid()}
    assert len(processes) == 11  # the first run is made twice
    (verdict,) = study.verdicts.to_dict("records")
    deltas = -0.5 - 0.5 * np.array(NOISE)
    error = deltas.std(ddof=1) / 5**0.5
    assert verdict["estimate"] == pytest.approx(deltas.mean()) == pytest.approx(-0.6)
    half = stats.t.ppf(1 - (1 - verdict["confidence"]) / 2, 4) * error
    ends = (verdict["low"], verdict["high"])
    assert ends == pytest.approx((deltas.mean() - half, deltas.mean() + half))
    expected = ("half", "full", "score", 0.1, "MATTERS", 5)
    columns = ("treatment", "baseline", "metric", "margin", "verdict", "n")
    assert tuple(verdict[column] for column in columns) == expected
    store = open_store(Path("results"), create=False)
    records = store.load(study.records["run"])
    store.close()
    assert all(record.provenance["in_process"] for record in records.values())
    with pytest.raises(SelectionError, match="put the function into a module"):
        study.save("mine.yaml")
    Path("mine.yaml").write_text(study.text)
    assert ask("run", "mine.yaml", "--results", "results")[0] == 0  # known to this very process
    done = python(
        "import sys; from ablate.__main__ import main; "
        f"sys.argv = ['x', 'run', {str(Path('mine.yaml').absolute())!r}, '--results', 'r']; main()"
    )
    assert done.returncode == 2
    assert "is a function of a notebook or a script, known there alone" in done.stderr


def test_every_score_is_a_row() -> None:
    """Curves by step, several metrics, and a run that was lost without a value."""

    def train(seed: int, gain: float) -> dict[str, Any]:
        if seed == 6 and gain == 2.0:
            raise ValueError("no")
        return {"score": [gain, gain + seed], "cost": np.float64(seed / 2)}

    metrics: dict[str, Any] = {"score": {}, "cost": {"better": "lower"}}
    arms = {"one": {"gain": np.float32(1.0)}, "two": {"gain": 2.0}}
    seeds = {"first": 5, "count": 2}
    study = Study("Is two more?", arms, train, seeds=seeds, metrics=metrics, margin=1).run()
    assert [*study.records.columns] == ["run", "arm", "seed", "metric", "step", "value"]
    rows = [tuple(row)[1:] for row in study.records.itertuples(index=False)]
    one, two = rows[:6], rows[6:]
    assert one[:3] == [
        ("one", 5, "score", 0, 1.0),
        ("one", 5, "score", 1, 6.0),
        ("one", 5, "cost", 0, 2.5),
    ]
    assert one[4] == ("one", 6, "score", 1, 7.0)
    assert two[:2] == [("two", 5, "score", 0, 2.0), ("two", 5, "score", 1, 7.0)]
    assert [row[:3] for row in two[3:]] == [("two", 6, "score"), ("two", 6, "cost")]
    assert study.records["value"].isna().sum() == 2
    assert study.records["run"].nunique() == 4
    assert study.verdicts["verdict"].tolist() == ["UNTESTABLE"]
    assert "ValueError: no" in study._repr_html_()


def test_an_edited_cell_is_run_again_and_an_unedited_is_not() -> None:
    """Its code, a helper of another cell, and a value that it reads count; remarks do not."""
    names = cell("SHIFT = 0.5\ndef helper(gain): return gain + SHIFT", {})
    source = "def train(seed, gain):\n    return helper(gain) + seed % 3 / 100"

    def done() -> int:
        return len(lines_of(Study("Is two more?", MORE, names["train"], seeds=5, margin=0.1)))

    cell(source, names)
    assert done() == 10
    cell(source + "  # why", names)
    assert done() == 0
    cell(source.replace("100", "50"), names)
    assert done() == 10
    names["SHIFT"] = 0.25
    assert done() == 10
    cell("def helper(gain): return gain + 2 * SHIFT", names)
    assert done() == 10
    names["unread"] = 3
    assert done() == 0
    cell(source, names)
    cell("def helper(gain): return gain + SHIFT", names)
    names["SHIFT"] = 0.5
    assert done() == 0  # back as it was: records of the first version are there still


@pytest.mark.parametrize("values", [(0.5, 0.25), (np.arange(3), np.arange(1, 4)), ([1], [2])])
def test_what_a_closure_holds_counts(values: tuple[Any, Any]) -> None:
    """Numbers, lists and arrays."""

    def of(value: Any) -> Callable[..., float]:
        return lambda seed, gain: gain + seed % 3 / 100 + float(np.sum(value))

    def done(value: Any) -> int:
        return len(lines_of(Study("Is two more?", MORE, of(value), seeds=5, margin=0.1)))

    assert [done(values[0]), done(values[0]), done(values[1])] == [10, 0, 10]


def test_an_interrupt_keeps_what_had_finished() -> None:
    """And the next run does the rest."""
    calls: deque[int] = deque()

    def train(seed: int, gain: float) -> float:
        calls.append(seed)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return gain + seed % 3 / 100

    study = Study(
        "Is two more?", {"one": {"gain": 1}, "two": {"gain": 2}}, train, seeds=5, margin=1
    )
    with pytest.raises(KeyboardInterrupt):
        study.run()
    assert len(calls) == 5  # the first run is made twice
    assert study.records["value"].count() == 3
    assert lines_of(study)[-1] == "7 of 7 runs done"
    assert len(calls) == 12


def test_seeds_are_added_until_it_is_decided() -> None:
    """A clear difference needs the first look alone; its looks are registered."""
    train = lambda seed, gain: gain + random.Random(seed * gain).random() / 50  # noqa: E731
    study = Study("Is two more?", MORE, train, seeds=20, margin=0.1)
    lines_of(study, until_decided=True)
    assert study.verdicts["n"].tolist() == [5]
    assert study.verdicts["verdict"].tolist() == ["MATTERS"]


def test_factorials_axes_and_twins_are_written_as_in_yaml() -> None:
    """Under the keys of a suite; the study's metric and margin go into what says none."""

    def train(seed: int, lr: float, aug: bool, ema: bool = False) -> float:
        return lr + aug + 0.1 * ema + random.Random(seed).random() / 50 + lr * (seed % 3) / 100

    factors = {"aug": {"on": {"aug": True}, "off": {"aug": False}}}
    factors |= {"ema": {"on": {"ema": True}, "off": {"ema": False}}}  # type: ignore[dict-item]
    design = {"factors": factors}
    study = Study(
        "What matters?", run=train, factorial=design, base={"lr": 0.1}, seeds=5, margin=0.3
    ).run()
    assert study.verdicts["estimate"].round(6).tolist() == [-1.0, -0.1, 0.0]
    pooled = {"treatment": "off", "baseline": "on", "over": "all", "margin": 0.2}
    crossed = Study(
        "Does it help?",
        {"on": {"aug": True}, "off": {"aug": False}},
        train,
        vary={"lr": [0.1, 0.2]},
        same="on",
        contrasts=[("off", "on"), pooled],
        seeds=5,
        margin=0.3,
        name="crossed",
    ).run()
    assert len(crossed.verdicts) == 3
    assert {*crossed.verdicts["margin"]} == {0.3, 0.2}
    assert {"on (A/A), lr = 0.1"} <= {*crossed.records["arm"]}


def test_a_suite_of_components_is_loaded(folder: Path) -> None:
    """Run here, its verdicts and its accuracy after each task."""
    (folder / "tiny.yaml").write_text(TINY)
    study = load("tiny.yaml", seeds=2)
    with pytest.raises(StoreError, match="nothing has been run there yet"):
        study.verdicts  # noqa: B018
    assert "run() runs it" in study._repr_html_()
    lines_of(study, workers=1)
    assert study.verdicts["verdict"].tolist() == ["UNTESTABLE"]
    rows = study.records.query("arm == 'reptile' and seed == 1 and metric == 'all-classes'")
    assert rows["step"].tolist() == [1, 2, 3, 4, 5]
    assert rows["value"].between(0, 100).all()


def test_records_that_were_stored_are_judged_without_a_run() -> None:
    """Those of the shipped study: the numbers are those of its report."""
    assert ask("demo", "--results", "results")[0] == 0
    study = load(stored_study.STUDY, results="results")
    assert study.verdicts["n"].min() >= 5
    text = Path("results/memory/report.md").read_text()
    for verdict in study.verdicts.itertuples():
        estimate = f"{verdict.estimate:+.2f}".replace("-", "−")
        assert f"| {estimate} |" in text


HOSTILE = "<script>alert(1)</script>"


def test_what_is_shown_is_escaped() -> None:
    """Questions, reasons and arms are text of strangers; so are a table's columns."""

    def train(seed: int, gain: float) -> float:
        raise ValueError(HOSTILE)

    study = Study(
        f"Is {HOSTILE} safe?", {"a": {"gain": 1}, "b": {"gain": 2}}, train, seeds=5, margin=1
    )
    assert HOSTILE not in study._repr_html_()
    shown = study.run()._repr_html_()
    assert "&lt;script&gt;" in shown
    assert "<script" not in shown
    table = pd.DataFrame(
        {
            "seed": [*range(6)] * 2,
            "method": [HOSTILE] * 6 + ["b|**c**"] * 6,
            "m": [*range(6), *range(2, 8)],
        }
    )
    page = compare(table, metric="m", margin=1)._repr_html_()
    assert "<script" not in page
    assert "<table>" in page
    assert page.count("<td>") == 7 * 1


def test_the_face_is_light() -> None:
    """No torch, and no part of the data flow before a study is asked for."""
    code = (
        "import sys\nfrom ablate.api import Study, compare, load\n"
        "assert not {'torch', 'ablate.flow', 'ablate.design.reader', 'yaml'} & {*sys.modules}\n"
    )
    done = python(code)
    assert done.returncode == 0, done.stderr
