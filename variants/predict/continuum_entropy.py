"""The continuum's vote, by how sure a row is inside a task."""

from __future__ import annotations

from dataclasses import dataclass

from ablate.registry import component
from ablate.types import Floats, Ints, TaskClasses

from . import _chunks


@component("predict", "continuum-entropy", paper="variant of iTAML's vote: least entropy")
@dataclass(frozen=True)
class ContinuumEntropy:
    """task = argmin_k mean over the chunk's rows of H(softmax of k's own logits); argmax inside.

    With one class a task every entropy is 0 and the first task is picked. Entropies are compared as
    they are: of tasks of unequal size, one of more classes can have more, up to log U, and one of
    a single class has none and is always picked. Chunks are as in `continuum`.

    rows: p, rows in a chunk, [1, 1e9].
    """

    rows: int = 20

    def __call__(self, logits: Floats, task: Ints, classes: TaskClasses) -> tuple[Ints, Ints]:
        """Give predicted class positions and tasks, `[N]`; rows of a task stand together."""
        return _chunks.decide("entropy", logits, task, classes, self.rows)
