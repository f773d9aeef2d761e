"""Every task starts at theta; the target is the mean of their solutions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ablate.compiled import forms
from ablate.registry import component
from ablate.types import Fit, Inner, Number, Tasks, TaskTarget


@component("gather", "mean", paper="Nichol, Achiam & Schulman 2018 (Reptile), arXiv:1803.02999")
@dataclass(frozen=True)
class Mean:
    """target = mean_k phi_k, phi_k = fit(theta, task k), over the tasks present in the batch."""

    def __call__(
        self, theta: Tensor, tasks: Tasks, fit: Fit, inner: Inner | None
    ) -> tuple[Tensor, Inner | None]:
        """Give the target `[P]`; carried optimizer state goes from task to task."""
        if inner is None:
            phi = fit.solutions(theta, tasks)  # [K, P]
        else:
            solutions = []
            parts = fit.split(tasks)
            for task in parts:
                solution, inner = fit.resume(theta, task, inner, task is parts[-1])
                solutions.append(solution)
            phi = torch.stack(solutions)
        share = tasks.present.to(theta.dtype)
        return (share / share.sum().clamp(min=1)) @ phi, inner

    def reach(self, tasks: Tasks) -> Number:
        """Give 1: the mean of the solutions is one step on the mean loss away."""
        return 1.0

    def compiled(self) -> TaskTarget:
        """Give the mean as a running sum."""
        return TaskTarget(forms.begin, forms.add, forms.close)
