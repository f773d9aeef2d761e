"""What a finite test set leaves open in somebody's table."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ablate.api import compare
from ablate.errors import SelectionError
from ablate.tables.test_rows import error


def table(scale: float = 1.0, **more: Any) -> pd.DataFrame:
    rows = [
        {"seed": s, "method": m, "accuracy": scale * (0.9 + 0.001 * s + 0.02 * (m == "new"))}
        for s in range(6)
        for m in ("base", "new")
    ]
    return pd.DataFrame(rows).assign(**more)


def noted(frame: pd.DataFrame, margin: float = 0.01, **settings: Any) -> list[str]:
    found = compare(frame, margin=margin, **settings)
    return [note for note in found.notes if "test rows" in note]


def test_the_error_is_the_spread_of_paired_answers_at_most() -> None:
    """Rows of which each is right in one arm alone as often as can be; drawn many times over."""
    p, q, n = 0.85, 0.8, 400
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(n, [1 - p, 1 - q, p + q - 1], 40_000)  # q's, p's, both
    apart = (drawn[:, 1] - drawn[:, 0]) / n
    assert error(p, q, n) == pytest.approx(apart.std(), rel=0.02)
    assert error(1.0, 1.0, n) == 0.0


def test_it_is_said_where_the_rows_are_known() -> None:
    """By a number, or by a column; in the metric's own unit."""
    assert noted(table()) == []
    means = 0.9225, 0.9025
    expected = error(*means, 500)
    for said in (
        noted(table(), test_rows=500),
        noted(table(test_rows=500)),
        noted(table(n_test=500)),
    ):
        assert len(said) == 1
        assert f"up to {expected:.3g} apart" in said[0]
    percent = noted(table(100.0), margin=1.0, test_rows=500)
    assert f"up to {100 * expected:.3g} apart" in percent[0]
    assert math.isclose(expected, math.sqrt((2 - sum(means) - 0.02**2) / 500))


@pytest.mark.parametrize("rows", [0, -5, 2.5, math.inf, True])
def test_what_is_no_number_of_rows_is_refused(rows: Any) -> None:
    """Whole, and at least one."""
    with pytest.raises(SelectionError, match="test rows"):
        compare(table(), margin=0.01, test_rows=rows)


def test_a_column_that_says_no_number_is_left_alone() -> None:
    """Its name may mean something else."""
    assert noted(table(test_rows="some")) == []
    assert noted(table(test_rows=0.5)) == []
