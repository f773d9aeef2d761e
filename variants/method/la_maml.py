"""Look-ahead MAML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ablate.registry import component
from ablate.training.gradient import grad
from ablate.training.train_step import classify, flat_rows, old_and_new
from ablate.types import Batch, Clock, Loss, Net, Training

from .mer import share


class State(NamedTuple):
    """Parameters `[P]`, and the learning rate of each, `[P]`."""

    theta: Tensor
    rates: Tensor


@component(
    "method", "la-maml", paper="Gupta, Yadav & Paull 2020 (La-MAML), arXiv:2007.13904, Alg. 1"
)
@dataclass(frozen=True)
class LaMaml:
    """theta - max(0, rates) * g, g the mean gradient of all rows at phi_1 .. phi_r.

    phi_j+1 = phi_j - rates * grad L(phi_j; the j-th share of the new rows), phi_0 = theta. Before
    that, the rates go down their own gradient, -g_j * sum of the inner gradients up to j, in the
    first-order form of the paper. Unlike the paper's Algorithm 1, whose outer gradient is that at
    phi_r alone, with one row an inner step, g is the mean over phi_1 .. phi_r and an inner step has
    a share of the rows, as in the released code; and exemplars are chosen when their task ends. A
    learning-rate schedule scales the outer step.
    Not calibrated: its authors' five steps on each batch, each of ten inner ones, take about twenty
    minutes a seed on one core (`suites/calibration/rotated.yaml`), and have not been run.

    training: batches, epochs or steps; `paired` batches are the paper's. The paper sees a stream
        once and takes several steps (glances) on each batch: epochs, here.
    lr: initial learning rate of every parameter, > 0.
    rate_lr: eta, learning rate of the learning rates, >= 0; 0 is C-MAML.
    clip: longest Euclidean norm of a gradient, > 0; null for any. The paper does not name it; the
        released code takes 2, and without it the rates run away.
    clips: which gradients are clipped: `all` of them, inner ones included; or the `outer` ones of
        parameters and rates alone, as the released code does in effect (it works out a clamp of
        each entry of the inner gradient, and drops the result).
    floor: what of the rates an inner step takes: them as they are, `none` (the paper); or no less
        than 0, `zero` (the released code), where a rate below 0 is not moved by its own gradient.
    inner_steps: r, shares of the new rows, [0, 1000]; 0 is replay with SGD.
    loss: of the rows' labels; null is the cross-entropy among all classes seen so far, `task-ce`
        that among the row's own task's.
    """

    training: Training
    lr: float = 0.1
    rate_lr: float = 0.1
    clip: float | None = 2.0
    clips: Literal["all", "outer"] = "all"
    floor: Literal["none", "zero"] = "none"
    inner_steps: int = 5
    loss: Loss | None = None
    fits = (("memory", "keeps", (None, "everything"), "its outer loss takes exemplars"),)

    def start(self, theta: Tensor, net: Net) -> State:
        """Give the state before the first batch."""
        return State(theta, self.lr * torch.ones_like(theta))

    def step(self, state: State, batch: Batch, net: Net) -> State:
        """Take one outer step."""
        rows = flat_rows(batch, self.training.weights)
        _, new = old_and_new(rows, batch)
        outer = grad(lambda at: classify(net, at, rows, self.loss), has_aux=True)
        phi, walked = state.theta, torch.zeros_like(state.theta)
        if not self.inner_steps:
            slope, moved = outer(phi)
            after = self._stepped(state, state.rates, self._clipped(slope), moved, batch.clock)
            return State(after, state.rates)
        slope, down = torch.zeros_like(phi), torch.zeros_like(phi)
        floored = self.floor == "zero"
        used = state.rates.clamp(min=0) if floored else state.rates
        moving = (state.rates > 0) if floored else 1.0
        for j in range(self.inner_steps):
            part = share(new, j, self.inner_steps)
            inward = grad(lambda at, part=part: classify(net, at, part, self.loss)[0])(phi)
            inward = self._clipped(inward) if self.clips == "all" else inward
            phi, walked = phi - used * inward, walked + moving * inward
            gradient, moved = outer(phi)
            slope = slope + gradient / self.inner_steps
            down = down - gradient * walked / self.inner_steps
        rates = state.rates - self.rate_lr * self._clipped(down)
        return State(self._stepped(state, rates, self._clipped(slope), moved, batch.clock), rates)

    def _clipped(self, slope: Tensor) -> Tensor:
        """Shorten a gradient `[P]` to the longest norm (Pascanu et al. 2013, arXiv:1211.5063)."""
        if self.clip is None:
            return slope
        shorter: Tensor = slope * (self.clip / slope.norm().clamp(min=1e-12)).clamp(max=1.0)
        return shorter

    def _stepped(
        self, state: State, rates: Tensor, slope: Tensor, moved: Tensor, clock: Clock
    ) -> Tensor:
        after = state.theta - self.training.rate(clock) * rates.clamp(min=0) * slope
        return torch.cat([after[: len(after) - len(moved)], moved]) if len(moved) else after

    def gradients(self, rows: Tensor, clock: Clock, newest: Tensor) -> Tensor:
        """Count the outer gradients, and the new rows' inside."""
        return rows * max(1, self.inner_steps) + newest * (self.inner_steps > 0)
