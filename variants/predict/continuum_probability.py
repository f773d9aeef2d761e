"""The continuum's vote, by the probability that a row gives to a task as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from ablate.registry import component
from ablate.types import Floats, Ints, TaskClasses

from . import _chunks


@component("predict", "continuum-probability", paper="variant of iTAML's vote: summed softmax")
@dataclass(frozen=True)
class ContinuumProbability:
    """task = argmax_k mean over the chunk's rows of sum_{c in k} softmax(logits)_c; argmax inside.

    The softmax is over all seen classes. It is a sum, not a mean: of tasks of unequal size, one of
    more classes has more terms, and of equal logits 50 classes get five times what 10 get. Chunks
    are as in `continuum`.

    rows: p, rows in a chunk, [1, 1e9].
    """

    rows: int = 20

    def __call__(self, logits: Floats, task: Ints, classes: TaskClasses) -> tuple[Ints, Ints]:
        """Give predicted class positions and tasks, `[N]`; rows of a task stand together."""
        return _chunks.decide("probability", logits, task, classes, self.rows)
