"""The incremental meta-learner: an inner loop on each task, and an update rule over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from torch import Tensor

from ablate.net import Net
from ablate.registry import component
from ablate.solve import InnerLoop
from ablate.types import Clock, Inner, Loss, Optimizer, Schedule, Tasks, Update


class State(NamedTuple):
    """Parameters `[P]`, and the optimizer's state where it is carried."""

    theta: Tensor
    inner: Inner


@component("method", "meta", paper="Rajasegaran et al. 2020 (iTAML), arXiv:2003.11652")
@dataclass(frozen=True)
class Meta:
    """theta <- update(theta, the batch's tasks, r inner steps on each).

    update: how the tasks' inner loops move theta, or a null without a meta update.
    optimizer: the inner optimizer.
    loss: the inner loss.
    inner_steps: r, gradient steps on each task of a batch, [1, 1000].
    inner_state: optimizer state made `fresh` for each task and batch, or one state `carried`
        through tasks, batches and restarts (the released code).
    epochs: passes over a task's new rows, [1, 100000].
    first_epochs: the same for the first task, [1, 100000]; null takes `epochs`.
    batch_rows: rows of each task in a `balanced` batch, of all tasks in a `natural` one,
        [1, 100000].
    batches: `balanced` gives every seen task its rows; `natural` shuffles new rows and exemplars
        into one pool, so that an old task has few rows in a batch, or none.
    schedule: how the learning rate changes; null keeps it.
    """

    update: Update
    optimizer: Optimizer
    loss: Loss
    inner_steps: int = 1
    inner_state: Literal["fresh", "carried"] = "fresh"
    epochs: int = 10
    first_epochs: int | None = None
    batch_rows: int = 32
    batches: Literal["balanced", "natural"] = "balanced"
    schedule: Schedule | None = None
    needs = {("inner_state", "carried"): ("update", "carry")}  # noqa: RUF012

    def start(self, theta: Tensor) -> State:
        """Give the state before the first batch."""
        carried = self.inner_state == "carried"
        return State(theta, self.optimizer.init(theta) if carried else ())

    def step(
        self, state: State, tasks: Tasks, clock: Clock, net: Net, sizes: tuple[int, ...] | None
    ) -> State:
        """Take one outer step on a batch."""
        fit = InnerLoop(
            objective=lambda theta, task: self.loss(net(theta, task.x), task),
            optimizer=self.optimizer,
            steps=self.inner_steps,
            rate=self.schedule(clock) if self.schedule else 1.0,
            sizes=sizes,
        )
        if self.inner_state == "fresh":
            return State(self.update(state.theta, tasks, fit, clock), ())
        rule: Any = self.update
        return State(*rule.carry(state.theta, tasks, fit, clock, state.inner))

    def finish(self, state: State, clock: Clock) -> State:
        """Close a task: nothing changes."""
        return state

    def logits(self, state: State, x: Tensor, net: Net) -> Tensor:
        """Score rows `[N, ...]`: logits `[N, C]`."""
        return net(state.theta, x)

    def features(self, state: State, x: Tensor, net: Net) -> Tensor:
        """Represent rows by what the last layer reads, `[N, F]`."""
        return net.features(state.theta, x)

    def gradients(self, tasks: Any) -> Any:
        """Count the gradient evaluations of one step on that many tasks.

        A null that takes one step on a batch still evaluates every task's loss once.
        """
        return tasks * (1 if getattr(self.update, "steps", "inner") == "one" else self.inner_steps)
