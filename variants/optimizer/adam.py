"""Adam."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ablate.registry import component
from ablate.training.inner_loop import SPECK, at_rest, decayed, moments, settled
from ablate.types import ElementStep, Inner, Number


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

    def compiled(self) -> ElementStep:
        """Give the step in place, with both moments as its vectors."""
        numbers = (self.lr, self.beta1, self.beta2, self.epsilon, self.weight_decay)
        return ElementStep(advance, numbers, (0.0, SPECK), counts=True)


def advance(theta: Any, g: Any, state: Any, count: Any, numbers: Any, rate: Any) -> None:
    """Move both moments on and theta along them, element by element."""
    real = theta.dtype.type
    beta2 = real(numbers[2])
    rest1, rest2 = real(1 - numbers[1]), real(1 - numbers[2])
    lr, epsilon, decay = rate * numbers[0], real(numbers[3]), real(numbers[4])
    far = real(lr / (1 - numbers[1] ** count))
    wide = real(1 / math.sqrt(1 - numbers[2] ** count))
    m, v = state[0], state[1]
    for i in range(theta.shape[0]):
        slope = g[i] + decay * theta[i]
        m[i] += rest1 * (slope - m[i])
        v[i] = beta2 * v[i] + rest2 * slope * slope
        theta[i] -= far * m[i] / (math.sqrt(v[i]) * wide + epsilon)
