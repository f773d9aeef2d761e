"""How a task is learnt: loss and accuracy of some of its training rows at the end of epochs.

Every arm is measured alike, whatever it trains on: by the cross-entropy among the classes seen so
far, of rows as they are stored. Nothing is drawn and nothing is changed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ablate.streams.class_split import Split
from ablate.streams.task_stream import Stream
from ablate.training import hooks
from ablate.training.replicas import Program, over_replicas
from ablate.types import Ints, Json

MOST_ROWS = 64
"""Rows of a task that are looked at: of more, the looks would take a part of short trainings."""

ALL_EPOCHS, MOST_POINTS = 5, 10


def measured_epochs(epochs: int) -> list[int]:
    """Number the epochs, from 1, after which a task of so many is looked at.

    All of up to five; of more half of them, but five to ten, evenly spaced. The last is among them.

    >>> measured_epochs(3), measured_epochs(10), measured_epochs(7)
    ([1, 2, 3], [2, 4, 6, 8, 10], [1, 2, 4, 5, 7])
    """
    points = min(epochs, max(ALL_EPOCHS, min(epochs // 2, MOST_POINTS)))
    return [point * epochs // points for point in range(1, points + 1)]


def sample(cut: Split, t: int, s: int) -> tuple[Ints, Ints]:
    """Give the numbers of the rows of task t that replica s is looked at on, and their positions.

    Evenly spaced over the task's training rows in their order in the data set, which may be that
    of their classes.
    """
    newest = cut.by_task.slices[t]
    classes = range(newest.start, newest.stop)
    numbers = np.concatenate([cut.pool[s, c, : cut.counts[s, c]] for c in classes])
    positions = np.repeat(classes, cut.counts[s, classes.start : classes.stop])
    count = min(MOST_ROWS, len(numbers))
    spread = np.argsort(numbers, kind="stable")[np.arange(count) * len(numbers) // count]
    return numbers[spread], positions[spread]


class Recorder:
    """Looks at a stack while it learns task t.

    `curves` has what a record keeps of it, for each replica: `epochs` of the task, the epochs `at`
    which it was looked at, `loss` there (None where it is not finite), and how many of the `rows`
    were `right`.
    """

    def __init__(self, program: Program, stream: Stream, t: int, epochs: int) -> None:
        """Choose the rows and the epochs, of so many."""
        cut, self.program, self.stream = stream.cut, program, stream
        at = measured_epochs(epochs)
        samples = [sample(cut, t, s) for s in range(len(cut.seeds))]
        counts = np.array([len(rows) for rows, _ in samples])
        # replicas may have other numbers of rows: the last row of each stands for what it lacks
        rows, y = (
            np.stack([np.pad(part, (0, counts.max() - len(part)), "edge") for part in parts])
            for parts in zip(*samples, strict=True)
        )
        self.rows = torch.as_tensor(rows, device=stream.device)  # [S, N]
        self.y = torch.as_tensor(y, device=stream.device)
        self.counted = torch.as_tensor(np.arange(counts.max()) < counts[:, None]).to(self.y.device)
        self.seen = int(cut.by_task.starts[t + 1])
        self.at = frozenset(at)
        self.curves: list[Json] = [
            {"epochs": epochs, "at": at, "rows": int(count), "loss": [], "right": []}
            for count in counts
        ]

    def see(self, epoch: int, state: Any) -> None:
        """Look at the state after an epoch, numbered from 0, if it is one of those."""
        if epoch + 1 not in self.at:
            return
        known = self._logits(state)[..., : self.seen].double()  # [S, N, classes seen]
        losses = cross_entropy(known.flatten(0, 1), self.y.flatten(), reduction="none")
        loss = (losses.view_as(self.y) * self.counted).sum(1) / self.counted.sum(1)
        right = ((known.argmax(-1) == self.y) & self.counted).sum(1)
        for curve, value, count in zip(self.curves, loss.tolist(), right.tolist(), strict=True):
            curve["loss"].append(max(value, 0.0) if math.isfinite(value) else None)
            curve["right"].append(count)

    def _logits(self, state: Any) -> Tensor:
        """Score the rows by the network that is trained, not by what a method makes of it later."""
        method, net, engine = self.program.method, self.program.net, self.program.engine
        # looked up anew for every look: held, pictures would fill as much memory as a batch
        rows = self.stream.x[self.rows]
        if engine:
            return engine.logits(state.theta, rows)

        def score(state: Any, x: Tensor) -> Tensor:
            theta = hooks.parameters(method, state)
            return hooks.logits(method, state, x, net) if theta is None else net(theta, x)

        scores: Tensor = over_replicas(score, state, rows)
        return scores
