"""iTAML's protocol: rows that are known to share a task vote on which one it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ablate.registry import component
from ablate.types import Floats, Ints


@component("predict", "continuum", paper="Rajasegaran et al. 2020 (iTAML), arXiv:2003.11652")
@dataclass(frozen=True)
class Continuum:
    """task = argmax_k mean over the chunk's rows of max_{c in k} logit_c; argmax inside it.

    Chunks are consecutive test rows of one task; the rows of a task that do not fill a chunk are
    scored as one smaller chunk. It needs to know that the rows of a chunk share a task.

    rows: p, rows in a chunk, [1, 1e9]; 1 is no voting.
    """

    rows: int = 20
    standard = ({"rows": 1}, {"rows": 5}, {"rows": 20}, {"rows": 100})

    def __call__(self, logits: Floats, task: Ints, classes_per_task: int) -> tuple[Ints, Ints]:
        """Give predicted class positions and tasks, `[N]`; rows of a task stand together."""
        by_task = logits.reshape(len(logits), -1, classes_per_task)  # [N, K, U]
        first_row = np.searchsorted(task, task)  # of the row's task
        within = np.arange(len(task)) - first_row
        starts = np.flatnonzero(within % self.rows == 0)
        sizes = np.diff([*starts, len(task)])
        votes = np.add.reduceat(by_task.max(2).astype(np.float64), starts, axis=0)
        guess = np.repeat((votes / sizes[:, None]).argmax(1), sizes)
        inside = by_task[np.arange(len(task)), guess].argmax(1)
        return guess * classes_per_task + inside, guess
