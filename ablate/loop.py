"""THE LOOP: start, step, finish, score. Written for one replica; `vmap` makes the stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.func import vmap

from ablate.checkpoint import Chooser, choose
from ablate.exam import Exam
from ablate.net import Net
from ablate.stream import Batch, Stream
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


class AfterTask(NamedTuple):
    """After task t: the replicas' states; steps and gradients so far, `[S]`."""

    t: int
    state: Any
    steps: Tensor
    gradients: Tensor


def run(program: Program, stream: Stream, theta: Tensor) -> Iterator[AfterTask]:
    """Learn the tasks one after the other, from initial parameters `[S, P]`."""
    state = start(program, theta)
    steps = gradients = torch.zeros(len(theta), dtype=torch.long)
    for t in range(stream.cut.tasks):
        epochs = stream.epochs(t, program.plain)
        chooser = Chooser(program.plain, program.exam, t, len(epochs))
        for epoch, batches in enumerate(epochs):
            for batch in batches:
                state = step(program, state, batch)
                present = batch.tasks.present.sum(1).cpu()  # [S]
                steps = steps + (present > 0)
                gradients = gradients + program.plain.gradients(present, batch.clock)
            chooser.see(epoch, state, partial(logits, program, state))
        state = finish(program, chooser.chosen(state), Clock(t, stream.cut.tasks))
        if t + 1 < stream.cut.tasks or program.adapts:
            keep(program, stream, state, t)
        yield AfterTask(t, state, steps, gradients)


def start(program: Program, theta: Tensor) -> Any:
    """Give every replica's first state."""
    return vmap(lambda n, at: program.make(n).start(at, program.net))(program.numbers, theta)


def step(program: Program, state: Any, batch: Batch) -> Any:
    """Take one outer step in every replica that still has rows in this epoch."""

    def one(numbers: Any, state: Any, tasks: Any) -> Any:
        return program.make(numbers).step(state, tasks, batch.clock, program.net, batch.sizes)

    after = vmap(one)(program.numbers, state, batch.tasks)
    return after if batch.active is None else choose(batch.active, after, state)


def finish(program: Program, state: Any, clock: Clock) -> Any:
    """Close a task in every replica."""
    return vmap(lambda n, s: program.make(n).finish(s, clock, program.net))(program.numbers, state)


def keep(program: Program, stream: Stream, state: Any, t: int) -> None:
    """Let the memory choose among the task's rows, class by class."""
    looks = getattr(stream.memory, "reads_features", False)
    for position in range(stream.cut.classes_per_task):
        x = stream.newest(t, position)  # [S, width, ...]
        features = vmap(lambda s, rows: program.plain.features(s, rows, program.net))
        stream.keep(t, position, features(state, x) if looks else x.flatten(2)[..., :1])


def logits(program: Program, state: Any, x: Tensor, own: bool = False) -> Tensor:
    """Score rows `[N, ...]`, or each replica's `own`, `[S, N, ...]`: logits `[S, N, C]`."""
    places = (0, 0 if own else None)
    one = vmap(lambda s, rows: program.plain.logits(s, rows, program.net), in_dims=places)
    return torch.cat([one(state, rows) for rows in x.split(ROWS_AT_ONCE, 1 if own else 0)], 1)
