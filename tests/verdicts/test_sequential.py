"""Constants over looks: exact where simulation is rough, equal to others' where they exist."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ablate.verdicts.sequential import Looks, Mixture, crossing, log_evidence
from tests.conftest import reference

PLANNED = (5, 8, 12, 20, 32, 50)


@pytest.mark.parametrize(
    ("level", "constants"),
    [
        (0.025, [4.416, 3.393, 3.025, 2.795, 2.685, 2.624]),
        (0.05, [3.501, 2.845, 2.596, 2.436, 2.358, 2.315]),
    ],
)
def test_constants_agree_with_simulated_ones(level: float, constants: list[float]) -> None:
    """To the one percent that their Monte-Carlo error is."""
    found = [Looks(PLANNED).constant(level, n) for n in PLANNED]
    assert found == pytest.approx(constants, rel=0.01)


def test_unequal_levels_spend_what_they_should() -> None:
    """Linear spending at 5, 10, 15, 20: a quarter of .025 at each look, to the third digit."""
    constants = [4.287, 3.033, 2.666, 2.484]
    levels = [stats.t.sf(c, n - 1) for c, n in zip(constants, (5, 10, 15, 20), strict=True)]
    spent = crossing((5, 10, 15, 20), levels)
    assert spent == pytest.approx([0.00625, 0.0125, 0.01875, 0.025], rel=0.03)


def test_crossing_is_what_simulation_finds() -> None:
    """At looks with gaps and looks without, in 100,000 studies."""
    draws = np.random.default_rng(3).standard_normal((100_000, 12))
    planned, level = (5, 6, 9, 12), 0.03
    hit = np.zeros(len(draws), bool)
    for n in planned:
        some = draws[:, :n]
        t = math.sqrt(n) * some.mean(1) / some.std(1, ddof=1)
        hit |= t >= stats.t.isf(level, n - 1)
    assert crossing(planned, [level] * 4)[-1] == pytest.approx(hit.mean(), abs=0.002)


def test_one_look_is_students_t() -> None:
    """Constant and p."""
    rule = Looks((20,))
    assert rule.constant(0.025, 18) == pytest.approx(stats.t.isf(0.025, 17))
    assert rule.p(2.3, 18) == pytest.approx(stats.t.sf(2.3, 17))


@pytest.mark.parametrize("level", [1e-12, 1e-5, 0.001, 0.025, 0.05, 0.2])
def test_p_and_constant_are_each_others_inverse(level: float) -> None:
    """For both rules, at any level."""
    for rule in (Looks(PLANNED), Mixture()):
        constant = rule.constant(level, 20)
        if math.isfinite(constant) and constant > 0:
            assert float(rule.p(constant, 20)) == pytest.approx(level, rel=2e-3)


def test_p_over_looks_lies_between_one_look_and_bonferroni() -> None:
    """Wherever t is, and it falls as t grows."""
    t = np.linspace(0.5, 40, 200)
    p, nominal = Looks(PLANNED).p(t, 12), stats.t.sf(t, 11)
    assert (p >= nominal * (1 - 1e-9)).all()
    assert (p <= 6.01 * nominal).all()
    assert (np.diff(p) <= 0).all()


@pytest.mark.parametrize("case", reference("t_mixture"), ids=lambda case: str(case["name"]))
def test_the_t_mixture_is_rs(case: dict[str, Any]) -> None:
    """E and both intervals, the unbounded ones included."""
    data, expect = case["input"], case["expect"]
    deltas, g, n = np.array(data["d"]), data["g"], len(data["d"])
    error = deltas.std(ddof=1) / math.sqrt(n)
    t = (deltas.mean() - data["mu0"]) / error
    assert float(log_evidence(t, n, g)) == pytest.approx(expect["log_e_value"], abs=1e-8)
    for key, level in (("interval_05", 0.025), ("interval_10", 0.05)):
        half = Mixture(g).constant(level, n) * error
        if expect[key] is None:
            assert half == math.inf
        else:
            assert [deltas.mean() - half, deltas.mean() + half] == pytest.approx(expect[key])
