"""Scoring protocols, by hand on five rows of two tasks with two classes each."""

from __future__ import annotations

from typing import Any

import numpy as np

from variants.predict.all_classes import AllClasses
from variants.predict.continuum import Continuum
from variants.predict.continuum_adapted import ContinuumAdapted
from variants.predict.continuum_entropy import ContinuumEntropy
from variants.predict.continuum_mixed import ContinuumMixed
from variants.predict.continuum_probability import ContinuumProbability
from variants.predict.known_task import KnownTask
from variants.predict.known_task_adapted import KnownTaskAdapted

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


def test_votes_by_probability_sum_a_softmax_over_all_classes() -> None:
    """Two rows of task 0. Row 1 gives task 0 most; row 2 gives task 1 a little more than half.

    Softmax of (2, 2, 0, 0): task 0 has e^2 / (e^2 + 1) = .881. Of (0, 0, 1, -9): task 1 has
    (e + e^-9) / (2 + e + e^-9) = .576, so task 0 has .424. Mean for task 0: .652. Alone, row 2 goes
    to task 1.
    """
    logits = np.array([[2.0, 2.0, 0.0, 0.0], [0.0, 0.0, 1.0, -9.0]])
    task = np.array([0, 0])
    assert ContinuumProbability(2)(logits, task, 2)[1].tolist() == [0, 0]
    assert ContinuumProbability(1)(logits, task, 2)[1].tolist() == [0, 1]


def test_votes_by_entropy_pick_the_task_that_is_surest_inside() -> None:
    """However small its logits: (0, 0) is undecided at any height, (-5, -1) is not."""
    logits = np.array([[9.0, 9.0, -5.0, -1.0], [8.0, 8.0, -1.0, -1.5]])
    guess, picked = ContinuumEntropy(2)(logits, np.array([0, 0]), 2)
    assert picked.tolist() == [1, 1]
    assert guess.tolist() == [3, 2]
    assert both(Continuum(3)) != both(ContinuumEntropy(3))


def test_entropy_is_scipys() -> None:
    """The vote of a single row follows the smaller of two entropies."""
    from scipy.stats import entropy

    for logits in np.random.default_rng(0).normal(size=(50, 4)):
        by_hand = [entropy(np.exp(logits[:2])), entropy(np.exp(logits[2:]))]
        picked = ContinuumEntropy(1)(logits[None], np.array([0]), 2)[1]
        assert picked.tolist() == [int(np.argmin(by_hand))]


def test_an_adapted_model_decides_inside_the_task_that_the_base_model_elects() -> None:
    """The vote is theta's; the class is the elected task's own model's."""
    unused: Any = None
    own = np.zeros((5, 2, 2))
    own[:, 0, 1] = own[:, 1, 0] = 1  # model 0 says class 1, model 1 says class 2
    elected = both(Continuum(20))[1]
    for predict in (ContinuumAdapted(unused, unused, rows=20),):
        guess, task = predict.adapted(LOGITS, own, TASK)
        assert task.tolist() == elected == [0, 0, 0, 1, 1]
        assert guess.tolist() == [1, 1, 1, 2, 2]
    guess, task = KnownTaskAdapted(unused, unused).adapted(LOGITS, own, TASK)
    assert task.tolist() == TASK.tolist()
    assert guess.tolist() == [1, 1, 1, 2, 2]


def test_a_mixed_continuum_without_mixture_is_the_continuum() -> None:
    """For every vote; with every row exchanged, seats are a permutation that mixes tasks."""
    draws = np.random.default_rng(0)
    task = np.repeat(np.arange(3), 40)
    logits = draws.normal(size=(120, 6)) + 2 * np.eye(6)[2 * task]
    for vote, twin in (("logit", Continuum), ("probability", ContinuumProbability)):
        mixed = ContinuumMixed(20, 0.0, vote)(logits, task, 2)  # type: ignore[arg-type]
        assert all(
            np.array_equal(a, b) for a, b in zip(mixed, twin(20)(logits, task, 2), strict=True)
        )
    seat = ContinuumMixed(20, 1.0).seats(120)
    assert sorted(seat) == list(range(120))
    assert len({int(t) for t in task[seat[:20]]}) == 3
    half = ContinuumMixed(20, 0.5).seats(120)
    assert 30 < (half == np.arange(120)).sum() < 90


def test_mixing_costs_accuracy_where_rows_relied_on_their_neighbours() -> None:
    """With a faint task signal a pure chunk is right and a mixed one cannot be."""
    task = np.repeat(np.arange(3), 40)
    logits = np.random.default_rng(1).normal(size=(120, 6)) + np.eye(6)[2 * task]
    right = [(ContinuumMixed(20, q)(logits, task, 2)[1] == task).mean() for q in (0, 0.5, 1)]
    assert right[0] == 1
    assert right[0] > right[1] > right[2]
