"""Chunks of rows that vote on their task, and the class inside the task that the vote picks."""

from __future__ import annotations

import numpy as np

from ablate.types import Floats, Ints, TaskClasses


def votes(kind: str, logits: Floats, classes: TaskClasses) -> Floats:
    """Give each row's vote for each task, `[N, K]`.

    `logit`: the task's largest logit. `probability`: the softmax over all seen classes, summed over
    the task's. `entropy`: minus the entropy of the softmax over the task's own logits.

    Nothing is divided by the number of a task's classes, so that tasks of unequal size do not have
    equal odds: of noise, a larger one has the larger maximum, the larger sum and more entropy.
    """
    if kind == "probability":
        powers = np.exp(logits - logits.max(1, keepdims=True))
        share = powers / powers.sum(1, keepdims=True)
        return np.stack([share[:, own].sum(1) for own in classes.slices], 1)
    rate = _largest if kind == "logit" else _sureness
    return np.stack([rate(logits[:, own]) for own in classes.slices], 1)


def _largest(own: Floats) -> Floats:
    best: Floats = own.max(1)
    return best


def _sureness(own: Floats) -> Floats:
    shifted = own - own.max(1, keepdims=True)
    total = np.exp(shifted).sum(1)
    sure: Floats = (shifted * np.exp(shifted)).sum(1) / total - np.log(total)
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


def inside(logits: Floats, guess: Ints, classes: TaskClasses) -> Ints:
    """Give the class position of the largest of the guessed task's logits; logits `[N, C]`."""
    positions = np.empty(len(logits), dtype=np.int64)
    for k, own in enumerate(classes.slices):
        rows = guess == k
        positions[rows] = own.start + logits[rows, own].argmax(1)
    return positions


def decide(
    kind: str, logits: Floats, task: Ints, classes: TaskClasses, rows: int
) -> tuple[Ints, Ints]:
    """Give predicted class positions and tasks `[N]`: argmax inside the task a chunk elects."""
    guess = elect(votes(kind, logits, classes), starts_of(task, rows))
    return inside(logits, guess, classes), guess
