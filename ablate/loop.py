"""THE LOOP: start, step, finish, score. Written for one replica; `vmap` makes the stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.func import vmap
from torch.utils import _pytree as pytree

from ablate.net import Net
from ablate.stream import Batch, Stream
from ablate.types import Clock, Method

ROWS_AT_ONCE = 2_000
"""Test rows scored in one call, to bound the memory of wide stacks."""


@dataclass(frozen=True)
class Program:
    """What a stack runs: the net, and the method as a function of the replicas' numbers.

    numbers: settings in which replicas differ, `[S]` each. plain: the first replica's method.
    """

    net: Net
    make: Callable[[Mapping[str, Tensor]], Method]
    numbers: Mapping[str, Tensor]
    plain: Method


class AfterTask(NamedTuple):
    """After task t: logits `[S, N, C]` of all test rows; steps and gradients so far, `[S]`."""

    t: int
    logits: Tensor
    steps: Tensor
    gradients: Tensor


def run(program: Program, stream: Stream, theta: Tensor) -> Iterator[AfterTask]:
    """Learn the tasks one after the other, from initial parameters `[S, P]`."""
    state = start(program, theta)
    steps = gradients = torch.zeros(len(theta), dtype=torch.long)
    for t in range(stream.cut.tasks):
        for batch in stream.batches(t, program.plain):
            state = step(program, state, batch)
            present = batch.tasks.present.sum(1).cpu()  # [S]
            steps = steps + (present > 0)
            gradients = gradients + program.plain.gradients(present)
        state = finish(program, state, Clock(t, stream.cut.tasks))
        if t + 1 < stream.cut.tasks:
            keep(program, stream, state, t)
        yield AfterTask(t, logits(program, state, stream.x_test), steps, gradients)


def start(program: Program, theta: Tensor) -> Any:
    """Give every replica's first state."""
    return vmap(lambda n, at: program.make(n).start(at))(program.numbers, theta)


def step(program: Program, state: Any, batch: Batch) -> Any:
    """Take one outer step in every replica that still has rows in this epoch."""

    def one(numbers: Any, state: Any, tasks: Any) -> Any:
        return program.make(numbers).step(state, tasks, batch.clock, program.net, batch.sizes)

    after = vmap(one)(program.numbers, state, batch.tasks)
    if (active := batch.active) is None:
        return after
    choose = vmap(lambda flag, new, old: torch.where(flag, new, old))
    return pytree.tree_map(lambda new, old: choose(active, new, old), after, state)


def finish(program: Program, state: Any, clock: Clock) -> Any:
    """Close a task in every replica."""
    return vmap(lambda n, s: program.make(n).finish(s, clock))(program.numbers, state)


def keep(program: Program, stream: Stream, state: Any, t: int) -> None:
    """Let the memory choose among the task's rows, class by class."""
    looks = getattr(stream.memory, "reads_features", False)
    for position in range(stream.cut.classes_per_task):
        x = stream.newest(t, position)  # [S, width, ...]
        features = vmap(lambda s, rows: program.plain.features(s, rows, program.net))
        stream.keep(t, position, features(state, x) if looks else x.flatten(2)[..., :1])


def logits(program: Program, state: Any, x: Tensor) -> Tensor:
    """Score rows that all replicas share: `[N, ...]` -> `[S, N, C]`."""
    one = vmap(lambda s, rows: program.plain.logits(s, rows, program.net), in_dims=(0, None))
    return torch.cat([one(state, rows) for rows in x.split(ROWS_AT_ONCE)], 1)
