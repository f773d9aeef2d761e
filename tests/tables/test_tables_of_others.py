"""Tables as other programs print them: what is no run is no pair, whatever it is called."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from ablate.api import compare
from ablate.errors import DataError, SelectionError
from ablate.tables.files import read_table
from tests.commands.test_cli import ask

BASE = (80.1, 81.4, 79.2, 80.8, 82.0)
OURS = (83.0, 84.9, 82.3, 83.6, 85.2)
MEAN = sum(b - a for a, b in zip(BASE, OURS, strict=True)) / 5
CELLS = [
    (i, arm, score)
    for arm, scores in (("base", BASE), ("ours", OURS))
    for i, score in enumerate(scores)
]


def drawn(bar: str, head: str = "") -> str:
    """Write a table that is drawn with a bar of Unicode."""
    rows = [(i, arm, score) for i, arm, score in CELLS]
    lines = [f"{bar} seed {bar} method {bar} accuracy {bar}"]
    lines += [head] if head else []
    lines += [f"{bar} {i} {bar} {arm} {bar} {score} {bar}" for i, arm, score in rows]
    return "\n".join(["┌──┬──┬──┐", lines[0], "╞══╪══╪══╡", *lines[1:], "└──┴──┴──┘"]) + "\n"


def across(names: str, base: Sequence[object], ours: Sequence[object], corner: str) -> str:
    """Write a row an arm."""
    rows = [("base", *base), ("ours", *ours)]
    return "\n".join([f"{corner},{names}", *(",".join(map(str, row)) for row in rows)]) + "\n"


def numbered(*patterns: str) -> str:
    return ",".join(pattern.replace("#", str(i)) for pattern in patterns for i in range(5))


OTHER = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Case:
    """A table that says what `CELLS` say."""

    name: str
    text: str
    asked: str = ""


READ = [
    Case(
        "cross-validation with its times and ranks",
        across(
            f"mean_fit_time,{numbered('split#_test_score')},mean_test_score,rank_test_score",
            (0.1, *BASE, 80.7, 2),
            (9.9, *OURS, 83.8, 1),
            "param",
        ),
        "--arm param --pair split --metric test_score",
    ),
    Case(
        "scores of two parts",
        across(
            numbered("split#_train_score", "split#_test_score"),
            (*OTHER, *BASE),
            (*OTHER, *OURS),
            "param",
        ),
        "--arm param --pair split --metric test_score",
    ),
    Case(
        "two metrics of each seed",
        across(numbered("loss_s#", "accuracy_s#"), (*OTHER, *BASE), (*OTHER, *OURS), "method"),
    ),
    Case(
        "a setting beside the seeds",
        across(f"params,{numbered('seed #')}", (100, *BASE), (200, *OURS), "method"),
    ),
    Case("a table drawn by a library", drawn("│")),
    Case("a table drawn with types", drawn("│", "│ i64 │ str │ f64 │")),
    Case("a heavy table", drawn("┃")),
    Case(
        "LaTeX with a unit in the header",
        "Method & Seed & Acc. (\\%) \\\\\n"
        + "".join(f"{arm} & {i} & {score} \\\\\n" for i, arm, score in CELLS),
        "--arm Method --pair Seed --metric Acc.",
    ),
    *(
        Case(
            f"a row called {name}",
            "seed,base,ours\n"
            + "".join(f"{i},{a},{b}\n" for i, (a, b) in enumerate(zip(BASE, OURS, strict=True)))
            + f"{name},1.9,1.1\n",
            "--arm base --arm ours",
        )
        for name in (
            "Average rank",
            "avg. rank",
            "wins",
            "平均",
            "标准差",
            "среднее",
            "Std.-Abw.",
            "0-4",
            "Relative improvement",
            "Win/Tie/Loss",
        )
    ),
]


@pytest.mark.parametrize("case", READ, ids=[case.name for case in READ])
def test_the_runs_of_a_table_are_its_pairs_and_nothing_else(case: Case, tmp_path: Path) -> None:
    """Neither times, ranks, other parts and metrics, nor what a program draws around them."""
    path = tmp_path / "table.txt"
    path.write_text(case.text, encoding="utf-8")
    code, text = ask("compare", path, "--margin", "1", "--json", *case.asked.split())
    assert code == 0, text
    contrast = json.loads(text)["contrasts"][0]
    assert contrast["n"] == 5
    assert contrast["estimate"] == pytest.approx(MEAN)


def test_columns_that_number_two_measures_are_refused_without_a_name(tmp_path: Path) -> None:
    """Which of them counts cannot be told."""
    path = tmp_path / "table.csv"
    columns = numbered("top_s#", "loss_s#")
    path.write_text(across(columns, (*BASE, *OTHER), (*OURS, *OTHER), "method"))
    code, text = ask("compare", path, "--margin", "1")
    assert code == 2
    assert "several columns stand for one seed" in text


@pytest.mark.parametrize("name", ["step", "Epoch", "global_step", "train/iter"])
@pytest.mark.parametrize("pair", [(), ("seed",)])
def test_the_steps_of_a_run_are_no_pairs(name: str, pair: tuple[str, ...]) -> None:
    """Thirty points of two curves would be thirty pairs, of one run each."""
    rows = [{"seed": 0, name: i, "a": 50 + i, "b": 53 + i} for i in range(30)]
    with pytest.raises(SelectionError, match="history") as refusal:
        compare(pd.DataFrame(rows), margin=1, pair=(*pair, name), arm=("a", "b"))
    assert f"--last {name}" in str(refusal.value)


@pytest.mark.parametrize(("asked", "called"), [("0", "0.0"), ("Base", "base"), (1.0, "1")])
def test_a_baseline_is_known_by_any_spelling(asked: object, called: str) -> None:
    """As arms are: what they are told apart by is told apart by."""
    table = frame().replace({"method": {"base": called}})
    found = compare(table, margin=1, baseline=asked)  # type: ignore[arg-type]
    assert found.verdicts[0].comparison.baseline == called


@pytest.mark.parametrize("orient", ["index", "columns", "split", "table", "records"])
def test_every_form_of_json_that_pandas_writes_is_read(orient: str, tmp_path: Path) -> None:
    """Rows by name, columns by name, or both in lists."""
    path = tmp_path / "table.json"
    frame().to_json(path, orient=orient)  # type: ignore[call-overload]
    verdict = compare(read_table(path), margin=1).verdicts[0]
    assert (verdict.n, verdict.estimate) == (5, pytest.approx(MEAN))


def test_data_sets_of_one_number_are_data_sets(tmp_path: Path) -> None:
    """Only names that a key is counted by are taken apart."""
    path = tmp_path / "table.csv"
    names = "CIFAR-10,CIFAR-100,ImageNet-10,ImageNet-100,SVHN"
    path.write_text(across(names, BASE, OURS, "method"))
    code, text = ask("compare", path, "--margin", "1", "--pair", "dataset", "--json")
    assert code == 0, text
    assert json.loads(text)["contrasts"][0]["n"] == 5


def frame(**columns: Sequence[object]) -> pd.DataFrame:
    table = pd.DataFrame(CELLS, columns=["seed", "method", "accuracy"])
    return table.assign(**columns)


def test_arms_of_two_ranges_of_seeds_are_not_called_crashed() -> None:
    """Each has seeds that the other lacks; what a crash leaves is a part of the other's."""
    table = frame(seed=[*range(5), *range(2, 7)])
    said = " ".join(compare(table, margin=1).warnings)
    assert "run on other values of seed" in said
    assert "has no row" not in said
    lost = " ".join(compare(frame().drop([8, 9]), margin=1).warnings)
    assert "ours has no row for 2 of 5" in lost


def test_a_score_of_a_run_that_is_said_to_have_crashed_is_named() -> None:
    """It counts as it stands, which the reader has to know."""
    states = ["finished"] * 7 + ["crashed", "failed", "finished"]
    said = " ".join(compare(frame(status=states), margin=1).warnings)
    assert "status is 'crashed', 'failed' in 2 rows" in said


def test_pairs_that_are_no_seeds_are_not_called_so() -> None:
    """Neither in a verdict nor in a warning: they are data sets, items, folds."""
    for scores in ([80 + 7 * i % 5 for i in range(10)], [80 + (3 * i * i) % 7 for i in range(10)]):
        table = frame(accuracy=scores).rename(columns={"seed": "item"})
        found = compare(table, margin=1, pair="item")
        assert "pair" in found.verdicts[0].why
        assert not any("seed" in text for text in (found.verdicts[0].why, *found.warnings))


def test_a_metric_that_is_always_zero_shows_nothing() -> None:
    """Of a table no other score is known that could say that the arms are the same."""
    assert compare(frame(accuracy=[0] * 10), margin=1).verdicts[0].decision == "UNTESTABLE"


def test_keys_beyond_the_precision_of_floats_stay_apart(tmp_path: Path) -> None:
    """Written with a point, as pandas does where a column has a gap."""
    path = tmp_path / "table.csv"
    rows = "".join(f"{10**16 + i}.0,{arm},{score}\n" for i, arm, score in CELLS)
    path.write_text(f"seed,method,accuracy\n{rows}")
    assert compare(read_table(path), margin=1).verdicts[0].n == 5


def test_a_pipe_is_read_once_and_no_further_than_a_table_may_be_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Parquet file as well; one that never ends is refused."""
    monkeypatch.setattr("ablate.tables.text.MOST_BYTES", 100_000)
    file, pipe = tmp_path / "table.parquet", tmp_path / "pipe"
    frame().to_parquet(file)
    os.mkfifo(pipe)

    def write(content: bytes) -> threading.Thread:
        writer = threading.Thread(target=_written, args=(pipe, content))
        writer.start()
        return writer

    writer = write(file.read_bytes())
    assert compare(read_table(pipe), margin=1).verdicts[0].n == 5
    writer.join()
    writer = write(b"a,b\n" * 100_000)
    with pytest.raises(DataError, match="keep the columns that are asked for"):
        read_table(pipe)
    writer.join()


def _written(pipe: Path, content: bytes) -> None:
    try:
        pipe.write_bytes(content)
    except BrokenPipeError:  # the reader had enough
        return


@pytest.mark.parametrize("times", [60, 1e3, 1e6])
@pytest.mark.parametrize("whose", ["method", "game"])
def test_scores_of_another_size_are_named_before_any_verdict(times: float, whose: str) -> None:
    """Milliseconds beside seconds, or the returns of one game beside another's."""
    rows = [
        {"seed": i, "method": arm, "game": game, "cost": score * (times if first else 1)}
        for i, arm, score in CELLS
        for game in ("pong", "qbert")
        for first in [(arm if whose == "method" else game) in ("base", "pong")]
    ]
    table, asked = pd.DataFrame(rows), {"margin": 1, "metric": "cost", "block": "game"}
    assert f"{times:,.0f} times those of" in " ".join(_rounded(compare(table, **asked).notes))
    table["cost"] = [score for _, _, score in CELLS for _ in "pq"]
    assert "times those of" not in " ".join(compare(table, **asked).notes)


def _rounded(notes: Sequence[str]) -> list[str]:
    """Round the ratio of two arms' medians as the test writes it."""
    said = [re.sub(r"(?<=about )[\d,]+", lambda m: m[0].replace(",", ""), note) for note in notes]
    return [
        re.sub(r"(?<=about )\d+", lambda m: f"{_nearest(float(m[0])):,.0f}", note) for note in said
    ]


def _nearest(value: float) -> float:
    return min((60, 1e3, 1e6), key=lambda times: abs(value / times - 1))


def test_an_arm_whose_score_never_changes_may_be_one_run() -> None:
    """Seeds that change nothing are copies."""
    same = [80.0] * 5 + list(OURS)
    assert "base has one score, 80" in " ".join(compare(frame(accuracy=same), margin=1).warnings)
    assert "one score" not in " ".join(compare(frame(), margin=1).warnings)


def test_looks_that_are_not_kept_to_are_said_first() -> None:
    """With what it costs."""
    said = " ".join(compare(frame(), margin=1, looks=[8]).notes)
    assert "5 pairs, which is none of the looks declared (8)" in said
    assert "none of the looks" not in " ".join(compare(frame(), margin=1, looks=[5]).notes)


def history(ends: Sequence[int]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"seed": i, "method": arm, "accuracy": score + epoch, "epoch": epoch}
            for (i, arm, score), end in zip(CELLS, ends, strict=True)
            for epoch in range(end)
        ]
    )


def test_a_run_that_ended_before_the_others_is_named() -> None:
    """Its last row is no score of a finished run."""
    said = " ".join(compare(history([3] * 9 + [1]), margin=1, last="epoch").notes)
    assert "ours, seed 4 at 0" in said
    whole = compare(history([3] * 10), margin=1, last="epoch")
    assert whole.verdicts[0].estimate == pytest.approx(MEAN)
    assert "broke off" not in " ".join(whole.notes)


def test_two_last_rows_of_a_run_are_refused() -> None:
    """Wherever they stand; two earlier rows of one epoch do not matter."""
    table = history([3] * 10)
    with pytest.raises(DataError, match="two rows of epoch 2"):
        compare(pd.concat([table, table[2:3]]), margin=1, last="epoch")
    assert compare(pd.concat([table[1:2], table]), margin=1, last="epoch").verdicts[0].n == 5
