"""iTAML's whole protocol: a vote on the task, and a model adapted to it on the exemplars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ablate.registry import component
from ablate.types import Floats, Ints, Loss, Optimizer, TaskClasses

from . import _chunks


@component("predict", "continuum-adapted", paper="Rajasegaran et al. 2020 (iTAML), Algorithm 2")
@dataclass(frozen=True)
class ContinuumAdapted:
    """The chunk's vote picks task k by theta; argmax inside k by theta_k, adapted on k's exemplars.

    As described one update (`updates: 1`); the released code takes one epoch of Adam. Adaptation
    starts after the second task, as there; nothing of it is kept.

    optimizer: of the adaptation; the released code takes `adam` with lr 0.001.
    loss: of the adaptation, on exemplars of one task.
    rows: p, rows in a chunk, [1, 1e9].
    vote: what is averaged over a chunk: each task's largest `logit`, summed `probability`, or least
        `entropy`.
    epochs: passes over a task's exemplars, [1, 100000].
    updates: the most optimizer steps for each task, [1, 1e9]; null takes all of the epochs'.
    batch_rows: exemplars in a step, [1, 100000].
    """

    optimizer: Optimizer
    loss: Loss
    rows: int = 20
    vote: Literal["logit", "probability", "entropy"] = "logit"
    epochs: int = 1
    updates: int | None = None
    batch_rows: int = 64
    adapts = True

    def __call__(self, logits: Floats, task: Ints, classes: TaskClasses) -> tuple[Ints, Ints]:
        """Score as if nothing had been adapted."""
        return _chunks.decide(self.vote, logits, task, classes, self.rows)

    def adapted(
        self, logits: Floats, own: Floats, task: Ints, classes: TaskClasses
    ) -> tuple[Ints, Ints]:
        """Give class positions and tasks `[N]`; own `[N, C]`: by the model adapted to each task."""
        score = _chunks.votes(self.vote, logits, classes)
        guess = _chunks.elect(score, _chunks.starts_of(task, self.rows))
        return _chunks.inside(own, guess, classes), guess
