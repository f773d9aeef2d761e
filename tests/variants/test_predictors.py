"""Scoring protocols, by hand on five rows of two tasks with two classes each."""

from __future__ import annotations

import numpy as np

from variants.predict.all_classes import AllClasses
from variants.predict.continuum import Continuum
from variants.predict.known_task import KnownTask

TASK = np.array([0, 0, 0, 1, 1])
LOGITS = np.array(
    [
        [5.0, 0.0, 1.0, 0.0],  # task 0 by far
        [0.0, 1.0, 2.0, 0.0],  # alone: task 1
        [0.0, 1.0, 3.0, 0.0],  # alone: task 1
        [0.0, 0.0, 1.0, 2.0],  # task 1
        [9.0, 0.0, 0.0, 8.0],  # task 0 by one
    ]
)


def both(predict: object) -> list[list[int]]:
    guess, task = predict(LOGITS, TASK, 2)  # type: ignore[operator]
    return [guess.tolist(), task.tolist()]


def test_all_classes_takes_the_largest_logit() -> None:
    """Whatever task it belongs to."""
    assert both(AllClasses()) == [[0, 2, 2, 3, 0], [0, 1, 1, 1, 0]]


def test_known_task_looks_inside_the_true_task() -> None:
    """The task is given, so it is always right."""
    assert both(KnownTask()) == [[0, 1, 1, 3, 3], TASK.tolist()]


def test_a_continuum_of_one_row_is_no_voting() -> None:
    """Its task is that of the largest logit, its class the largest inside."""
    assert both(Continuum(1)) == both(AllClasses())


def test_a_continuum_votes_with_the_mean_of_the_largest_logits() -> None:
    """Three rows: task 0 has (5 + 1 + 1) / 3, task 1 (1 + 2 + 3) / 3. Rows 4 and 5 make a chunk
    of their own: (0 + 9) / 2 against (2 + 8) / 2.
    """
    assert both(Continuum(3)) == [[0, 1, 1, 3, 3], [0, 0, 0, 1, 1]]


def test_rows_left_over_are_scored_as_a_smaller_chunk() -> None:
    """Chunks of two: rows 1-2 (5 + 1 against 1 + 2), row 3 alone, rows 4-5."""
    assert both(Continuum(2)) == [[0, 1, 2, 3, 3], [0, 0, 1, 1, 1]]


def test_a_chunk_never_reaches_into_the_next_task() -> None:
    """A chunk size beyond the rows of a task gives each task one chunk."""
    assert both(Continuum(100)) == both(Continuum(3))
