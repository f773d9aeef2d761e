"""Scoring protocols, by hand on five rows of two tasks of two classes, and on tasks of 3, 1, 2."""

from __future__ import annotations

from typing import Any

import numpy as np

from ablate.types import TaskClasses
from variants.predict.all_classes import AllClasses
from variants.predict.continuum import Continuum
from variants.predict.continuum_adapted import ContinuumAdapted
from variants.predict.continuum_entropy import ContinuumEntropy
from variants.predict.continuum_mixed import ContinuumMixed
from variants.predict.continuum_probability import ContinuumProbability
from variants.predict.known_task import KnownTask
from variants.predict.known_task_adapted import KnownTaskAdapted

TWO, THREE = TaskClasses((2, 2)), TaskClasses((2, 2, 2))
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
    guess, task = predict(LOGITS, TASK, TWO)  # type: ignore[operator]
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
    assert ContinuumProbability(2)(logits, task, TWO)[1].tolist() == [0, 0]
    assert ContinuumProbability(1)(logits, task, TWO)[1].tolist() == [0, 1]


def test_votes_by_entropy_pick_the_task_that_is_surest_inside() -> None:
    """However small its logits: (0, 0) is undecided at any height, (-5, -1) is not."""
    logits = np.array([[9.0, 9.0, -5.0, -1.0], [8.0, 8.0, -1.0, -1.5]])
    guess, picked = ContinuumEntropy(2)(logits, np.array([0, 0]), TWO)
    assert picked.tolist() == [1, 1]
    assert guess.tolist() == [3, 2]
    assert both(Continuum(3)) != both(ContinuumEntropy(3))


def test_entropy_is_scipys() -> None:
    """The vote of a single row follows the smaller of two entropies."""
    from scipy.stats import entropy

    for logits in np.random.default_rng(0).normal(size=(50, 4)):
        by_hand = [entropy(np.exp(logits[:2])), entropy(np.exp(logits[2:]))]
        picked = ContinuumEntropy(1)(logits[None], np.array([0]), TWO)[1]
        assert picked.tolist() == [int(np.argmin(by_hand))]


def test_an_adapted_model_decides_inside_the_task_that_the_base_model_elects() -> None:
    """The vote is theta's; the class is the elected task's own model's."""
    unused: Any = None
    own = np.zeros((5, 4))
    own[:, 1] = own[:, 2] = 1  # model 0 says class 1, model 1 says class 2
    elected = both(Continuum(20))[1]
    for predict in (ContinuumAdapted(unused, unused, rows=20),):
        guess, task = predict.adapted(LOGITS, own, TASK, TWO)
        assert task.tolist() == elected == [0, 0, 0, 1, 1]
        assert guess.tolist() == [1, 1, 1, 2, 2]
    guess, task = KnownTaskAdapted(unused, unused).adapted(LOGITS, own, TASK, TWO)
    assert task.tolist() == TASK.tolist()
    assert guess.tolist() == [1, 1, 1, 2, 2]


def test_a_mixed_continuum_without_mixture_is_the_continuum() -> None:
    """For every vote; with every row exchanged, seats are a permutation that mixes tasks."""
    draws = np.random.default_rng(0)
    task = np.repeat(np.arange(3), 40)
    logits = draws.normal(size=(120, 6)) + 2 * np.eye(6)[2 * task]
    for vote, twin in (("logit", Continuum), ("probability", ContinuumProbability)):
        mixed = ContinuumMixed(20, 0.0, vote)(logits, task, THREE)  # type: ignore[arg-type]
        assert all(
            np.array_equal(a, b) for a, b in zip(mixed, twin(20)(logits, task, THREE), strict=True)
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
    right = [(ContinuumMixed(20, q)(logits, task, THREE)[1] == task).mean() for q in (0, 0.5, 1)]
    assert right[0] == 1
    assert right[0] > right[1] > right[2]


MIXED = TaskClasses((3, 1, 2))
"""Task 0 has classes 0, 1 and 2, task 1 class 3, task 2 classes 4 and 5."""
MIXED_TASK = np.array([0, 0, 1, 2, 2])
MIXED_LOGITS = np.array(
    [
        [1.0, 3.0, 0.0, 2.0, 0.0, 2.5],  # largest 3, 2, 2.5
        [0.0, 1.0, 2.0, 4.0, 1.0, 1.0],  # 2, 4, 1
        [2.0, 2.5, 2.0, 3.0, 0.0, 1.0],  # 2.5, 3, 1
        [5.0, 0.0, 0.0, 1.0, 4.0, 2.0],  # 5, 1, 4
        [0.0, 0.0, 1.0, 2.0, 0.0, 4.0],  # 1, 2, 4
    ]
)


def mixed(predict: Any) -> list[list[int]]:
    guess, task = predict(MIXED_LOGITS, MIXED_TASK, MIXED)
    return [guess.tolist(), task.tolist()]


def test_tasks_of_unequal_size_are_slices_of_the_logits() -> None:
    """Chunks of 2: tasks 0, 1 and 2 have the votes (3 + 2, 2 + 4, 2.5 + 1) / 2 of rows 1 and 2,
    2.5, 3 and 1 of row 3, and (5 + 1, 1 + 2, 4 + 4) / 2 of rows 4 and 5.
    """
    assert mixed(AllClasses()) == [[1, 3, 3, 0, 5], [0, 1, 1, 0, 2]]
    assert mixed(KnownTask()) == [[1, 2, 3, 4, 5], MIXED_TASK.tolist()]
    assert mixed(Continuum(1)) == mixed(AllClasses())
    assert mixed(Continuum(2)) == [[3, 3, 3, 4, 5], [1, 1, 1, 2, 2]]
    assert mixed(ContinuumMixed(2, 0.0, "logit")) == mixed(Continuum(2))


def test_a_task_of_one_class_has_no_entropy_and_is_the_surest() -> None:
    """Whatever the other tasks' logits; without it, two classes against three."""
    assert mixed(ContinuumEntropy(2)) == [[3] * 5, [1] * 5]
    classes, logits = TaskClasses((3, 2)), np.array([[9.0, 0.0, 0.0, 1.0, 1.0]] * 2)
    guess, task = ContinuumEntropy(2)(logits, np.array([1, 1]), classes)
    assert (guess.tolist(), task.tolist()) == ([0, 0], [0, 0])
    logits = np.zeros((1, 5))  # log 3 against log 2
    assert ContinuumEntropy(1)(logits, np.array([0]), classes)[1].tolist() == [1]


def test_a_summed_probability_is_no_mean_over_classes() -> None:
    """Of equal logits three classes have half of it; a class twice as likely as each has a third.

    (0, 0, 0, log 2, -20, -20): task 0 has 3 / 5, task 1 has 2 / 5, though class 3 is the largest.
    """
    logits = np.array([[0.0, 0.0, 0.0, np.log(2), -20.0, -20.0]])
    task = np.array([1])
    assert [int(v[0]) for v in ContinuumProbability(1)(logits, task, MIXED)] == [0, 0]
    assert [int(v[0]) for v in Continuum(1)(logits, task, MIXED)] == [3, 1]


def test_adapted_models_of_unequal_tasks_answer_in_their_own_slices() -> None:
    """The vote is the base model's, the class the adapted models'."""
    unused: Any = None
    own = np.tile([0.0, 0.0, 1.0, 0.0, 1.0, 0.0], (5, 1))
    guess, task = ContinuumAdapted(unused, unused, rows=2).adapted(
        MIXED_LOGITS, own, MIXED_TASK, MIXED
    )
    assert [guess.tolist(), task.tolist()] == [[3, 3, 3, 4, 4], [1, 1, 1, 2, 2]]
    guess, task = KnownTaskAdapted(unused, unused).adapted(MIXED_LOGITS, own, MIXED_TASK, MIXED)
    assert [guess.tolist(), task.tolist()] == [[2, 2, 3, 4, 4], MIXED_TASK.tolist()]


def test_all_classes_do_not_care_how_tasks_are_cut() -> None:
    """The guessed classes are the same for every partition; the tasks are theirs."""
    logits = np.random.default_rng(3).normal(size=(50, 6))
    for sizes in ((6,), (2, 2, 2), (3, 1, 2), (1,) * 6):
        classes = TaskClasses(sizes)
        guess, task = AllClasses()(logits, np.zeros(50, np.int64), classes)
        assert (guess == logits.argmax(1)).all()
        assert (classes.starts[task] <= guess).all()
        assert (guess < classes.starts[task + 1]).all()
