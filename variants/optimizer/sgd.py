"""Stochastic gradient descent."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ablate.registry import component
from ablate.training.inner_loop import decayed, is_zero
from ablate.types import Inner, Number


@component("optimizer", "sgd", paper="Sutskever et al. 2013, ICML, as in torch.optim.SGD")
@dataclass(frozen=True)
class Sgd:
    """v <- momentum * v + g, theta <- theta - lr * v, g = slope + weight_decay * theta.

    lr: learning rate alpha, > 0.
    momentum: how much of the last velocity stays, [0, 1); 0 keeps no state.
    weight_decay: pull towards 0, >= 0.
    """

    lr: float = 0.1
    momentum: float = 0.0
    weight_decay: float = 0.0

    def init(self, theta: Tensor) -> Inner:
        """Give the velocity 0, or nothing where there is no momentum."""
        return () if is_zero(self.momentum) else (torch.zeros_like(theta),)

    def step(
        self, theta: Tensor, slope: Tensor, inner: Inner, scale: Number
    ) -> tuple[Tensor, Inner]:
        """Take one step."""
        slope = decayed(slope, theta, self.weight_decay)
        if not inner:
            return theta - scale * self.lr * slope, ()
        velocity = self.momentum * inner[0] + slope
        return theta - scale * self.lr * velocity, (velocity,)
