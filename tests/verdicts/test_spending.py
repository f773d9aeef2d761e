"""Alpha is shared over the looks as declared, exactly, and what was declared is frozen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ablate.errors import SuiteError
from ablate.records import registration
from ablate.records.store import open_store
from ablate.types import Design, Suite
from ablate.verdicts.crossing import crossing
from ablate.verdicts.family import schedule
from ablate.verdicts.sequential import Looks, constants
from tests.conftest import TINY

LOOKS = (5, 10, 15, 20)
SPENDS = {"linear": 1, "quadratic": 2}


@pytest.mark.parametrize(
    ("level", "expected"),
    [(0.025, (4.287, 3.033, 2.666, 2.484)), (0.05, (3.486, 2.557, 2.264, 2.096))],
)
def test_constants_of_linear_spending_are_those_of_a_simulation(
    level: float, expected: tuple[float, ...]
) -> None:
    """To its Monte-Carlo error of about one per cent."""
    found = [Looks(LOOKS, "linear", i).constant(level, n) for i, n in enumerate(LOOKS)]
    assert found == pytest.approx(expected, rel=0.012)


@pytest.mark.parametrize("spend", ["flat", *SPENDS])
def test_constants_alone_are_those_of_the_table(spend: str) -> None:
    """On as many pairs as there are at each look."""
    pairs = (5, 9, 14, 20)
    table = [Looks(LOOKS, spend, place).constant(0.03, n) for place, n in enumerate(pairs)]
    assert constants(LOOKS, spend, 0.03, pairs) == pytest.approx(table, rel=2e-4)


@pytest.mark.parametrize("spend", SPENDS)
@pytest.mark.parametrize("looks", [LOOKS, (5, 8, 12, 20, 32, 50), (5, 6), (7, 40)])
@pytest.mark.parametrize("level", [0.0005, 0.0125, 0.05])
def test_each_look_has_spent_its_share(spend: str, looks: tuple[int, ...], level: float) -> None:
    """By the exact chance to have crossed by then, under no difference."""
    levels = [Looks(looks, spend, i).nominal(level) for i in range(len(looks))]
    shares = [level * (n / looks[-1]) ** SPENDS[spend] for n in looks]
    assert crossing(looks, levels).tolist() == pytest.approx(shares, rel=2e-3)


@pytest.mark.parametrize("spend", ["flat", *SPENDS])
def test_p_is_the_level_whose_constant_is_reached_and_falls_with_t(spend: str) -> None:
    """At every look; never under the nominal one."""
    for place, n in enumerate(LOOKS):
        rule = Looks(LOOKS, spend, place)
        for level in (1e-7, 0.001, 0.025, 0.05):
            assert float(rule.p(rule.constant(level, n), n)) == pytest.approx(level, rel=1e-9)
        grid = np.linspace(-2, 12, 200)
        p = rule.p(grid, n)
        assert (np.diff(p) <= 0).all()
        assert (p >= Looks((n,)).p(grid, n) - 1e-15).all()


def test_with_one_look_all_is_spent_there() -> None:
    """Student's t, however it is spent."""
    for spend in SPENDS:
        assert Looks((12,), spend).constant(0.025, 12) == Looks((12,)).constant(0.025, 12)


def test_the_overall_rate_is_held_in_simulated_studies() -> None:
    """A hundred thousand studies under no difference, stopped at the first crossing."""
    draws = np.random.default_rng(3).normal(size=(100_000, LOOKS[-1]))
    for spend in SPENDS:
        crossed = np.zeros(len(draws), bool)
        for place, n in enumerate(LOOKS):
            part = draws[:, :n]
            t = part.mean(1) * np.sqrt(n) / part.std(1, ddof=1)
            crossed |= t >= Looks(LOOKS, spend, place).constant(0.025, n)
        assert crossed.mean() == pytest.approx(0.025, abs=0.0015)


def test_the_schedule_reads_each_look_by_its_own_constant() -> None:
    """A lost pair changes degrees of freedom, and not which look it is."""
    design = Design(0.05, "holm", LOOKS, 15, spend="quadratic")
    rules = dict(schedule(design))
    assert [*rules] == [5, 10, 15]
    strict = [rules[n].constant(0.025, n) for n in rules]
    assert strict == sorted(strict, reverse=True)
    assert rules[10].constant(0.025, 9) > rules[10].constant(0.025, 10)


def test_a_suite_declares_it_and_what_was_declared_is_frozen(
    suite_of: Callable[..., Suite], tmp_path: Path
) -> None:
    """A change afterwards is told, and the frozen one judges."""
    looks = TINY.replace("seeds: 3", "seeds: 20\nlooks: [5, 10, 20]\nspend: linear")
    suite = suite_of(text=looks)
    assert suite.spend == "linear"
    assert suite_of().spend == "flat"
    with pytest.raises(
        SuiteError, match=r"for spend; allowed: flat, linear or quadratic; did you mean 'linear'"
    ):
        suite_of(text=looks.replace("linear", "lineer"))
    store = open_store(tmp_path / "r")
    registration.freeze(suite, store, 0)
    entry = registration.registered(suite, store)
    other = replace(suite, spend="quadratic")
    assert list(registration.deviations(suite, entry)) == []
    assert list(registration.deviations(other, entry)) == [
        "spend: registered linear, now quadratic."
    ]
    assert registration.as_registered(other, entry).spend == "linear"
    store.close()
