"""iTAML's protocol: rows that are known to share a task vote on which one it is."""

from __future__ import annotations

from dataclasses import dataclass

from ablate.registry import component
from ablate.types import Floats, Ints, TaskClasses

from . import _chunks


@component("predict", "continuum", paper="Rajasegaran et al. 2020 (iTAML), arXiv:2003.11652")
@dataclass(frozen=True)
class Continuum:
    """task = argmax_k mean over the chunk's rows of max_{c in k} logit_c; argmax inside it.

    Chunks are consecutive test rows of one task; the rows of a task that do not fill a chunk are
    scored as one smaller chunk. It needs to know that the rows of a chunk share a task. Of tasks of
    unequal size, the largest of more logits is the larger one: the rule is the released code's,
    which has equal tasks, and nothing is done about it.

    rows: p, rows in a chunk, [1, 1e9]; 1 is no voting.
    """

    rows: int = 20
    standard = ({"rows": 1}, {"rows": 5}, {"rows": 20}, {"rows": 100})

    def __call__(self, logits: Floats, task: Ints, classes: TaskClasses) -> tuple[Ints, Ints]:
        """Give predicted class positions and tasks, `[N]`; rows of a task stand together."""
        return _chunks.decide("logit", logits, task, classes, self.rows)
