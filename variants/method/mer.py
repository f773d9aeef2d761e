"""Meta-experience replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ablate.registry import component
from ablate.training.gradient import grad
from ablate.training.train_step import Rows, classify, flat_rows, move, old_and_new
from ablate.types import Batch, Clock, Inner, Loss, Net, Number, Optimizer, Training

from ._plain import Learner, begin


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

    def start(self, theta: Tensor, net: Net) -> Learner:
        """Give the state before the first batch."""
        return begin(self, theta)

    def step(self, state: Learner, batch: Batch, net: Net) -> Learner:
        """Take the small steps of one batch, and the two outer ones."""
        old, new = old_and_new(flat_rows(batch, self.training.weights), batch)
        clock = batch.clock
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
                theta, inner = self._small(theta, inner, rows.select(few), clock, net)
            theta = partly(begun, theta, self.within)
        return Learner(partly(state.theta, theta, self.across), inner)

    def _row_by_row(self, state: Learner, old: Rows, new: Rows, clock: Clock, net: Net) -> Learner:
        """Walk over every new row with its exemplars; one that is padding changes nothing."""
        theta, inner = state
        few, taken = self.others if len(old.y) else 0, 0
        real = (old.w > 0).sum().clamp(min=1)  # the first ones, as padding stands last
        for row in range(len(new.y)):
            start, new_row = theta, new.select(slice(row, row + 1))
            for _ in range(self.groups):
                begun = theta
                places = torch.arange(taken, taken + few, device=old.y.device) % real
                taken += few
                beside = old.select(places) if few else old
                beside = beside._replace(w=beside.w * (new_row.w > 0))
                rows = joined(beside, new_row)
                for at in range(0, len(rows.y), self.rows_per_step):
                    part = rows.select(slice(at, at + self.rows_per_step))
                    theta, inner = self._small(theta, inner, part, clock, net)
                theta = partly(begun, theta, self.within)
            theta = partly(start, theta, self.across)
        return Learner(theta, inner)

    def gradients(self, rows: Tensor, clock: Clock, newest: Tensor) -> Tensor:
        """Count the rows of all small steps."""
        if self.walk == "batch":
            return rows
        return self.groups * newest * (1 + self.others * (rows > newest))

    def _small(
        self, theta: Tensor, inner: Inner, rows: Rows, clock: Clock, net: Net
    ) -> tuple[Tensor, Inner]:
        """Take one small step; rows that are all padding change nothing."""
        slope, moved = grad(lambda at: classify(net, at, rows, self.loss), has_aux=True)(theta)
        after, then = move(slope, moved, theta, inner, self, clock)
        real = rows.w.sum() > 0
        pairs = zip(then, inner, strict=True)
        return torch.where(real, after, theta), tuple(torch.where(real, a, b) for a, b in pairs)


def partly(begun: Tensor, ended: Tensor, way: Number) -> Tensor:
    """Go a part of the way; all of it exactly, where it is the plain number 1."""
    return ended if isinstance(way, (int, float)) and way == 1 else begun + way * (ended - begun)


def share(rows: Rows, group: int, groups: int) -> Rows:
    """Take every `groups`-th row, from `group` on."""
    return rows.select(slice(group, None, groups))


def ordered(rows: Rows, key: Tensor | None = None) -> Rows:
    """Sort rows by a key `[N]`, or leave them in order; padding goes last and changes nothing."""
    key = torch.arange(len(rows.y), device=rows.w.device).to(rows.w) if key is None else key
    return rows.select(torch.where(rows.w > 0, key, float("inf")).argsort())


def joined(old: Rows, new: Rows) -> Rows:
    """Put new rows behind old ones."""
    x, y, w, noise = (
        torch.cat([getattr(old, name), getattr(new, name)]) for name in ("x", "y", "w", "noise")
    )
    return new._replace(x=x, y=y, w=w, noise=noise)


def shuffle(rows: Rows) -> Rows:
    """Put rows in an order drawn from their noise."""
    return ordered(rows, rows.noise[:, 0]) if len(rows.y) else rows


def shuffled(old: Rows, new: Rows) -> Rows:
    """Put the rows together in an order drawn from their noise."""
    return shuffle(joined(old, new))
