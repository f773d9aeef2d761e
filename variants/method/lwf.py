"""Learning without forgetting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor

from ablate.learn import descend, flat, soft_labels
from ablate.losses import cross_entropy, mean_over_rows
from ablate.registry import component
from ablate.solve import is_zero
from ablate.types import Clock, Inner, Optimizer, Tasks, Training


class State(NamedTuple):
    """Parameters `[P]`, the optimizer's state, and the parameters as the last task left them."""

    theta: Tensor
    inner: Inner
    old: Tensor


@component("method", "lwf", paper="Li & Hoiem 2016 (LwF), arXiv:1606.09282, Eq. 1 to 4")
@dataclass(frozen=True)
class Lwf:
    """L = cross-entropy + strength sum over old classes of -p_c log q_c.

    p and q are the old and the new model's softmax over the old classes at a temperature, on the
    new rows. Unlike the paper, which has a head for each task, all classes are one head, new rows
    are told apart from old classes too, and there is no warm-up of the new logits.

    optimizer: of every step; its state is kept from task to task.
    training: batches, epochs or steps.
    strength: lambda_0, >= 0; 0 is fine-tuning.
    temperature: T of the softmax, (0, 1000].
    """

    optimizer: Optimizer
    training: Training
    strength: float = 1.0
    temperature: float = 2.0

    def start(self, theta: Tensor, net: Any) -> State:
        """Give the state before the first batch."""
        return State(theta, self.optimizer.init(theta), theta)

    def step(
        self, state: State, tasks: Tasks, clock: Clock, net: Any, sizes: tuple[int, ...] | None
    ) -> State:
        """Take one step on the cross-entropy and the distillation."""
        rows = flat(tasks, sizes, self.training.weights)
        distils = clock.t > 0 and not is_zero(self.strength)
        taught = net(state.old, rows.x) if distils else None

        def loss(at: Tensor) -> tuple[Tensor, Tensor]:
            logits, moved = net.train(at, rows.x)
            value = cross_entropy(logits, rows, rows.seen)
            if taught is None:
                return value, moved
            apart = soft_labels(logits, taught, rows.before, self.temperature)
            return value + self.strength * mean_over_rows(apart, rows.w), moved

        theta, inner = descend(loss, state.theta, state.inner, self, clock)
        return State(theta, inner, state.old)

    def finish(self, state: State, clock: Clock, net: Any) -> State:
        """Close a task: the model becomes the old one."""
        return State(state.theta, state.inner, state.theta)

    def parameters(self, state: State) -> Tensor:
        """Give theta `[P]`, which a protocol may adapt before it scores."""
        return state.theta
