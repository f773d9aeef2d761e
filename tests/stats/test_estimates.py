"""Ranks, mixed models, shares of variance, power, intervals: against R and numbers by hand."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, permutation_test

from ablate.stats import friedman, power, signed_rank
from ablate.stats.aggregate import improvement, iqm, iqm_interval, profile
from ablate.stats.mixed import mixed
from ablate.stats.pooled import pooled
from ablate.stats.shares import shares
from ablate.stats.test.bootstrap import BootstrapT
from ablate.stats.test.hedges import HedgesG
from ablate.stats.test.sign_evidence import SignEvidence
from ablate.stats.test.sign_flip import SignFlip
from ablate.stats.test.superiority import Superiority, cliffs_delta
from ablate.stats.test.wilcoxon import Wilcoxon
from tests.conftest import comparison, reference


def cases(what: str, wanted: Callable[[dict[str, Any]], object] = bool) -> Callable[..., Any]:
    """Run a test over R's cases of a kind, by what they expect."""
    found = [one for one in reference(what) if wanted(one["expect"])]
    assert found
    return pytest.mark.parametrize("case", found, ids=[one["name"] for one in found])


@cases("friedman")
def test_ranks_are_rs(case: dict[str, Any]) -> None:
    """Friedman, Iman-Davenport, Nemenyi; Demsar's published tables among them."""
    scores, expect = np.array(case["input"]["scores"], float), case["expect"]
    found = friedman.friedman(scores)
    assert found.ranks == pytest.approx(expect["average_ranks"], abs=1e-12)
    assert found.statistic == pytest.approx(expect["statistic"], abs=1e-9)
    known = (max(found.floor, expect[name]) for name in ("p", "iman_davenport_p"))
    assert (found.p, found.f_p) == pytest.approx(tuple(known), rel=1e-9, abs=1e-15)
    arms = scores.shape[1]
    assert friedman.critical_difference(arms, len(scores)) == pytest.approx(
        expect["nemenyi_cd_05_fine"], abs=1e-9
    )
    p = friedman.nemenyi(found.ranks, len(scores))
    off = ~np.eye(arms, dtype=bool)
    assert p[off] == pytest.approx(np.array(expect["nemenyi_p_fine"], float)[off], abs=1e-7)


def test_conover_against_a_published_value() -> None:
    """Perfect agreement of three blocks, and scikit-posthocs' figure for a small table."""
    agree = np.array([[0.9, 0.8, 0.7]] * 3)
    assert friedman.conover(agree)[0] == pytest.approx([1.0, 1 / 36, 1 / 36])
    scores = np.array([[1.0, 2.0, 3.0], [2.0, 1.0, 3.0], [1.0, 3.0, 2.0], [1.0, 2.0, 3.0]])
    # rank sums 11, 8, 5; A = 56; sqrt(2 * 4 * (56 - 210 / 4) / 6) = sqrt(14 / 3)
    t = 6 / math.sqrt(14 / 3)
    assert friedman.conover(scores)[0, 2] == pytest.approx(0.0322, abs=2e-3)
    assert friedman.conover(scores)[0, 2] == pytest.approx(_two_sided(t, 6), rel=1e-9)


def _two_sided(t: float, df: int) -> float:
    from scipy.stats import t as student

    return 2 * float(student.sf(t, df))


def test_two_arms_and_ties_have_ranks() -> None:
    """Of two arms the square of the sign test's z; without differences 0."""
    up = np.array([[1.0, 2.0]] * 5 + [[2.0, 1.0]])
    assert friedman.friedman(up).statistic == pytest.approx((5 - 1) ** 2 / 6)
    flat = friedman.friedman(np.ones((4, 3)))
    assert (flat.statistic, flat.p, flat.f_p) == (0.0, 1.0, 1.0)
    assert friedman.friedman(up, lower=True).ranks == (1 + 1 / 6, 2 - 1 / 6)


def test_cliques_join_what_is_not_told_apart() -> None:
    """No clique inside another, none across a difference."""
    p = np.ones((4, 4))
    p[0, 2] = p[2, 0] = p[0, 3] = p[3, 0] = p[1, 3] = p[3, 1] = 0.01
    assert friedman.cliques([1.0, 2.0, 3.0, 4.0], p) == [(0, 1), (1, 2), (2, 3)]
    assert friedman.cliques([4.0, 3.0, 2.0, 1.0], np.ones((4, 4))) == [(3, 2, 1, 0)]
    assert friedman.cliques([1.0, 2.0], np.zeros((2, 2))) == []


@cases("mixed_model")
def test_the_mixed_model_is_lme4s(case: dict[str, Any]) -> None:
    """At the polished optimum, also where the variance between blocks is 0."""
    found, expect = mixed(case["input"]["delta"], case["input"]["block"]), case["expect"]
    assert found.estimate == pytest.approx(expect["estimate"], rel=1e-9)
    assert found.error == pytest.approx(expect["se"], rel=1e-8)
    assert found.sd_between == pytest.approx(expect["sd_between"], abs=1e-6 * expect["sd_residual"])
    assert found.sd_residual == pytest.approx(expect["sd_residual"], rel=1e-7)


def test_a_mixed_model_of_what_does_not_vary() -> None:
    """Blocks that agree with themselves leave their own spread; equal differences leave none."""
    found = mixed([1.0, 1.0, 3.0, 3.0], ["a", "a", "b", "b"])
    assert (found.estimate, found.sd_residual) == (2.0, 0.0)
    assert found.sd_between == pytest.approx(math.sqrt(2))
    assert mixed([1.0] * 4, ["a", "a", "b", "b"]).error == 0


@cases("anova")
def test_shares_are_rs_sums_of_squares(case: dict[str, Any]) -> None:
    """Of full grids and of grids with holes (type II)."""
    columns, factors = case["input"]["columns"], case["input"]["factors"]
    found = shares(columns["y"], columns["seed"], {name: columns[name] for name in factors})
    terms = {":".join(term.names): term for term in found.terms}
    assert found.residual_df == case["expect"]["residual_df"]
    for one in case["expect"]["terms"]:
        if case["name"] == "anova/npk" and one["term"] == "seed":
            continue  # there the blocks hide an interaction, so that R's order of terms matters
        mine = terms[one["term"]]
        assert mine.df == one["df"]
        assert mine.ss == pytest.approx(one["ss"], rel=1e-8, abs=1e-12)
        assert mine.p == pytest.approx(one["p"], rel=1e-7, abs=1e-14)


def test_shares_of_a_full_grid_add_up() -> None:
    """And the intervals hold the shares; a hole in the grid makes it type II."""
    rng = np.random.default_rng(3)
    grid = list(itertools.product(range(6), "ab", "xyz"))
    y = [50 + 3 * (a == "b") + (z == "y") + rng.normal() for _, a, z in grid]
    seeds, factors = (
        [s for s, *_ in grid],
        {"A": [a for _, a, _ in grid], "C": [z for *_, z in grid]},
    )
    found = shares(y, seeds, factors)
    assert found.full
    assert sum(term.share for term in found.terms) + found.residual == pytest.approx(1)
    assert sum(term.of_means for term in found.terms[1:]) == pytest.approx(1)
    main = next(term for term in found.terms if term.names == ("A",))
    assert main.low < main.share < main.high
    assert main.p < 0.001
    holes = shares(y[1:], seeds[1:], {name: said[1:] for name, said in factors.items()})
    assert not holes.full
    assert math.isnan(holes.terms[1].low)
    shifted = shares([value + 1e6 for value in y], seeds, factors)
    assert shifted.terms[1].share == pytest.approx(found.terms[1].share, rel=1e-6)


def test_shares_of_what_does_not_vary_are_zero() -> None:
    """No warning, no NaN in what is shown; a single seed is refused."""
    grid = list(itertools.product(range(3), "ab"))
    flat = shares([7.0] * 6, [s for s, _ in grid], {"A": [a for _, a in grid]})
    assert [term.share for term in flat.terms] == [0.0, 0.0]
    assert flat.terms[1].p == 1.0
    with pytest.raises(ValueError, match="two seeds"):
        shares([1.0, 2.0], [0, 0], {"A": ["a", "b"]})


@cases("welch_satterthwaite")
def test_blocks_of_their_own_seeds_are_pooled_as_in_r(case: dict[str, Any]) -> None:
    """Standard error, degrees of freedom and interval."""
    found, expect = pooled(case["input"]["blocks"]), case["expect"]
    assert (found.estimate, found.error, found.df) == pytest.approx(
        (expect["estimate"], expect["se"], expect["df"]), rel=1e-9
    )
    assert found.interval() == pytest.approx(
        (expect["conf_low_95"], expect["conf_high_95"]), rel=1e-8, abs=1e-12
    )
    assert found.claims(0.0)[0] == pytest.approx(expect["p"], rel=1e-8)


@cases("power")
def test_power_is_rs(case: dict[str, Any]) -> None:
    """Of the paired t, the minimal-effect test and TOST, and the seeds they need."""
    given, expect = case["input"], case["expect"]
    alpha, sd = given["alpha"], given["sd"]
    chances: dict[str, Callable[[int], float]] = {
        "paired_t": lambda n: power.paired_t(n, given["delta"], sd, alpha),
        "tost": lambda n: power.equivalence(
            n, given["true_difference"], sd, given["margin"], alpha
        ),
        "minimal_effect": lambda n: power.minimal_effect(
            n, given["delta"], sd, given["margin"], alpha
        ),
    }
    chance = chances[given["kind"].removesuffix("_n")]
    if given["kind"].endswith("_n"):
        needed = expect.get("n", expect.get("n_two_sided"))
        assert power.seeds(chance, given["power"]) == needed
    else:
        said = expect.get("power", expect.get("power_two_sided"))
        assert chance(given["n"]) == pytest.approx(said, abs=1e-8)


def test_the_detectable_difference_has_its_power() -> None:
    """It is the inverse of the power, and beyond the margin."""
    found = power.detectable(12, 2.0, 1.0)
    assert power.minimal_effect(12, found, 2.0, 1.0) == pytest.approx(0.8)
    assert found > 1
    assert power.seeds(lambda n: 0.0) == 0


@cases("iqm")
def test_the_interquartile_mean_is_rs(case: dict[str, Any]) -> None:
    """Of fewer than four scores, the mean."""
    assert iqm(case["input"]["x"]) == pytest.approx(case["expect"]["iqm"], rel=1e-12)


def test_whole_seeds_are_resampled_where_data_sets_share_them() -> None:
    """What is the same in every data set is no more certain for being counted four times."""
    one = np.random.default_rng(1).normal(size=12)
    shared, apart = iqm_interval([one] * 4), iqm_interval([one] * 4, shared=False)
    assert shared.value == apart.value
    assert shared.high - shared.low > 1.5 * (apart.high - apart.low)
    assert profile([one], [-100.0, 100.0]).tolist() == [1.0, 0.0]


def test_the_probability_of_improvement_is_counted_inside_each_data_set() -> None:
    """All better, none better, and all the same; every run of unequal data sets counts."""
    up = [np.arange(3.0), np.arange(3.0) + 50]
    more = [block + 10 for block in up]
    assert improvement(more, up).value == 1
    assert improvement(up, more).value == 0
    assert improvement(up, up).value == 0.5
    uneven = improvement(
        [np.array([2.0, 2.0, 0.0, 0.0]), np.array([5.0])],
        [np.array([1.0, 1.0, 1.0]), np.array([4.0])],
        shared=False,
    )
    assert uneven.value == 0.75
    assert iqm_interval([np.arange(9.0), np.array([4.0])], shared=False).value == 4.0


@cases("cliffs_delta")
def test_cliffs_delta_is_counted(case: dict[str, Any]) -> None:
    """And A12 from it."""
    given, expect = case["input"], case["expect"]
    assert cliffs_delta(given["x"], given["y"]) == pytest.approx(expect["delta"], abs=1e-12)
    assert (1 + cliffs_delta(given["x"], given["y"])) / 2 == pytest.approx(expect["a12"])


def test_superiority_is_mann_whitneys() -> None:
    """Its p, its floor, and an interval that holds it, also where one arm is above."""
    some = comparison([1.0, -0.5, 2.0, 0.7, 1.5, 3.0])
    found = Superiority()(some, 0.05)
    apart = [3.0, 1.0, 4.5, 2.2, 7.0, 6.1], [0.5, 2.1, 1.7, 2.0, 0.1, 4.6]
    free = replace(some, treatment_values=tuple(apart[0]), baseline_values=tuple(apart[1]))
    assert Superiority()(free, 0.05).p == pytest.approx(mannwhitneyu(*apart).pvalue)
    assert found.low < found.estimate < found.high <= 1
    above = Superiority()(comparison([1.0, 2.0, 3.0]), 0.05)
    assert (above.estimate, above.high, above.floor) == (1.0, 1.0, 0.1)
    assert 0 < above.low < 1
    flat = Superiority()(comparison([0.0] * 4), 0.05)
    assert (flat.p, flat.estimate) == (1.0, 0.5)


@pytest.mark.parametrize("n", [6, 30, 80])
def test_the_approximations_of_rank_tests_are_scipys(n: int) -> None:
    """With ties, on both."""
    from scipy.stats import wilcoxon

    from ablate.stats.test import superiority
    from ablate.stats.test.wilcoxon import approximate

    rng = np.random.default_rng(n)
    x, y = rng.integers(0, 9, n).astype(float), rng.integers(1, 10, n).astype(float)
    found = superiority.approximate(list(x), list(y))
    assert found == pytest.approx(mannwhitneyu(x, y, method="asymptotic").pvalue)
    apart = (x - y)[x != y]
    expect = wilcoxon(apart, method="approx", correction=True).pvalue
    assert approximate(apart) == pytest.approx(expect)


@cases("effect_size", lambda expect: expect["n"] > 2 and expect.get("g_z"))
def test_hedges_g_is_rs(case: dict[str, Any]) -> None:
    """The exact correction, and the interval of d_z shrunk by it."""
    expect = case["expect"]
    found = HedgesG()(comparison(case["input"]["d"], base=0.0), 0.05)
    assert found.estimate == pytest.approx(expect["g_z"], rel=1e-9)
    assert found.low == pytest.approx(expect["hedges_j"] * expect["d_z_conf_low_95"], abs=1e-5)


@cases("wilcoxon", lambda expect: expect.get("conf_coverage_95", 0) >= 0.95)
def test_the_walsh_interval_is_rs(case: dict[str, Any]) -> None:
    """Where R's is exact: no ties, no zeros, up to 50 pairs."""
    scale = 1e-6 * max(map(abs, case["input"]["d"]))
    found = Wilcoxon()(comparison(case["input"]["d"], resolution=scale, base=0.0), 0.05)
    expect = case["expect"]
    assert (found.low, found.high) == pytest.approx(
        (expect["conf_low_95"], expect["conf_high_95"]), abs=scale
    )


def test_the_sign_flip_interval_inverts_the_test() -> None:
    """Just inside its ends a mean is not rejected, just outside it is."""
    deltas = np.random.default_rng(4).normal(0.4, 1, 9)
    found = SignFlip()(comparison(list(deltas), base=0.0), 0.05)
    for end, way in ((found.low, -1), (found.high, 1)):
        for step, rejected in ((1e-9 * way, True), (-1e-9 * way, False)):
            p = permutation_test(
                (deltas - end - step,),
                np.mean,
                permutation_type="samples",
                n_resamples=np.inf,
                alternative="less" if way > 0 else "greater",
            ).pvalue
            assert (p <= 0.025) == rejected
    assert math.isinf(SignFlip()(comparison([1.0, 2.0, 3.0]), 0.05).high)


def test_the_sign_interval_lies_between_differences() -> None:
    """Of twelve, E reaches 20 with one sign astray: the second smallest and largest."""
    deltas = [float(i) for i in range(1, 13)]
    found = SignEvidence()(comparison(deltas), 0.05)
    assert (found.low, found.high, found.estimate) == (2.0, 11.0, 6.5)
    assert math.isinf(SignEvidence()(comparison([1.0, 2.0]), 0.05).low)


def test_the_studentised_bootstrap_is_near_students_t_for_normal_differences() -> None:
    """And wider than a percentile interval at small n; degenerate differences do no harm."""
    deltas = list(np.random.default_rng(5).normal(1, 1, 40))
    found = BootstrapT()(comparison(deltas, base=0.0), 0.05)
    half = 2.02 * np.std(deltas, ddof=1) / math.sqrt(40)
    assert found.high - found.low == pytest.approx(2 * half, rel=0.1)
    assert found.p < 0.001
    flat = BootstrapT()(comparison([0.0] * 5), 0.05)
    assert (flat.p, flat.low, flat.high) == (1.0, 0.0, 0.0)


def test_the_signed_rank_posterior_goes_where_the_data_sets_are() -> None:
    """Above, below, inside, and mirrored."""
    up = signed_rank.signed_rank([2.0, 3.0, 2.5, 4.0, 3.5, 2.2], 1.0)
    down = signed_rank.signed_rank([-2.0, -3.0, -2.5, -4.0, -3.5, -2.2], 1.0)
    assert up.above > 0.95
    assert up.above == pytest.approx(down.below)
    assert signed_rank.signed_rank([0.1, -0.2, 0.3, 0.0], 1.0).inside == 1.0
