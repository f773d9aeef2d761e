"""Adam."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ablate.registry import component
from ablate.training.inner_loop import at_rest, decayed, moments, settled
from ablate.types import Inner, Number


@component("optimizer", "adam", paper="Kingma & Ba 2015, arXiv:1412.6980, Algorithm 1")
@dataclass(frozen=True)
class Adam:
    """theta - lr * m_hat / (sqrt(v_hat) + epsilon), m and v the moving moments of the slope.

    lr: learning rate alpha, > 0.
    beta1: decay of the first moment, [0, 1).
    beta2: decay of the second moment, [0, 1).
    epsilon: keeps the division finite, > 0.
    weight_decay: pull towards 0, added to the slope, >= 0.
    """

    lr: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0

    def init(self, theta: Tensor) -> Inner:
        """Give zero moments and the step count 0."""
        return at_rest(theta)

    def step(
        self, theta: Tensor, slope: Tensor, inner: Inner, scale: Number
    ) -> tuple[Tensor, Inner]:
        """Take one step."""
        slope = decayed(slope, theta, self.weight_decay)
        m, v, n = after = moments(slope, inner, self.beta1, self.beta2)
        first, second = (settled(beta, n).to(v.dtype) for beta in (self.beta1, self.beta2))
        # numbers are put together first: a wide model feels every pass over memory
        share = first / (scale * self.lr * second.sqrt())
        root = v.sqrt() * share + self.epsilon * first / (scale * self.lr)
        return torch.addcdiv(theta, m, root, value=-1), after
