"""Mini-batches over a task's rows, a number of epochs or of steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ablate.registry import component
from ablate.types import Checkpoint, Clock, Number, Schedule


@component("training", "standard", paper="mini-batch training, as common in continual learning")
@dataclass(frozen=True)
class Standard:
    """Epochs over each task's new rows, or a fixed number of steps, in batches.

    epochs: passes over a task's new rows, [1, 100000].
    first_epochs: the same for the first task, [1, 100000]; null takes `epochs`.
    steps: batches of each task, however many passes that takes, [1, 1e9]; null takes `epochs`.
    batch_rows: new rows in a batch; in a `natural` one, rows of all tasks, [1, 100000].
    batches: `paired` adds as many rows of all exemplars together to the new ones (experience
        replay); `natural` shuffles new rows and exemplars into one pool; `balanced` gives each old
        task as many rows as the new one. Without a memory they are the same.
    exemplar_rows: exemplars in a `paired` batch, [1, 100000]; null takes as many as new rows.
    weights: whether all `rows` of a batch weigh the same in the loss, or all `tasks` in it.
    schedule: how the learning rate changes; null keeps it.
    checkpoint: which of a task's epochs goes on to the next task; null takes the last one.
    """

    epochs: int = 4
    first_epochs: int | None = None
    steps: int | None = None
    batch_rows: int = 128
    batches: Literal["paired", "natural", "balanced"] = "paired"
    exemplar_rows: int | None = None
    weights: Literal["rows", "tasks"] = "rows"
    schedule: Schedule | None = None
    checkpoint: Checkpoint | None = None
    later = ("epochs", "first_epochs", "checkpoint")

    def rate(self, clock: Clock) -> Number:
        """Give the factor on the learning rate."""
        return self.schedule(clock) if self.schedule else 1.0
