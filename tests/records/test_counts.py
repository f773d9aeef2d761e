"""Counts as arrays and as bytes: what a record scored, whatever holds it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ablate.records import metrics
from ablate.records.rows.counts import Tables, packed, unpacked
from ablate.types import RunResult
from tests.conftest import record

LABELS = ("all-classes", "known-task")


def drawn(rng: np.random.Generator, tasks: int, most: int) -> RunResult:
    """Draw a record of so many tasks, of at most so many rows each; its tables are lists."""
    rows = rng.integers(1, most + 1, tasks)
    right, task_right = (
        {name: np.tril(rng.integers(0, rows + 1, (tasks, tasks))).tolist() for name in LABELS}
        for _ in range(2)
    )
    return replace(record(), rows=rows.tolist(), right=right, task_right=task_right)


def as_stored(result: RunResult) -> RunResult:
    """Write a record's counts and read them again."""
    labels, content = packed(result.right, result.task_right)
    counts = unpacked(len(labels), len(result.rows), content)
    assert counts is not None
    return replace(result, right=Tables(labels, counts[0]), task_right=Tables(labels, counts[1]))


@pytest.mark.parametrize(
    ("most", "width"), [(1, 1), (255, 1), (256, 2), (65_536, 4), (2**32, 8), (2**53 - 1, 8)]
)
def test_counts_take_as_few_bytes_as_the_largest_needs(most: int, width: int) -> None:
    """And come back as they went."""
    lists = {"a": [[most, 0], [0, most]]}
    labels, content = packed(lists, lists)
    assert (labels, len(content)) == (["a"], 8 * width)
    counts = unpacked(1, 2, content)
    assert counts is not None
    assert counts.tolist() == [[lists["a"]], [lists["a"]]]


@pytest.mark.parametrize("content", [None, "", b"", bytes(7), bytes(24), bytes(65)])
def test_other_bytes_are_no_counts(content: object) -> None:
    """Of one protocol and two tasks there are 8, 16, 32 or 64."""
    assert unpacked(1, 2, content) is None


def test_a_run_without_scores_has_no_bytes() -> None:
    """As one that failed."""
    assert packed({}, {}) == ([], b"")
    assert unpacked(0, 5, b"") is not None
    assert unpacked(0, 5, b"\0") is None


def test_tables_are_a_mapping_of_lists() -> None:
    """Equal to a dictionary of the same lists, and to no other."""
    lists = drawn(np.random.default_rng(0), 3, 9)
    stored = as_stored(lists)
    assert stored == lists
    assert dict(stored.right) == lists.right
    assert stored.right == as_stored(lists).right
    assert stored.right != stored.task_right
    assert stored.right != {**lists.right, "b": [[1]]}
    assert "b" not in stored.right
    with pytest.raises(KeyError):
        stored.right["b"]


def test_runs_score_the_same_one_by_one_and_together() -> None:
    """To the last bit, in every metric, of arms whose runs have other numbers of tasks, too."""
    rng = np.random.default_rng(1)
    for most in (1, 72, 300, 70_000):
        lists = [drawn(rng, int(rng.integers(1, 21)), most) for _ in range(30)]
        stored = [as_stored(result) for result in lists]
        for metric in metrics.names(LABELS):
            alone = [metrics.value(result, metric, "known-task") for result in lists]
            for results in (lists, stored, [*stored[:15], *lists[15:]]):
                together = metrics.values(results, metric, "known-task")
                assert together.tolist() == pytest.approx(alone, rel=0, abs=0, nan_ok=True)


def test_a_run_that_lacks_a_protocol_is_told() -> None:
    """Among runs that have it."""
    whole = drawn(np.random.default_rng(2), 3, 9)
    other = replace(whole, right={"b": whole.right["known-task"]})
    for results in ([whole, other], [as_stored(whole), other]):
        with pytest.raises(KeyError):
            metrics.values(results, "known-task", "known-task")
