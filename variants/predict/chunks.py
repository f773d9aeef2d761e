"""Chunks of rows that share a task, and the class inside the task that their vote picks."""

from __future__ import annotations

import numpy as np

from ablate.types import Floats, Ints


def by_task(logits: Floats, classes_per_task: int) -> Floats:
    """Give logits `[N, K, U]`."""
    return logits.reshape(len(logits), -1, classes_per_task)


def decide(score: Floats, logits: Floats, task: Ints, rows: int) -> tuple[Ints, Ints]:
    """Give predicted class positions and tasks `[N]`: the best mean score of a chunk, argmax in it.

    score `[N, K]`: each row's vote for each task. logits `[N, K, U]`. task `[N]`, rows of a task
    together; a chunk is `rows` consecutive rows of one task, the last one perhaps smaller.
    """
    within = np.arange(len(task)) - np.searchsorted(task, task)
    starts = np.flatnonzero(within % rows == 0)
    sizes = np.diff([*starts, len(task)])
    votes = np.add.reduceat(score.astype(np.float64), starts, axis=0)
    guess = np.repeat((votes / sizes[:, None]).argmax(1), sizes)
    inside = logits[np.arange(len(task)), guess].argmax(1)
    return guess * logits.shape[2] + inside, guess
