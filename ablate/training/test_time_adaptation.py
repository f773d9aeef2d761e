"""Test-time adaptation: a copy of the model for each task, trained on that task's exemplars."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.func import vmap

from ablate.streams.epochs import StackedBatch
from ablate.streams.task_stream import Stream
from ablate.training import hooks
from ablate.training.checkpoints import choose
from ablate.training.inner_loop import InnerLoop
from ablate.training.loop import AfterTask
from ablate.training.replicas import ROWS_AT_ONCE, Program
from ablate.types import Predict


def adapted(program: Program, stream: Stream, after: AfterTask, protocol: Any, x: Tensor) -> Tensor:
    """Give logits `[S, N, C]` of test rows `[N, ...]`: each task's by the model adapted to it.

    protocol: has `epochs`, `updates`, `batch_rows`, `optimizer` and `loss`. After the first
    task there is nothing to tell apart, and nothing is adapted (as in iTAML's released code).
    """
    seen = after.t + 1
    start: Tensor = vmap(partial(hooks.parameters, program.method))(after.state)  # type: ignore[assignment]
    logits = []
    for k, classes in enumerate(stream.cut.by_task.slices[:seen]):
        theta = tune(program, stream, start, protocol, (k, seen)) if after.t else start
        parts = x.split(ROWS_AT_ONCE)
        net = vmap(program.net, in_dims=(0, None))
        logits.append(torch.cat([net(theta, rows)[..., classes] for rows in parts], 1))
    return torch.cat(logits, 2)


def tune(
    program: Program, stream: Stream, theta: Tensor, protocol: Any, position: tuple[int, int]
) -> Tensor:
    """Train `[S, P]` on the exemplars of task k, position = (k, tasks seen)."""
    fit = InnerLoop(
        program.net.objective(protocol.loss), protocol.optimizer, buffers=program.net.buffers
    )
    state = (theta, vmap(fit.fresh)(theta))
    steps = (
        batch
        for epoch in range(protocol.epochs)
        for batch in stream.exemplars(*position, epoch, protocol.batch_rows)
    )
    for batch in islice(steps, protocol.updates):
        state = step(fit, state, batch)
    return state[0]


def step(fit: InnerLoop, state: tuple[Tensor, Any], batch: StackedBatch) -> tuple[Tensor, Any]:
    """Take one optimizer step in every replica that still has exemplars in this epoch."""

    def advance(theta: Tensor, inner: Any, tasks: Any) -> tuple[Tensor, Any]:
        return fit.resume(theta, fit.split(tasks)[0], inner)

    after = vmap(advance)(*state, batch.tasks)
    return after if batch.active is None else choose(batch.active, after, state)


def adapts(protocol: Predict) -> bool:
    """Say whether a protocol scores adapted models."""
    return bool(getattr(protocol, "adapts", False))
