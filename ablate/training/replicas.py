"""A stack's program: the method's functions, written for one replica, run for all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import vmap
from torch.utils import _pytree as pytree

from ablate.compiled.engine import Engine
from ablate.streams.epochs import StackedBatch
from ablate.training import hooks
from ablate.training.checkpoints import Exam, choose
from ablate.types import Batch, Clock, Ints, Method, Net, Number, Tasks

ROWS_AT_ONCE = 2_000
"""Test rows scored in one call, to bound the memory of wide stacks."""


@dataclass(frozen=True)
class Program:
    """What a stack runs: the net, and the method with the numbers in which replicas differ.

    method: the first replica's, built once. numbers: the settings in which replicas differ, `[S]`
    each, by their dotted path in it. exam: the sealed evaluator that may choose among checkpoints.
    adapts: whether exemplars are needed after the last task too. engine: takes an epoch's steps
    where all parts of the method have a compiled form.
    """

    net: Net
    method: Method[Any]
    numbers: Mapping[str, Tensor]
    exam: Exam | None = None
    adapts: bool = False
    engine: Engine | None = None

    def replica(self, numbers: Mapping[str, Number]) -> Method[Any]:
        """Give the method with one replica's numbers."""
        method: Method[Any] = with_numbers(self.method, numbers)
        return method


def with_numbers(component: Any, numbers: Mapping[str, Number]) -> Any:
    """Give a built component with other numbers at some dotted paths; nothing is built anew.

    >>> from ablate.registry import scan
    >>> from ablate.types import Choice
    >>> rule = scan().build(Choice("update", "reptile", {"epsilon": 0.5}))
    >>> with_numbers(rule, {"step.epsilon": 0.25}).step.epsilon
    0.25
    """
    changes: dict[str, Any] = {}
    inside: dict[str, dict[str, Number]] = {}
    for path, value in numbers.items():
        field, _, rest = path.partition(".")
        if rest:
            inside.setdefault(field, {})[rest] = value
        else:
            changes[field] = value
    for field, values in inside.items():
        changes[field] = with_numbers(getattr(component, field), values)
    return dataclasses.replace(component, **changes) if changes else component


def over_replicas(function: Callable[..., Any], *stacked: Any) -> Any:
    """Call `function` for every replica of trees `[S, ...]`; a lone one is spared vmap's cost."""
    leaves = [leaf for leaf in pytree.tree_leaves(stacked) if isinstance(leaf, Tensor)]
    if leaves[0].shape[0] > 1:
        return vmap(function)(*stacked)
    alone = pytree.tree_map(lambda value: value[0], stacked)
    return pytree.tree_map(lambda value: value[None], function(*alone))


def start(program: Program, theta: Tensor) -> Any:
    """Give every replica's first state."""

    def begin(at: Tensor, numbers: Mapping[str, Number]) -> Any:
        return program.replica(numbers).start(at, program.net)

    return over_replicas(begin, theta, program.numbers)


def step(program: Program, state: Any, stacked: StackedBatch, hook: str = "step") -> Any:
    """Take one outer step in every replica that still has rows; or `review` the batch."""
    noise = () if stacked.noise is None else (stacked.noise,)

    def act(tasks: Tasks, state: Any, numbers: Mapping[str, Number], *noise: Tensor) -> Any:
        batch = Batch(
            tasks=tasks,
            clock=stacked.clock,
            sizes=stacked.sizes,
            noise=noise[0] if noise else None,
            classes=stacked.classes,
        )
        return getattr(program.replica(numbers), hook)(state, batch, program.net)

    after = over_replicas(act, stacked.tasks, state, program.numbers, *noise)
    return after if stacked.active is None else choose(stacked.active, after, state)


def finish(program: Program, state: Any, clock: Clock) -> Any:
    """Close a task in every replica."""

    def close(state: Any, numbers: Mapping[str, Number]) -> Any:
        return hooks.finish(program.replica(numbers), state, clock, program.net)

    return over_replicas(close, state, program.numbers)


def gradients(program: Program, batch: StackedBatch) -> Tensor:
    """Count the gradient evaluations of a step `[S]`: rows through a gradient.

    Rows, since arms differ in how many make a batch.
    """
    rows = (batch.tasks.w > 0).sum(2).double().cpu()  # [S, K]
    return hooks.gradients(program.method, rows.sum(1), batch.clock, rows[:, -1])


def epoch_gradients(program: Program, sizes: Ints, clock: Clock) -> Tensor:
    """Count those of an epoch's steps on batches of so many rows `[S, steps, K]`, `[S]`."""
    rows = torch.as_tensor(sizes).double()
    return sum(
        (
            hooks.gradients(
                program.method, rows[:, step].sum(1), clock._replace(step=step), rows[:, step, -1]
            )
            for step in range(rows.shape[1])
        ),
        torch.zeros(len(rows)).double(),
    )


def review_gradients(program: Program, batch: StackedBatch) -> Tensor:
    """Count the gradient evaluations of a review of a batch, `[S]`."""
    rows = (batch.tasks.w > 0).sum((1, 2)).double().cpu()
    return hooks.review_gradients(program.method, rows, int(batch.tasks.seen[0, 0].sum()))


def features(program: Program, state: Any, x: Tensor) -> Tensor:
    """Represent each replica's rows `[S, N, ...]` for the memory, `[S, N, F]`."""
    outputs: Tensor = over_replicas(
        lambda s, rows: hooks.features(program.method, s, rows, program.net), state, x
    )
    return outputs


def logits(program: Program, state: Any, x: Tensor, per_replica: bool = False) -> Tensor:
    """Score rows `[N, ...]`, or `per_replica` rows, `[S, N, ...]`: logits `[S, N, C]`."""

    def score(s: Any, rows: Tensor) -> Tensor:
        return hooks.logits(program.method, s, rows, program.net)

    def scores(rows: Tensor) -> Any:
        if per_replica:
            return over_replicas(score, state, rows)
        return over_replicas(lambda s: score(s, rows), state)

    dim = 1 if per_replica else 0
    return torch.cat([scores(rows) for rows in x.split(ROWS_AT_ONCE, dim)], 1)
