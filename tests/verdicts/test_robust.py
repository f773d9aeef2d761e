"""The robust reading beside a verdict, and runs that collapsed."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from ablate.api import compare
from ablate.calibration.by_engine import LIGHT
from ablate.calibration.scenarios import exponential, lognormal
from ablate.types import Comparison, Design
from ablate.verdicts import collapse, diagnostics, robust
from ablate.verdicts.decision import COLLAPSED, ROBUST
from ablate.verdicts.family import battery, conclude
from reports.compared import lines
from tests.conftest import comparison

R = json.loads((Path(__file__).parent.parent / "reference" / "robust.json").read_text())
some = st.lists(st.floats(-50, 50).map(lambda d: round(d, 2)), min_size=5, max_size=20)


def of(kind: str) -> Any:
    return pytest.mark.parametrize("case", [case for case in R if case["kind"] == kind])


@of("trimmed")
def test_the_trimmed_mean_is_rs(case: dict[str, Any]) -> None:
    """With Tukey and McLaughlin's interval."""
    found = robust.reading(comparison(case["deltas"]), "INCONCLUSIVE", case["level"])
    assert found is not None
    assert (found.estimate, found.low, found.high) == pytest.approx(
        case["mean_low_high"], rel=1e-9, abs=1e-10
    )


@of("rate")
def test_a_rate_has_rs_exact_interval(case: dict[str, Any]) -> None:
    """Clopper and Pearson's."""
    found = collapse.rate(case["count"], case["n"])
    assert (found.low, found.high) == pytest.approx(case["interval"], rel=1e-9, abs=1e-15)


@of("mcnemar")
def test_unequal_rates_have_rs_exact_p(case: dict[str, Any]) -> None:
    """McNemar's, of the seeds in which one arm alone collapsed."""
    assert collapse.mcnemar(*case["alone"]) == pytest.approx(case["p"], rel=1e-9)


def judged(deltas: list[float], margin: float = 1.0, **settings: Any) -> Any:
    made = replace(comparison(deltas, margin=margin), **settings)
    (verdict,) = conclude([made], battery(LIGHT), Design(0.05, "holm", (len(deltas),), len(deltas)))
    return verdict


def test_a_verdict_that_a_few_seeds_carry_is_not_bare() -> None:
    """Most of twelve seeds lie inside the margin, two far ones make the mean."""
    deltas = [0.1, -0.2, 0.3, 0.0, 0.2, -0.1, 0.15, 0.05, -0.05, 0.1, 0.2, 0.12]
    deltas[3], deltas[9] = 9.0, 11.0
    assert judged(deltas, 0.05).robust.estimate == pytest.approx(np.mean(sorted(deltas)[2:-2]))
    found = replace(comparison(deltas, margin=1.2))
    beside = robust.reading(found, "MATTERS", 0.05)
    assert beside is not None
    assert (beside.differs, beside.beyond) == (True, pytest.approx(10 / 12))
    beside = robust.reading(found, "NEGLIGIBLE", 0.05)
    assert beside is not None
    assert (beside.differs, beside.beyond) == (False, pytest.approx(2 / 12))


@given(some, st.floats(0.1, 5), st.sampled_from(["MATTERS", "NEGLIGIBLE", "INCONCLUSIVE"]))
@settings(max_examples=100, deadline=None)
def test_the_robust_reading_is_of_no_order_side_or_unit(
    deltas: list[float], margin: float, decision: str
) -> None:
    """Seeds in another order, arms swapped, scores in another unit."""
    made = comparison(deltas, margin=margin, base=1000.0)
    found = robust.reading(made, decision, 0.05)
    assert found is not None
    other = robust.reading(comparison(deltas[::-1], margin=margin, base=1000.0), decision, 0.05)
    assert other is not None
    assert other.estimate == pytest.approx(found.estimate, abs=1e-9)
    swapped = robust.reading(
        comparison([-d for d in deltas], margin=margin, base=1000.0), decision, 0.05
    )
    assert swapped is not None
    assert swapped.estimate == pytest.approx(-found.estimate, abs=1e-9)
    if abs(np.mean(deltas)) > 1e-6:
        assert swapped.beyond == pytest.approx(found.beyond, abs=0.11)
    scaled = robust.reading(
        comparison([10 * d for d in deltas], margin=10 * margin, base=10_000.0), decision, 0.05
    )
    assert scaled is not None
    assert scaled.high == pytest.approx(10 * found.high, rel=1e-6, abs=1e-6)


def test_a_declared_side_is_read_on_its_side() -> None:
    """NO GAIN holds of what is below the margin, MATTERS of what is above it."""
    deltas = [-3.0, -2.5, -2.0, -4.0, -3.5, 2.0]
    found = judged(deltas, 1.0, claim="helps", side=1)
    assert (found.decision, found.robust.decision) == ("NO GAIN", "NO GAIN")
    assert found.robust.beyond == pytest.approx(1 / 6)


def runs(arm: list[float], other: list[float]) -> pd.DataFrame:
    pairs = enumerate(zip(other, arm, strict=True))
    return pd.DataFrame([{"seed": s, "base": b, "new": a} for s, (b, a) in pairs])


def test_a_collapsed_run_counts_and_is_counted() -> None:
    """In the mean, in a rate of its own, and in the words of the terminal."""
    base = [90.1, 89.7, 90.4, 90.0, 89.9, 90.2, 90.3, 89.8, 90.0, 90.1]
    new = [b + 1 + 0.1 * (i % 3) for i, b in enumerate(base)]
    new[4] = 11.3
    found = compare(runs(new, base), margin=0.5, arm=["base", "new"])
    (verdict,) = found.verdicts
    assert COLLAPSED in verdict.flags
    assert verdict.estimate == pytest.approx(np.mean(np.array(new) - base))
    collapses = verdict.collapses
    assert collapses is not None
    assert (collapses.treatment.count, collapses.baseline.count, collapses.places) == (1, 0, (4,))
    kept = [a - b for i, (a, b) in enumerate(zip(new, base, strict=True)) if i != 4]
    assert (collapses.left, collapses.conditional) == (9, pytest.approx(np.mean(kept)))
    said = "\n".join(lines(found))
    assert "collapsed runs" in said
    assert "new 1 of 10 (0.253 to 44.5 %)" in said
    assert "events in fewer than 25.9 % of seeds are not excluded" in said


def test_less_is_better_collapses_upwards() -> None:
    """A loss that explodes, and not one that is very low."""
    losses = [0.31, 0.29, 0.30, 0.32, 9.0, 0.28]
    assert collapse.collapsed(losses, True, 0.01) == {4}
    assert collapse.collapsed(losses, False, 0.01) == set()
    assert collapse.collapsed([-v for v in losses], False, 0.01) == {4}


def test_runs_at_chance_collapsed_however_many_they_are() -> None:
    """Where chance is known, and the arm has learnt; an arm that has not, did not collapse."""
    assert collapse.collapsed([80.0, 12.0, 70.0, 10.1, 75.0, 9.0, 82.0], False, 0.1, 10.0) == {
        1,
        3,
        5,
    }
    assert collapse.collapsed([10.0, 11.0, 9.0, 10.5, 12.0], False, 0.1, 10.0) == set()


@pytest.mark.parametrize("n", [5, 8, 12, 20, 50])
def test_normal_runs_do_not_collapse_and_collapsed_ones_are_found(n: int) -> None:
    """At most 5 % of studies of two normal arms; 95 % of those that hold a collapse to chance."""
    rng = np.random.default_rng(n)

    def found(scores: np.ndarray) -> bool:
        return bool(collapse.collapsed(scores.tolist(), False, 0.01))

    calm = rng.normal(90, 1, (1500, 2, n))
    false = np.mean([found(a) or found(b) for a, b in calm])
    assert false <= 0.05
    for rate in (0.05, 0.1):
        scores = rng.normal(90, 1, (1500, n))
        fell = rng.random((1500, n)) < rate
        scores = np.where(fell, rng.uniform(10, 50, (1500, n)), scores)
        warned = np.mean([found(row) for row in scores[fell.any(1)]])
        assert warned >= 0.95


@given(
    st.lists(st.floats(50, 60).map(lambda v: round(v, 1)), min_size=6, max_size=12),
    st.floats(1, 99),
)
@settings(max_examples=60, deadline=None)
def test_a_collapse_is_of_no_unit_or_order(values: list[float], shift: float) -> None:
    """Scaled and shifted scores, in another order, collapse in the same seeds."""
    values[0] = 1.0
    found = collapse.collapsed(values, False, 0.1)
    assert collapse.collapsed([v / 100 for v in values], False, 0.001) == found
    assert collapse.collapsed([v + shift for v in values], False, 0.1) == found
    turned = collapse.collapsed(values[::-1], False, 0.1)
    assert {len(values) - 1 - place for place in turned} == found


@pytest.mark.parametrize("n", [5, 8, 12, 20, 50])
def test_the_skew_warning_is_sparing_in_normal_worlds(n: int) -> None:
    """At most one normal study of ten; exponential ones are named the more, the more seeds."""
    rng = np.random.default_rng(2)

    def named(rows: np.ndarray) -> float:
        over = [abs(diagnostics.skewness(row)) > diagnostics.expected_skewness(n) for row in rows]
        return float(np.mean(over))

    assert named(rng.normal(size=(2000, n))) <= 0.1
    least = {5: 0.17, 8: 0.3, 12: 0.47, 20: 0.7, 50: 0.95}[n]
    assert named(exponential(rng, (2000, n), 0.0)) >= least
    assert named(lognormal(rng, (2000, n), 0.0)) >= least


def test_every_verdict_says_what_it_does_not_exclude() -> None:
    """1 - .05^(1/n): 45, 26 and 14 % at 5, 10 and 20 seeds."""
    for n, share in ((5, 0.45), (10, 0.26), (20, 0.14)):
        found = judged([5.0 + 0.1 * (i % 4) for i in range(n)])
        assert found.unseen == pytest.approx(share, abs=0.005)
        assert (
            f"events in fewer than {100 * found.unseen:.3g} % of seeds are not excluded"
            in found.why
        )
    few: Comparison = comparison([1.0, 2.0])
    assert math.isnan(judged(list(few.deltas)).unseen)


def test_a_flag_is_told_where_the_verdict_is() -> None:
    """A verdict that rests on the other side of most seeds says so beside its name."""
    deltas = [3.0, 3.1, 2.9, 3.0, 3.05, 2.95, 3.0, 3.02, 0.2, 0.1]
    made = [d - 1.9 for d in deltas]
    for margin in (0.2, 0.5, 0.9, 1.0, 1.05):
        found = judged(made, margin)
        if found.robust.differs:
            assert ROBUST in found.flags
        else:
            assert ROBUST not in found.flags
