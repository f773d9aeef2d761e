"""Rectified Adam."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ablate.registry import component
from ablate.training.inner_loop import at_rest, decayed, moments, settled
from ablate.types import Inner, Number


@component("optimizer", "radam", paper="Liu et al. 2020, arXiv:1908.03265, Algorithm 2")
@dataclass(frozen=True)
class Radam:
    """theta - lr * m_hat * l, l = rect / sqrt(v_hat) while rho_n > 5, else 1.

    rho_n = rho - 2 n beta2^n / (1 - beta2^n), rho = 2 / (1 - beta2) - 1, rect the paper's r_t.

    lr: learning rate alpha, > 0.
    beta1: decay of the first moment, [0, 1).
    beta2: decay of the second moment, (0, 1).
    epsilon: keeps the division finite, > 0.
    weight_decay: pull towards 0, added to the slope, >= 0.

    Unlike the paper, which rectifies from rho_n > 4, rectification starts above 5, as in the
    authors' released code and in torch.optim.RAdam.
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
        first, second = (settled(beta, n) for beta in (self.beta1, self.beta2))
        rho = 2 / (1 - torch.as_tensor(self.beta2, dtype=torch.float64)) - 1
        rho_n = rho - 2 * n * (1 - second) / second
        safe = rho_n.clamp(min=5)  # keeps the unused branch finite
        rect = ((safe - 4) * (safe - 2) * rho / ((rho - 4) * (rho - 2) * safe)) ** 0.5
        adaptive = (rect * second**0.5).to(v.dtype) / (v.sqrt() + self.epsilon)
        factor = torch.where(rho_n > 5, adaptive, torch.ones_like(v))
        return theta - scale * self.lr * (m / first.to(v.dtype)) * factor, after
