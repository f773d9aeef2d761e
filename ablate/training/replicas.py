"""A stack's program: the method's functions, written for one replica, run for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import vmap
from torch.utils import _pytree as pytree

from ablate.streams.task_stream import Batch
from ablate.training.checkpoints import choose
from ablate.training.evaluators import Exam
from ablate.training.net import Net
from ablate.types import Clock, Method

ROWS_AT_ONCE = 2_000
"""Test rows scored in one call, to bound the memory of wide stacks."""


@dataclass(frozen=True)
class Program:
    """What a stack runs: the net, and the method as a function of the replicas' numbers.

    numbers: settings in which replicas differ, `[S]` each. plain: the first replica's method.
    exam: the sealed evaluator that may choose among checkpoints. adapts: whether exemplars are
    needed after the last task too.
    """

    net: Net
    make: Callable[[Mapping[str, Tensor]], Method]
    numbers: Mapping[str, Tensor]
    plain: Method
    exam: Exam | None = None
    adapts: bool = False

    @property
    def reviews(self) -> str:
        """Say which rows the method is shown once more: `new`, `memory`, or '' for none."""
        return getattr(self.plain, "reviews", "")


def each(function: Callable[..., Any], *stacked: Any) -> Any:
    """Call `function` for every replica of trees `[S, ...]`; a lone one is spared vmap's cost."""
    leaves = [leaf for leaf in pytree.tree_leaves(stacked) if isinstance(leaf, Tensor)]
    if leaves[0].shape[0] > 1:
        return vmap(function)(*stacked)
    alone = pytree.tree_map(lambda value: value[0], stacked)
    return pytree.tree_map(lambda value: value[None], function(*alone))


def start(program: Program, theta: Tensor) -> Any:
    """Give every replica's first state."""
    return each(lambda at, n: program.make(n).start(at, program.net), theta, program.numbers)


def step(program: Program, state: Any, batch: Batch, part: str = "step") -> Any:
    """Take one outer step in every replica that still has rows; or `review` the batch."""
    noise = () if batch.noise is None else (batch.noise,)

    def one(tasks: Any, state: Any, numbers: Any, *noise: Tensor) -> Any:
        act = getattr(program.make(numbers), part)
        return act(state, tasks, batch.clock, program.net, batch.sizes, *noise)

    after = each(one, batch.tasks, state, program.numbers, *noise)
    return after if batch.active is None else choose(batch.active, after, state)


def finish(program: Program, state: Any, clock: Clock) -> Any:
    """Close a task in every replica."""
    return each(lambda s, n: program.make(n).finish(s, clock, program.net), state, program.numbers)


def gradients(program: Program, batch: Batch) -> Tensor:
    """Count the gradient evaluations of a step `[S]`: rows through a gradient.

    Rows, since arms differ in how many make a batch.
    """
    rows = (batch.tasks.w > 0).sum(2).double().cpu()  # [S, K]
    counter = getattr(program.plain, "gradients", None)
    counts: Tensor = counter(rows.sum(1), batch.clock, rows[:, -1]) if counter else rows.sum(1)
    return counts


def review_gradients(program: Program, batch: Batch) -> Tensor:
    """Count the gradient evaluations of a review of a batch, `[S]`."""
    rows = (batch.tasks.w > 0).sum((1, 2)).double().cpu()
    counter = getattr(program.plain, "review_gradients", None)
    counts: Tensor = counter(rows, int(batch.tasks.seen[0, 0].sum())) if counter else 0 * rows
    return counts


def features(program: Program, state: Any, x: Tensor) -> Tensor:
    """Represent each replica's rows `[S, N, ...]` for the memory, `[S, N, F]`."""
    extractor = getattr(program.plain, "features", lambda s, rows, net: net.features(s.theta, rows))
    outputs: Tensor = each(lambda s, rows: extractor(s, rows, program.net), state, x)
    return outputs


def logits(program: Program, state: Any, x: Tensor, per_replica: bool = False) -> Tensor:
    """Score rows `[N, ...]`, or `per_replica` rows, `[S, N, ...]`: logits `[S, N, C]`."""
    says = getattr(program.plain, "logits", lambda s, rows, net: net(s.theta, rows))

    def score(rows: Tensor) -> Any:
        if per_replica:
            return each(lambda s, its_rows: says(s, its_rows, program.net), state, rows)
        return each(lambda s: says(s, rows, program.net), state)

    return torch.cat([score(rows) for rows in x.split(ROWS_AT_ONCE, 1 if per_replica else 0)], 1)
