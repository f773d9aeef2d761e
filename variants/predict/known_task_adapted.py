"""The task-incremental protocol with adapted models: an ORACLE."""

from __future__ import annotations

from dataclasses import dataclass

from ablate.registry import component
from ablate.types import Floats, Ints, Loss, Optimizer, TaskClasses

from . import _chunks


@component("predict", "known-task-adapted", paper="released code of iTAML (its task accuracies)")
@dataclass(frozen=True)
class KnownTaskAdapted:
    """argmax inside the true task by the model adapted to it; an ORACLE, as `known-task` is.

    optimizer: of the adaptation; the released code takes `adam` with lr 0.001.
    loss: of the adaptation, on exemplars of one task.
    epochs: passes over a task's exemplars, [1, 100000].
    updates: the most optimizer steps for each task, [1, 1e9]; null takes all of the epochs'.
    batch_rows: exemplars in a step, [1, 100000].
    """

    optimizer: Optimizer
    loss: Loss
    epochs: int = 1
    updates: int | None = None
    batch_rows: int = 64
    adapts = True
    oracle = True
    inside_task = True

    def __call__(self, logits: Floats, task: Ints, classes: TaskClasses) -> tuple[Ints, Ints]:
        """Score as if nothing had been adapted."""
        return _chunks.inside(logits, task, classes), task

    def adapted(
        self, logits: Floats, own: Floats, task: Ints, classes: TaskClasses
    ) -> tuple[Ints, Ints]:
        """Give class positions and tasks `[N]`; own `[N, C]`: by the model adapted to each task."""
        return _chunks.inside(own, task, classes), task
