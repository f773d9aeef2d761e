"""Counts -> points, by hand on two and three tasks of ten rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ablate.analysis.arm_summary import estimate, summarise
from ablate.records import metrics
from ablate.training import scoring
from ablate.types import TaskClasses
from tests.conftest import record, variant
from variants.predict.all_classes import AllClasses
from variants.predict.continuum import Continuum
from variants.predict.known_task import KnownTask

THREE = replace(
    record(
        right=[[10, 0, 0], [6, 9, 0], [7, 5, 8]], task_right=[[10, 0, 0], [8, 9, 0], [8, 6, 10]]
    ),
    rows=[10, 10, 10],
)


PAIRS = TaskClasses((2, 2, 2))


def test_the_accuracy_matrix_is_a_lower_triangle() -> None:
    """Accuracy on task k after task t; nothing is known above the diagonal."""
    matrix = metrics.accuracy_matrix(metrics.Scores([THREE], "all-classes"))[0]
    assert matrix[1].tolist()[:2] == [60, 90]
    assert np.isnan(matrix[0, 1:]).all()


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("all-classes", 100 * 20 / 30),
        ("accuracy", 100 * 20 / 30),
        ("average-accuracy", (70 + 50 + 80) / 3),
        ("average-incremental-accuracy", (100 + 75 + 200 / 3) / 3),
        ("forgetting", ((100 - 70) + (90 - 50)) / 2),
        ("backward-transfer", ((70 - 100) + (50 - 90)) / 2),
        ("task-prediction", 100 * 24 / 30),
        ("within-task", 100 * 20 / 24),
        ("forgetting@all-classes", 35),
    ],
)
def test_each_metric_gives_its_hand_worked_value(metric: str, expected: float) -> None:
    """On three tasks of ten rows each."""
    assert metrics.value(THREE, metric, "all-classes") == pytest.approx(expected, abs=1e-9)


def test_forgetting_compares_with_the_best_accuracy_before_the_last_task() -> None:
    """A task that improved and then fell: best 90 in between, last 50."""
    better = replace(THREE, right={"all-classes": [[6, 0, 0], [9, 9, 0], [5, 9, 8]]})
    assert metrics.forgetting(metrics.Scores([better], "all-classes")) == pytest.approx(
        (40 + 0) / 2
    )


def test_weights_follow_the_rows_of_each_task() -> None:
    """Accuracy counts rows, average accuracy counts tasks."""
    uneven = replace(record(right=[[30, 0], [15, 10]]), rows=[30, 10])
    assert metrics.accuracy(metrics.Scores([uneven], "all-classes")) == pytest.approx(62.5)
    assert metrics.average_accuracy(metrics.Scores([uneven], "all-classes")) == pytest.approx(75)


def test_one_task_forgets_nothing() -> None:
    """And transfers nothing."""
    single = replace(record(right=[[7]], task_right=[[10]]), rows=[10])
    assert metrics.forgetting(metrics.Scores([single], "all-classes")) == 0
    assert metrics.backward_transfer(metrics.Scores([single], "all-classes")) == 0


def test_within_task_is_unknown_where_no_task_is_right() -> None:
    """Not a division by zero."""
    none = record(right=[[0, 0], [0, 0]], task_right=[[0, 0], [0, 0]])
    assert np.isnan(metrics.within_task(metrics.Scores([none], "all-classes")))


def test_accuracy_is_the_product_of_its_factors_for_every_protocol() -> None:
    """P(task) x P(class | task), to 1e-9, on random logits."""
    draws = np.random.default_rng(0)
    y = draws.permutation(np.repeat(np.arange(6), 13))
    protocols = {"a": AllClasses(), "c": Continuum(5), "k": KnownTask()}
    counts = [
        scoring.count(draws.normal(size=(len(y), 6)), y, t, PAIRS, protocols) for t in range(3)
    ]
    made = replace(
        record(),
        rows=scoring.rows_by_task(y, PAIRS),
        right={label: [c[label].right for c in counts] for label in protocols},
        task_right={label: [c[label].task_right for c in counts] for label in protocols},
    )
    for label in protocols:
        product = (
            metrics.task_prediction(metrics.Scores([made], label))
            * metrics.within_task(metrics.Scores([made], label))
            / 100
        )
        assert metrics.accuracy(metrics.Scores([made], label)) == pytest.approx(product, abs=1e-9)
    assert (
        0
        < metrics.accuracy(metrics.Scores([made], "a"))
        < metrics.accuracy(metrics.Scores([made], "k"))
        < 100
    )


def test_only_rows_and_logits_of_seen_tasks_are_scored() -> None:
    """A huge logit of an unseen class changes nothing."""
    y = np.array([3, 0, 2, 1])  # files' order, tasks 1 0 1 0
    logits = np.eye(4)[y]
    logits[:, 2:] += 100
    found = scoring.count(logits, y, 0, TaskClasses((2, 2)), {"a": AllClasses()})["a"]
    assert found == scoring.Counts([2, 0], [2, 0])


def test_positions_invert_a_class_order() -> None:
    """Class 7 first means its rows get position 0."""
    order = np.array([2, 0, 1])
    assert scoring.positions(np.array([0, 1, 2, 2]), order).tolist() == [1, 2, 0, 0]


def test_an_arm_is_summarised_over_the_runs_that_ended_well() -> None:
    """Mean and Student interval of two runs; the diverged one is counted, not averaged."""
    runs = {
        0: record(0, right=[[10, 0], [10, 10]]),
        1: record(1, right=[[10, 0], [8, 8]]),
        2: record(2, status="diverged"),
    }
    arm = summarise(variant("a"), runs, ["all-classes"], 0.05)
    assert arm.statuses == {"ok": 2, "diverged": 1, "failed": 0}
    found = arm.values["all-classes"]
    assert (found.mean, found.n) == (90, 2)
    # t(.975, 1) = 12.7062, sd = 14.1421, over the square root of 2: 127.062
    assert found.high - found.mean == pytest.approx(127.062, abs=1e-3)
    assert [round(point.mean) for point in arm.curve] == [100, 90]
    assert arm.updates_per_second == pytest.approx(20)


def test_an_arm_without_runs_has_no_figures() -> None:
    """Not a number, and no curve."""
    arm = summarise(variant("a"), {}, ["all-classes"], 0.05)
    assert np.isnan(arm.values["all-classes"].mean)
    assert arm.curve == []
    assert estimate([5.0], 0.05).n == 1
