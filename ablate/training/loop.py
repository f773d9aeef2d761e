"""THE LOOP: start, step, finish, score. Written for one replica; `replicas` makes the stack."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ablate.streams.epochs import Epoch
from ablate.streams.task_stream import Stream
from ablate.training import hooks
from ablate.training.checkpoints import Chooser
from ablate.training.learning_curves import Recorder
from ablate.training.replicas import (
    Program,
    epoch_gradients,
    features,
    finish,
    gradients,
    logits,
    review_gradients,
    start,
    step,
)
from ablate.types import Clock, Json


class AfterTask(NamedTuple):
    """After task t: the replicas' states; steps and gradient evaluations so far, `[S]`.

    curves: by replica, how it learnt the task.
    """

    t: int
    state: Any
    steps: Tensor
    gradients: Tensor
    curves: list[Json]


def run(program: Program, stream: Stream, theta: Tensor) -> Iterator[AfterTask]:
    """Learn the tasks one after the other, from initial parameters `[S, P]`."""
    state = start(program, theta)
    steps, spent = torch.zeros(len(theta), dtype=torch.long), torch.zeros(len(theta)).double()
    for t in range(stream.cut.tasks):
        epochs = stream.epochs(t, program.method)
        chooser = Chooser(program.method.training.checkpoint, program.exam, t, len(epochs))
        recorder = Recorder(program, stream, t, len(epochs))
        for epoch, batches in enumerate(epochs):
            state, taken, cost = train_epoch(program, state, batches)
            steps, spent = steps + taken, spent + cost
            chooser.see(epoch, state, partial(logits, program, state))
            recorder.see(epoch, state)
        state, more = close(program, stream, chooser.chosen(state), t)
        spent = spent + more
        yield AfterTask(
            t=t,
            state=state,
            steps=steps,
            gradients=spent.round().long(),
            curves=recorder.curves,
        )


def train_epoch(
    program: Program, state: Any, epoch: Epoch, most: int | None = None
) -> tuple[Any, Tensor, Tensor]:
    """Take an epoch's steps, or the first `most`; counts them and gradient evaluations, `[S]`."""
    if program.engine:
        table = epoch.rows(most)
        state = program.engine.epoch(state, table, epoch.clock)
        taken = torch.as_tensor((table.sizes.sum(2) > 0).sum(1))
        return state, taken, epoch_gradients(program, table.sizes, epoch.clock)
    taken, spent = torch.zeros((), dtype=torch.long), torch.zeros(()).double()
    for batch in islice(epoch, most):
        state = step(program, state, batch)
        taken = taken + batch.tasks.present.any(1).cpu()
        spent = spent + gradients(program, batch)
    return state, taken, spent


def close(program: Program, stream: Stream, state: Any, t: int) -> tuple[Any, Tensor | float]:
    """Close task t: one more look at its rows, finish, keep exemplars, a look at those.

    Gives the gradient evaluations of the looks, too.
    """
    spent: Tensor | float = 0.0
    reviewed = hooks.reviews(program.method)
    if reviewed == "new":
        state, spent = review(program, stream, state, t)
    state = finish(program, state, Clock(t, stream.cut.tasks))
    if t + 1 < stream.cut.tasks or program.adapts or reviewed == "memory":
        keep(program, stream, state, t)
    return review(program, stream, state, t) if reviewed == "memory" else (state, spent)


def review(program: Program, stream: Stream, state: Any, t: int) -> tuple[Any, Tensor | float]:
    """Show the method rows that it asked to see once more; nothing is trained on them."""
    spent: Tensor | float = 0.0
    for batch in stream.review(t, program.method):
        state = step(program, state, batch, "review")
        spent = spent + review_gradients(program, batch)
    return state, spent


def keep(program: Program, stream: Stream, state: Any, t: int) -> None:
    """Let the memory choose among the task's rows, class by class."""
    looks = getattr(stream.memory, "reads_features", False)
    classes = stream.cut.by_task.slices[t]
    for c in range(classes.start, classes.stop):
        x = stream.class_rows(c)  # [S, width, ...]
        stream.keep(t, c, features(program, state, x) if looks else x.flatten(2)[..., :1])
