"""The four outcomes, over a family, and what blocks a claim."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from statsmodels.stats.multitest import multipletests

from ablate.registry import scan
from ablate.stats.correction import alone, steps
from ablate.types import Comparison, LostPair, Verdict
from ablate.verdicts import decision as verdict
from ablate.verdicts.interim import once
from ablate.verdicts.outlook import seeds_needed
from tests.conftest import comparison

NOISE = [0.3, -0.2, 0.1, -0.4, 0.25, 0.05, -0.15, 0.2]


def examined(made: Comparison) -> verdict.Evidence:
    catalogue = scan()
    every = {name: catalogue.load("test", name)() for name in catalogue.names("test")}
    return verdict.examine(made, every, 0.05)


def decide(made: Comparison, family: int = 1) -> Verdict:
    evidence = examined(made)
    # one p needs no correction, and statsmodels collects garbage at every call
    method = "holm" if family > 1 else "none"
    return verdict.decide(evidence, steps([evidence.p] + [1.0] * (family - 1), 0.05, method)[0])


def shifted(by: float, n: int = 8) -> list[float]:
    return [by + noise for noise in NOISE[:n]]


@pytest.mark.parametrize(
    ("by", "decision"),
    [
        (5.0, "MATTERS"),
        (-5.0, "MATTERS"),
        (0.0, "NEGLIGIBLE"),
        (0.3, "NEGLIGIBLE"),
        (1.0, "INCONCLUSIVE"),
    ],
)
def test_the_interval_against_the_margin_decides(by: float, decision: str) -> None:
    """Wholly outside, wholly inside, or across a margin of one point."""
    assert decide(comparison(shifted(by))).decision == decision


def test_a_difference_that_excludes_zero_but_not_the_margin_differs() -> None:
    """It is flagged, and it is not a verdict."""
    found = decide(comparison(shifted(1.0)))
    assert (found.decision, found.flags) == ("INCONCLUSIVE", ("differs",))


def test_negligible_wins_over_differing_from_zero() -> None:
    """A small difference that is surely there is still negligible."""
    found = decide(comparison(shifted(0.4), margin=2.0))
    assert found.tests["paired-t"].p < 0.05
    assert found.decision == "NEGLIGIBLE"


@pytest.mark.parametrize(
    ("n", "decision"),
    [
        (0, "UNTESTABLE"),
        (2, "UNTESTABLE"),
        (3, "INCONCLUSIVE"),
        (4, "INCONCLUSIVE"),
        (5, "MATTERS"),
    ],
)
def test_few_pairs_cannot_decide(n: int, decision: str) -> None:
    """Under three nothing is tested, under five nothing is decided."""
    assert decide(comparison(shifted(9.0, n))).decision == decision


def test_identical_arms_are_inert_and_no_more_than_that() -> None:
    """Eight seeds alike do not exclude a difference in a third of all seeds."""
    made = comparison([0.0] * 8, identical=True)
    found = decide(made)
    assert (found.decision, found.flags) == ("INCONCLUSIVE", ("INERT",))
    assert found.p == 1.0
    assert "8 of 8 seeds tie exactly" in found.why


def test_a_tie_in_one_metric_is_not_called_inert() -> None:
    """The arms differ elsewhere, so something was switched on."""
    values = tuple(range(8))
    made = replace(
        comparison([0.0] * 8), treatment_values=values, baseline_values=values, worst=2.0
    )
    found = decide(made)
    assert (found.decision, found.flags) == ("NEGLIGIBLE", ("TIED",))
    assert "differ by 2 (declared)" in found.why
    # at a margin finer than a test row a tie shows nothing
    assert decide(replace(made, margin=0.1)).decision == "INCONCLUSIVE"


def test_a_metric_that_never_moves_cannot_be_tested() -> None:
    """Forgetting after a single task is 0 whatever is compared."""
    found = decide(comparison([0.0] * 8, base=0.0))
    assert found.decision == "UNTESTABLE"
    assert "is 0 in every run" in found.why
    # at the ceiling both arms are equally good, as far as eight seeds tell
    best = comparison([0.0] * 8, base=100.0)
    assert decide(best).decision == "INCONCLUSIVE"
    assert decide(replace(best, worst=2.0)).decision == "NEGLIGIBLE"


def test_a_family_raises_the_bar() -> None:
    """What decides alone may not decide among fifty."""
    made = comparison([1.6 + 2 * noise for noise in NOISE])
    assert decide(made).decision == "MATTERS"
    among = decide(made, family=50)
    assert among.decision == "INCONCLUSIVE"
    assert "after correction" in among.why


@pytest.mark.parametrize("method", ["holm", "hommel", "bonferroni"])
def test_corrections_are_statsmodels(method: str) -> None:
    """And none is none."""
    p = [0.01, 0.04, 0.03, 0.005, 1.0]
    assert verdict.adjust(p, method) == pytest.approx(multipletests(p, method=method)[1].tolist())
    assert verdict.adjust(p, "none") == p
    assert verdict.adjust([], "holm") == []


def test_a_refused_pairing_is_untestable_whatever_the_numbers() -> None:
    """The reason is the refusal."""
    found = decide(comparison(shifted(9.0), refusal="data differs (a and b)"))
    assert found.decision == "UNTESTABLE"
    assert "data differs" in found.why
    assert math.isnan(found.estimate)


def test_losing_one_arm_only_blocks_a_verdict() -> None:
    """Three of eleven seeds lost on the treatment's side alone are a selection."""
    lost = tuple(LostPair(20 + i, "a: diverged", ("a",)) for i in range(3))
    found = decide(replace(comparison(shifted(9.0)), lost=lost))
    assert found.decision == "UNTESTABLE"
    assert "a alone lost 3 of 11 seeds" in found.why
    assert not math.isnan(found.estimate)


def test_losing_both_arms_together_does_not() -> None:
    """Then the same seeds are gone from either side."""
    lost = tuple(LostPair(20 + i, "x", ("a", "b")) for i in range(3))
    assert decide(replace(comparison(shifted(9.0)), lost=lost)).decision == "MATTERS"


def test_losing_other_seeds_on_either_side_does_too() -> None:
    """Seven of one arm and seven of the other leave six of twenty: a selection by both."""
    lost = tuple(LostPair(20 + i, "x", ("a" if i < 7 else "b",)) for i in range(14))
    found = decide(replace(comparison(shifted(9.0, 6)), lost=lost))
    assert found.decision == "UNTESTABLE"
    assert math.isnan(found.p_adjusted)


def test_seeds_still_to_be_run_keep_a_contrast_open() -> None:
    """A look in between is no verdict; what is not run is no loss either."""
    lost = tuple(LostPair(20 + i, "a: not run", (), missing=True) for i in range(12))
    found = decide(replace(comparison(shifted(9.0)), lost=lost))
    assert found.decision == "INCONCLUSIVE"
    assert found.why.startswith("12 of 20 seeds are still to be run")


def test_an_untestable_contrast_weighs_fully_in_the_family() -> None:
    """Its p is 1, whatever its numbers."""
    lost = tuple(LostPair(20 + i, "a: diverged", ("a",)) for i in range(3))
    assert examined(replace(comparison(shifted(9.0)), lost=lost)).p == 1


@pytest.mark.parametrize(("margin_in_sd", "needed"), [(0.5, 36), (1.0, 11)])
def test_an_undecided_contrast_says_how_many_seeds_it_would_take(
    margin_in_sd: float, needed: int
) -> None:
    """For 80 % power to show equivalence: 36 seeds at half a standard deviation, 11 at one."""
    deltas = [noise - float(np.mean(NOISE)) for noise in NOISE]
    made = comparison(deltas, margin=margin_in_sd * float(np.std(deltas, ddof=1)))
    assert seeds_needed(once(made), 0.05) == needed


def test_a_mean_on_the_margin_is_never_decided() -> None:
    """And the reader is told so."""
    assert "more than 1,000 seeds" in decide(comparison(shifted(1.0))).why


@pytest.mark.parametrize("n", [8, 100, 101, 2_000, 50_000])
def test_more_pairs_are_asked_for_than_there_are(n: int) -> None:
    """In the words of what they are, as many as the study has and more."""
    deltas = [1.0 + NOISE[i % 8] - float(np.mean(NOISE)) for i in range(n)]
    why = verdict.decide(
        verdict.Evidence(
            replace(comparison(deltas), unit="pairs"), {}, 0.05, interim=once(comparison(deltas))
        ),
        alone(0.5, 0.05),
    ).why
    assert "seeds" not in why
    asked = int(re.findall(r"[\d,]+(?= pairs)", why)[0].replace(",", ""))
    assert asked > n


@given(st.lists(st.floats(-100, 100), min_size=0, max_size=12), st.floats(0.01, 50))
@settings(max_examples=80, deadline=None)
def test_any_differences_end_in_one_of_the_four_outcomes(
    deltas: list[float], margin: float
) -> None:
    """Without exception; MATTERS only with an interval outside the margin."""
    found = decide(comparison(deltas, margin=margin))
    assert found.decision in ("MATTERS", "NEGLIGIBLE", "INCONCLUSIVE", "UNTESTABLE")
    if found.decision == "MATTERS":
        assert found.low > margin or found.high < -margin


@given(st.floats(0.1, 10))
@settings(max_examples=20, deadline=None)
def test_scaling_metric_and_margin_together_changes_no_verdict(scale: float) -> None:
    """Points or fractions are the same study."""
    for by in (0.0, 1.0, 4.0):
        first = decide(comparison(shifted(by)))
        scaled = comparison([scale * delta for delta in shifted(by)], scale, 0.25 * scale)
        assert decide(scaled).decision == first.decision
