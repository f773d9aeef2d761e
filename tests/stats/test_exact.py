"""Rank and sign tests counted out: ties, zeros and round-off included, and never under a floor."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ablate.api import compare
from ablate.stats import friedman, tied
from ablate.stats.ranks import average_ranks
from ablate.stats.test.bootstrap import BootstrapT
from ablate.stats.test.sign_flip import SignFlip, by_halves, grid, on_integers
from ablate.stats.test.superiority import Superiority
from ablate.stats.test.wilcoxon import Wilcoxon, two_sided
from ablate.types import Comparison
from ablate.verdicts.interim import once
from tests.conftest import comparison, reference

R = json.loads((Path(__file__).parent.parent / "reference" / "exact.json").read_text("utf-8"))
"""Computed by `tests/reference/make_exact.R`."""

few = st.lists(st.sampled_from([0.0, 0.1, -0.1, 0.2, -0.2, 0.3, 0.5, -0.7]), min_size=3, max_size=9)


def enumerated(deltas: np.ndarray, statistic: Any) -> float:
    """Count all signs of differences that are not 0 by brute force."""
    left = deltas[deltas != 0]
    if not len(left):
        return 1.0
    seen, beyond = abs(statistic(left)), 0
    for signs in itertools.product((-1, 1), repeat=len(left)):
        beyond += abs(statistic(np.abs(left) * signs)) >= seen - 1e-9
    return beyond / 2 ** len(left)


def signed_ranks(values: np.ndarray) -> float:
    ranks, _ = average_ranks(np.abs(values))
    return float((np.sign(values) * ranks).sum())


def of_kind(kind: str) -> list[Any]:
    """Give the cases of a kind, of which there are some."""
    found = [case for case in R if case["kind"] == kind]
    assert len(found) >= 8
    return found


def test_tied_runs_have_the_exact_p_of_coin() -> None:
    """Mann-Whitney given the ties, equal arms."""
    for case in of_kind("mann-whitney"):
        n = len(case["x"])
        made = replace(
            comparison([0.0] * n),
            treatment_values=tuple(case["x"]),
            baseline_values=tuple(case["y"]),
        )
        assert Superiority()(made, 0.05).p == pytest.approx(case["p"], rel=1e-9), case


def test_differences_off_any_step_are_flipped_one_by_one_as_in_r() -> None:
    """Irrational ones and drawn ones."""
    for case in of_kind("sign-flip"):
        found = SignFlip()(comparison(case["deltas"]), 0.05)
        assert found.p == pytest.approx(case["p"], rel=1e-9), case


def test_tied_ranks_have_the_share_of_every_order_as_in_r() -> None:
    """Friedman's statistic, which R corrects for ties, and its exact p."""
    for case in of_kind("friedman"):
        found = friedman.friedman(np.array(case["scores"], float))
        assert found.exact == pytest.approx(case["p"], rel=1e-9), case
        assert found.statistic == pytest.approx(case["statistic"], abs=1e-9)


@given(few)
@settings(max_examples=80, deadline=None)
def test_wilcoxon_and_sign_flip_are_what_enumeration_says(deltas: list[float]) -> None:
    """Ties and zeros as they are."""
    made = comparison(deltas, base=0.8)
    clean = tied.deltas(made)
    assert Wilcoxon()(made, 0.05).p == pytest.approx(enumerated(clean, signed_ranks), rel=1e-12)
    assert SignFlip()(made, 0.05).p == pytest.approx(enumerated(clean, np.sum), rel=1e-12)


@given(st.lists(st.integers(-6, 9), min_size=3, max_size=40), st.floats(0.001, 50))
@settings(max_examples=80, deadline=None)
def test_no_p_is_under_its_floor(deltas: list[int], unit: float) -> None:
    """Of any test that has one."""
    made = comparison([delta * unit for delta in deltas], base=7.0 * unit)
    for test in (Wilcoxon(), SignFlip(), Superiority()):
        found = test(made, 0.05)
        assert found.floor <= found.p * (1 + 1e-12)
        assert found.p <= 1


@given(st.lists(st.integers(-6, 9), min_size=5, max_size=30), st.randoms())
@settings(max_examples=80, deadline=None)
def test_round_off_splits_no_ties(deltas: list[int], random: Any) -> None:
    """Scores that are moved in their last digits have the same p."""
    base = [0.7 + 0.01 * random.randrange(20) for _ in deltas]
    pairs = [(b + 0.01 * d, b) for b, d in zip(base, deltas, strict=True)]
    exact = comparison([float(d) for d in deltas], base=100.0)
    made = Comparison(
        "a",
        "b",
        "m",
        1.0,
        tuple(range(len(deltas))),
        *map(tuple, zip(*pairs, strict=True)),
        (),
        0.01,
    )  # type: ignore[arg-type]
    for test in (Wilcoxon(), SignFlip()):
        assert test(made, 0.05).p == pytest.approx(test(exact, 0.05).p, rel=1e-9)


def test_the_smallest_p_of_five_and_of_four() -> None:
    """Two-sided 2 / 32 and 2 / 16; ties are no approximation."""
    for n, floor in ((5, 0.0625), (4, 0.125), (6, 0.03125)):
        for deltas in ([1.0] * n, [1.0, 1.0, *range(2, n)]):
            made = comparison([float(d) for d in deltas])
            assert [test(made, 0.05).p for test in (Wilcoxon(), SignFlip())] == [floor, floor]


def test_twenty_four_pairs_are_counted() -> None:
    """Scores of four decimals whose smallest gap is no step of the others."""
    rng = np.random.default_rng(4)
    steps = np.abs(rng.integers(1, 900, 24)) + 3
    signs = np.where(np.arange(24) == int(np.argmin(steps)), -1, 1)
    made = comparison([float(d) for d in steps * signs / 10_000], base=0.5)
    known = on_integers((steps * signs).astype(np.int64))
    assert SignFlip()(made, 0.05).p == pytest.approx(known, rel=1e-9)
    assert known == pytest.approx(4 / 2**24, rel=1e-9)
    irrational = np.sqrt(np.arange(2.0, 26.0))
    assert by_halves(irrational, 1e-13) == 2 / 2**24


def test_a_gap_is_no_grid() -> None:
    """Thirds of ten thousandths have no step in common with a resolution that was guessed."""
    assert grid(np.array([0.1, 0.25, 0.3]), 0.07, 1e-13).tolist() == [2, 5, 6]  # type: ignore[union-attr]
    assert grid(np.sqrt(np.array([2.0, 3.0])), 0.07, 1e-13) is None


def test_constant_differences_have_no_bootstrap() -> None:
    """Five equal values: resamples have no spread to studentise by, and it is said."""
    table = [
        {"seed": s, "method": m, "accuracy": 0.5 + 0.01 * s + (m == "new") * 0.25}
        for s in range(5)
        for m in ("base", "new")
    ]
    import pandas as pd

    found = compare(pd.DataFrame(table), margin=0.01)
    (verdict,) = found.verdicts
    assert math.isnan(verdict.tests["bootstrap-t"].p)
    assert verdict.tests["bootstrap-t"].note
    assert "CONSTANT" in verdict.flags
    assert any("do not vary" in warning for warning in found.warnings)
    flat = BootstrapT()(comparison([0.0] * 5), 0.05)
    assert (flat.p, flat.low, flat.high) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize("side", ["", "helps"])
@pytest.mark.parametrize("n", [5, 6, 7, 8, 12])
@pytest.mark.parametrize("claims", [1, 10])
def test_no_verdict_on_equal_differences_is_surer_than_their_signs(
    n: int, side: str, claims: int
) -> None:
    """n equal signs come by chance at 2^-n a side, whatever one test row is worth."""
    level, ends = 0.05 / claims, 1 if side else 2
    for delta, decision in ((5.0, "MATTERS"), (0.5, "NO GAIN" if side else "NEGLIGIBLE")):
        made = replace(
            comparison([delta] * n, margin=1.0), resolution=1e-6, claim=side, side=len(side[:1])
        )
        interim = once(made)
        reading = interim.read(level)
        needs = ends * 0.5**n if decision == "MATTERS" else 0.5**n
        assert (reading.decision == decision) == (needs <= level), (delta, reading)
        assert math.isinf(reading.low) == math.isinf(reading.high) == (needs > level)
        assert interim.p == pytest.approx(needs)
    varied = replace(comparison([5.0] * (n - 1) + [5.1], margin=1.0), resolution=1e-6)
    assert once(varied).p < 1e-4


def test_equal_differences_say_how_many_would_decide() -> None:
    """Five are too few with two sides, six are not; as a table that is read from a file."""
    import pandas as pd

    for n, decision in ((5, "INCONCLUSIVE"), (6, "MATTERS")):
        rows = [
            {"seed": s, "method": m, "accuracy": 0.5 + 0.01 * s + (m == "new") * 0.25}
            for s in range(n)
            for m in ("base", "new")
        ]
        (verdict,) = compare(pd.DataFrame(rows), margin=0.01, resolution=0.001).verdicts
        assert verdict.decision == decision
        if decision == "INCONCLUSIVE":
            assert "6 seeds like these would decide" in verdict.why


@given(
    st.integers(2, 4).flatmap(
        lambda k: st.lists(
            st.lists(st.integers(0, 4), min_size=k, max_size=k), min_size=2, max_size=4
        )
    )
)
@settings(max_examples=40, deadline=None)
def test_friedman_is_what_enumeration_says(blocks: list[list[int]]) -> None:
    """All orders of the ranks inside the blocks, ties and all."""
    scores = np.array(blocks, float)
    ranks = friedman.ranked(scores)
    n, k = ranks.shape

    def apart(rows: Any) -> float:
        return float(((np.sum(rows, axis=0) - n * (k + 1) / 2) ** 2).sum())

    orders = [list(itertools.permutations(block)) for block in ranks]
    every = [apart(rows) for rows in itertools.product(*orders)]
    share = np.mean([value >= apart(ranks) - 1e-9 for value in every])
    assert friedman.exact(ranks) == pytest.approx(share, rel=1e-9)


def test_two_arms_in_five_blocks() -> None:
    """Iman and Davenport's p is 0 there; nothing under 2 / 32 can be."""
    found = friedman.friedman(np.array([[0.9, 0.8]] * 5))
    assert (found.exact, found.floor) == (0.0625, pytest.approx(0.0625))
    assert found.f_p == pytest.approx(0.0625)
    assert friedman.conover(np.array([[0.9, 0.8]] * 5))[0, 1] == pytest.approx(0.0625)


@given(st.integers(2, 4), st.integers(2, 4), st.data())
@settings(max_examples=40, deadline=None)
def test_no_p_of_ranks_is_under_the_smallest_given_the_ties(k: int, n: int, data: Any) -> None:
    """The smallest share of any orders, by enumeration; and its bound, where they are not counted.

    All orders of the first block are alike but for the arms' names, so that it is kept.
    """
    rows = st.lists(st.integers(0, 2), min_size=k, max_size=k)
    scores = np.array(data.draw(st.lists(rows, min_size=n, max_size=n)), float)
    ranks = friedman.ranked(scores)
    orders = [sorted(set(itertools.permutations(block.tolist()))) for block in ranks]
    every = np.array(
        [np.sum([ranks[0], *rest], axis=0).var() for rest in itertools.product(*orders[1:])]
    )
    smallest = float(np.mean(every >= every.max() - 1e-9))
    found = friedman.friedman(scores)
    assert found.floor == pytest.approx(smallest, rel=1e-9)
    assert min(found.p, found.f_p, found.exact) >= smallest * (1 - 1e-9)
    assert friedman.least(ranks) <= smallest * (1 + 1e-9)


def test_round_off_splits_no_ranks() -> None:
    """A score whose thirteenth digit is a five, and its neighbour."""
    score = 1 / 8192
    ranks = friedman.ranked(np.array([[1.0, score, score * (1 + 4e-16)]]))
    assert ranks.tolist() == [[1.0, 2.5, 2.5]]


def test_round_off_alone_has_no_bootstrap_p() -> None:
    """Differences in the last digits are none, whatever their signs."""
    base = np.array([0.5, 0.61, 0.72, 0.53, 0.64])
    for apart in (np.full(5, 2e-16), np.array([2.0, -2.0, 3.0, 0.0, 1.0]) * 1e-16):
        made = Comparison(
            "a", "b", "m", 0.01, (0, 1, 2, 3, 4), tuple(base + apart), tuple(base), (), 0.01
        )
        found = BootstrapT()(made, 0.05)
        assert (found.p, found.low, found.high) == (1.0, 0.0, 0.0)


@given(st.lists(st.integers(-9, 12), min_size=4, max_size=12), st.floats(0.01, 300))
@settings(max_examples=40, deadline=None)
def test_the_bootstrap_knows_no_unit(deltas: list[int], unit: float) -> None:
    """Resamples as far out as the sample are counted in each unit."""
    base = tuple(60.0 + i % 3 for i in range(len(deltas)))
    above = tuple(b + d for b, d in zip(base, deltas, strict=True))
    seeds = tuple(range(len(deltas)))
    found = [
        BootstrapT()(
            Comparison(
                "a",
                "b",
                "m",
                1.0,
                seeds,
                tuple(v * by for v in above),
                tuple(v * by for v in base),
                (),
                by,
            ),
            0.05,
        ).p
        for by in (1.0, unit)
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-12, nan_ok=True)


def test_a_step_is_looked_for_where_none_is_known() -> None:
    """Forty-five pairs in 1234ths, whose resolution was guessed at two of them."""
    rng = np.random.default_rng(5)
    scores = rng.permutation(np.cumsum(rng.choice([2, 3], 90))) + 400
    rows = scores[:45] - scores[45:]
    made = Comparison(
        "a",
        "b",
        "m",
        1.0,
        tuple(range(45)),
        tuple(scores[:45] / 1234),
        tuple(scores[45:] / 1234),
        (),
        2 / 1234,
    )
    found = SignFlip()(made, 0.05)
    assert "signs were drawn" not in found.assumes
    assert found.p == pytest.approx(on_integers(rows), rel=1e-9)


@given(st.lists(st.integers(0, 3), min_size=6, max_size=10).filter(lambda v: len(v) % 2 == 0))
@settings(max_examples=40, deadline=None)
def test_superiority_is_what_enumeration_says(scores: list[int]) -> None:
    """All choices of one arm's runs among both arms', ties and all."""
    n = len(scores) // 2
    ranks, _ = average_ranks(np.array(scores, float))
    middle = n * (2 * n + 1) / 2
    every = [
        abs(sum(ranks[i] for i in chosen) - middle)
        for chosen in itertools.combinations(range(2 * n), n)
    ]
    seen = abs(sum(ranks[:n]) - middle)
    made = Comparison(
        "a",
        "b",
        "m",
        1.0,
        tuple(range(n)),
        tuple(map(float, scores[:n])),
        tuple(map(float, scores[n:])),
        (),
        1.0,
    )
    known = float(np.mean([value >= seen - 1e-9 for value in every]))
    found = Superiority()(made, 0.05)
    assert found.p == pytest.approx(known, rel=1e-9)
    assert found.floor == pytest.approx(np.mean([v >= max(every) - 1e-9 for v in every]), rel=1e-9)


@pytest.mark.parametrize(
    "case", [case for case in reference("wilcoxon") if "p_exact_conditional" in case["expect"]]
)
def test_wilcoxon_is_rs_exact_test_given_the_ties(case: dict[str, Any]) -> None:
    """exactRankTests::wilcox.exact, zeros left out."""
    left = tied.merged(np.array(case["input"]["d"], float), 1e-12)
    known = case["expect"]["p_exact_conditional"]
    assert two_sided(left[left != 0]) == pytest.approx(known, rel=1e-9)


@pytest.mark.parametrize(("arms", "blocks"), [(2, 2), (2, 5), (3, 2), (3, 4), (4, 3)])
def test_no_pair_of_arms_is_surer_than_its_rarest_order(arms: int, blocks: int) -> None:
    """Of all orders, those in which one arm is first and one last everywhere; by enumeration."""
    orders = np.array(list(itertools.permutations(range(arms))))
    every = np.ndindex(*(len(orders),) * blocks)
    reached = [np.ptp(orders[list(places)].sum(0)) for places in every]
    rarest = float(np.mean(np.array(reached) == blocks * (arms - 1)))
    extreme = [1.0, *[(arms + 1) / 2] * (arms - 2), float(arms)]
    p = friedman.nemenyi(extreme, blocks)
    assert p[0, -1] >= rarest * (1 - 1e-9)
    assert rarest == pytest.approx(float(arms * (arms - 1)) ** (1 - blocks))
