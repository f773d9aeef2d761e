"""Gradient episodic memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from ablate.registry import component
from ablate.training.gradient import grad
from ablate.training.train_step import Optimized, Rows, classify, flat_rows, move, old_and_new
from ablate.types import Batch, Clock, Floats, Loss, Net, Optimizer, Training

from ._plain import Learner, begin

Bound = Callable[[Tensor], Tensor]
"""A direction `[P]` -> the nearest one that is allowed."""


@component(
    "method",
    "gem",
    paper="Lopez-Paz & Ranzato 2017 (GEM), arXiv:1706.08840, Eq. 7, 10 and 11",
    calibrated="split MNIST in one pass, 200 rows: 81.88 ± 2.59, five seeds; published 80.11 ± "
    "1.54 (arXiv:2004.07211); 1,100 rows: 93.62 ± 0.42; published 92.20",
)
@dataclass(frozen=True)
class Gem:
    """The step goes along the vector nearest to the new rows' that raises no old loss.

    min |v - g|^2 / 2 with v . g_k >= 0 for every old task k, g_k the gradient of its exemplars.
    Unlike the paper, g_k comes from the exemplars in the batch, not from all of the memory.

    optimizer: the paper's is `sgd` without momentum, for which both values of `bounds` are one;
        another one's step can go against the constraints that its gradient holds.
    training: batches, epochs or steps; `balanced` gives every old task as many rows as the new one.
    bounds: what the constraints bind: the `gradient` that the optimizer is given (the released
        code); or the optimizer's own `step` on the new rows, in units of its learning rate. An Adam
        step so bound holds them to first order and forgets all the same: on split MNIST 25 points
        where the bound gradient reaches 95 (one seed).
    margin: gamma, which favours the old tasks where a constraint is broken, [0, 1000]; the released
        code takes 0.5.
    margin_in: the multipliers are at least gamma, and the best such (`programme`, the released
        code); or gamma is added to the best ones (`solution`, the paper's section 3).
    loss: of the rows' labels; null is the cross-entropy among all classes seen so far, `task-ce`
        that among the row's own task's.
    """

    optimizer: Optimizer
    training: Training
    bounds: Literal["gradient", "step"] = "gradient"
    margin: float = 0.5
    margin_in: Literal["programme", "solution"] = "programme"
    loss: Loss | None = None
    stackable = False  # the programme is solved by a library, one replica at a time
    fits = (
        (
            "memory",
            "keeps",
            (None, "everything"),
            "its constraints are exemplars: it takes a memory",
        ),
    )

    def start(self, theta: Tensor, net: Net) -> Learner:
        """Give the state before the first batch."""
        return begin(self, theta)

    def step(self, state: Learner, batch: Batch, net: Net) -> Learner:
        """Take one step."""
        old, new = old_and_new(flat_rows(batch), batch)
        slope, moved = grad(lambda at: classify(net, at, new, self.loss), has_aux=True)(state.theta)
        if len(old.y):
            bounds = torch.stack(
                [
                    grad(lambda at, part=part: classify(net, at, part, self.loss)[0])(state.theta)
                    for part in by_task(old, batch)
                ]
            )

            def bound(way: Tensor) -> Tensor:
                return allowed(way, bounds, self.margin, self.margin_in == "programme")

            return bounded(self, state, slope, moved, batch.clock, bound)
        return bounded(self, state, slope, moved, batch.clock, lambda way: way)


class Constrained(Optimized, Protocol):
    """A method that binds the `gradient` or the optimizer's own `step`."""

    @property
    def bounds(self) -> str:
        """Say which."""


def bounded(
    method: Constrained, state: Learner, slope: Tensor, moved: Tensor, clock: Clock, bound: Bound
) -> Learner:
    """Take a step whose direction `[P]` is bound: the optimizer's own, or the gradient's.

    The optimizer's state is that of the gradient that it is given.
    """
    if method.bounds == "gradient":
        return Learner(*move(bound(slope), moved, state.theta, state.inner, method, clock))
    after, inner = move(slope, moved, state.theta, state.inner, method, clock)
    rate = method.training.rate(clock) * getattr(method.optimizer, "lr", 1.0)
    way = bound((state.theta - after) / rate)
    end = len(after) - len(moved)
    return Learner(torch.cat([(state.theta - rate * way)[:end], after[end:]]), inner)


def by_task(old: Rows, batch: Batch) -> list[Rows]:
    """Share the old tasks' rows of a batch out to their tasks, oldest first."""
    ends = [0, *accumulate(batch.row_counts[:-1])]
    return [old.select(slice(start, end)) for start, end in pairwise(ends)]


def allowed(slope: Tensor, bounds: Tensor, margin: float, inside: bool = True) -> Tensor:
    """Give the vector nearest to a gradient `[P]` that bounds `[K, P]` allow, as margin has it.

    inside: the multipliers are the best of those that are at least the margin, with v = margin + u
    the programme in u whose linear part is against + margin gram 1; else the margin is added.
    """
    wide = bounds.double()
    gram = (wide @ wide.T).cpu().numpy()
    against = (wide @ slope.double()).cpu().numpy()
    if (against >= 0).all() or not (np.isfinite(gram).all() and np.isfinite(against).all()):
        return slope  # what is not finite has diverged, and is told by its logits
    toward = against + margin * gram.sum(1) if inside else against
    push = torch.as_tensor(multipliers(gram, toward) + margin).to(slope)
    return slope + push @ bounds


def multipliers(gram: Floats, against: Floats) -> Floats:
    """Solve the dual: min v' gram v / 2 + against' v with v >= 0, `[K]` (the paper's Eq. 11).

    gram `[K, K]`: the constraints' gradients' products. against `[K]`: theirs with the new one.
    With gram = R'R it is the nonnegative least-squares problem |R v + R'^-1 against|.
    """
    from scipy.optimize import nnls

    ridge = 1e-12 * max(np.trace(gram), np.finfo(float).tiny) * np.eye(len(gram))
    root = np.linalg.cholesky(gram + ridge)
    solution: Floats = nnls(root.T, -np.linalg.solve(root, against))[0]
    return solution
