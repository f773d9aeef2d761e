"""Model-agnostic meta-learning."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ablate.registry import component
from ablate.training.gradient import grad
from ablate.types import Clock, Fit, Tasks

from ._queries import halves, outer


@component("update", "maml", paper="Finn, Abbeel & Levine 2017 (MAML), arXiv:1703.03400, Eq. 1")
@dataclass(frozen=True)
class Maml:
    """theta - outer_lr * grad mean_k L_k(phi_k; query), phi_k = fit(theta, support rows).

    The gradient goes through the inner steps. Unlike the paper, tasks are averaged, not summed, and
    support and query rows, every other one, are of one batch.

    outer_lr: outer learning rate, > 0.
    """

    outer_lr: float = 0.1
    queries = 2  # gradients beside the inner ones: of the query rows, and back through the steps

    def __call__(self, theta: Tensor, tasks: Tasks, fit: Fit, clock: Clock) -> Tensor:
        """Give the next parameters `[P]`."""
        support, query = halves(tasks)
        pairs = list(zip(fit.split(support), fit.split(query), strict=True))

        def after(at: Tensor, k: int) -> tuple[Tensor, Tensor]:
            known, query_rows = pairs[k]
            phi = fit(at, known, k == len(pairs) - 1)
            return fit.loss(phi, query_rows), phi

        results = [grad(after, has_aux=True)(theta, k) for k in range(len(pairs))]
        slopes, phi = (torch.stack(parts) for parts in zip(*results, strict=True))
        return outer(theta, slopes, phi, tasks, fit, self.outer_lr)
