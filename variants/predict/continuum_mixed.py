"""What the continuum is worth when its rows do not share a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ablate.core.random_streams import stream
from ablate.registry import component
from ablate.types import Floats, Ints, TaskClasses

from . import _chunks


@component("predict", "continuum-mixed", paper="test of the assumption behind iTAML's continuum")
@dataclass(frozen=True)
class ContinuumMixed:
    """`continuum`, each row of a chunk drawn from the rows of all tasks with probability q.

    A chunk elects one task for all of its rows, so those of other tasks come out wrong. Which rows
    change places is drawn once for a number of rows: the same for every arm and seed.

    rows: p, rows in a chunk, [1, 1e9].
    mix: q, [0, 1]; 0 is `continuum`, 1 are chunks of rows from anywhere.
    vote: what is averaged over a chunk: each task's largest `logit`, summed `probability`, or least
        `entropy`.
    """

    rows: int = 20
    mix: float = 0.5
    vote: Literal["logit", "probability", "entropy"] = "logit"
    mixes = True

    def __call__(self, logits: Floats, task: Ints, classes: TaskClasses) -> tuple[Ints, Ints]:
        """Give predicted class positions and tasks, `[N]`; rows of a task stand together."""
        seat = self.seats(len(task))
        score = _chunks.votes(self.vote, logits, classes)
        guess = np.empty_like(task)
        guess[seat] = _chunks.elect(score[seat], _chunks.starts_of(task, self.rows))
        return _chunks.inside(logits, guess, classes), guess

    def seats(self, rows: int) -> Ints:
        """Give which row takes each place, `[N]`: the drawn ones permuted among themselves."""
        draws = stream(0, "mix", rows)
        moved = np.flatnonzero(draws.random(rows) < self.mix)
        seat = np.arange(rows)
        seat[moved] = draws.permutation(moved)
        return seat
