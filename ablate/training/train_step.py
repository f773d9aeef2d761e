"""What methods share: losses of rows, a batch as flat rows, one optimizer step on a loss."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ablate.training.gradient import grad
from ablate.types import (
    Batch,
    Clock,
    Inner,
    Loss as Component,
    Net,
    Number,
    Optimizer,
    TaskClasses,
    Tasks,
    Training,
)

Loss = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Parameters `[P]` -> a loss, and what the running statistics become (see `Net.train`)."""


class Labelled(Protocol):
    """Rows with class positions y `[B]` and weights w `[B]`."""

    @property
    def y(self) -> Tensor:
        """Give class positions."""

    @property
    def w(self) -> Tensor:
        """Give weights, 0 for padding."""


def mean_over_rows(losses: Tensor, w: Tensor) -> Tensor:
    """Give the weighted mean of row losses `[B]`; 0, not nan, where every row is padding."""
    total = w.sum()
    return (losses * w).sum() / torch.where(total > 0, total, 1)


def one_hot(y: Tensor, classes: int) -> Tensor:
    """Give booleans `[B, C]`; unlike `functional.one_hot` it works under vmap."""
    return y[:, None] == torch.arange(classes, device=y.device)


def binary(logits: Tensor, task: Tasks) -> Tensor:
    """Binary cross-entropy with logits over the task's own logits, mean over rows and logits."""
    target = one_hot(task.y, logits.shape[-1]).to(logits.dtype)
    losses = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    mask = task.own.to(logits.dtype)
    return mean_over_rows((losses * mask).sum(-1) / mask.sum(-1), task.w)


def cross_entropy(logits: Tensor, task: Labelled, among: Tensor) -> Tensor:
    """Cross-entropy among the classes that `among` marks, `[C]` or `[B, C]`, mean over rows."""
    masked = logits.masked_fill(~among, float("-inf"))
    true = torch.where(one_hot(task.y, logits.shape[-1]), logits, 0).sum(-1)
    return mean_over_rows(masked.logsumexp(-1) - true, task.w)


class Optimized(Protocol):
    """A method whose steps are an optimizer's, at the learning rate of its training."""

    @property
    def optimizer(self) -> Optimizer:
        """Give the optimizer."""

    @property
    def training(self) -> Training:
        """Give what scales the learning rate."""


class Rows(NamedTuple):
    """Rows of one or more tasks, N of them in all.

    x `[N, ...]`, y `[N]` class positions, w `[N]` weights (0 is padding), seen `[C]` the classes
    seen so far, own `[C]` those of the newest task, noise `[N, n]` standard normal numbers.
    classes: which classes each task has; None where all have as many as the newest.
    """

    x: Tensor
    y: Tensor
    w: Tensor
    seen: Tensor
    own: Tensor
    noise: Tensor
    classes: TaskClasses | None = None

    @property
    def before(self) -> Tensor:
        """Mark the classes of the tasks before the newest, `[C]`."""
        return self.seen & ~self.own

    def select(self, which: slice | Tensor) -> Rows:
        """Take some of the rows, by a slice or by their numbers."""
        x, y, w, noise = (values[which] for values in (self.x, self.y, self.w, self.noise))
        return self._replace(x=x, y=y, w=w, noise=noise)


def flat_rows(batch: Batch, weights: str = "rows") -> Rows:
    """Put a batch's tasks `[K, B, ...]` behind one another, oldest first, padding trimmed.

    weights: `rows` all weigh the same; or `tasks` do, each sharing a weight of 1 among its rows.
    """
    tasks = batch.tasks
    w = tasks.w / tasks.w.sum(1, keepdim=True).clamp(min=1) if weights == "tasks" else tasks.w
    n = tasks.x.new_zeros(*tasks.y.shape, 0) if batch.noise is None else batch.noise

    def joined(values: Tensor) -> Tensor:
        return torch.cat([values[k, :size] for k, size in enumerate(batch.row_counts)])

    x, y = joined(tasks.x), joined(tasks.y)
    return Rows(
        x=x,
        y=y,
        w=joined(w),
        seen=tasks.seen[-1],
        own=tasks.own[-1],
        noise=joined(n),
        classes=batch.classes,
    )


def old_and_new(rows: Rows, batch: Batch) -> tuple[Rows, Rows]:
    """Cut a batch's flat rows into those of old tasks (there may be none) and the newest task's."""
    cut = len(rows.y) - batch.row_counts[-1]
    return rows.select(slice(None, cut)), rows.select(slice(cut, None))


def classify(
    net: Net, theta: Tensor, rows: Rows, loss: Component | None = None
) -> tuple[Tensor, Tensor]:
    """Give the mean loss of the rows' labels, and the new statistics; see `labelled`."""
    logits, moved = net.train(theta, rows.x)
    return labelled(logits, rows, loss), moved


def labelled(logits: Tensor, rows: Rows, loss: Component | None = None) -> Tensor:
    """Give the mean loss of logits `[N, C]`: of a component, else among the classes seen so far.

    A component is shown each row's own task, old ones too: `own` is `[N, C]` for it.
    """
    if loss is None:
        return cross_entropy(logits, rows, rows.seen)
    return loss(logits, rows._replace(own=own_tasks(rows, logits.shape[-1])))  # type: ignore[arg-type]


def own_tasks(rows: Rows, classes: int) -> Tensor:
    """Mark the classes of each row's own task, `[N, C]`."""
    task = task_numbers(rows.own, rows.classes)
    return task == task.index_select(0, rows.y)[:, None]


def task_numbers(own: Tensor, classes: TaskClasses | None) -> Tensor:
    """Give the task of each class position, `[C]`; own `[C]` marks those of any one task.

    classes: of each task; None where all have as many.
    """
    if classes is not None:
        return _numbered(classes, own.device)
    positions = torch.arange(own.shape[-1], device=own.device)
    return torch.div(positions, own.sum(), rounding_mode="floor")


@lru_cache(maxsize=64)
def _numbered(classes: TaskClasses, device: torch.device) -> Tensor:
    """Give the same from the sizes: every step asks."""
    return torch.as_tensor(classes.task_of(np.arange(classes.classes)), device=device)


def judged_among(rows: Rows, loss: Component | None) -> Tensor:
    """Mark the classes `[C]` that a loss tells the newest task's rows apart from."""
    return rows.own if getattr(loss, "own_task", False) else rows.seen


def descend(
    loss: Loss,
    theta: Tensor,
    inner: Inner,
    method: Optimized,
    clock: Clock,
    pull: Tensor | None = None,
) -> tuple[Tensor, Inner]:
    """Take one optimizer step on a loss; `pull` `[P]` is added to its gradient."""
    slope, moved = grad(loss, has_aux=True)(theta)
    return move(slope if pull is None else slope + pull, moved, theta, inner, method, clock)


def move(
    slope: Tensor, moved: Tensor, theta: Tensor, inner: Inner, method: Optimized, clock: Clock
) -> tuple[Tensor, Inner]:
    """Take the optimizer's step along -slope; running statistics become what they moved to."""
    theta, inner = method.optimizer.step(theta, slope, inner, method.training.rate(clock))
    end = len(theta) - len(moved)
    return (torch.cat([theta[:end], moved]) if len(moved) else theta), inner


def soft_labels(
    student: Tensor,
    teacher: Tensor,
    known: Tensor,
    temperature: Number,
    among: Tensor | None = None,
) -> Tensor:
    """Give each row's cross-entropy with a teacher's softened labels, `[N]`.

    sum_c -p_c log q_c, p the teacher's softmax over the classes that it has known `[C]`, q the
    student's over those or, where they are given, `among` more `[C]`, both at a temperature
    (Hinton, Vinyals & Dean 2015, arXiv:1503.02531, Eq. 1). Where `among` has more classes, the
    teacher says that none of them is the row's.
    """

    def open_to(mask: Tensor) -> Tensor:
        return torch.where(mask, 0.0, float("-inf")).to(student)

    p = (teacher / temperature + open_to(known)).softmax(-1)
    all_of = known if among is None else among
    logits = student.masked_fill(~all_of, 0) / temperature
    lost: Tensor = (logits + open_to(all_of)).logsumexp(-1) - (p * logits).sum(-1)
    return lost
