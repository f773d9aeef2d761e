"""What must hold for any table: over the whole procedure, looks, family and blocks included."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from ablate.api import Compared, compare

pytestmark = pytest.mark.slow

quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
scores = st.one_of(
    # below 1e-75 a table is refused for what it is, as test_compare asserts
    st.floats(0, 1, allow_nan=False).map(lambda value: value if value > 1e-70 else 0.0),
    st.integers(0, 20).map(lambda rows: rows / 20),
    st.just(0.5),
)
UNADJUSTED = ("estimate", "p")


@st.composite
def tables(draw: Any, arms: int = 3, blocks: bool = False) -> pd.DataFrame:
    """Draw a long table: ties, constant arms, lost and crashed runs among it."""
    seeds = draw(st.integers(1, 12))
    rows = [
        {"seed": seed, "method": f"m{arm}", "accuracy": draw(scores), "data": data}
        for data in ("x", "y")[: 2 if blocks else 1]
        for seed in range(seeds)
        for arm in range(arms)
        if draw(st.integers(0, 19)) or (seed == 0)
    ]
    table = pd.DataFrame(rows)
    for row in range(len(table)):
        if not draw(st.integers(0, 24)):
            table.loc[row, "accuracy"] = draw(st.sampled_from([math.nan, math.inf]))
    return table


def judged(table: pd.DataFrame, **more: Any) -> Compared:
    """Judge with a margin of .05 and two looks, unless said otherwise."""
    return compare(table, **{"margin": 0.05, "looks": (5, 9), "resolution": 0.01, **more})


def plain(found: Compared) -> list[dict[str, Any]]:
    """Give the contrasts as plain data."""
    contrasts: list[dict[str, Any]] = found.to_dict()["contrasts"]
    return contrasts


def near(one: Any, other: Any, scale: float = 1.0) -> bool:
    """Say whether two figures agree; None is only None."""
    if one is None or other is None:
        return one is other
    return bool(one * scale == pytest.approx(other, rel=1e-6, abs=1e-7 * scale))


@quick
@given(tables(), st.randoms())
def test_the_order_of_rows_changes_nothing(table: pd.DataFrame, random: Any) -> None:
    """Arms keep their order of appearance, or the roles would change."""
    order = list(range(len(table)))
    random.shuffle(order)
    mixed = table.iloc[order].sort_values("method", kind="stable")
    straight = table.sort_values("method", kind="stable")
    for one, other in zip(plain(judged(straight)), plain(judged(mixed)), strict=True):
        assert one == other


@quick
@given(tables(arms=2))
def test_negating_the_scores_mirrors(table: pd.DataFrame) -> None:
    """The same verdict, the other way."""
    (one,) = plain(judged(table))
    (other,) = plain(judged(table.assign(accuracy=-table["accuracy"])))
    assert one["verdict"] == other["verdict"]
    assert near(one["p"], other["p"])
    for low, high in (("low", "high"), ("inner_low", "inner_high")):
        assert near(one[low], None if other[high] is None else -other[high])
    turned = {"higher": "lower", "lower": "higher", "": ""}
    assert turned[one["direction"]] == other["direction"]


@quick
@given(tables(arms=2), st.floats(-0.5, 0.5).map(lambda shift: round(shift, 9)))
def test_shifting_both_arms_changes_nothing(table: pd.DataFrame, shift: float) -> None:
    """Only differences count."""
    (one,) = plain(judged(table))
    (other,) = plain(judged(table.assign(accuracy=table["accuracy"] + shift)))
    if "always" in one["why"] or "metric is 0" in one["why"] + other["why"]:
        return  # a metric that is 0 in every run is refused for what it is
    assert one["verdict"] == other["verdict"]
    assert all(near(one[name], other[name]) for name in UNADJUSTED)


@quick
@given(tables(arms=2), st.sampled_from([100.0, 0.01, 7.0]))
def test_the_unit_does_not_matter(table: pd.DataFrame, unit: float) -> None:
    """Scores, margin and resolution in another unit; an accuracy's own units are told apart."""
    losses = table.rename(columns={"accuracy": "loss"})
    (one,) = plain(judged(losses, metric="loss"))
    scaled = losses.assign(loss=losses["loss"] * unit)
    (other,) = plain(judged(scaled, metric="loss", margin=0.05 * unit, resolution=0.01 * unit))
    assert one["verdict"] == other["verdict"]
    assert near(one["p"], other["p"])
    assert near(one["estimate"], other["estimate"], unit)


@quick
@given(tables(arms=2), st.lists(scores, min_size=12, max_size=12))
def test_another_arm_changes_no_unadjusted_number(table: pd.DataFrame, extra: list[float]) -> None:
    """It only takes its share of alpha."""
    keys = sorted(set(table["seed"]))
    more = pd.DataFrame({"seed": keys, "method": "m9", "accuracy": extra[: len(keys)], "data": "x"})
    fixed = {"looks": (), "correction": "holm"}
    (one,) = plain(judged(table, **fixed))
    other = plain(judged(pd.concat([table, more]), **fixed))[0]
    assert (one["treatment"], one["baseline"]) == (other["treatment"], other["baseline"])
    assert all(near(one[name], other[name]) for name in UNADJUSTED)
    assert (other["p_adjusted"] or 1) >= (one["p_adjusted"] or 0) - 1e-12


@quick
@given(tables(arms=3, blocks=True))
@pytest.mark.filterwarnings("error")
def test_no_table_ends_in_matters_through_an_error_path(table: pd.DataFrame) -> None:
    """No warning, no exception; what is decided agrees with its interval and its pairs."""
    found = judged(table, block="data")
    for one in [*plain(found), *found.to_dict()["blocks"]]:
        if one["verdict"] == "MATTERS":
            assert one["n"] >= 5
            assert one["low"] > 0.05 or one["high"] < -0.05
        if one["verdict"] == "NEGLIGIBLE" and "INERT" not in one["flags"]:
            assert one["n"] >= 5
            assert one["low"] > -0.05
            assert one["high"] < 0.05
        if one["verdict"] == "UNTESTABLE":
            assert one["why"]
            assert one["p"] is None


@quick
@given(tables(arms=2), st.floats(0, 0.4))
def test_a_broken_test_never_matters(table: pd.DataFrame, apart: float) -> None:
    """Whatever a third party's test raises, the contrast is untestable."""
    from ablate.types import Design
    from ablate.verdicts import family
    from tests.conftest import comparison

    def broken(*_: object) -> Any:
        raise ZeroDivisionError("a third party's")

    one = comparison(list(np.full(8, apart * 100)), margin=1.0)
    (verdict,) = family.conclude([one], {"broken": broken}, Design(0.05, "holm", (8,), 8))
    assert verdict.decision == "UNTESTABLE"
    assert "ZeroDivisionError" in verdict.why
