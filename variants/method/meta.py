"""The incremental meta-learner: an inner loop on each task, and an update rule over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from ablate.registry import component
from ablate.training.inner_loop import InnerLoop
from ablate.types import (
    Batch,
    Clock,
    Compiled,
    CompiledStep,
    Inner,
    Loss,
    Net,
    Optimizer,
    OverRows,
    OverTasks,
    Training,
    Update,
)


class State(NamedTuple):
    """Parameters `[P]`, and the optimizer's state where it is carried."""

    theta: Tensor
    inner: Inner


@component(
    "method",
    "meta",
    paper="Rajasegaran et al. 2020 (iTAML), arXiv:2003.11652",
    calibrated="split MNIST by the released preset: 56.5 over all classes and 97.2 by chunks of "
    "20; the authors' script gives 57.0 and 97.4, its reproduction report 59.65",
)
@dataclass(frozen=True)
class Meta:
    """theta <- update(theta, the batch's tasks, r inner steps on each).

    update: how the tasks' inner loops move theta, or a null without a meta update.
    optimizer: the inner optimizer.
    loss: the inner loss.
    inner_steps: r, gradient steps on each task of a batch, [1, 1000].
    last_steps: r on the newest task's rows while the last task is learnt, [1, 1000]; null takes
        `inner_steps` (the released code takes 4 for SVHN).
    inner_state: optimizer state made `fresh` for each task and batch; one state `carried` through
        the batches of a task, and made anew for the next (the released code); or `kept` for good.
    buffers: running statistics of batch norms `restarted` from theta and averaged like parameters;
        or `carried` on through tasks and batches, neither restarted nor averaged (the released
        code). Models without batch norm have none.
    training: epochs or steps, batches, schedule and choice of checkpoints. A `balanced` batch has
        `batch_rows` rows of every task; in a `natural` one an old task has few rows, or none. Its
        `weights` are not read: an update weighs tasks itself.
    """

    update: Update
    optimizer: Optimizer
    loss: Loss
    training: Training
    inner_steps: int = 1
    last_steps: int | None = None
    inner_state: Literal["fresh", "carried", "kept"] = "fresh"
    buffers: Literal["restarted", "carried"] = "restarted"
    moved = {  # noqa: RUF012 (read as a literal, never changed)
        "epochs": "training.standard.epochs",
        "first_epochs": "training.standard.first_epochs",
        "batch_rows": "training.standard.batch_rows",
        "batches": "training.standard.batches",
        "schedule": "training.standard.schedule",
        "select": "training.standard.checkpoint",
        "select_rule": "training.standard.checkpoint.best.over",
        "select_epochs": "training.standard.checkpoint.best.last_epochs",
        "validation_rows": "training.standard.checkpoint.best.validation_rows",
    }
    needs = {  # noqa: RUF012
        ("inner_state", "carried"): ("update", "carry"),
        ("inner_state", "kept"): ("update", "carry"),
        ("buffers", "carried"): ("update", "carry"),
    }

    def start(self, theta: Tensor, net: Net) -> State:
        """Give the state before the first batch."""
        return State(theta, self._loop(net).fresh(theta))

    def step(self, state: State, batch: Batch, net: Net) -> State:
        """Take one outer step on a batch."""
        tasks, clock, sizes = batch.tasks, batch.clock, batch.sizes
        last = clock.t == clock.T - 1
        fit = self._loop(
            net,
            rate=self.training.rate(clock),
            sizes=sizes,
            newest_steps=self.last_steps if last else None,
        )
        if not (fit.carried or fit.running):
            return State(self.update(state.theta, tasks, fit, clock), ())
        rule: Any = self.update
        theta, inner = rule.carry(state.theta, tasks, fit, clock, state.inner)
        if fit.running:  # what ran on is neither averaged nor stepped
            theta = torch.cat([theta[: len(theta) - net.buffers], inner[-1]])
        return State(theta, inner)

    def finish(self, state: State, clock: Clock, net: Net) -> State:
        """Close a task: optimizer state that is carried through one task alone starts anew."""
        if self.inner_state != "carried":
            return state
        return State(state.theta, self._loop(net).fresh(state.theta))

    def _loop(self, net: Net, **more: Any) -> InnerLoop:
        return InnerLoop(
            objective=net.objective(self.loss),
            optimizer=self.optimizer,
            steps=self.inner_steps,
            buffers=net.buffers,
            carried=self.inner_state != "fresh",
            running=self.buffers == "carried" and net.buffers > 0,
            **more,
        )

    def compiled(self) -> CompiledStep | None:
        """Give its step, where the update has a compiled form and no statistics run on."""
        update = self.update.compiled() if isinstance(self.update, Compiled) else None
        if not isinstance(update, OverTasks | OverRows) or self.buffers == "carried":
            return None
        return CompiledStep(
            loss=self.loss,
            optimizer=self.optimizer,
            update=update,
            steps=self.inner_steps,
            last_steps=self.last_steps,
            fresh=self.inner_state == "fresh",
        )

    def gradients(self, rows: Tensor, clock: Clock, newest: Tensor) -> Tensor:
        """Count the gradient evaluations of one step on so many rows.

        A null that takes one step on a batch still evaluates every row's loss once.
        """
        if getattr(self.update, "steps", "inner") == "one":
            return rows
        if queries := getattr(self.update, "queries", 0):  # half of the rows, like the support
            return rows * (self.inner_steps + queries) / 2
        meta = getattr(self.update, "gather", None)  # the nulls know no newest task
        more = (self.last_steps or self.inner_steps) - self.inner_steps if meta else 0
        return rows * self.inner_steps + (more if clock.t == clock.T - 1 else 0) * (rows > 0)
