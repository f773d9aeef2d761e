"""Offline training on all rows of all seen tasks: the upper bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from ablate.registry import component
from ablate.types import Batch, CompiledStep, Inner, Loss, Net, Optimizer, Training

from ._plain import ordinary, ordinary_form


class State(NamedTuple):
    """Parameters `[P]`, the optimizer's state, and the initial parameters `[P]`."""

    theta: Tensor
    inner: Inner
    first: Tensor


@component(
    "method",
    "joint",
    paper="the upper bound; van de Ven & Tolias 2019 ('offline')",
    calibrated="split MNIST, all classes: 97.92 ± 0.13, five seeds; published 97.5",
)
@dataclass(frozen=True)
class Joint:
    """theta <- one optimizer step on the cross-entropy of rows of all tasks seen so far.

    optimizer: of every step.
    training: batches, epochs or steps; `natural` batches pass over all rows of all tasks.
    restart: whether each task trains anew, from the initial parameters, on all rows so far.
    loss: of the rows' labels; null is the cross-entropy among all classes seen so far, `task-ce`
        that among the row's own task's.
    """

    optimizer: Optimizer
    training: Training
    restart: bool = False
    loss: Loss | None = None
    fits = (
        (
            "memory",
            "keeps",
            ("everything",),
            "joint training reads all old rows: say `memory: everything`",
        ),
    )

    def start(self, theta: Tensor, net: Net) -> State:
        """Give the state before the first batch."""
        return State(theta, self.optimizer.init(theta), theta)

    def step(self, state: State, batch: Batch, net: Net) -> State:
        """Take one step."""
        if self.restart and (batch.clock.epoch, batch.clock.step) == (0, 0):
            state = self.start(state.first, net)
        theta, inner = ordinary(self, state.theta, state.inner, batch, net)
        return state._replace(theta=theta, inner=inner)

    def compiled(self) -> CompiledStep | None:
        """Give its step as one on all rows, unless each task starts anew."""
        return ordinary_form(self) if not self.restart else None
