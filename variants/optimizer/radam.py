"""Rectified Adam."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ablate.registry import component
from ablate.training.inner_loop import SPECK, at_rest, decayed, moments, settled
from ablate.types import ElementStep, Inner, Number


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

    def compiled(self) -> ElementStep:
        """Give the step in place, with both moments as its vectors."""
        numbers = (self.lr, self.beta1, self.beta2, self.epsilon, self.weight_decay)
        return ElementStep(advance, numbers, (0.0, SPECK), counts=True)


def advance(theta: Any, g: Any, state: Any, count: Any, numbers: Any, rate: Any) -> None:
    """Move both moments on and theta along them, rectified, element by element."""
    real = theta.dtype.type
    beta2, rest1, rest2 = real(numbers[2]), real(1 - numbers[1]), real(1 - numbers[2])
    epsilon, decay = real(numbers[3]), real(numbers[4])
    first, second = 1 - numbers[1] ** count, 1 - numbers[2] ** count
    rho = 2 / (1 - numbers[2]) - 1
    rho_n = rho - 2 * count * (1 - second) / second
    rectified = rho_n > 5
    above = max(rho_n, 5.0)
    rect = math.sqrt((above - 4) * (above - 2) * rho / ((rho - 4) * (rho - 2) * above))
    far, factor = real(rate * numbers[0] / first), real(rect * math.sqrt(second))
    m, v = state[0], state[1]
    for i in range(theta.shape[0]):
        slope = g[i] + decay * theta[i]
        m[i] += rest1 * (slope - m[i])
        v[i] = beta2 * v[i] + rest2 * slope * slope
        if rectified:
            theta[i] -= far * m[i] * factor / (math.sqrt(v[i]) + epsilon)
        else:
            theta[i] -= far * m[i]
