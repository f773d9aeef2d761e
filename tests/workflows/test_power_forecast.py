"""What a suite can show before it is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import cli
from ablate.errors import SelectionError, SuiteError
from ablate.stats import power
from ablate.types import Design, Suite
from ablate.workflows import power_forecast
from ablate.workflows.power_forecast import Spread
from tests.conftest import TINY, comparison

DECLARED = ("seeds: 3", "seeds: 12\nspread: 2.0 points")


def test_a_declared_spread_needs_no_record(suite_of: Callable[..., Suite]) -> None:
    """The figures are those of the power functions at the suite's seeds."""
    (found,) = power_forecast.forecasts(suite_of(DECLARED), {}, "")
    assert (found.sd, found.seeds, found.source) == (2.0, 12, "declared")
    assert found.matters == pytest.approx(power.minimal_effect(12, 4.0, 2.0, 2.0))
    assert found.equivalent == pytest.approx(power.equivalence(12, 0.0, 2.0, 2.0))
    assert found.seeds_negligible == 11  # of the specification's table: 11 at one sd
    assert np.isnan(found.low)


def test_looks_and_families_cost_power(suite_of: Callable[..., Suite]) -> None:
    """The last look is read more strictly, and so is each of ten claims."""
    one = comparison([0.0] * 6, margin=2.0)
    alone = power_forecast.forecast(
        one, Spread(2.0), "declared", Design(0.05, "holm", (12,), 12), 0.05
    )
    looked = power_forecast.forecast(
        one, Spread(2.0), "declared", Design(0.05, "holm", (5, 8, 12), 12), 0.05
    )
    shared = power_forecast.forecast(
        one, Spread(2.0), "declared", Design(0.05, "holm", (12,), 12), 0.005
    )
    assert alone.equivalent > looked.equivalent > shared.equivalent
    assert alone.detectable < looked.detectable < shared.detectable


def test_the_spread_of_records_has_an_interval() -> None:
    """From the differences themselves; without any, a pilot is proposed."""
    deltas = list(np.random.default_rng(1).normal(0, 2, 8))
    spread = power_forecast.spread_of(comparison(deltas))
    design = Design(0.05, "holm", (8,), 8)
    found = power_forecast.forecast(comparison(deltas), spread, "8 seeds", design, 0.05)
    assert found.low < found.sd == float(np.std(deltas, ddof=1)) < found.high


def test_without_a_spread_a_pilot_is_proposed(suite_of: Callable[..., Suite]) -> None:
    """And a suite without claims has nothing to forecast."""
    with pytest.raises(SelectionError, match="--pilot 5"):
        list(power_forecast.forecasts(suite_of(), {}, ""))
    with pytest.raises(SelectionError, match="nothing to forecast"):
        list(power_forecast.forecasts(replace(suite_of(), contrasts=()), {}, ""))
    with pytest.raises(SuiteError, match="for spread"):
        suite_of(("seeds: 3", "seeds: 3\nspread: wide"))


def test_a_pilot_runs_seeds_that_the_suite_never_uses(tmp_path: Path) -> None:
    """The suite itself is as unrun afterwards as before."""
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)

    def ask(*words: object) -> tuple[int, str]:
        done = CliRunner().invoke(
            cli.main, [*map(str, words), str(path), "--results", str(tmp_path / "r")]
        )
        return done.exit_code, done.output

    code, said = ask("power", "--pilot", 3, "--workers", 1)
    assert code == 0
    assert "3 pilot seeds" in said
    assert "80 % needs" in said
    assert "6 of 6 to run" in ask("plan")[1] or "6 runs" in ask("plan")[1]
    assert ask("power")[0] == 2
