"""Which checkpoint of a task goes on: the last, or one judged on rows that are set apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.func import vmap
from torch.utils import _pytree as pytree

from ablate.streams.class_split import Split
from ablate.training.scoring import positions
from ablate.types import Checkpoint, Data, TaskClasses

Answer: TypeAlias = Callable[[Tensor, bool], Tensor]
"""Rows -> logits `[S, N, C]`; the rows are `[N, ...]`, or each replica's own, `[S, N, ...]`."""

Exam: TypeAlias = Callable[[Answer, int], Tensor]
"""(how a stack answers, newest task t) -> each replica's accuracy over the seen classes, `[S]`.

The rows stand in a closure: whoever holds an exam gets one number a replica and nothing else.
"""


def exam(rule: Checkpoint | None, data: Data, cut: Split, like: Tensor) -> Exam | None:
    """Give the evaluator that a checkpoint rule may use; None where there is no rule.

    `validation` examines on rows held out of the training rows, `test-ORACLE` on the test rows.
    Raises ValueError for a rule that names other rows.
    """
    if rule is None:
        return None
    if rule.by == "validation":
        x = torch.as_tensor(np.stack([data.x_train[rows] for rows in cut.held])).to(like)
        y = np.stack(
            [
                positions(data.y_train[rows], order)
                for rows, order in zip(cut.held, cut.orders, strict=True)
            ]
        )
        return _sealed(x, torch.as_tensor(y, device=like.device), True, cut.by_task)
    if rule.by != "test-ORACLE":
        raise ValueError(f"a checkpoint by {rule.by!r}: `validation` or `test-ORACLE`")
    x = torch.as_tensor(data.x_test).to(like)
    y = np.stack([positions(data.y_test, order) for order in cut.orders])
    return _sealed(x, torch.as_tensor(y, device=like.device), False, cut.by_task)


def _sealed(x: Tensor, y: Tensor, per_replica: bool, by_task: TaskClasses) -> Exam:
    """Close over rows x, each replica's own or shared, and their class positions y `[S, N]`."""

    asked: dict[int, tuple[Tensor, Tensor]] = {}

    def seen_by(t: int) -> tuple[Tensor, Tensor]:
        """Give the rows that any replica has seen the class of, and their class positions."""
        if t not in asked:  # a task's epochs ask again
            asked.clear()
            rows = (y < int(by_task.starts[t + 1])).any(0)
            asked[t] = (x[:, rows] if per_replica else x[rows]), y[:, rows]
        return asked[t]

    def accuracy(answer: Answer, t: int) -> Tensor:
        classes = int(by_task.starts[t + 1])
        known, truth = seen_by(t)
        seen = truth < classes  # [S, N]
        right = (answer(known, per_replica)[..., :classes].argmax(-1) == truth) & seen
        return right.sum(1) / seen.sum(1)

    return accuracy


class Chooser:
    """Watches the epochs of one task; `chosen` gives the state to go on with.

    Every epoch that the rule examines raises the bar; of those that it may keep, the newest one
    over the bar goes on, the earliest where several are equal, and the last epoch where none is.
    """

    def __init__(self, rule: Checkpoint | None, exam: Exam | None, t: int, epochs: int) -> None:
        """Watch `epochs` epochs of task t."""
        self.rule, self.exam, self.t, self.epochs = rule, exam, t, epochs
        self.bar: Tensor | None = None  # [S]
        self.best: Any = None
        self.any: Tensor | None = None  # [S], whether a checkpoint was kept

    def see(self, epoch: int, state: Any, answer: Answer) -> None:
        """Look at the state after an epoch."""
        rule = self.rule
        if rule is None or self.exam is None or not rule.examines(epoch, self.epochs):
            return
        score = self.exam(answer, self.t)
        beats = score > (torch.full_like(score, -1) if self.bar is None else self.bar)
        self.bar = score if self.bar is None else torch.maximum(score, self.bar)
        if rule.may_keep(epoch, self.epochs):
            self.best = state if self.best is None else choose(beats, state, self.best)
            self.any = beats if self.any is None else self.any | beats

    def chosen(self, state: Any) -> Any:
        """Give the kept checkpoint, or the last state where there is none."""
        return state if self.any is None else choose(self.any, self.best, state)


def choose(flags: Tensor, new: Any, old: Any) -> Any:
    """Take each replica's state from `new` where its flag is set, else from `old`."""
    pick: Callable[..., Tensor] = vmap(torch.where)
    return pytree.tree_map(lambda a, b: pick(flags, a, b), new, old)
