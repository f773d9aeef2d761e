"""The shipped suites on digits: other data sets take their place, and their arms differ."""

from __future__ import annotations

from itertools import combinations

import pytest

from ablate import flow
from ablate.types import FactorialEffect

ON_DIGITS = (
    *("what_matters", "update_rule", "inner_steps", "eta_schedule", "memory", "task_prediction"),
    *("released_code", "continuum_size", "meta_vs_replay"),
)
SAME_LOSS = [name for name in ON_DIGITS if name not in {"task_prediction", "what_matters"}]
FACTORS = ("loss", "gather", "state", "step", "batches", "memory", "inner-steps")


@pytest.mark.parametrize("name", ON_DIGITS)
@pytest.mark.parametrize("dataset", ["mnist", "fashion-mnist"])
def test_a_suite_takes_another_data_set(name: str, dataset: str) -> None:
    """By one word on the command line; no arm names the data set that it is written for."""
    suite = flow.open_suite(name, changes=(f"dataset={dataset}",))
    assert {one.choices["dataset"].name for one in suite.variants} == {dataset}


@pytest.mark.parametrize("name", SAME_LOSS)
def test_a_suite_asks_learners_that_compare_all_classes(name: str) -> None:
    """Own-task BCE leaves digits at the newest task; it stands where the loss is the question."""
    for one in flow.open_suite(name).variants:
        settings = one.choices["method"].settings
        assert "loss" not in settings or settings["loss"].name == "all-ce", one.arm


def effects() -> list[FactorialEffect]:
    found = flow.open_suite("what_matters").effects
    return [one for one in found if isinstance(one, FactorialEffect)]


def test_the_whole_answer_is_in_two_metrics_and_at_both_levels_of_the_loss() -> None:
    """The same claims of each: 7 factors, 21 pairs of which 3 share a row with another, 2 x 6."""
    every = effects()
    for metric in ("all-classes", "continuum(20)"):
        asked = [one for one in every if one.metric == metric]
        assert len(asked) == 7 + (21 - 3) + 12
        assert tuple(one.factor for one in asked if one.factor) == FACTORS
        assert len([one for one in asked if one.at]) == 12


def test_no_factor_of_the_whole_answer_is_mixed_with_another_or_with_a_pair() -> None:
    """Nor is a pair with the loss, the gather or the state; the other six are three rows."""
    every = [one for one in effects() if one.metric == "all-classes" and not one.at]
    assert all(len(one.factors) == 1 for one in every if one.factor)
    mixed = {one.factors for one in every if len(one.factors) > 1}
    rest = set(FACTORS[3:])
    assert {pair for row in mixed for pair in row} == set(combinations(FACTORS[3:], 2))
    assert all(set(first) | set(second) == rest for first, second in mixed)


def test_every_arm_of_the_whole_answer_has_a_momentum_to_carry() -> None:
    """At 0 there is no state, and carrying it would be the same arm twice."""
    for one in flow.open_suite("what_matters").variants:
        assert one.choices["method"].settings["optimizer"].settings["momentum"] > 0
