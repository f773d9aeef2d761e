"""The incremental meta-learner: an inner loop on each task, and an update rule over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from ablate.registry import component
from ablate.training.inner_loop import InnerLoop
from ablate.training.net import Net
from ablate.types import Clock, Inner, Loss, Optimizer, Schedule, Tasks, Training, Update


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
    epochs: passes over a task's new rows, [1, 100000].
    first_epochs: the same for the first task, [1, 100000]; null takes `epochs`.
    batch_rows: rows of each task in a `balanced` batch, of all tasks in a `natural` one,
        [1, 100000].
    batches: `balanced` gives every seen task its rows; `natural` shuffles new rows and exemplars
        into one pool, so that an old task has few rows in a batch, or none.
    schedule: how the learning rate changes; null keeps it.
    training: epochs or steps, batches and schedule in the place of this method's own; a suite's
        base says it once for all methods, and it goes behind what an arm says here itself.
    select: which checkpoint of a task goes on: the `last`; the best by accuracy over the seen
        classes on `validation` rows held out of the training rows; or the best on the test rows,
        `test-ORACLE` (the released code), which no honest score may rest on.
    select_rule: `best` of the last epochs; or `record`, an epoch among them that beats all before
        it in the task, and the last one if none does (the released code).
    select_epochs: how many last epochs may be chosen, [1, 100000].
    validation_rows: training rows of each class held out for `select: validation`, [1, 1e6]; they
        are kept beside the memory, for choosing alone.
    """

    update: Update
    optimizer: Optimizer
    loss: Loss
    inner_steps: int = 1
    last_steps: int | None = None
    inner_state: Literal["fresh", "carried", "kept"] = "fresh"
    buffers: Literal["restarted", "carried"] = "restarted"
    epochs: int = 10
    first_epochs: int | None = None
    batch_rows: int = 32
    batches: Literal["balanced", "natural"] = "balanced"
    schedule: Schedule | None = None
    training: Training | None = None
    select: Literal["last", "validation", "test-ORACLE"] = "last"
    select_rule: Literal["best", "record"] = "best"
    select_epochs: int = 10
    validation_rows: int = 20
    later = ("epochs", "first_epochs", "select", "select_rule", "select_epochs")
    needs = {  # noqa: RUF012
        ("inner_state", "carried"): ("update", "carry"),
        ("inner_state", "kept"): ("update", "carry"),
        ("buffers", "carried"): ("update", "carry"),
    }

    def start(self, theta: Tensor, net: Net) -> State:
        """Give the state before the first batch."""
        return State(theta, self._loop(net).fresh(theta))

    def step(
        self, state: State, tasks: Tasks, clock: Clock, net: Net, sizes: tuple[int, ...] | None
    ) -> State:
        """Take one outer step on a batch."""
        last = clock.t == clock.T - 1
        fit = self._loop(
            net,
            rate=self._rate(clock),
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

    def _rate(self, clock: Clock) -> Any:
        if self.training:
            return self.training.rate(clock)
        return self.schedule(clock) if self.schedule else 1.0

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

    def logits(self, state: State, x: Tensor, net: Net) -> Tensor:
        """Score rows `[N, ...]`: logits `[N, C]`."""
        return net(state.theta, x)

    def features(self, state: State, x: Tensor, net: Net) -> Tensor:
        """Represent rows by what the last layer reads, `[N, F]`."""
        return net.features(state.theta, x)

    def parameters(self, state: State) -> Tensor:
        """Give theta `[P]`, which a protocol may adapt before it scores."""
        return state.theta

    def gradients(self, rows: Any, clock: Clock, new: Any) -> Any:
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
