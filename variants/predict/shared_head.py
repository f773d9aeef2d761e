"""The domain-incremental protocol: one head that all tasks share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ablate.registry import component
from ablate.types import Floats, Ints, TaskClasses


@component("predict", "shared-head", paper="van de Ven & Tolias 2019, domain-incremental")
@dataclass(frozen=True)
class SharedHead:
    """argmax among the U outputs that all tasks share; needs to know nothing.

    A model shares them with `domains: T`. Which task a row is of is not asked, and counts as right.
    """

    standard: ClassVar[tuple[dict[str, int], ...]] = ()
    inside_task = True
    shares = True

    def __call__(self, logits: Floats, task: Ints, classes: TaskClasses) -> tuple[Ints, Ints]:
        """Give predicted class positions and tasks, `[N]`.

        Raises ValueError where the tasks' outputs are not the same, or not as many.
        """
        if not classes.equal:
            raise ValueError("tasks of unequal size: shared-head takes tasks of the same classes")
        by_task = logits.reshape(len(logits), len(classes), -1)
        if not (by_task == by_task[:, :1]).all():
            raise ValueError("the tasks' outputs differ: shared-head takes a model with domains")
        return classes.first(task) + by_task[:, 0].argmax(1), task
