"""Which checkpoint of a task is kept: the last, or the best by an evaluator that is handed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.func import vmap
from torch.utils import _pytree as pytree

from ablate.training.evaluators import Answer, Exam
from ablate.types import Method


class Chooser:
    """Watches the epochs of one task; `chosen` gives the state to go on with.

    rule `best` keeps the best of the last `select_epochs` epochs, the earliest where several are
    equal. Rule `record`, the released code's, keeps an epoch among them only if it beats every
    epoch of the task before it, and the last one if none does.
    """

    def __init__(self, method: Method, exam: Exam | None, t: int, epochs: int) -> None:
        """Watch `epochs` epochs of task t."""
        self.exam, self.t, self.epochs = exam, t, epochs
        self.record = getattr(method, "select_rule", "best") == "record"
        self.window = getattr(method, "select_epochs", epochs)
        self.best: Tensor | None = None  # [S]
        self.kept: Any = None
        self.any: Tensor | None = None  # [S], whether a checkpoint was kept

    def see(self, epoch: int, state: Any, answer: Answer) -> None:
        """Look at the state after an epoch."""
        inside = epoch >= self.epochs - self.window
        if self.exam is None or not (inside or self.record):
            return
        score = self.exam(answer, self.t)
        beats = score > (torch.zeros_like(score) - 1 if self.best is None else self.best)
        self.best = score if self.best is None else torch.maximum(score, self.best)
        if inside:
            self.kept = state if self.kept is None else choose(beats, state, self.kept)
            self.any = beats if self.any is None else self.any | beats

    def chosen(self, state: Any) -> Any:
        """Give the kept checkpoint, or the last state where there is none."""
        return state if self.any is None else choose(self.any, self.kept, state)


def choose(flags: Tensor, new: Any, old: Any) -> Any:
    """Take each replica's state from `new` where its flag is set, else from `old`."""
    pick: Callable[..., Tensor] = vmap(torch.where)
    return pytree.tree_map(lambda a, b: pick(flags, a, b), new, old)
