"""Memory aware synapses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.func import vmap

from ablate.registry import component
from ablate.training.gradient import grad
from ablate.training.train_step import classify, descend, flat_rows, judged_among
from ablate.types import Batch, Clock, Inner, Loss, Net, Optimizer, Training


class State(NamedTuple):
    """Parameters `[P]`, the optimizer's state, importance and where it pulls to.

    weight `[P]`: Omega. anchor `[P]`: theta when the last task ended. found `[P]`, rows: what the
    review of the newest task has summed.
    """

    theta: Tensor
    inner: Inner
    weight: Tensor
    anchor: Tensor
    found: Tensor
    rows: Tensor


@component(
    "method",
    "mas",
    paper="Aljundi et al. 2018 (MAS), arXiv:1711.09601, Eq. 2 to 5",
    calibrated="split MNIST, a head for each task: 98.92 ± 0.36, five seeds; published 99.22 ± "
    "0.21 (arXiv:1810.12488)",
)
@dataclass(frozen=True)
class Mas:
    """L = cross-entropy + strength sum_i Omega_i (theta_i - theta*_i)^2.

    Omega_i = sum over tasks of the mean over rows of |d |F(x)|^2 / d theta_i|, F the outputs.

    optimizer: of every step; its state is kept from task to task.
    training: batches, epochs or steps.
    strength: lambda, >= 0; 0 is fine-tuning.
    importance: what is differentiated: each row's squared length of the outputs (`row-squared`, the
        paper), the mean of a batch's squared lengths before the absolute value is taken
        (`batch-squared`), or the mean of a batch's lengths (`batch-length`); public code has all.
    outputs: the outputs F themselves (`logits`, the paper), or their `softmax`.
    review_limit: rows of a task that its importance is estimated on, [1, 1e9]; null takes all.
    review_rows: rows in a batch of those, [1, 100000].
    loss: of the rows' labels; null is the cross-entropy among all classes seen so far, `task-ce`
        that among the row's own task's.
        The outputs F are then the own task's alone, as the paper's, which has a head a task.
    """

    optimizer: Optimizer
    training: Training
    strength: float = 1.0
    importance: Literal["row-squared", "batch-squared", "batch-length"] = "row-squared"
    outputs: Literal["logits", "softmax"] = "logits"
    review_limit: int | None = 1000
    review_rows: int = 50
    loss: Loss | None = None
    reviews = "new"

    def start(self, theta: Tensor, net: Net) -> State:
        """Give the state before the first batch."""
        none = torch.zeros_like(theta)
        return State(
            theta=theta,
            inner=self.optimizer.init(theta),
            weight=none,
            anchor=theta,
            found=none,
            rows=theta.new_zeros(()),
        )

    def step(self, state: State, batch: Batch, net: Net) -> State:
        """Take one step on the cross-entropy and the penalty, whose gradient is known."""
        rows = flat_rows(batch, self.training.weights)
        pull = 2 * self.strength * state.weight * (state.theta - state.anchor)
        theta, inner = descend(
            lambda at: classify(net, at, rows, self.loss),
            state.theta,
            state.inner,
            self,
            batch.clock,
            pull if batch.clock.t else None,
        )
        return state._replace(theta=theta, inner=inner)

    def review(self, state: State, batch: Batch, net: Net) -> State:
        """Add a batch's rows to the importance."""
        rows = flat_rows(batch)
        among = judged_among(rows, self.loss)

        def lengths(at: Tensor, x: Tensor) -> Tensor:  # squared, of the outputs that the loss reads
            outputs = net(at, x).masked_fill(~among, 0)
            if self.outputs == "softmax":
                outputs = net(at, x).masked_fill(~among, float("-inf")).softmax(-1)
            squared: Tensor = outputs.square().sum(-1)
            return squared

        def mean(at: Tensor) -> Tensor:
            norms = lengths(at, rows.x)
            if self.importance == "batch-length":
                norms = (norms + torch.finfo(norms.dtype).tiny).sqrt()  # 0 has a slope then
            return (norms * rows.w).sum()

        if self.importance == "row-squared":
            per_row = vmap(
                lambda x, w: w * grad(lambda at: lengths(at, x[None])[0])(state.theta).abs()
            )
            importance = per_row(rows.x, rows.w).sum(0)
        else:
            importance = grad(mean)(state.theta).abs()
        return state._replace(found=state.found + importance, rows=state.rows + rows.w.sum())

    def review_gradients(self, rows: Tensor, classes: int) -> Tensor:
        """Count a gradient for each row."""
        return rows

    def finish(self, state: State, clock: Clock, net: Net) -> State:
        """Close a task: its importance joins that of the others."""
        weight = state.weight + state.found / state.rows.clamp(min=1)
        none = torch.zeros_like(state.found)
        return state._replace(
            weight=weight, anchor=state.theta, found=none, rows=torch.zeros_like(state.rows)
        )
