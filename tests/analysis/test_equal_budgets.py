"""Contrasts at equal budgets: interpolated costs, pairs kept, flips named."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ablate.analysis import equal_budgets
from ablate.analysis.judge import comparisons, judge
from ablate.core import resources
from ablate.design.reader import parse_suite
from ablate.errors import SuiteError
from ablate.registry import scan
from ablate.types import Contrast, RunResult, Suite
from tests.conftest import record, variant

AXIS = "training.standard.epochs"


def study(
    costs: Mapping[str, tuple[int, ...]], points: Mapping[str, tuple[int, ...]], seeds: int = 6
) -> Any:
    """Make a suite of arms A and B at three lengths, and some seeds' records of each.

    costs: gradient evaluations by arm and length; points: mean right rows of ten, in tenths.
    """
    arms = [replace(variant(arm), cell={AXIS: str(length)}) for length in range(3) for arm in costs]
    runs = []
    for one in arms:
        place = int(one.cell[AXIS])
        mine = {}
        for seed in range(seeds):
            right = points[one.arm][place] + seed % 2
            made = record(seed, ((8, 0), (right, right)), ((10, 0), (10, 10)))
            mine[seed] = replace(made, gradients=costs[one.arm][place], seconds=1.0)
        runs.append(mine)
    contrasts = tuple(Contrast(2 * i, 2 * i + 1, "all-classes", 1.0) for i in range(3))
    suite = Suite(
        "s",
        "s",
        "",
        "q?",
        tuple(arms),
        seeds,
        seeds,
        contrasts,
        0.05,
        "holm",
        "float32",
        budget=AXIS,
    )
    return suite, tuple(runs)


EVEN = {"a": (10, 20, 40), "b": (10, 20, 40)}
TWICE = {"a": (20, 40, 80), "b": (10, 20, 40)}
POINTS = {"a": (4, 5, 8), "b": (2, 4, 6)}


def scores(runs: tuple[Mapping[int, RunResult], ...], place: int) -> list[float]:
    return [5.0 * sum(one.right["all-classes"][-1]) for one in runs[place].values()]


def test_equal_costs_leave_a_contrast_as_it_is() -> None:
    """Ratio one, the same differences."""
    suite, runs = study(EVEN, POINTS)
    for place, contrast in enumerate(suite.contrasts):
        ratio, found = equal_budgets.equalled(suite, runs, contrast, "gradients")
        assert ratio == 1
        assert found is not None
        assert found.deltas == comparisons(suite, runs)[place].deltas


def test_a_baseline_is_read_where_it_costs_as_much_as_the_treatment() -> None:
    """At twice the gradients A is set against B's next length; beyond it, A's last but one."""
    suite, runs = study(TWICE, POINTS)
    _, first = equal_budgets.equalled(suite, runs, suite.contrasts[0], "gradients")
    assert first is not None
    assert list(first.baseline_values) == scores(runs, 3)  # b at its second length
    assert list(first.treatment_values) == scores(runs, 0)
    ratio, last = equal_budgets.equalled(suite, runs, suite.contrasts[2], "gradients")
    assert ratio == 2
    assert last is not None
    assert list(last.treatment_values) == scores(runs, 2)  # a costs 40 at its second length
    assert list(last.baseline_values) == scores(runs, 5)


def test_between_two_costs_scores_are_linear_in_the_logarithm() -> None:
    """At the geometric mean of two costs, half of each; seed by seed."""
    costs = {"a": (round(1000 * math.sqrt(2)), 4000, 8000), "b": (1000, 2000, 4000)}
    suite, runs = study(costs, POINTS)
    _, found = equal_budgets.equalled(suite, runs, suite.contrasts[0], "gradients")
    assert found is not None
    halves = [(a + b) / 2 for a, b in zip(scores(runs, 1), scores(runs, 3), strict=True)]
    assert found.baseline_values == pytest.approx(halves, rel=1e-3)


def test_costs_out_of_reach_have_no_verdict() -> None:
    """A hundred times dearer than anything that the other arm was run at."""
    suite, runs = study({"a": (1000, 2000, 4000), "b": (1, 2, 4)}, POINTS)
    found = [one for one in equal_budgets.at_equal(suite, runs) if one.by == "gradients"]
    assert [one.verdict for one in found] == [None] * 3
    assert found[0].ratio == 1000


def test_a_pair_that_is_lost_at_one_length_is_lost_between_them() -> None:
    """With its reason."""
    suite, runs = study(TWICE, POINTS)
    runs[3][4] = replace(runs[3][4], status="diverged", reason="why", right={})
    _, found = equal_budgets.equalled(suite, runs, suite.contrasts[0], "gradients")
    assert found is not None
    assert found.seeds == (0, 1, 2, 3, 5)
    assert [one.seed for one in found.lost] == [4]


def test_a_verdict_that_turns_with_the_budget_is_named() -> None:
    """A is better at the same length and worse at the same gradients."""
    suite, runs = study(TWICE, {"a": (4, 6, 8), "b": (2, 6, 9)}, seeds=8)  # equal differences
    runs[3].update(
        {
            seed: replace(one, right={"all-classes": ((8, 0), (8, 8))})
            for seed, one in runs[3].items()
        }
    )
    verdicts = judge(suite, comparisons(suite, runs))
    found = equal_budgets.at_equal(suite, runs)
    assert equal_budgets.conclusion(verdicts[0]) == "helps"
    equal = next(one for one in found if one.place == 0 and one.by == "gradients")
    assert equal.verdict is not None
    assert equal_budgets.conclusion(equal.verdict) == "hurts"
    assert equal_budgets.flips(0, verdicts[0], found)
    words = resources.module("reports.budgets")
    made: Any = type("Study", (), {"suite": suite, "verdicts": verdicts, "equal": found})
    assert "Budget-dependent" in words.notes(made)[0]
    assert "| × 2.00 |" in words.section(made)[2]


def test_the_budget_of_a_suite_is_one_of_its_axes() -> None:
    """Else there is nothing to read between."""
    text = """
question: q?
base:
  dataset: digits
  model: mlp
  memory: none
  optimizer: sgd
  training: standard
  method: fine-tune
vary: {training.standard.epochs: [1, 2]}
budget: training.standard.epoch
"""
    with pytest.raises(SuiteError, match="which vary does not set"):
        parse_suite(text.encode(), "b", "b.yaml", scan())
    sound = parse_suite(text.replace("epoch\n", "epochs\n").encode(), "b", "b.yaml", scan())
    assert sound.budget == AXIS
    for values in ("[1]", "[null, 2]"):
        with pytest.raises(SuiteError, match="an axis of at least two numbers"):
            parse_suite(
                text.replace("epoch\n", "epochs\n").replace("[1, 2]", values).encode(),
                "b",
                "b.yaml",
                scan(),
            )
    pooled = "contrasts: [{treatment: base, baseline: base, metric: all-classes, "
    pooled += "margin: 1 points, over: all}]"
    with pytest.raises(SuiteError, match="pooled over settings in a suite with a budget"):
        parse_suite((text.replace("epoch\n", "epochs\n") + pooled).encode(), "b", "b.yaml", scan())
