"""First-order model-agnostic meta-learning."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ablate.registry import component
from ablate.training.gradient import grad
from ablate.types import Clock, Fit, Tasks

from ._queries import halves, outer


@component(
    "update", "fomaml", paper="Finn, Abbeel & Levine 2017 (MAML), arXiv:1703.03400, Sec. 5.2"
)
@dataclass(frozen=True)
class Fomaml:
    """theta - outer_lr * mean_k grad L_k(phi_k; query), phi_k = fit(theta, support rows).

    MAML without the derivative of the inner steps. Unlike the paper, tasks are averaged, not
    summed, and support and query rows, every other one, are of one batch.

    outer_lr: outer learning rate, > 0.
    """

    outer_lr: float = 0.1
    queries = 1

    def __call__(self, theta: Tensor, tasks: Tasks, fit: Fit, clock: Clock) -> Tensor:
        """Give the next parameters `[P]`."""
        support, query = halves(tasks)
        phi = fit.solutions(theta, support)  # [K, P]
        query_tasks = fit.split(query)
        slopes = [
            grad(lambda at, task=task: fit.loss(at, task))(solution)
            for solution, task in zip(phi, query_tasks, strict=True)
        ]
        return outer(theta, torch.stack(slopes), phi, tasks, fit, self.outer_lr)
