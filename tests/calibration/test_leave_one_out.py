"""Simulated studies of parts that are left out."""

from __future__ import annotations

import numpy as np
import pytest

from ablate.calibration.leave_one_out import PARTS, SCHEDULES, WORLDS, leaving_out
from ablate.calibration.simulation import Claims, decisions, fixed, holm
from ablate.verdicts.decision import adjust
from reports.calibrated_parts import lines

pytestmark = pytest.mark.slow


def test_holm_over_the_claims_that_are_made() -> None:
    """Those that are not count nowhere."""
    rng = np.random.default_rng(3)
    p, claimed = rng.uniform(size=(20, 6)) / 20, rng.uniform(size=(20, 6)) < 0.6
    adjusted = holm(np.where(claimed, p, np.inf), claimed)
    for row, made, got in zip(p, claimed, adjusted, strict=True):
        assert got[made] == pytest.approx(np.array(adjust(list(row[made]), "holm")))
        assert (got[~made] == 1).all()


def test_a_claim_that_is_not_made_stays_open() -> None:
    """Whatever its p would be."""
    sure = np.full((2, 3, 1), 1e-9)
    claimed = np.array([[True, False, True], [False, False, False]])
    codes, _ = decisions(Claims(sure, sure * 0 + 1, sure > 0), fixed(20), 0.05, claimed)
    assert (codes != 0).tolist() == claimed.tolist()


def test_what_arms_lose_by_hand() -> None:
    """Two that stand in for each other are missed together alone."""
    worths = WORLDS["of twice the margin"]
    lacking = np.zeros((4, PARTS), bool)
    lacking[1, 10] = lacking[2, [10, 11]] = True
    lacking[3, [10, 11, 12]] = True
    assert worths.lost(lacking).tolist() == [0, 0, 2, 4]


def test_each_kind_of_false_claim_is_held_and_screening_finds_more() -> None:
    """In 600 studies: rates within three Monte-Carlo errors of alpha."""
    left = leaving_out(600, 5)
    limit = 0.05 + 3 * np.sqrt(0.05 * 0.95 / 600)
    for done in left.values():
        assert done.matters <= limit
        assert done.negligible <= limit
    read = next(iter(SCHEDULES))
    whole = left["of twice the margin", True, 0, read]
    screened = left["of twice the margin", True, 5, read]
    assert screened.substitutes > whole.substitutes + 0.1
    assert screened.runs < whole.runs / 4
    assert screened.dead == 0.0
    assert "## Parts that are left out" in next(iter(lines(left, 600)))
