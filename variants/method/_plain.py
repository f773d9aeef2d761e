"""The learner that the others add a term to: one optimizer step on the batch's cross-entropy."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from torch import Tensor

from ablate.training.train_step import Optimized, classify, descend, flat_rows
from ablate.types import Batch, CompiledStep, Inner, Loss, Net, OverRows


class Learner(NamedTuple):
    """Parameters `[P]`, and the optimizer's state."""

    theta: Tensor
    inner: Inner


class Taught(NamedTuple):
    """Parameters `[P]`, the optimizer's state, and the parameters that the last task ended with."""

    theta: Tensor
    inner: Inner
    old: Tensor


class Classifier(Optimized, Protocol):
    """A method whose steps are an optimizer's on a loss of the rows' labels."""

    @property
    def loss(self) -> Loss | None:
        """Give the loss; None for the cross-entropy among the classes seen so far."""


def begin(method: Optimized, theta: Tensor) -> Learner:
    """Start at initial parameters with a fresh optimizer."""
    return Learner(theta, method.optimizer.init(theta))


def untaught(method: Optimized, theta: Tensor) -> Taught:
    """Start at initial parameters, which are also the old ones, with a fresh optimizer."""
    return Taught(theta, method.optimizer.init(theta), theta)


def ordinary(
    method: Classifier, theta: Tensor, inner: Inner, batch: Batch, net: Net
) -> tuple[Tensor, Inner]:
    """Take one step on the loss of all rows; gives the parameters and the optimizer's state."""
    rows = flat_rows(batch, method.training.weights)
    return descend(
        lambda at: classify(net, at, rows, method.loss), theta, inner, method, batch.clock
    )


def ordinary_form(method: Classifier) -> CompiledStep:
    """Give the compiled form of a method whose steps are `ordinary`."""
    by_task = method.training.weights == "tasks"
    return CompiledStep(method.loss, method.optimizer, OverRows(by_task))
