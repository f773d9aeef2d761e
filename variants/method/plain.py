"""The learner that the others add a term to: one optimizer step on the batch's cross-entropy."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor

from ablate.training.train_step import classify, descend, flat
from ablate.types import Clock, Inner, Tasks


class Learner(NamedTuple):
    """Parameters `[P]`, and the optimizer's state."""

    theta: Tensor
    inner: Inner


def begin(method: Any, theta: Tensor) -> Learner:
    """Start at initial parameters with a fresh optimizer."""
    return Learner(theta, method.optimizer.init(theta))


def ordinary(
    method: Any, state: Any, tasks: Tasks, clock: Clock, net: Any, sizes: tuple[int, ...] | None
) -> Any:
    """Take one step on the loss of all rows."""
    rows = flat(tasks, sizes, method.training.weights)
    theta, inner = descend(
        lambda at: classify(net, at, rows, method.loss), state.theta, state.inner, method, clock
    )
    return state._replace(theta=theta, inner=inner)
