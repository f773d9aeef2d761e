"""The task-incremental protocol: an ORACLE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ablate.registry import component
from ablate.types import Floats, Ints, TaskClasses

from . import _chunks


@component("predict", "known-task", paper="van de Ven & Tolias 2019, task-incremental")
@dataclass(frozen=True)
class KnownTask:
    """argmax inside the true task; needs to know the task of every row, so it is an ORACLE."""

    standard: ClassVar[tuple[dict[str, int], ...]] = ({},)
    oracle = True
    inside_task = True

    def __call__(self, logits: Floats, task: Ints, classes: TaskClasses) -> tuple[Ints, Ints]:
        """Give predicted class positions and tasks, `[N]`."""
        return _chunks.inside(logits, task, classes), task
