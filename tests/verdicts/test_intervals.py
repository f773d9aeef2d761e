"""The interval that is printed and the decision beside it say the same, whatever the study."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from scipy import stats

from ablate.api import compare
from ablate.stats.correction import CORRECTIONS, adjust, steps
from ablate.types import Comparison, Design, LostPair, TestResult, Verdict
from ablate.verdicts.family import battery, conclude
from ablate.verdicts.interim import once
from ablate.verdicts.sequential import Looks
from reports import readings
from tests.conftest import comparison

LIGHT = ("minimal-effect", "equivalence", "paired-t")
often = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


# --- what a reader makes of a printed row --------------------------------------------------------


def derived(verdict: Verdict, write: readings.Write) -> str:
    """Derive a decision from what is printed of a verdict, by nothing but the printed figures."""
    _, interval = readings.figures(verdict, write)
    ends, margin = re.match(r"(\S+) to (\S+) \(", interval), readings.margin(verdict)
    if not ends:
        return ""
    low, high = (float(end.replace("−", "-").replace("∞", "inf")) for end in ends.groups())
    width = float(margin[1:])
    if margin[0] == "±":
        if low > width:
            return "MATTERS higher"
        if high < -width:
            return "MATTERS lower"
        return "NEGLIGIBLE" if -width < low and high < width else "INCONCLUSIVE"
    none = {"helps": "NO GAIN", "hurts": "NO HARM"}[verdict.comparison.claim]
    if margin[0] == "+":
        return "MATTERS higher" if low > width else none if high < width else "INCONCLUSIVE"
    return "MATTERS lower" if high < -width else none if low > -width else "INCONCLUSIVE"


def stated(verdict: Verdict) -> str:
    """Give the printed decision with its direction."""
    way = " higher" if verdict.estimate > 0 else " lower"
    return verdict.decision + (way if verdict.decision == "MATTERS" else "")


def check(verdict: Verdict, alpha: float) -> None:
    """Hold a verdict against its own printed row."""
    for write in (readings.in_points, readings.in_units):
        reader = derived(verdict, write)
        if reader:
            assert reader == stated(verdict)
            assert verdict.low <= verdict.estimate <= verdict.high
        else:
            silent = verdict.decision == "UNTESTABLE" or "INERT" in verdict.flags
            assert silent or "too few" in verdict.why or "still to be run" in verdict.why
    assert not verdict.decided or not math.isinf(verdict.low)
    assert not verdict.decided or not math.isinf(verdict.high)
    printed = re.match(r"(?:< )?([\d.e-]+) \((.*)\)", readings.p(verdict, alpha))
    if printed:
        assert (float(printed[1]) <= alpha) == verdict.decided
        if verdict.decided:
            assert printed[2] == verdict.decision


# --- studies of every kind ------------------------------------------------------------------------

margins = st.sampled_from([1.0, 2.0, 0.3, 1.2345678, 1e-3])
figures = st.one_of(
    st.floats(-6, 6),
    st.integers(-8, 8).map(lambda rows: rows / 4),
    st.sampled_from([0.0, 1.0, -1.0, 0.999, 1.001, 2.0]),
)


@st.composite
def contrasts(draw: Any, seeds: int, margin: float) -> Comparison:
    """Draw a contrast: far, near the margin, tied, with a side, with lost or missing pairs."""
    centre = draw(st.sampled_from([0.0, 0.0, margin, -margin, 2 * margin, -2 * margin, 9.0, -9.0]))
    spread = draw(st.sampled_from([0.0, 1e-9, 0.05, 0.3, 1.0]))
    deltas = [centre + spread * margin * draw(figures) for _ in range(seeds)]
    lost = draw(st.sets(st.integers(0, seeds - 1), max_size=2))
    missing = draw(st.booleans()) and draw(st.booleans())
    places = [seed for seed in range(seeds) if seed not in lost]
    whole = comparison([deltas[seed] for seed in places], margin, 0.25)
    claim = draw(st.sampled_from(["", "", "helps", "hurts"]))
    side = draw(st.sampled_from([1, -1])) if claim else 0
    alike = tuple(deltas[seed] == 0 for seed in places)
    return replace(
        whole,
        seeds=tuple(places),
        lost=tuple(LostPair(seed, "lost", ("a", "b"), missing) for seed in sorted(lost)),
        claim=claim,
        side=side,
        alike=alike,
        identical=bool(alike) and all(alike),
    )


@st.composite
def studies(draw: Any) -> tuple[list[Comparison], Design]:
    """Draw a family with its design: looks, an extended or a shortened schedule, a correction."""
    looks = draw(st.sampled_from([(12,), (5, 8, 12), (5, 6, 7, 8, 9, 10), (6,)]))
    seeds = draw(st.sampled_from([looks[-1], looks[-1], looks[-1] + 7, looks[0], 4, 7]))
    margin = draw(margins)
    family = draw(st.lists(contrasts(seeds, margin), min_size=1, max_size=6))
    correction = draw(st.sampled_from([*CORRECTIONS]))
    alpha = draw(st.sampled_from([0.05, 0.05, 0.1, 0.01, 0.5, 1e-4]))
    return family, Design(alpha, correction, looks, seeds)


@often
@given(studies())
def test_a_reader_derives_every_decision_from_its_printed_row(
    study: tuple[list[Comparison], Design],
) -> None:
    """Over random deltas, looks, families, margins, corrections, lost pairs, broken schedules."""
    family, design = study
    for verdict in conclude(family, battery(LIGHT), design):
        check(verdict, design.alpha)


@often
@given(studies(), st.sampled_from([5, 8]))
def test_a_verdict_at_a_look_knows_nothing_of_later_seeds(
    study: tuple[list[Comparison], Design], look: int
) -> None:
    """What is decided at a look is decided alike where the later seeds were never run."""
    from ablate.verdicts.family import first

    family, design = study
    if look not in design.looks or design.seeds <= look:
        return
    early = conclude(
        [first(contrast, look) for contrast in family],
        battery(LIGHT),
        replace(design, seeds=look),
    )
    late = conclude(family, battery(LIGHT), design)
    for before, after in zip(early, late, strict=True):
        if before.decided:
            assert row(after) == row(before)
        elif after.decided:
            assert len(after.comparison.schedule) > look


def row(verdict: Verdict) -> tuple[Any, ...]:
    """Give what is printed of a verdict."""
    return (
        verdict.decision,
        verdict.n,
        verdict.flags,
        readings.figures(verdict),
        readings.p(verdict, 0.05),
    )


@often
@given(st.lists(st.sampled_from([0.79, 0.8, 0.81]), min_size=16, max_size=16), st.booleans())
def test_a_table_at_a_look_is_the_table_that_ends_there(scores: list[float], steady: bool) -> None:
    """Neither ties nor the grid of the scores are taken from rows that came later."""
    base = [0.8, 0.79, 0.81, 0.8, 0.82, *scores[:3]]
    new = [*base[:5], *scores[8:11]] if steady else [*scores[3:8], 0.8137, *scores[12:14]]
    table = pd.DataFrame({"seed": range(8), "base": base, "new": new})
    shared: dict[str, Any] = {"margin": 0.005, "arm": ["base", "new"], "looks": (5, 8)}
    (early,) = compare(table[:5], **shared).verdicts
    (late,) = compare(table, **shared).verdicts
    if early.decided:
        assert row(late) == row(early)
    else:
        assert not late.decided or late.n == 8


def test_direction_interval_and_estimate_are_of_one_look() -> None:
    """An upward start that later seeds turned round is no claim of either direction."""
    turned = comparison([2.4, 3.4, 2.0, 3.8, 2.9, -9, -8, -9.5])
    late = [comparison([0.5, -0.5, 0.5, -0.5, 0.1, -0.1, 0.1, -0.1]) for _ in range(9)]
    found = conclude([turned, *late], battery(LIGHT), Design(0.05, "holm", (5, 8), 8))
    assert {(verdict.decision, verdict.n) for verdict in found[1:]} == {("NEGLIGIBLE", 8)}
    assert found[0].decision == "INCONCLUSIVE"
    assert found[0].estimate == pytest.approx(-1.5)
    check(found[0], 0.05)


def test_a_test_that_raises_on_later_seeds_does_not_reach_back() -> None:
    """The look that decided had no such fault."""

    def fragile(compared: Comparison, alpha: float) -> TestResult:
        if len(compared.deltas) > 5:
            raise ZeroDivisionError
        return battery(["paired-t"])["paired-t"](compared, alpha)

    tests = {**battery(LIGHT), "fragile": fragile}
    clear, unclear = [5.0, 5.2, 4.9, 5.1, 4.8], [0.0, 2.2, -1.8, 1.4, 0.7]
    family = [comparison([*clear, 0.0, 0.0, 0.0]), comparison([*unclear, 1.0, 1.1, 0.9])]
    found = conclude(family, tests, Design(0.05, "holm", (5, 8), 8))
    assert [verdict.decision for verdict in found] == ["MATTERS", "UNTESTABLE"]


# --- levels --------------------------------------------------------------------------------------


@often
@given(
    st.lists(st.floats(1e-9, 1), min_size=1, max_size=9),
    st.sampled_from([*CORRECTIONS]),
    st.sampled_from([0.05, 0.2]),
)
def test_a_level_is_reached_exactly_by_what_the_correction_claims(
    p: list[float], correction: str, alpha: float
) -> None:
    """Step-down, step-up and closed procedures alike."""
    for own, step, q in zip(p, steps(p, alpha, correction), adjust(p, correction), strict=True):
        assert step.p == q
        if abs(q - alpha) > 1e-12:
            assert (own <= step.level) == (q <= alpha)


def test_holms_steps_by_hand() -> None:
    """Four claims: two go at alpha / 4 and alpha / 3, and it stops at alpha / 2 for the rest."""
    found = steps([0.03, 0.001, 0.9, 0.015], 0.05, "holm")
    assert [step.level for step in found] == [0.025, 0.0125, 0.025, 0.05 / 3]
    assert [step.p for step in found] == pytest.approx([0.06, 0.004, 0.9, 0.045])


@pytest.mark.parametrize("looks", [(5, 8, 12), (5, 10, 20, 50), tuple(range(5, 21))])
@pytest.mark.parametrize("level", [0.4, 0.05, 0.00625, 1e-5, 1e-9])
def test_a_constant_is_the_exact_inverse_of_its_p(looks: tuple[int, ...], level: float) -> None:
    """Or a p under a level would stand beside an interval that just misses it."""
    rule = Looks(looks)
    assert float(rule.p(rule.constant(level, 9), 9)) == pytest.approx(level, rel=1e-9)


def test_the_interval_of_a_row_is_the_t_interval_at_its_level() -> None:
    """Three contrasts by SciPy: 98.33 % where Holm begins, TOST's 95 % at the second step."""
    far, near, between = [5.0, 5.6, 4.4, 5.2, 5.3], [0.1, -0.2, 0.2, 0.0, -0.1], [1, 0.2, 2, 0.4, 1]
    found = conclude(
        [comparison(deltas) for deltas in (far, near, between)],
        battery(LIGHT),
        Design(0.05, "holm", (5,), 5),
    )
    assert [verdict.decision for verdict in found] == ["MATTERS", "NEGLIGIBLE", "INCONCLUSIVE"]
    expected = [1 - 0.05 / 3, 1 - 2 * 0.05 / 2, 1 - 0.05]
    for verdict, confidence, deltas in zip(found, expected, (far, near, between), strict=True):
        assert verdict.confidence == pytest.approx(confidence)
        ends = stats.t.interval(confidence, 4, np.mean(deltas), stats.sem(deltas))
        assert (verdict.low, verdict.high) == pytest.approx(ends)
        check(verdict, 0.05)
    bonferroni = stats.t.interval(1 - 0.05 / 3, 4, np.mean(between), stats.sem(between))
    assert found[2].simultaneous == pytest.approx(bonferroni)


# --- a declared side -----------------------------------------------------------------------------


def sided(deltas: Sequence[float], claim: str, side: int, margin: float = 1.0) -> Comparison:
    """Make a comparison with a declared side."""
    return replace(comparison(deltas, margin), claim=claim, side=side)


@pytest.mark.parametrize(
    ("centre", "claim", "side", "decision"),
    [
        (3.0, "helps", 1, "MATTERS"),
        (0.0, "helps", 1, "NO GAIN"),
        (-9.0, "helps", 1, "NO GAIN"),
        (1.0, "helps", 1, "INCONCLUSIVE"),
        (-3.0, "hurts", -1, "MATTERS"),
        (0.0, "hurts", -1, "NO HARM"),
        (9.0, "hurts", -1, "NO HARM"),
        (-1.0, "hurts", -1, "INCONCLUSIVE"),
        (-3.0, "helps", -1, "MATTERS"),  # a metric where less is better
        (9.0, "helps", -1, "NO GAIN"),
        (3.0, "hurts", 1, "MATTERS"),
        (-9.0, "hurts", 1, "NO HARM"),
    ],
)
def test_a_declared_side_asks_about_that_side_alone(
    centre: float, claim: str, side: int, decision: str
) -> None:
    """What lies on the other side, however far, is no gain and no harm."""
    deltas = [centre + noise for noise in (0.3, -0.2, 0.1, -0.4, 0.25)]
    (found,) = conclude([sided(deltas, claim, side)], battery(), Design(0.05, "holm", (5,), 5))
    assert found.decision == decision
    check(found, 0.05)


def test_the_p_and_the_ends_of_a_side_are_scipys_one_sided_t() -> None:
    """The whole of alpha on either question, and each end at 1 - alpha."""
    deltas = [1.9, 0.4, 2.8, 1.7, 0.9, 1.4]
    interim = once(sided(deltas, "helps", 1))
    gain = stats.ttest_1samp(deltas, 1.0, alternative="greater").pvalue
    none = stats.ttest_1samp(deltas, 1.0, alternative="less").pvalue
    assert (interim.matters, interim.calms) == pytest.approx((gain, none))
    assert interim.p == pytest.approx(min(gain, none))
    low, high = stats.t.interval(0.9, 5, np.mean(deltas), stats.sem(deltas))
    assert (interim.read(0.05).low, interim.read(0.05).high) == pytest.approx((low, high))
    mirrored = once(sided([-delta for delta in deltas], "hurts", -1))
    assert (mirrored.matters, mirrored.calms) == pytest.approx((gain, none))


def test_a_side_decides_what_two_sides_leave_open() -> None:
    """-13.19 to -1.67 with margin 2 is no open question for "does it beat the other?"."""
    deltas = [-13.4, -3.6, -9.8, -2.1, -8.2]
    both, helps = (
        conclude([contrast], battery(LIGHT), Design(0.05, "holm", (5,), 5))[0]
        for contrast in (comparison(deltas, 2.0), sided(deltas, "helps", 1, 2.0))
    )
    assert (both.decision, helps.decision) == ("INCONCLUSIVE", "NO GAIN")
    assert readings.excluded(both) == (True, False)
    assert helps.why.startswith("a gain above the margin of 2 is excluded")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from([0.0, 0.01, 0.02, 0.05, 0.051]), min_size=24, max_size=24),
    st.sampled_from([0.05, 0.02, 0.2]),
    st.sampled_from(["", "helps", "hurts"]),
    st.sampled_from([*CORRECTIONS]),
)
def test_blocks_that_share_no_key_print_what_they_decide(
    deltas: list[float], margin: float, claim: str, correction: str
) -> None:
    """The error of each block, by Welch and Satterthwaite, at the claim's own step."""
    rows = [
        (block, f"{block}{seed}", arm, 0.5 + 0.01 * seed + (arm == "new") * deltas[12 * place + i])
        for place, block in enumerate("xy")
        for i, seed in enumerate(range(6))
        for arm in ("base", "new")
    ] + [
        (block, f"{block}{seed}", "third", 0.5 + deltas[12 * place + 6 + seed])
        for place, block in enumerate("xy")
        for seed in range(6)
    ]
    table = pd.DataFrame(rows, columns=["data", "seed", "method", "accuracy"])
    shared: dict[str, Any] = {"block": "data", "baseline": "base", "resolution": 0.01}
    found = compare(table, margin=margin, claim=claim, correction=correction, **shared)
    for verdict in found.verdicts:
        check(verdict, 0.05)
