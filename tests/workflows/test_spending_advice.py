"""Which spending suits a suite, by simulation at its margins and looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ablate.analysis import judge
from ablate.types import Suite
from ablate.workflows import power_forecast
from ablate.workflows.spending_advice import Spending, recommended, spendings
from reports import foreseen
from tests.conftest import TINY

LONG = TINY.replace(
    "seeds: 3", "seeds: 50\nlooks: [5, 10, 15, 20, 25, 30, 35, 40, 45, 50]\nspread: 4.0 points"
)


def simulated(suite: Suite, spread: float) -> tuple[Spending, ...]:
    """Simulate a suite of a declared spread."""
    suite = replace(suite, spread=spread)
    forecasts = list(power_forecast.forecasts(suite, {}, ""))
    return spendings(
        forecasts, judge.design(suite).looks, power_forecast.hardest(suite), studies=1500
    )


@pytest.mark.slow
@pytest.mark.parametrize(("spread", "best"), [(4.0, "linear"), (2.0, "flat"), (1.0, "flat")])
def test_late_looks_get_more_where_the_margin_is_narrow(
    spread: float, best: str, suite_of: Callable[..., Suite]
) -> None:
    """Half a standard deviation asks for the last looks; one and two are decided early."""
    assert recommended(simulated(suite_of(text=LONG), spread)) == best


@pytest.mark.slow
def test_it_is_what_the_sequential_table_says(suite_of: Callable[..., Suite]) -> None:
    """Every spending decides more than the one before it, for about the same seeds."""
    flat, linear, quadratic = simulated(suite_of(text=LONG), 4.0)
    assert flat.calm < linear.calm < quadratic.calm
    assert flat.matters < linear.matters < quadratic.matters
    assert flat.matters_seeds < linear.matters_seeds < quadratic.matters_seeds


def test_one_look_has_nothing_to_spend(suite_of: Callable[..., Suite]) -> None:
    """Nor a suite of no claim."""
    suite = suite_of(("seeds: 3", "seeds: 12\nspread: 2.0 points"))
    forecasts = list(power_forecast.forecasts(suite, {}, ""))
    assert spendings(forecasts, (12,), 0.05) == ()
    assert spendings([], (5, 12), 0.05) == ()
    assert recommended(()) == ""


def test_the_advice_is_said(suite_of: Callable[..., Suite]) -> None:
    """Against what the suite declares."""
    suite = suite_of(text=LONG)
    found = (Spending("flat", 0.79, 0.83, 35.5, 29.5), Spending("linear", 0.87, 0.87, 35.1, 29.9))
    said = "\n".join(foreseen.spent(found, suite))
    assert "`spend: linear` suits it better than flat" in said
    assert "suits it." in "\n".join(foreseen.spent(found, replace(suite, spend="linear")))
