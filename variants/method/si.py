"""Synaptic intelligence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ablate.registry import component
from ablate.training.gradient import grad
from ablate.training.train_step import classify, flat_rows, move
from ablate.types import Batch, Clock, Inner, Loss, Net, Optimizer, Training


class State(NamedTuple):
    """Parameters `[P]`, the optimizer's state, and what each parameter has done for the loss.

    path `[P]`: omega, the sum of -gradient times change since the task began. anchor `[P]`: theta
    when it began. weight `[P]`: Omega, the importance from all tasks before.
    """

    theta: Tensor
    inner: Inner
    path: Tensor
    anchor: Tensor
    weight: Tensor


@component(
    "method",
    "si",
    paper="Zenke, Poole & Ganguli 2017 (SI), arXiv:1703.04200, Eq. 3 to 5",
    calibrated="split MNIST, a head for each task: 99.17 ± 0.15, five seeds; published 99.1 "
    "(arXiv:1904.07734)",
)
@dataclass(frozen=True)
class Si:
    """L = cross-entropy + strength sum_i Omega_i (theta_i - theta*_i)^2.

    Omega_i = sum over tasks of omega_i / (change_i^2 + damping), omega_i = sum over steps of
    -(gradient of the cross-entropy)_i (change of the step)_i.

    optimizer: of every step; its state is kept from task to task.
    training: batches, epochs or steps.
    strength: c, >= 0; 0 is fine-tuning. The paper takes 0.1 on permuted MNIST.
    damping: xi, keeps the quotient finite, > 0. The paper takes 0.1 there, 0.001 on split MNIST.
    loss: of the rows' labels; null is the cross-entropy among all classes seen so far, `task-ce`
        that among the row's own task's.
    """

    optimizer: Optimizer
    training: Training
    strength: float = 0.1
    damping: float = 0.1
    loss: Loss | None = None

    def start(self, theta: Tensor, net: Net) -> State:
        """Give the state before the first batch."""
        none = torch.zeros_like(theta)
        return State(
            theta=theta, inner=self.optimizer.init(theta), path=none, anchor=theta, weight=none
        )

    def step(self, state: State, batch: Batch, net: Net) -> State:
        """Take one step on the cross-entropy and the penalty, and note what it did."""
        rows = flat_rows(batch, self.training.weights)
        slope, moved = grad(lambda at: classify(net, at, rows, self.loss), has_aux=True)(
            state.theta
        )
        pull = 2 * self.strength * state.weight * (state.theta - state.anchor)
        whole = slope + pull if batch.clock.t else slope
        theta, inner = move(whole, moved, state.theta, state.inner, self, batch.clock)
        path = state.path - slope * (theta - state.theta)
        return state._replace(theta=theta, inner=inner, path=path)

    def finish(self, state: State, clock: Clock, net: Net) -> State:
        """Close a task: what its path has shown joins the importance."""
        change = state.theta - state.anchor
        weight = state.weight + state.path / (change.square() + self.damping)
        none = torch.zeros_like(state.path)
        return state._replace(path=none, anchor=state.theta, weight=weight)
