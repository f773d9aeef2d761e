"""Each test against SciPy's or a hand-worked answer; degenerate input included."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from ablate.stats.student import spread
from ablate.stats.test.effect_size import EffectSize
from ablate.stats.test.equivalence import Equivalence
from ablate.stats.test.minimal_effect import MinimalEffect
from ablate.stats.test.paired_t import PairedT
from ablate.stats.test.sign_flip import SignFlip, by_drawing, by_halves, on_integers
from ablate.verdicts import decision
from tests.conftest import comparison

DELTAS = [1.25, 0.5, 2.0, -0.25, 1.0, 0.75, 1.5, 0.25]


def test_paired_t_is_scipys() -> None:
    """p and interval."""
    expected = stats.ttest_1samp(DELTAS, 0)
    low, high = expected.confidence_interval(0.95)
    found = PairedT()(comparison(DELTAS), 0.05)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9)


def test_tost_is_the_larger_of_scipys_two_one_sided_tests() -> None:
    """Margin 1.5."""
    below = stats.ttest_1samp(DELTAS, -1.5, alternative="greater").pvalue
    above = stats.ttest_1samp(DELTAS, 1.5, alternative="less").pvalue
    found = Equivalence()(comparison(DELTAS, margin=1.5), 0.05)
    assert found.p == pytest.approx(max(below, above), rel=1e-9)
    low, high = stats.ttest_1samp(DELTAS, 0).confidence_interval(0.90)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9)


def test_tost_is_statsmodels() -> None:
    """Another library's answer."""
    from statsmodels.stats.weightstats import ttost_paired

    expected = ttost_paired(np.array(DELTAS), np.zeros(8), -1.5, 1.5)[0]
    assert Equivalence()(comparison(DELTAS, margin=1.5), 0.05).p == pytest.approx(
        expected, rel=1e-9
    )


def test_minimal_effect_is_scipys_tail_beyond_the_margin() -> None:
    """Twice the smaller one-sided p, so that it answers to the two-sided interval."""
    above = stats.ttest_1samp(DELTAS, 0.2, alternative="greater").pvalue
    assert MinimalEffect()(comparison(DELTAS, margin=0.2), 0.05).p == pytest.approx(2 * above)


@given(
    st.lists(st.integers(-40, 40), min_size=3, max_size=30).filter(lambda d: len(set(d)) > 1),
    st.floats(0.1, 20),
)
@settings(max_examples=60, deadline=None)
def test_the_p_values_answer_to_the_intervals(rows: list[int], margin: float) -> None:
    """p <= alpha exactly when the interval lies outside, or inside, the margin."""
    made = comparison([row / 4 for row in rows], margin=margin)
    larger, smaller = MinimalEffect()(made, 0.05), Equivalence()(made, 0.05)
    outside = larger.low > margin or larger.high < -margin
    inside = -margin < smaller.low and smaller.high < margin
    assert (larger.p <= 0.05) == outside or abs(larger.p - 0.05) < 1e-9
    assert (smaller.p <= 0.05) == inside or abs(smaller.p - 0.05) < 1e-9


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=9))
@settings(max_examples=60, deadline=None)
def test_the_exact_sign_flip_counts_every_assignment(deltas: list[int]) -> None:
    """By brute force over all 2^n signs."""
    sums = [abs(np.dot(signs, deltas)) for signs in itertools.product((-1, 1), repeat=len(deltas))]
    expected = np.mean(np.array(sums) >= abs(sum(deltas)))
    assert on_integers(np.array(deltas)) == pytest.approx(expected, abs=1e-12)


def test_the_sign_flip_agrees_with_scipy() -> None:
    """On a grid by convolution, off it by halves; SciPy enumerates."""

    def by_scipy(deltas: np.ndarray) -> float:
        done = stats.permutation_test(
            (deltas,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True
        )
        return float(done.pvalue)

    expected = by_scipy(np.array(DELTAS))
    assert SignFlip()(comparison(DELTAS), 0.05).p == pytest.approx(expected, abs=1e-12)
    off_grid = [delta + 0.01 * i for i, delta in enumerate(DELTAS)]
    found = SignFlip()(comparison(off_grid), 0.05)
    assert found.p == pytest.approx(by_scipy(np.array(off_grid)), abs=1e-12)
    irrational = np.sqrt(np.arange(2.0, 12.0)) * np.where(np.arange(10) % 4, 1, -1)
    assert by_halves(irrational, 1e-13) == pytest.approx(by_scipy(irrational), abs=1e-12)


def test_drawn_signs_are_close_to_the_exact_answer_and_repeat() -> None:
    """Twenty pairs: 99,999 draws against the convolution."""
    draws = np.random.default_rng(1)
    rows = draws.integers(-20, 30, 20)
    first = by_drawing(rows / 4)
    assert first == by_drawing(rows / 4)
    assert first == pytest.approx(on_integers(rows), abs=0.01)
    assert by_halves(rows[rows != 0] / 4, 1e-13) == pytest.approx(on_integers(rows), rel=1e-12)


@pytest.mark.parametrize(
    ("n", "floor"), [(3, 0.25), (4, 0.125), (5, 0.0625), (6, 0.03125), (8, 0.0078125)]
)
def test_the_sign_flip_knows_its_floor(n: int, floor: float) -> None:
    """2 / 2^n, which all-positive differences reach; zeros do not count."""
    assert SignFlip()(comparison([1.0] * n), 0.05).p == pytest.approx(floor)
    assert SignFlip()(comparison([1.0] * n), 0.05).floor == floor
    assert SignFlip()(comparison([1.0] * n + [0.0] * 4), 0.05).floor == floor


def test_the_effect_size_interval_inverts_the_noncentral_t() -> None:
    """At its ends the observed t has probability 2.5 and 97.5 %."""
    for deltas in (DELTAS, [-delta for delta in DELTAS]):
        found = EffectSize()(comparison(deltas), 0.05)
        t = np.mean(deltas) / np.std(deltas, ddof=1) * 8**0.5
        assert found.estimate == pytest.approx(t / 8**0.5)
        assert stats.nct.cdf(t, 7, found.low * 8**0.5) == pytest.approx(0.975, abs=1e-6)
        assert stats.nct.cdf(t, 7, found.high * 8**0.5) == pytest.approx(0.025, abs=1e-6)


@pytest.mark.parametrize(
    "deltas", [[0.0] * 6, [1.0] * 6, [1e-16, 0, 0, 0, 0, 0], [500.0] * 5, [3.0, 3.0 + 1e-13] * 3]
)
def test_differences_without_spread_are_judged_on_one_test_row(deltas: list[float]) -> None:
    """Neither warning nor exception nor a t of 10^60."""
    made = comparison(deltas)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = [
            test()(made, 0.05)
            for test in (PairedT, MinimalEffect, Equivalence, EffectSize, SignFlip)
        ]
    assert spread(made) == 0.25
    for result in results[:3]:
        assert 0 <= result.p <= 1
        assert result.high - result.low > 0.1


@given(st.permutations(range(8)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_seeds_changes_nothing(order: list[int]) -> None:
    """In any test."""
    for test in (PairedT(), MinimalEffect(), Equivalence(), SignFlip(), EffectSize()):
        first = test(comparison(DELTAS), 0.05)
        again = test(comparison([DELTAS[i] for i in order]), 0.05)
        assert (again.p, again.estimate) == pytest.approx((first.p, first.estimate), nan_ok=True)


def test_negating_the_differences_mirrors_the_results() -> None:
    """p stays, the interval changes sides."""
    for test in (PairedT(), MinimalEffect(), Equivalence(), EffectSize()):
        first = test(comparison(DELTAS), 0.05)
        mirrored = test(comparison([-delta for delta in DELTAS]), 0.05)
        assert (-mirrored.high, -mirrored.low) == pytest.approx((first.low, first.high))
        assert mirrored.p == pytest.approx(first.p, nan_ok=True)


def test_a_test_that_raises_makes_the_contrast_untestable() -> None:
    """Never MATTERS."""

    def broken(*_: object) -> object:
        raise ArithmeticError("oops")

    evidence = decision.examine(comparison(DELTAS), {"x": broken}, 0.05)  # type: ignore[dict-item]
    assert evidence.fault == "a test raised ArithmeticError: oops"
    assert evidence.p == 1
