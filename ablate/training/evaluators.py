"""Sealed evaluators: rows that a model can be examined on, and that training cannot reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from ablate.streams.class_split import Split
from ablate.training.scoring import positions
from ablate.types import Data

Answer: TypeAlias = Callable[[Tensor, bool], Tensor]
"""Rows -> logits `[S, N, C]`; the rows are `[N, ...]`, or each replica's own, `[S, N, ...]`."""

Exam: TypeAlias = Callable[[Answer, int], Tensor]
"""(how a stack answers, newest task t) -> each replica's accuracy over the seen classes, `[S]`.

The rows stand in a closure: whoever holds an exam gets one number a replica and nothing else.
"""


def exam(rule: str, data: Data, cut: Split, like: Tensor) -> Exam | None:
    """Give the evaluator that a checkpoint rule may use; None for the rule `last`, which asks none.

    `validation` examines on rows held out of the training rows, `test-ORACLE` on the test rows.
    """
    if rule == "last":
        return None
    if rule == "validation":
        x = torch.as_tensor(np.stack([data.x_train[rows] for rows in cut.held])).to(like)
        y = np.stack(
            [
                positions(data.y_train[rows], order)
                for rows, order in zip(cut.held, cut.orders, strict=True)
            ]
        )
        return _sealed(x, torch.as_tensor(y, device=like.device), True, cut.classes_per_task)
    x = torch.as_tensor(data.x_test).to(like)
    y = np.stack([positions(data.y_test, order) for order in cut.orders])
    return _sealed(x, torch.as_tensor(y, device=like.device), False, cut.classes_per_task)


def _sealed(x: Tensor, y: Tensor, per_replica: bool, per_task: int) -> Exam:
    """Close over rows x, each replica's own or shared, and their class positions y `[S, N]`."""

    def accuracy(answer: Answer, t: int) -> Tensor:
        classes = (t + 1) * per_task
        seen = y < classes  # [S, N]
        right = (answer(x, per_replica)[..., :classes].argmax(-1) == y) & seen
        return right.sum(1) / seen.sum(1)

    return accuracy
