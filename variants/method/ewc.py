"""Elastic weight consolidation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.func import vmap

from ablate.registry import component
from ablate.training.gradient import grad
from ablate.training.train_step import Rows, classify, descend, flat_rows, judged_among
from ablate.types import Batch, Clock, Inner, Loss, Net, Optimizer, Training


class State(NamedTuple):
    """Parameters `[P]`, the optimizer's state, and the penalty (A theta^2 / 2 - B theta) summed.

    weight `[P]`: A, the summed Fisher information. anchor `[P]`: B, the same times the parameters
    that it was found at. fisher `[P]`, rows: what the review of the newest task has summed.
    """

    theta: Tensor
    inner: Inner
    weight: Tensor
    anchor: Tensor
    fisher: Tensor
    rows: Tensor


@component(
    "method",
    "ewc",
    paper="Kirkpatrick et al. 2017 (EWC), arXiv:1612.00796, Eq. 3",
    calibrated="split MNIST, a head for each task: 99.46 ± 0.11, five seeds; published 98.6 "
    "(arXiv:1904.07734)",
)
@dataclass(frozen=True)
class Ewc:
    """L = cross-entropy + strength / 2 sum_k sum_i F_k,i (theta_i - theta_k,i)^2.

    F_k is the diagonal of the Fisher information at theta_k, where task k ended: the mean over its
    rows of the squared gradient of the log-probability of one row's label.

    optimizer: of every step; its state is kept from task to task.
    training: batches, epochs or steps.
    strength: lambda, >= 0; 0 is fine-tuning.
    fisher: the label of a row: drawn from the model (`sampled`, an unbiased estimate of the
        Fisher), every label weighted by its probability (`exact`), or the row's own (`empirical`);
        `batch` squares the gradient of a batch's mean loss instead, as some public code does.
    form: a penalty for each task (`separate`, the paper), or one at the newest parameters, whose
        weight decays by `decay` a task (`online`; Schwarz et al. 2018, arXiv:1805.06370, Eq. 9, in
        which the penalty has that factor once more).
    decay: gamma of the online form, [0, 1].
    review_limit: rows of a task that its Fisher is estimated on, [1, 1e9]; null takes all.
    review_rows: rows in a batch of those, [1, 100000].
    loss: of the rows' labels; null is the cross-entropy among all classes seen so far, `task-ce`
        that among the row's own task's.
        The Fisher information is of the same labels.
    """

    optimizer: Optimizer
    training: Training
    strength: float = 400.0
    fisher: Literal["sampled", "exact", "empirical", "batch"] = "sampled"
    form: Literal["separate", "online"] = "separate"
    decay: float = 1.0
    review_limit: int | None = 1000
    review_rows: int = 50
    loss: Loss | None = None
    reviews = "new"
    noise = 1

    def start(self, theta: Tensor, net: Net) -> State:
        """Give the state before the first batch."""
        none = torch.zeros_like(theta)
        return State(
            theta=theta,
            inner=self.optimizer.init(theta),
            weight=none,
            anchor=none,
            fisher=none,
            rows=theta.new_zeros(()),
        )

    def step(self, state: State, batch: Batch, net: Net) -> State:
        """Take one step on the cross-entropy and the penalty, whose gradient is known."""
        rows = flat_rows(batch, self.training.weights)
        held = self.decay * self.strength if self.form == "online" else self.strength
        pull = held * (state.weight * state.theta - state.anchor) if batch.clock.t else None
        theta, inner = descend(
            lambda at: classify(net, at, rows, self.loss),
            state.theta,
            state.inner,
            self,
            batch.clock,
            pull,
        )
        return state._replace(theta=theta, inner=inner)

    def review(self, state: State, batch: Batch, net: Net) -> State:
        """Add a batch's rows to the Fisher information."""
        rows = flat_rows(batch)
        summed = self._batch if self.fisher == "batch" else self._rows
        fisher = summed(state.theta, rows, net)
        return state._replace(fisher=state.fisher + fisher, rows=state.rows + rows.w.sum())

    def _batch(self, theta: Tensor, rows: Rows, net: Net) -> Tensor:
        """Give the squared gradient of the mean loss, as often as there are rows."""
        slope: Tensor = grad(lambda at: classify(net, at, rows, self.loss)[0])(theta)
        return rows.w.sum() * slope.square()

    def _rows(self, theta: Tensor, rows: Rows, net: Net) -> Tensor:
        """Give the sum over rows of the squared gradient of a label's log-probability."""

        among = judged_among(rows, self.loss)

        def logs(at: Tensor, x: Tensor) -> Tensor:  # [C], those of other classes are 0
            logits = net(at, x[None])[0].masked_fill(~among, float("-inf"))
            return torch.where(among, logits.log_softmax(-1), 0)

        def own(x: Tensor, w: Tensor, label: Tensor) -> Tensor:  # label weights [C]
            def slope(weights: Tensor) -> Tensor:
                gradient: Tensor = grad(lambda at: logs(at, x) @ weights)(theta)
                return gradient

            if self.fisher != "exact":
                return w * slope(label).square()
            slopes = vmap(slope)(torch.eye(len(label)).to(label))  # [C, P]
            return w * (label @ slopes.square())

        chances = net(theta, rows.x).masked_fill(~among, float("-inf")).softmax(-1)
        total: Tensor = vmap(own)(rows.x, rows.w, self._labels(chances, rows)).sum(0)
        return total

    def _labels(self, chances: Tensor, rows: Rows) -> Tensor:
        """Give the weight of each label of each row `[N, C]`."""
        if self.fisher == "exact":
            return chances
        if self.fisher == "empirical":
            y = rows.y
        else:
            drawn = torch.special.ndtr(rows.noise[:, :1])
            y = (chances.cumsum(-1) < drawn).sum(-1).clamp(max=chances.shape[-1] - 1)
        return (y[:, None] == torch.arange(chances.shape[-1], device=y.device)).to(chances)

    def review_gradients(self, rows: Tensor, classes: int) -> Tensor:
        """Count a gradient for each row, and for each label that it may have."""
        return rows * (classes if self.fisher == "exact" else 1)

    def finish(self, state: State, clock: Clock, net: Net) -> State:
        """Close a task: its penalty joins the others, or takes their place."""
        fisher = state.fisher / state.rows.clamp(min=1)
        if self.form == "online":
            weight = self.decay * state.weight + fisher
            anchor = weight * state.theta
        else:
            weight, anchor = state.weight + fisher, state.anchor + fisher * state.theta
        none = torch.zeros_like(fisher)
        return state._replace(
            weight=weight, anchor=anchor, fisher=none, rows=torch.zeros_like(state.rows)
        )
