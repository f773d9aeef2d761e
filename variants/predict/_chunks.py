"""Chunks of rows that vote on their task, and the class inside the task that the vote picks."""

from __future__ import annotations

import numpy as np

from ablate.types import Floats, Ints


def by_task(logits: Floats, classes_per_task: int) -> Floats:
    """Give logits `[N, K, U]`."""
    return logits.reshape(len(logits), -1, classes_per_task)


def votes(kind: str, logits: Floats, classes_per_task: int) -> Floats:
    """Give each row's vote for each task, `[N, K]`.

    `logit`: the task's largest logit. `probability`: the softmax over all seen classes, summed over
    the task's. `entropy`: minus the entropy of the softmax over the task's own logits.
    """
    per_task = by_task(logits, classes_per_task)
    if kind == "logit":
        best: Floats = per_task.max(2)
        return best
    if kind == "probability":
        powers = np.exp(logits - logits.max(1, keepdims=True))
        share: Floats = by_task(powers / powers.sum(1, keepdims=True), classes_per_task).sum(2)
        return share
    shifted = per_task - per_task.max(2, keepdims=True)
    total = np.exp(shifted).sum(2)
    sure: Floats = (shifted * np.exp(shifted)).sum(2) / total - np.log(total)
    return sure


def starts_of(task: Ints, rows: int) -> Ints:
    """Give where chunks start: `rows` consecutive rows of one task, the last perhaps fewer.

    task `[N]`, rows of a task together.
    """
    within = np.arange(len(task)) - np.searchsorted(task, task)
    return np.flatnonzero(within % rows == 0)


def elect(score: Floats, starts: Ints) -> Ints:
    """Give the task that each row's chunk elects, `[N]`: the best mean vote `[N, K]`."""
    sizes = np.diff([*starts, len(score)])
    sums = np.add.reduceat(score.astype(np.float64), starts, axis=0)
    return np.repeat((sums / sizes[:, None]).argmax(1), sizes)


def inside(logits: Floats, guess: Ints) -> Ints:
    """Give the class position of the largest of the guessed task's logits `[N, K, U]`."""
    positions: Ints = guess * logits.shape[2] + logits[np.arange(len(guess)), guess].argmax(1)
    return positions


def decide(kind: str, logits: Floats, task: Ints, per_task: int, rows: int) -> tuple[Ints, Ints]:
    """Give predicted class positions and tasks `[N]`: argmax inside the task a chunk elects."""
    guess = elect(votes(kind, logits, per_task), starts_of(task, rows))
    return inside(by_task(logits, per_task), guess), guess
