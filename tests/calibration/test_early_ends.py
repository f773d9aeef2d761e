"""Spending and futility in simulation: the arrays are the engine, and a stop costs little."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from ablate.calibration import early_ends
from ablate.calibration.by_engine import LIGHT, study
from ablate.types import Design, LostPair
from ablate.verdicts.family import FUTILE, battery, conclude

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("spend", ["flat", "linear"])
def test_the_arrays_stop_where_the_engine_does(spend: str) -> None:
    """But for studies whose chance is on the edge, as the draws are fewer."""
    looks, margin = (5, 8, 13, 20), 1.0
    deltas = np.random.default_rng(4).normal(1.0, 1, (40, 20))
    never = np.full(40, np.inf)
    stops = early_ends.futile(deltas, never, looks, spend, margin)
    alike = 0
    for row, stop in zip(deltas, stops, strict=True):
        said = math.inf
        for n in looks[:-1]:
            some = study(row[:n], margin, 1e-6)
            lost = tuple(LostPair(seed, "not run", (), missing=True) for seed in range(n, 20))
            design = Design(0.05, "holm", looks, 20, spend=spend)
            (verdict,) = conclude([replace(some, lost=lost)], battery(LIGHT), design)
            if verdict.decided:
                said = stop  # the arrays were told of no decision
                break
            if FUTILE in verdict.flags:
                said = n
                break
        alike += said == stop
    assert alike >= 37


def test_a_stop_costs_a_point_of_power_at_most_and_spares_a_fifth_on_the_margin() -> None:
    """At no difference and at twice the margin."""
    found = early_ends.early_ends(400, 2)
    for (_, most, spend, truth), end in found.items():
        if truth in (0.0, 2.0):
            assert end.right - end.kept <= 0.015
        if truth == 1.0 and spend == "flat" and most == 50:
            assert end.spared < 0.85 * end.seeds
