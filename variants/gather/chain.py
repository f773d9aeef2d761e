"""Tasks run one after the other, each from where the last ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ablate.registry import component
from ablate.types import Fit, Inner, Number, Tasks, TaskTarget


@component("gather", "chain", paper="released code of iTAML (Rajasegaran et al., CVPR 2020)")
@dataclass(frozen=True)
class Chain:
    """target = phi_K, phi_k = fit(phi_{k-1}, task k), phi_0 = theta; oldest task first."""

    def __call__(
        self, theta: Tensor, tasks: Tasks, fit: Fit, inner: Inner | None
    ) -> tuple[Tensor, Inner | None]:
        """Give the target `[P]`; carried optimizer state goes from task to task."""
        phi = theta
        parts = fit.split(tasks)
        for task in parts:
            if inner is None:
                phi = fit(phi, task, task is parts[-1])
            else:
                phi, inner = fit.resume(phi, task, inner, task is parts[-1])
        return phi, inner

    def reach(self, tasks: Tasks) -> Number:
        """Give the tasks present: each of them adds its own step."""
        return tasks.present.to(tasks.w.dtype).sum()

    def compiled(self) -> TaskTarget:
        """Give the chain: a task goes on where the one before it ended."""
        return TaskTarget(begin, add, close)


def begin(phi: Any, theta: Any, before: Any) -> None:
    """Start the first task at theta."""
    if before == 0:
        phi[:] = theta


def add(target: Any, phi: Any, before: Any) -> None:
    """Leave the target: it is the last solution."""


def close(target: Any, phi: Any, present: Any) -> None:
    """Take the last solution."""
    target[:] = phi
