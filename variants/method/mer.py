"""Meta-experience replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.func import grad

from ablate.registry import component
from ablate.training.train_step import Rows, apart, classify, flat, move
from ablate.types import Clock, Inner, Loss, Optimizer, Tasks, Training

from .plain import Learner, begin


@component("method", "mer", paper="Riemer et al. 2019 (MER), arXiv:1810.11910, Algorithm 1")
@dataclass(frozen=True)
class Mer:
    """Reptile within and across small batches of exemplars and one new row, in steps of one row.

    For every new row, `groups` small batches of `others` exemplars and the row itself, last, are
    stepped on; theta then goes `within` of the way from where the small batch began, and after all
    of them `across` of the way from where the row began. The exemplars are those of the batch, in
    an order that is drawn, taken in turn and from the first again. Unlike the paper, they are
    chosen when their task ends. `weights: tasks` of the training weighs inside a small step.
    Not calibrated: as its authors run it, each row of the stream is a walk of 25 to 50 steps of one
    row, about an hour a seed on one core (`suites/calibration/rotated.yaml`); it has not been run.

    optimizer: of the small steps; the paper's is SGD.
    training: batches, epochs or steps; `paired` batches are the paper's.
    walk: over a `row` and its exemplars (the paper); or over the whole `batch`, whose rows are
        shared out to the groups, each in random order, with one step across for all.
    groups: s, [1, 100000].
    others: k - 1, exemplars in a small batch, [0, 100000].
    within: beta, [0, 1].
    across: gamma, [0, 1]. With `within` 1 and all rows in one step of one group it is replay.
    rows_per_step: rows of one small step, [1, 100000]; the paper's is 1.
    loss: of the rows' labels; null is the cross-entropy among all classes seen so far, `task-ce`
        that among the row's own task's.
    """

    optimizer: Optimizer
    training: Training
    walk: Literal["row", "batch"] = "row"
    groups: int = 1
    others: int = 1
    within: float = 0.03
    across: float = 1.0
    rows_per_step: int = 1
    loss: Loss | None = None
    noise = 1
    fits = (("memory", "keeps", (None, "everything"), "it replays exemplars: it takes a memory"),)

    def start(self, theta: Tensor, net: Any) -> Learner:
        """Give the state before the first batch."""
        return begin(self, theta)

    def step(
        self,
        state: Learner,
        tasks: Tasks,
        clock: Clock,
        net: Any,
        sizes: tuple[int, ...] | None,
        noise: Tensor,
    ) -> Learner:
        """Take the small steps of one batch, and the two outer ones."""
        old, new = apart(flat(tasks, sizes, self.training.weights, noise), tasks, sizes)
        if self.walk == "row":
            return self._row_by_row(state, shuffle(old), shuffle(new), clock, net)
        old, new = ordered(old), ordered(new)
        theta, inner = state
        for group in range(self.groups):
            begun = theta
            rows = shuffled(share(old, group, self.groups), share(new, group, self.groups))
            if not len(rows.y):
                continue
            for at in range(0, len(rows.y), self.rows_per_step):
                few = slice(at, at + self.rows_per_step)
                theta, inner = self._small(theta, inner, part_of(rows, few), clock, net)
            theta = partly(begun, theta, self.within)
        return Learner(partly(state.theta, theta, self.across), inner)

    def _row_by_row(self, state: Learner, old: Rows, new: Rows, clock: Clock, net: Any) -> Learner:
        """Walk over every new row with its exemplars; one that is padding changes nothing."""
        theta, inner = state
        few, taken = self.others if len(old.y) else 0, 0
        real = (old.w > 0).sum().clamp(min=1)  # the first ones, as padding stands last
        for row in range(len(new.y)):
            start, new_row = theta, part_of(new, slice(row, row + 1))
            for _ in range(self.groups):
                begun = theta
                places = torch.arange(taken, taken + few, device=old.y.device) % real
                taken += few
                beside = part_of(old, places) if few else old
                beside = beside._replace(w=beside.w * (new_row.w > 0))
                rows = joined(beside, new_row)
                for at in range(0, len(rows.y), self.rows_per_step):
                    part = part_of(rows, slice(at, at + self.rows_per_step))
                    theta, inner = self._small(theta, inner, part, clock, net)
                theta = partly(begun, theta, self.within)
            theta = partly(start, theta, self.across)
        return Learner(theta, inner)

    def gradients(self, rows: Any, clock: Clock, new: Any) -> Any:
        """Count the rows of all small steps."""
        if self.walk == "batch":
            return rows
        return self.groups * new * (1 + self.others * (rows > new))

    def _small(
        self, theta: Tensor, inner: Inner, rows: Rows, clock: Clock, net: Any
    ) -> tuple[Tensor, Inner]:
        """Take one small step; rows that are all padding change nothing."""
        slope, moved = grad(lambda at: classify(net, at, rows, self.loss), has_aux=True)(theta)
        after, then = move(slope, moved, theta, inner, self, clock)
        real = rows.w.sum() > 0
        pairs = zip(then, inner, strict=True)
        return torch.where(real, after, theta), tuple(torch.where(real, a, b) for a, b in pairs)

    def finish(self, state: Learner, clock: Clock, net: Any) -> Learner:
        """Close a task: the memory chooses its exemplars."""
        return state

    def parameters(self, state: Learner) -> Tensor:
        """Give theta `[P]`, which a protocol may adapt before it scores."""
        return state.theta


def partly(begun: Tensor, ended: Tensor, way: Any) -> Tensor:
    """Go a part of the way; all of it exactly, where it is the plain number 1."""
    return ended if isinstance(way, (int, float)) and way == 1 else begun + way * (ended - begun)


def part_of(rows: Rows, few: Any) -> Rows:
    """Take some of the rows, by a slice or by their numbers."""
    x, y, w, noise = (values[few] for values in (rows.x, rows.y, rows.w, rows.noise))
    return Rows(x, y, w, rows.seen, rows.own, noise)


def share(rows: Rows, group: int, groups: int) -> Rows:
    """Take every `groups`-th row, from `group` on."""
    return part_of(rows, slice(group, None, groups))


def ordered(rows: Rows, key: Tensor | None = None) -> Rows:
    """Sort rows by a key `[N]`, or leave them in order; padding goes last and changes nothing."""
    key = torch.arange(len(rows.y), device=rows.w.device).to(rows.w) if key is None else key
    return part_of(rows, torch.where(rows.w > 0, key, float("inf")).argsort())


def joined(old: Rows, new: Rows) -> Rows:
    """Put new rows behind old ones."""
    x, y, w, noise = (
        torch.cat([getattr(old, name), getattr(new, name)]) for name in ("x", "y", "w", "noise")
    )
    return Rows(x, y, w, new.seen, new.own, noise)


def shuffle(rows: Rows) -> Rows:
    """Put rows in an order drawn from their noise."""
    return ordered(rows, rows.noise[:, 0]) if len(rows.y) else rows


def shuffled(old: Rows, new: Rows) -> Rows:
    """Put the rows together in an order drawn from their noise."""
    return shuffle(joined(old, new))
