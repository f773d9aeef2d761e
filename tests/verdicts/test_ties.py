"""Pairs that tie exactly: what n of them exclude, and where the worst difference is taken from."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.stats import t as student

from ablate.calibration.by_engine import LIGHT
from ablate.stats.correction import alone
from ablate.types import Comparison, Design
from ablate.verdicts.decision import decide, examine
from ablate.verdicts.family import battery, conclude, first
from ablate.verdicts.interim import once
from ablate.verdicts.outlook import alike_needed
from ablate.verdicts.ties import DECLARED, RANGE, SEEN, UNKNOWN, unseen, worst
from tests.conftest import comparison

ALPHA = 0.05


def once_at(n: int) -> Design:
    return Design(ALPHA, "holm", (n,), n)


def test_the_rule_by_hand() -> None:
    """Ten pairs, six ties: Student's t at .025 and 1 - .025^(1/10) of a worst difference of 2."""
    deltas = [0.0] * 6 + [0.2, -0.2, 0.1, -0.1]
    made = replace(comparison(deltas), worst=2.0)
    half = student.isf(0.025, 9) * np.std(deltas, ddof=1) / math.sqrt(10)
    reach = half + (1 - 0.025 ** (1 / 10)) * 2
    reading = once(made, 2.0).read(ALPHA)
    assert (reading.low, reading.high) == pytest.approx((-reach, reach), rel=1e-12)
    for margin, decision in ((1.01 * reach, "NEGLIGIBLE"), (0.99 * reach, "INCONCLUSIVE")):
        found = conclude([replace(made, margin=margin)], battery(LIGHT), once_at(10))[0]
        assert found.decision == decision
        assert (found.p <= ALPHA) == (decision == "NEGLIGIBLE")


@pytest.mark.parametrize(("n", "size"), [(5, 2.0), (12, 3.0), (24, 8.0), (50, 0.5)])
def test_the_p_of_identical_pairs_is_a_power(n: int, size: float) -> None:
    """Without any spread the bound leaves the margin where (a / 2)^(1/n) = 1 - margin / worst."""
    made = replace(comparison([0.0] * n, margin=1.0), worst=size, resolution=1e-9)
    expected = 0.0 if size <= 1 else 2 * (1 - 1 / size) ** n
    assert once(made, size).calms == pytest.approx(min(1.0, expected), rel=1e-5, abs=1e-200)
    needed = alike_needed(once(made, size), ALPHA)
    assert needed == max(n, 1 if size <= 1 else math.ceil(math.log(0.025) / math.log1p(-1 / size)))


def test_the_worst_difference_comes_from_the_first_that_knows() -> None:
    """Declared; else seen in the family, if another contrast moves; else the metric's range."""
    tied = comparison([0.0] * 5)
    other = replace(comparison([3.0, -7.0, 1.0, 0.5, 2.0]), treatment="other")
    elsewhere = replace(other, metric="another")
    assert worst(replace(tied, worst=4.0), [tied, other]) == worst(replace(tied, worst=4.0), [])
    assert worst(replace(tied, worst=4.0), [tied]).origin == DECLARED
    assert (found := worst(tied, [tied, other])).origin == SEEN
    assert found.size == pytest.approx(7.0)
    for family in ([tied], [tied, elsewhere], [tied, replace(other, refusal="no pairs")]):
        assert worst(tied, family).origin == RANGE
    assert worst(replace(tied, span=200.0), [tied]).size == 200.0
    loss = comparison([0.0] * 5, base=1000.0)
    assert worst(loss, [loss]) == (unknown := worst(loss, [loss]))
    assert (unknown.size, unknown.origin) == (math.inf, UNKNOWN)
    broken = replace(comparison([0.0] * 4 + [6.0]), worst=4.0)
    assert worst(broken, [broken]).size == pytest.approx(6.0)
    assert worst(other, [tied, other]).size == 0.0


@pytest.mark.parametrize(
    ("scores", "span"),
    [
        ((0.0, 1.0), 1.0),
        ((0.8, 0.2), 1.0),
        ((1.5, 20.0), 100.0),
        ((-0.1, 0.5), math.inf),
        ((1.0, 101.0), math.inf),
    ],
)
def test_a_scale_is_told_from_scores_that_were_seen(
    scores: tuple[float, float], span: float
) -> None:
    """Shares, percentages, or nothing known."""
    made = replace(comparison([0.0] * 2), treatment_values=scores, baseline_values=scores)
    assert made.range == span


def test_five_rows_that_agree_say_nothing_about_a_tiny_margin() -> None:
    """Half of all seeds may still differ by all of the scale."""
    scores = (0.81, 0.79, 0.80, 0.82, 0.78)
    made = replace(
        comparison([0.0] * 5, margin=1e-9),
        treatment_values=scores,
        baseline_values=scores,
        resolution=1e-6,
    )
    reading = once(made, worst(made, [made]).size).read(ALPHA)
    assert reading.decision == "INCONCLUSIVE"
    assert reading.high == pytest.approx(1 - 0.025 ** (1 / 5), rel=1e-3)


@given(
    st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.1, -0.1, 0.4]), min_size=5, max_size=40),
    st.floats(0.05, 3),
    st.floats(0.1, 50),
    st.sampled_from(["", "helps", "hurts"]),
    st.floats(0.001, 0.4),
)
@settings(max_examples=300, deadline=None)
def test_a_p_is_at_most_a_level_where_the_interval_of_that_level_decides(
    deltas: list[float], margin: float, size: float, claim: str, level: float
) -> None:
    """One answer, whether it is read from p or from the interval."""
    side = {"": 0, "helps": 1, "hurts": -1}[claim]
    made = replace(comparison(deltas, margin=margin), claim=claim, side=side, worst=size)
    reading = once(made, worst(made, [made]).size)
    if abs(reading.p - level) > 1e-9 * level:
        assert (reading.p <= level) == (reading.read(level).decision != "INCONCLUSIVE")


@given(
    st.lists(st.sampled_from([0.0, 0.0, 0.2, -0.3]), min_size=6, max_size=30), st.floats(0.5, 20)
)
@settings(max_examples=100, deadline=None)
def test_a_worse_worst_difference_never_makes_it_negligible(
    deltas: list[float], size: float
) -> None:
    """More that may be unseen asks for more pairs."""
    made = comparison(deltas, margin=1.0)
    if made.tied:
        assert once(made, size).calms <= once(made, 1.1 * size).calms + 1e-12
        assert once(made).calms <= once(made, size).calms + 1e-12


def test_the_worst_difference_is_of_the_look() -> None:
    """A larger difference that another arm shows later does not reach back."""
    tied = comparison([0.0] * 12, margin=1.0)
    moving = [0.5, -0.5, 0.4, -0.4, 0.3, 0.2, 30.0, -30.0, 0.1, 0.2, 0.3, 0.1]
    family = [tied, replace(comparison(moving), treatment="other")]
    design = Design(ALPHA, "none", (6, 12), 12)
    found = conclude(family, battery(LIGHT), design)[0]
    early = conclude(family, battery(LIGHT), replace(design, seeds=6))[0]
    assert (found.decision, found.n) == (early.decision, early.n) == ("NEGLIGIBLE", 6)
    assert found.worst == early.worst
    assert found.worst.size == pytest.approx(0.5)


step = st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.2, -0.2, 1.5, -4.0])
arm = st.lists(step, min_size=12, max_size=12)


@given(st.lists(arm, min_size=1, max_size=4), st.sampled_from([0.3, 1.0, 3.0]), st.booleans())
@settings(max_examples=120, deadline=None)
def test_a_look_knows_nothing_of_later_ties(
    several: list[list[float]], margin: float, sided: bool
) -> None:
    """A verdict at a look is a function of the family's pairs up to it."""
    family = [
        replace(
            comparison(deltas, margin=margin),
            treatment=f"arm {i}",
            claim="helps" if sided else "",
            side=int(sided),
        )
        for i, deltas in enumerate(several)
    ]
    design = Design(ALPHA, "holm", (5, 8, 12), 12)
    late = conclude(family, battery(LIGHT), design)
    for look in (5, 8):
        early = conclude(
            [first(one, look) for one in family], battery(LIGHT), replace(design, seeds=look)
        )
        for before, after in zip(early, late, strict=True):
            if before.decided:
                figures = [(v.decision, v.n, v.low, v.high, v.p, v.worst) for v in (before, after)]
                assert figures[0] == figures[1]
            elif after.decided:
                assert after.n > look


@pytest.mark.parametrize("n", [5, 10, 20, 50])
def test_rare_events_go_unseen_as_often_as_it_says(n: int) -> None:
    """1 - a^(1/n) is the rate at which no event is seen with probability a."""
    rate = unseen(ALPHA, n)
    assert (1 - rate) ** n == pytest.approx(ALPHA, rel=1e-12)


def made_of(deltas: Any, margin: float) -> Comparison:
    return comparison([float(d) for d in deltas], margin=margin)


def test_false_negligible_of_rare_events_is_held() -> None:
    """Arms alike in all but 5 % of seeds, the truth on the margin: alpha, not most of the time."""
    rng = np.random.default_rng(3)
    for n in (5, 10, 20):
        deltas = np.where(rng.random((2000, n)) < 0.05, 20.0, 0.0)
        wrong = 0
        for mine in deltas:
            made = replace(made_of(mine, 1.0), span=20.0)
            reading = once(made, worst(made, [made]).size)
            wrong += reading.calms <= ALPHA
        assert wrong / len(deltas) <= 0.065


def test_one_claim_alone_is_a_family() -> None:
    """The evidence without a family takes the worst of itself."""
    made = comparison([0.0] * 8, identical=True)
    found = decide(examine(made, battery(LIGHT), ALPHA), alone(1.0, ALPHA))
    assert (found.decision, found.worst.origin) == ("INCONCLUSIVE", RANGE)
