"""Pairs are joined on the seed, and what is no pair is refused or lost by name."""

from __future__ import annotations

import math

import pytest

from ablate.analysis.pairing import compare
from ablate.types import Choice, Comparison, RunResult, Variant
from tests.conftest import record, variant


def paired(
    a: dict[int, RunResult], b: dict[int, RunResult], metric: str = "all-classes"
) -> Comparison:
    return compare(variant("a"), variant("b"), metric, 1.0, (a, b), range(3))


def runs(*right: int) -> dict[int, RunResult]:
    return {seed: record(seed, right=[[9, 0], [n, 5]]) for seed, n in enumerate(right)}


def test_pairs_are_joined_on_the_seed_not_on_position() -> None:
    """However the records come."""
    shuffled = dict(reversed(runs(8, 7, 6).items()))
    found = paired(runs(9, 9, 9), shuffled)
    assert found.seeds == (0, 1, 2)
    assert found.deltas == pytest.approx((5, 10, 15))
    assert found.resolution == 5


def test_class_orders_are_compared_only_by_arms_that_declare_them() -> None:
    """Where both declare one order, records of two are no pair."""

    def arm(name: str, order: str) -> Variant:
        data = Choice("dataset", "digits", {"class_order": order})
        return Variant(name, {}, {**variant(name).choices, "dataset": data})

    a = {s: record(s, streams={"init": f"i{s}", "class order": "x"}) for s in range(3)}
    b = {s: record(s, streams={"init": f"i{s}", "class order": "y"}) for s in range(3)}
    for orders, refused in ((("seeded", "natural"), ""), (("seeded", "seeded"), "class order")):
        arms = (arm("a", orders[0]), arm("b", orders[1]))
        found = compare(*arms, "all-classes", 1.0, (a, b), range(3))
        assert bool(found.refusal) == bool(refused)
        assert refused in found.refusal


def test_runs_that_ended_badly_are_lost_pairs_with_a_reason() -> None:
    """Diverged, missing, without the protocol; the rest stays."""
    bad = {**runs(8, 7, 6), 1: record(1, status="diverged")}
    found = paired(bad, {seed: run for seed, run in runs(8, 7, 6).items() if seed != 2})
    assert found.seeds == (0,)
    assert [(pair.seed, pair.sides, pair.missing) for pair in found.lost] == [
        (1, ("a",), False),
        (2, (), True),
    ]
    assert found.lost[0].reason == "a: diverged (why)"
    assert found.lost[1].reason == "b: not run"
    unknown = paired(runs(8, 7, 6), runs(8, 7, 6), "continuum(7)")
    assert "lacks this protocol" in unknown.lost[0].reason


def test_a_score_that_is_not_finite_is_a_lost_pair() -> None:
    """P(class | task) where no task was right."""
    none = {0: record(0, right=[[0, 0], [0, 0]], task_right=[[0, 0], [0, 0]])}
    assert "not finite" in paired(none, runs(8), "within-task").lost[0].reason


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"data": "other"}, "data differs (d and other)"),
        ({"device": "cuda"}, "device differs (cpu and cuda)"),
        ({"record_version": 2}, "record_version differs (1 and 2)"),
        ({"packages": {"torch": "3"}}, "torch differs (2 and 3)"),
        ({"streams": {"init": "x"}}, "the init stream differs"),
        ({"engine": "new"}, "engine differs (None and new)"),
        ({"components": "new"}, "the runs of b come from several versions of its components"),
        ({"streams": {}}, "a record has no stream digests"),
    ],
)
def test_records_of_another_world_are_refused(facts: dict[str, object], said: str) -> None:
    """Whatever their scores."""
    found = paired(runs(8, 7, 6), {**runs(8, 7, 6), 2: record(2, right=[[9, 0], [6, 5]], **facts)})
    assert found.refusal == said


def test_a_component_that_both_arms_use_must_be_the_same() -> None:
    """Each arm has components of its own; those they share are compared."""
    a = record(0, components={"optimizer.sgd": "1", "update.itaml": "x"})
    b = record(0, components={"optimizer.sgd": "2", "update.joint": "y"})
    assert paired({0: a}, {0: b}).refusal == "optimizer.sgd was changed between the runs"
    same = record(0, components={"optimizer.sgd": "1", "update.joint": "y"})
    assert paired({0: a}, {0: same}).refusal == ""


def test_arms_with_the_same_scores_throughout_are_identical() -> None:
    """In every score, not only in the metric compared."""
    assert paired(runs(8, 7), runs(8, 7)).identical
    other = {0: record(0, right=[[8, 0], [8, 5]]), 1: record(1, right=[[9, 0], [7, 5]])}
    found = paired(runs(8, 7), other)
    assert found.deltas == (0, 0)
    assert not found.identical


def test_the_correlation_says_what_pairing_bought() -> None:
    """1 where the arms move together, unknown where one does not move."""
    assert paired(runs(8, 7, 6), runs(6, 5, 4)).correlation == pytest.approx(1)
    assert math.isnan(paired(runs(8, 7, 6), runs(5, 5, 5)).correlation)
