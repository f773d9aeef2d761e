"""Wide tables whose arms nobody named, and tables that come through a pipe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from ablate.api import compare
from ablate.errors import SelectionError
from tests.commands.test_cli import ROOT, ask
from tests.tables.test_table_properties import gist
from tests.tables.test_tables_as_kept import frame, long


def wide(**names: str) -> pd.DataFrame:
    """Write an arm a column."""
    table = frame().pivot(index="seed", columns="method", values="accuracy").reset_index()
    return pd.DataFrame(table[["seed", "base", "ours"]]).rename(columns=names)


@pytest.mark.parametrize(
    "names",
    [
        {},
        {"base": "acc_base", "ours": "acc_ours"},
        {"base": "0.1", "ours": "0.01"},
        {"base": "resnet18", "ours": "resnet50"},
    ],
)
def test_columns_are_taken_for_arms_and_that_is_said(names: dict[str, str]) -> None:
    """With the option that would say it."""
    guessed = compare(wide(**names), margin=0.01)
    arms = [names.get(name, name) for name in ("base", "ours")]
    assert gist(guessed) == gist(compare(wide(**names), margin=0.01, arm=arms))
    comparison = guessed.verdicts[0].comparison
    assert [comparison.baseline, comparison.treatment] == arms
    note = next(note for note in guessed.notes if "guess" in note)
    assert f"--arm {arms[0]} --arm {arms[1]}" in note


def test_summary_columns_beside_the_arms_are_no_arms() -> None:
    """Nor is one that pandas wrote as its index."""
    table = wide().assign(mean=lambda t: (t["base"] + t["ours"]) / 2)
    assert len(compare(table, margin=0.01).verdicts) == 1


@pytest.mark.parametrize(
    "table",
    [
        wide(base="accuracy2", ours="loss"),
        wide(base="f1", ours="auc"),
        wide(base="acc_base", ours="seconds"),
        wide().assign(fold=1),
        wide().assign(epochs=20),
        wide().assign(updates=lambda t: t["seed"] * 3),
        wide().assign(model="mlp"),
        wide().rename(columns={"seed": "run"}),
        wide()[["seed", "base"]],
    ],
    ids=["metrics", "other metrics", "a metric", "fold", "epochs", "count", "words", "key", "arm"],
)
def test_what_may_be_no_arm_is_not_guessed(table: pd.DataFrame) -> None:
    """Two metrics of one arm, a setting, a column of words, a table without the key."""
    with pytest.raises(SelectionError, match=r"There is no column|one arm only"):
        compare(table, margin=0.01)


def test_an_arm_column_that_was_asked_for_is_not_replaced_by_a_guess() -> None:
    """A misspelt name is an error."""
    with pytest.raises(SelectionError, match="'modle'"):
        compare(wide(), margin=0.01, arm="modle")


def test_a_table_comes_through_a_pipe(tmp_path: Path) -> None:
    """`-` is standard input; what is wrong with it has that name."""
    path = tmp_path / "a.csv"
    path.write_text(long(";"))
    words = [sys.executable, str(ROOT / "cli.py"), "compare", "-", "--margin", "0.01"]
    done = subprocess.run(words, input=path.read_bytes(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode() == ask("compare", path, "--margin", 0.01)[1]
    empty = subprocess.run(words, input=b"", capture_output=True, check=False)
    assert empty.returncode == 2
    assert b"standard input is empty" in empty.stderr
