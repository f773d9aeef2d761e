"""The domain-incremental protocol: one head that all tasks share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ablate.registry import component
from ablate.types import Floats, Ints


@component("predict", "shared-head", paper="van de Ven & Tolias 2019, domain-incremental")
@dataclass(frozen=True)
class SharedHead:
    """argmax among the U outputs that all tasks share; needs to know nothing.

    A model shares them with `domains: T`. Which task a row is of is not asked, and counts as right.
    """

    standard: ClassVar[tuple[dict[str, int], ...]] = ()
    inside_task = True
    shares = True

    def __call__(self, logits: Floats, task: Ints, classes_per_task: int) -> tuple[Ints, Ints]:
        """Give predicted class positions and tasks, `[N]`.

        Raises ValueError where the tasks' outputs are not the same.
        """
        by_task = logits.reshape(len(logits), -1, classes_per_task)
        if not (by_task == by_task[:, :1]).all():
            raise ValueError("the tasks' outputs differ: shared-head takes a model with domains")
        return task * classes_per_task + by_task[:, 0].argmax(1), task
