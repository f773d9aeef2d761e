"""The arithmetic that the loss components share: weighted means over rows, masks over classes."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from ablate.types import Tasks


class Labelled(Protocol):
    """Rows with class positions y `[B]` and weights w `[B]`."""

    @property
    def y(self) -> Tensor:
        """Give class positions."""

    @property
    def w(self) -> Tensor:
        """Give weights, 0 for padding."""


def mean_over_rows(losses: Tensor, w: Tensor) -> Tensor:
    """Give the weighted mean of row losses `[B]`; 0, not nan, where every row is padding."""
    total = w.sum()
    return (losses * w).sum() / torch.where(total > 0, total, 1)


def one_hot(y: Tensor, classes: int) -> Tensor:
    """Give booleans `[B, C]`; unlike `functional.one_hot` it works under vmap."""
    return y[:, None] == torch.arange(classes, device=y.device)


def binary(logits: Tensor, task: Tasks) -> Tensor:
    """Binary cross-entropy with logits over the task's own logits, mean over rows and logits."""
    target = one_hot(task.y, logits.shape[-1]).to(logits.dtype)
    losses = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    mask = task.own.to(logits.dtype)
    return mean_over_rows((losses * mask).sum(-1) / mask.sum(-1), task.w)


def cross_entropy(logits: Tensor, task: Labelled, among: Tensor) -> Tensor:
    """Cross-entropy among the classes that `among` marks, `[C]` or `[B, C]`, mean over rows."""
    masked = logits.masked_fill(~among, float("-inf"))
    true = torch.where(one_hot(task.y, logits.shape[-1]), logits, 0).sum(-1)
    return mean_over_rows(masked.logsumexp(-1) - true, task.w)
