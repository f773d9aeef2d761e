"""Tests beside the verdict: bounded in memory, exact where they count instead of hold, guarded."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ablate.stats import aggregate
from ablate.stats.guarded import NEEDED, beside
from ablate.stats.signed_rank import signed_rank
from ablate.stats.test import bootstrap, sign_evidence, superiority, wilcoxon
from ablate.types import Comparison, Design, TestResult
from ablate.verdicts import diagnostics
from ablate.verdicts.family import battery, conclude
from tests.conftest import comparison

wholes = st.lists(st.integers(-50, 50), min_size=2, max_size=40)


def many(n: int, seed: int = 0) -> Comparison:
    """Make n pairs of 0 and 1, as of n questions."""
    draws = np.random.default_rng(seed).random((2, n)) < [[0.70], [0.71]]
    a, b = (tuple(map(float, side)) for side in draws)
    return Comparison("b", "a", "correct", 0.01, tuple(range(n)), b, a, (), 1.0)


@pytest.mark.parametrize("name", sorted(battery()))
def test_no_test_holds_a_number_for_every_two_pairs(name: str) -> None:
    """20,000 pairs have 200 million Walsh averages, which are 1.6 GB."""
    pairs, test = many(20_000), battery((name,))[name]
    tracemalloc.start()
    try:
        result = test(pairs, 0.05)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result.n == 20_000
    assert math.isfinite(result.estimate)
    assert peak < 250e6


@given(wholes)
def test_counted_walsh_averages_are_the_held_ones(deltas: list[int]) -> None:
    """At every place in their order."""
    values = np.array(deltas, float)
    i, j = np.triu_indices(len(values))
    held = np.sort((values[i] + values[j]) / 2)
    found = [wilcoxon._bisected(np.sort(values), place + 1) / 2 for place in range(len(held))]
    assert found == held.tolist()


@given(wholes, wholes)
def test_placements_are_the_signs_of_every_two_runs(x: list[int], y: list[int]) -> None:
    """And so are Cliff's delta and the ties."""
    signs = np.sign(np.subtract.outer(np.array(x), np.array(y)))
    assert superiority.placements(x, y) == pytest.approx(signs.mean(1))
    assert superiority.cliffs_delta(x, y) == pytest.approx(signs.mean())
    assert superiority.tied_pairs(x, y) == (signs == 0).sum()


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=60), st.sampled_from([0.01, 0.05, 0.3]))
def test_the_bisected_sign_interval_is_the_searched_one(deltas: list[float], alpha: float) -> None:
    """The last k whose evidence reaches 1 / alpha."""
    n, ranked = len(deltas), sorted(deltas)
    enough = [
        k for k in range(1, n // 2 + 1) if sign_evidence.log_evidence(k - 1, n) >= -math.log(alpha)
    ]
    expect = (ranked[enough[-1] - 1], ranked[n - enough[-1]]) if enough else (-math.inf, math.inf)
    assert sign_evidence.interval(deltas, alpha) == expect


def test_the_evidence_of_many_signs_continues_that_of_few() -> None:
    """Log gamma beyond 1,000 signs, whole numbers before."""
    whole = 1_500 * math.log(2) - math.log(1_501) - math.log(math.comb(1_500, 800))
    assert sign_evidence.log_evidence(800, 1_500) == pytest.approx(whole, rel=1e-9)


@pytest.mark.parametrize("shared", [True, False])
def test_improvement_of_many_runs_is_that_of_few(
    shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The normal interval is near the resampled one."""
    rng = np.random.default_rng(0)
    base = [rng.normal(size=400) for _ in range(3)]
    new = [block + rng.normal(0.2, 0.5, 400) for block in base]
    drawn = aggregate.improvement(new, base, shared=shared)
    monkeypatch.setattr(aggregate, "ALL_PAIRS", 100)
    normal = aggregate.improvement(new, base, shared=shared)
    assert normal.value == pytest.approx(drawn.value)
    assert 0.01 < drawn.high - drawn.low < 0.2
    assert (normal.low, normal.high) == pytest.approx((drawn.low, drawn.high), abs=0.005)


def test_the_bootstrap_of_many_pairs_is_that_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn pair by pair, or counted."""
    pairs = comparison(np.random.default_rng(0).normal(1, 1, 300).tolist(), resolution=1e-9)
    counted = bootstrap.BootstrapT()(pairs, 0.05)
    monkeypatch.setattr(bootstrap, "COUNTED", 100)
    drawn = bootstrap.BootstrapT()(pairs, 0.05)
    assert drawn.p <= 0.01
    assert (drawn.low, drawn.high) == pytest.approx((counted.low, counted.high), abs=0.02)


def test_the_posterior_over_many_data_sets_is_not_computed() -> None:
    """Every draw weighs every two of them."""
    assert math.isnan(signed_rank([0.1] * 1_001, 0.05).inside)
    assert signed_rank([0.1] * 20, 0.05).above > 0.9


def broken(*_: object) -> TestResult:
    """Raise what a machine without memory raises."""
    raise MemoryError("Unable to allocate 18.6 GiB")


@pytest.mark.parametrize("name", sorted({*battery()} - {*NEEDED}))
def test_a_test_beside_the_verdict_that_raises_leaves_it_as_it_was(name: str) -> None:
    """It has no figures, and says why."""
    pairs, design = comparison([1.5, 1.6, 1.4, 1.5, 1.7, 1.5, 1.6]), Design(0.05, "holm", (7,), 7)
    whole = conclude([pairs], beside(battery()), design)[0]
    without = conclude([pairs], beside({**battery(), name: broken}), design)[0]
    assert whole.decision == "MATTERS"
    assert (without.decision, without.p, without.low) == (whole.decision, whole.p, whole.low)
    assert math.isnan(without.tests[name].p)
    assert without.tests[name].note == "MemoryError: Unable to allocate 18.6 GiB"


@pytest.mark.parametrize("name", NEEDED)
def test_a_test_that_the_verdict_rests_on_makes_it_untestable(name: str) -> None:
    """No exception path ends in MATTERS."""
    pairs, design = comparison([1.5, 1.6, 1.4, 1.5, 1.7, 1.5, 1.6]), Design(0.05, "holm", (7,), 7)
    verdict = conclude([pairs], beside({**battery(), name: broken}), design)[0]
    assert (verdict.decision, "MemoryError" in verdict.why) == ("UNTESTABLE", True)


def test_the_report_says_which_test_could_not_be_computed() -> None:
    """Among the warnings, with the reason."""
    pairs, design = comparison([1.5, 1.6, 1.4, 1.5, 1.7, 1.5, 1.6]), Design(0.05, "holm", (7,), 7)
    verdicts = conclude([pairs], beside({**battery(), "wilcoxon": broken}), design)
    assert any("wilcoxon: MemoryError" in warning for warning in diagnostics.of(verdicts, design))


def test_every_caller_of_the_battery_has_its_tests_guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard is where tests are built, so that no caller can forget it."""
    name = next(name for name in battery() if name not in NEEDED)
    monkeypatch.setattr("ablate.registry.Catalogue.load", lambda *_: lambda: broken)
    assert battery([name])[name](comparison([1.0, 2.0, 3.0]), 0.05).note.startswith("MemoryError")
