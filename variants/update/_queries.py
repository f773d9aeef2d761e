"""Support and query rows of MAML and its first-order form, and the outer step on their slope."""

from __future__ import annotations

import torch
from torch import Tensor

from ablate.types import Fit, Number, Tasks


def halves(tasks: Tasks) -> tuple[Tasks, Tasks]:
    """Share each task's rows out, every other one: support (the first, third ...) and query rows.

    Rows stay where they are with weight 0 on the other side, so that ragged batches stack.
    """
    support = (torch.arange(tasks.w.shape[1], device=tasks.w.device) % 2 == 0).to(tasks.w)
    return tasks._replace(w=tasks.w * support), tasks._replace(w=tasks.w * (1 - support))


def outer(theta: Tensor, slopes: Tensor, phi: Tensor, tasks: Tasks, fit: Fit, lr: Number) -> Tensor:
    """Step along the mean slope `[K, P]` of the present tasks; statistics become their mean."""
    share = tasks.present.to(theta) / tasks.present.sum().clamp(min=1)  # [K]
    after: Tensor = theta - lr * (share @ slopes)
    if not fit.buffers:
        return after
    end = len(theta) - fit.buffers
    return torch.cat([after[:end], share @ phi[:, end:]])
