"""The calibration study: its arrays are the engine, and its worlds what they say."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from ablate.calibration import by_engine, simulation, study
from ablate.calibration.scenarios import TIES, WORLDS
from ablate.verdicts.decision import adjust
from tests.conftest import reference

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["normal", "accuracies on 20 rows", "60 % ties, else one size"])
def test_the_arrays_say_what_the_engine_says(name: str) -> None:
    """Verdict and seeds of every contrast of every family."""
    world = {**WORLDS, **TIES}[name]
    agreed = by_engine.agreement(world, (0, 0.5, 1.0, 1.5), 1.0, (5, 6, 8, 12), 25, 7)
    assert agreed == 25


@pytest.mark.parametrize("name", WORLDS)
def test_worlds_have_the_mean_and_spread_they_promise(name: str) -> None:
    """About 0 and 1, before the truth is added."""
    drawn = WORLDS[name].draw(np.random.default_rng(1), (4000, 50), 0.5)
    assert drawn.mean() == pytest.approx(0.5, abs=0.02)
    assert drawn.std() == pytest.approx(1, abs=0.08)


def test_fixed_claims_are_t_tests() -> None:
    """One look: SciPy's one-sample t against the margin."""
    deltas = np.random.default_rng(2).normal(0.3, 1, (50, 12))
    made = simulation.claims(deltas, 0.5, simulation.fixed(12), 1e-6)
    small = np.maximum(
        ttest_1samp(deltas, 0.5, axis=1, alternative="less").pvalue,
        ttest_1samp(deltas, -0.5, axis=1, alternative="greater").pvalue,
    )
    assert made.negligible[:, 0] == pytest.approx(small)


def test_differences_of_one_size_are_no_evidence_of_their_own() -> None:
    """Families of ten in which 60 % tie: five of one size in a row are seen in one of ten."""
    plan = simulation.planned((5, 8, 13))
    world = TIES["60 % ties, else one size"]
    false, _ = simulation.families(world, [3.0] * 10, 3.0, plan, 1000, 1)
    assert false < 0.065


def test_holm_over_arrays_is_holm() -> None:
    """And so are the others, against R."""
    p = np.random.default_rng(3).uniform(size=(20, 6))
    assert simulation.holm(p) == pytest.approx(np.array([adjust(list(one), "holm") for one in p]))
    names = {"holm": "holm", "hommel": "hommel", "bonferroni": "bonferroni", "bh": "BH", "by": "BY"}
    for case in reference("p_adjust"):
        for ours, theirs in names.items():
            assert adjust(case["input"]["p"], ours) == pytest.approx(case["expect"][theirs])


def test_too_few_pairs_are_never_decided() -> None:
    """At three seeds no study claims anything."""
    found = simulation.stoppers(WORLDS["normal"], 9.0, 0.5, simulation.fixed(3), 500, 1)
    assert found == (0.0, 0.0)


def test_a_small_study_is_written(tmp_path: Path) -> None:
    """Every table is there, and the promised worlds are near what is promised."""
    from reports.calibration import write

    found = study.calibrate(studies=400, engine=6)
    for (name, _, _), (matters, negligible) in found.errors.items():
        if WORLDS[name].tamed:
            assert max(matters, negligible) < 0.12
    assert set(found.agreement.values()) == {2}
    text = write(found, tmp_path / "docs" / "c.md", "the command").read_text("utf-8")
    for name in (*WORLDS, "crashes in one arm", "## Power", "the command"):
        assert name in text
    assert "&gt;" not in text, "a figure is escaped like somebody else's text"
    assert "\\*" not in text, "a figure is escaped like somebody else's text"
    assert not math.isnan(found.power[1.0, 20, 0.0].negligible)


def test_a_warning_fires_where_a_skewed_study_misleads() -> None:
    """Log-normal differences at eight pairs, judged by the engine."""
    rng = np.random.default_rng(5)
    drawn = WORLDS["log-normal"].draw(rng, (200, 8), 0.5)
    found = by_engine.misled([(by_engine.study(one, 0.5, 1e-6), 0.5) for one in drawn])
    assert found.wrong > 0.1
    assert found.warned >= 0.8


@pytest.mark.parametrize("spend", ["linear", "quadratic"])
def test_the_arrays_say_what_the_engine_says_however_alpha_is_spent(spend: str) -> None:
    """An earlier look's p stays, although each look has a constant of its own."""
    truths, looks = (0, 0.5, 1.0, 1.5), (5, 6, 8, 12)
    assert by_engine.agreement(WORLDS["normal"], truths, 1.0, looks, 25, 7, spend=spend) == 25
