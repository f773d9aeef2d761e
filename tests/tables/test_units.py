"""What is said of a table before any verdict: its scale, the margin, the metric's direction."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ablate.api import compare
from ablate.errors import DataError, SelectionError
from tests.commands.test_cli import ask
from tests.tables.test_tables_as_kept import BASE, OURS, frame


def notes(table: pd.DataFrame, **asked: Any) -> str:
    return "\n".join(compare(table, **{"margin": 0.01, **asked}).notes)


def loss(scale: float = 1.0) -> pd.DataFrame:
    return (
        frame().rename(columns={"accuracy": "loss"}).assign(loss=lambda t: scale * (1 - t["loss"]))
    )


@pytest.mark.parametrize(
    "name",
    [
        "loss",
        "val_loss",
        "testLoss",
        "error",
        "error_rate",
        "Perplexity",
        "rmse",
        "WER",
        "nll",
        "logloss",
        "time",
    ],
)
def test_a_metric_of_which_less_is_better_is_said(name: str) -> None:
    """Unless it was said before; of an accuracy, the other way around."""
    table = loss().rename(columns={"loss": name})
    assert "--less-is-better" in notes(table, metric=name)
    assert "--less-is-better" not in notes(table, metric=name, lower=True)
    assert "less is better" not in notes(frame())
    assert "more is better" in notes(frame(), lower=True)


def test_less_is_better_turns_words_and_ranks(tmp_path: Path) -> None:
    """Not the difference, which stays treatment - baseline."""
    path = tmp_path / "a.csv"
    loss().to_csv(path, index=False)
    code, text = ask("compare", path, "--metric", "loss", "--margin", 0.01, "--less-is-better")
    assert (code, "MATTERS (lower: helps)  ours − base" in text) == (0, True)
    _, plain = ask("compare", path, "--metric", "loss", "--margin", 0.01, "--lower", "--json")
    told = json.loads(plain)
    assert (told["less_is_better"], told["contrasts"][0]["better"]) == (True, True)
    assert told["contrasts"][0]["direction"] == "lower"


def test_a_margin_that_no_two_scores_are_apart_is_said() -> None:
    """Never a bare NEGLIGIBLE: refused where the scale has no such difference."""
    with pytest.raises(SelectionError, match=r"--margin 0\.01"):
        compare(frame(), margin=1)
    with pytest.raises(SelectionError, match=r"--margin 0\.02"):
        compare(frame(), margin=2)
    found = compare(frame(), margin=0.5)
    assert found.verdicts[0].decision == "NEGLIGIBLE"
    assert any("larger than all scores are apart" in note for note in found.notes)
    assert "larger than" in notes(loss(3), metric="loss", margin=2)
    assert "larger than" not in notes(frame())
    assert "--margin 1" in notes(frame().assign(accuracy=lambda t: 100 * t["accuracy"]))


def test_a_mean_under_a_number_is_said() -> None:
    """Seed -1 of a program that writes the mean there."""
    means = pd.read_csv(
        StringIO(
            f"seed,method,accuracy\n-1,base,{np.mean(BASE):.4f}\n-1,ours,{np.mean(OURS):.4f}\n"
        )
    )
    assert "seed -1 has the mean" in notes(pd.concat([frame(), means]))
    assert "the mean" not in notes(frame())


def test_scores_that_are_no_accuracy_are_said() -> None:
    """A share lies in 0 to 1 or in 0 to 100."""
    assert "no share" in notes(frame().assign(accuracy=lambda t: t["accuracy"] - 0.81))
    assert "no share" in notes(frame().assign(accuracy=lambda t: 500 * t["accuracy"]))
    assert "no share" not in notes(frame())


def mixture(of: str) -> pd.DataFrame:
    """Make a table in which some scores are fractions and the others percent."""
    table = frame().assign(data=["a"] * 10 + ["b"] * 10, row=range(20))
    part = {
        "arm": table["method"] == "ours",
        "row": table["row"] == 7,
        "most": table["row"] != 7,
        "keys": table["seed"] < 4,
    }[of]
    return table.assign(accuracy=table["accuracy"].where(~part, 100 * table["accuracy"]))


@pytest.mark.parametrize("of", ["arm", "row", "most", "keys"])
def test_fractions_among_percentages_are_refused(of: str) -> None:
    """In an arm, in a row, in all rows but one; a score that names its unit is meant."""
    with pytest.raises(DataError, match="mixed"):
        compare(mixture(of), margin=0.01)


def test_a_metric_without_bounds_may_have_small_and_large_scores() -> None:
    """Rows are only named; an arm that is a hundred times the other is refused, a loss said."""
    rewards, losses = (
        lambda of, name=name: mixture(of).rename(columns={"accuracy": name})
        for name in ("reward", "loss")
    )
    assert "mixed" in notes(rewards("row"), metric="reward")
    with pytest.raises(DataError, match="mixed"):
        compare(rewards("arm"), margin=0.01, metric="reward")
    assert "100 times" in notes(losses("arm"), metric="loss")
    assert "100 times" not in notes(losses("row"), metric="loss")


def test_a_small_share_with_its_percent_sign_is_meant() -> None:
    """A run that collapsed to 0.9 % among runs at 80."""
    table = frame().assign(accuracy=lambda t: [f"{100 * s:.2f}%" for s in t["accuracy"]])
    table.loc[3, "accuracy"] = "0.9%"
    assert compare(table, margin=1).verdicts[0].n == 10
