"""Stochastic gradient descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ablate.registry import component
from ablate.training.inner_loop import decayed, is_zero
from ablate.types import ElementStep, Inner, Number


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

    def compiled(self) -> ElementStep:
        """Give the step in place, with the velocity as its one vector where there is momentum."""
        numbers = (self.lr, self.momentum, self.weight_decay)
        return ElementStep(advance, numbers, () if is_zero(self.momentum) else (0.0,))


def advance(theta: Any, g: Any, state: Any, count: Any, numbers: Any, rate: Any) -> None:
    """v <- momentum v + g, theta <- theta - lr v, element by element."""
    real = theta.dtype.type
    lr, momentum, decay = real(rate * numbers[0]), real(numbers[1]), real(numbers[2])
    if state.shape[0] == 0:
        for i in range(theta.shape[0]):
            theta[i] -= lr * (g[i] + decay * theta[i])
    else:
        velocity = state[0]
        for i in range(theta.shape[0]):
            velocity[i] = momentum * velocity[i] + (g[i] + decay * theta[i])
            theta[i] -= lr * velocity[i]
