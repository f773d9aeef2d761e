"""The class-incremental stream of a stack of seeds: batches, exemplar memory and test rows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import vmap

from ablate.core.random_streams import stream
from ablate.streams import batch_tables
from ablate.streams.class_split import Split
from ablate.streams.epochs import Epoch, EpochRows, StackedBatch
from ablate.types import Augment, Clock, Data, Ints, Memory, Method, Tasks


def first_rows(
    batches: Iterator[StackedBatch], limit: int, batch_rows: int
) -> Iterator[StackedBatch]:
    """Give the first `limit` rows of one task's batches; rows beyond have no weight."""
    for index, batch in enumerate(islice(batches, -(-limit // batch_rows))):
        positions = torch.arange(batch.tasks.w.shape[-1], device=batch.tasks.w.device)
        w = batch.tasks.w * (positions < limit - index * batch_rows)
        yield batch._replace(tasks=batch.tasks._replace(w=w, present=w.sum(-1) > 0))


class Stream:
    """The batches and the memory of a stack, of training rows alone.

    `keep` is its only change of state. Test rows are not here: see `exam`.
    """

    def __init__(
        self,
        data: Data,
        cut: Split,
        memory: Memory,
        like: Tensor,
        augment: Augment | None = None,
        trim: bool = False,
    ) -> None:
        """Move the rows to where `like` is, in its precision.

        trim: say of every batch that is not full how many rows each task has, so that no padding
        is handed on: batch norms would mix it in.
        """
        self.cut, self.trim = cut, trim
        self.memory = memory
        self.augment = augment if augment and augment.draws else None
        self.x = torch.as_tensor(data.x_train).to(like)
        self.darkest = self.x.transpose(0, 1).flatten(1).amin(1)  # [channels]
        self.device, self.dtype = like.device, like.dtype
        self.pool = torch.as_tensor(cut.pool, device=self.device)  # [S, C, width]
        self.quotas = [self._quotas(t) for t in range(cut.tasks + 1)]

    def _quotas(self, t: int) -> list[Ints]:
        """Give each seed's exemplar quotas by class position after t tasks."""
        seen = int(self.cut.by_task.starts[t])
        if not seen:
            return [np.zeros(0, dtype=np.int64) for _ in self.cut.seeds]
        return [self.memory.quota(priorities[:seen]) for priorities in self.cut.priorities]

    def epochs(self, t: int, method: Method[Any]) -> list[Epoch]:
        """Give the batches of each epoch of task t, as a method asks for them.

        A number of steps counts as one epoch, whatever it passes.
        """
        plan, noise = method.training, getattr(method, "noise", 0)
        epoch = partial(
            self.batches,
            t,
            kind=plan.batches,
            batch_rows=plan.batch_rows,
            exemplar_rows=plan.exemplar_rows,
        )
        if plan.steps:
            return [epoch(0, noise=noise, steps=plan.steps)]
        epochs = (t == 0 and plan.first_epochs) or plan.epochs
        return [epoch(e, noise=noise) for e in range(epochs)]

    def batches(
        self,
        t: int,
        epoch: int,
        kind: str,
        batch_rows: int,
        noise: int = 0,
        steps: int | None = None,
        exemplar_rows: int | None = None,
    ) -> Epoch:
        """Give the batches of one epoch of task t, or `steps` of as many passes as they take."""

        def deal() -> list[batch_tables.Table]:
            tables = []
            for s, seed in enumerate(self.cut.seeds):
                pools = batch_tables.Pools.of(self._pools(t, s))

                def dealt(e: int, seed: int = seed, pools: batch_tables.Pools = pools) -> Any:
                    return batch_tables.deal(kind, (seed, t, e), pools, batch_rows, exemplar_rows)

                tables.append(batch_tables.passes(dealt, steps) if steps else dealt(epoch))
            return tables

        ragged = kind != "balanced"
        return Epoch(self, deal, Clock(t, self.cut.tasks, epoch), ragged=ragged, noise=noise)

    def review(self, t: int, method: Any) -> Iterator[StackedBatch]:
        """Give the rows that a method asks to see after task t: its `new` ones or the `memory`."""
        newest = method.reviews == "new"
        rows, limit = method.review_rows, getattr(method, "review_limit", None)
        after, chosen = (t, [t]) if newest else (t + 1, [*range(t + 1)])
        batches = self._some(after, chosen, t, (0, rows), "review", getattr(method, "noise", 0))
        return first_rows(batches, limit, rows) if limit else batches

    def exemplars(self, k: int, seen: int, epoch: int, batch_rows: int) -> Iterator[StackedBatch]:
        """Give the memory's rows of task k after `seen` tasks, shuffled, in batches of its own."""
        return self._some(seen, [k], seen - 1, (epoch, batch_rows), f"adapt {k}")

    def _some(
        self,
        after: int,
        chosen: list[int],
        t: int,
        table: tuple[int, int],
        why: str,
        noise: int = 0,
    ) -> Iterator[StackedBatch]:
        """Give the rows of chosen tasks as the pools stand after some tasks, shuffled.

        table: epoch and rows of a batch.
        """
        epoch, batch_rows = table
        tables = []
        for s, seed in enumerate(self.cut.seeds):
            pools = [
                pool if task in chosen else pool[:0]
                for task, pool in enumerate(self._pools(after, s))
            ]
            tables.append(batch_tables.natural(seed, t + 1, epoch, pools[: t + 1], batch_rows, why))
        where = (t + 1, chosen[0] if len(chosen) == 1 else -1)
        clock = Clock(t, self.cut.tasks, epoch)
        yield from self.served(batch_tables.stack(tables), clock, True, where, noise)

    def served(
        self,
        table: batch_tables.Table,
        clock: Clock,
        ragged: bool,
        where: tuple[int, ...],
        noise: int,
    ) -> Iterator[StackedBatch]:
        """Look up the rows of a stack's tables, step by step; `where` names their draws."""
        cut, t = self.cut, clock.t
        task_ids = np.flatnonzero(table.weights.any(axis=(0, 1, 3)))  # tasks with any row at all
        slots = torch.as_tensor(table.slots[:, :, task_ids], device=self.device)
        weights = torch.as_tensor(table.weights[:, :, task_ids]).to(self.device, self.dtype)
        rows = table.weights[:, :, task_ids].sum(-1)  # [S, steps, K]
        own_classes, seen = self._masks(t, task_ids)
        for step in range(slots.shape[1]):
            active = rows[:, step].any(-1)
            least = slots.shape[-1] if self.trim else 1
            uneven = ragged or (rows[active, step] < least).any()
            sizes = tuple(int(n) for n in rows[:, step].max(0)) if uneven else None
            most = max(sizes) if sizes else slots.shape[-1]
            at, w = slots[:, step, :, :most], weights[:, step, :, :most]
            key = (*where, clock.epoch, step)
            x = self._changed(self._rows(at), key, table.slots.shape[2:], task_ids)
            y, present = at // cut.width, w.sum(-1) > 0
            yield StackedBatch(
                tasks=Tasks(x=x, y=y, w=w, own=own_classes, seen=seen, present=present),
                clock=clock._replace(step=step),
                active=None if active.all() else torch.as_tensor(active, device=self.device),
                sizes=sizes,
                noise=self._noise(task_ids, most, noise, key) if noise else None,
                classes=cut.by_task,
            )

    def rows_of(self, table: batch_tables.Table, t: int) -> EpochRows:
        """Look up the rows of a stack's tables, of all steps together."""
        task_ids = np.flatnonzero(table.weights.any(axis=(0, 1, 3)))  # tasks with any row at all
        slots = table.slots[:, :, task_ids]
        pool = self.pool.flatten(1).cpu().numpy()
        rows = np.take_along_axis(pool, slots.reshape(len(slots), -1), 1).reshape(slots.shape)
        own, seen = self._masks(t, task_ids)
        return EpochRows(
            rows=rows,
            labels=slots // self.cut.width,
            sizes=table.weights[:, :, task_ids].sum(-1).astype(np.int64),
            own=own[0].cpu().numpy(),
            seen=seen[0, 0].cpu().numpy(),
        )

    def _noise(self, task_ids: Ints, rows: int, per_row: int, where: tuple[int, ...]) -> Tensor:
        """Draw standard normal numbers for the rows of the kept tasks, `[S, K, rows, per_row]`."""
        drawn = [
            stream(seed, "noise", *where, int(k)).standard_normal((rows, per_row), np.float32)
            for seed in self.cut.seeds
            for k in task_ids
        ]
        shape = (len(self.cut.seeds), len(task_ids), rows, per_row)
        return torch.as_tensor(np.stack(drawn)).view(shape).to(self.device, self.dtype)

    def _pools(self, t: int, s: int) -> list[Ints]:
        counts = self.cut.counts[s].copy()
        quota = self.quotas[t][s]
        counts[: len(quota)] = quota
        chosen = self.cut.by_task.slices[: t + 1]
        return [batch_tables.slots_of(classes, counts, self.cut.width) for classes in chosen]

    def _rows(self, slots: Tensor) -> Tensor:
        """Look rows up: slots `[S, ...]` -> x `[S, ..., D]`."""
        flat = self.pool.flatten(1).gather(1, slots.flatten(1))
        return self.x[flat].view(*slots.shape, *self.x.shape[1:])

    def _changed(self, x: Tensor, where: tuple[int, ...], shape: Any, task_ids: Ints) -> Tensor:
        """Augment a batch's rows, `[S, K, B, ...]`; shape: tasks and rows of the whole table.

        Draws belong to a row's place in the table, so the tasks left out and the padding cut off
        change nothing for the others.
        """
        if self.augment is None:
            return x
        size = (*shape, self.augment.draws)
        drawn = [stream(seed, "augment", *where).random(size)[task_ids] for seed in self.cut.seeds]
        u = torch.as_tensor(np.stack(drawn)[:, :, : x.shape[2]]).to(x)
        return self.augment(x.flatten(0, 2), u.flatten(0, 2), self.darkest).view(x.shape)

    def _masks(self, t: int, task_ids: Ints) -> tuple[Tensor, Tensor]:
        """Give the classes each kept task owns and those seen by task t, `[S, K, C]`."""
        positions = np.arange(self.cut.classes)
        task_of = torch.as_tensor(self.cut.by_task.task_of(positions), device=self.device)
        own_classes = task_of == torch.as_tensor(task_ids, device=self.device)[:, None]
        shape = (len(self.cut.seeds), *own_classes.shape)
        return own_classes.expand(shape), (task_of <= t).expand(shape)

    def class_rows(self, c: int) -> Tensor:
        """Give the training rows of the class at a position, padded, `[S, width, ...]`."""
        return self.x[self.pool[:, c]]

    def keep(self, t: int, c: int, features: Tensor) -> None:
        """Order the class at a position, of task t, best exemplars first.

        features `[S, width, F]`.
        """
        most = max(int(quota[c]) for quota in self.quotas[t + 1])
        if most == 0:
            return
        counts = torch.as_tensor(self.cut.counts[:, c], device=self.device)
        valid = torch.arange(self.cut.width, device=self.device) < counts[:, None]
        drawn = [np.pad(p[c], (0, self.cut.width - len(p[c]))) for p in self.cut.priorities]
        priority = torch.as_tensor(np.stack(drawn), device=self.device)
        order = vmap(lambda f, v, p: self.memory.rank(f, v, p, most))(features, valid, priority)
        self.pool[:, c] = self.pool[:, c].gather(1, order)
