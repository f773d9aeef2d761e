"""Index tables: which rows make up every batch of an epoch, for one replica, from named streams.

A table entry is a slot: `class position * width + rank`, where a class of the current task has all
of its training rows and a past one only its exemplars, best first. So tables need no training to
have happened, and rows beyond an exemplar quota cannot be reached.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ablate.core.random_streams import stream
from ablate.types import Floats, Ints


class Table(NamedTuple):
    """The batches of an epoch: slots and row weights `[steps, K, B]`; weight 0 is padding."""

    slots: Ints
    weights: Floats


def class_order(seed: int, classes: int, kind: str) -> Ints:
    """Give the class at each position: drawn for the seed, or `natural`."""
    if kind == "natural":
        return np.arange(classes)
    return stream(seed, "order").permutation(classes)


def equal_share(budget_rows: int, available: Sequence[int]) -> Ints:
    """Share a budget of rows equally over classes; a class gives at most what it has.

    >>> equal_share(10, [9, 9, 1]).tolist()
    [3, 3, 1]
    """
    return np.minimum(budget_rows // max(len(available), 1), np.array(available, dtype=np.int64))


def held_out(seed: int, c: int, rows: int, wanted: int) -> NDArray[np.bool_]:
    """Draw which rows of a class are held out for validation, `[rows]`; one is left to train on."""
    out = np.zeros(rows, dtype=bool)
    out[stream(seed, "validation", c).permutation(rows)[: min(wanted, rows - 1)]] = True
    return out


def slots_of(classes: slice, counts: Ints, width: int) -> Ints:
    """List the slots of a task's classes, `counts[c]` of each class."""
    return np.concatenate(
        [c * width + np.arange(counts[c]) for c in range(classes.start, classes.stop)]
    )


def balanced(seed: int, t: int, epoch: int, pools: list[Ints], batch_rows: int) -> Table:
    """Give every task `batch_rows` rows in each batch.

    pools: the slots of each task up to t. New rows are passed once an epoch, the last batch may be
    short; an old task's exemplars go round and round, in a new order each time.
    """
    new = stream(seed, "batch", t, epoch).permutation(pools[t])
    steps = -(-len(new) // batch_rows)
    slots = np.zeros((steps, t + 1, batch_rows), dtype=np.int64)
    weights = np.zeros(slots.shape)
    flat = np.arange(len(new))
    slots[flat // batch_rows, t, flat % batch_rows] = new
    weights[flat // batch_rows, t, flat % batch_rows] = 1
    for k, pool in enumerate(pools[:t]):
        rows = min(batch_rows, len(pool))
        if rows:
            draws = stream(seed, "replay", t, epoch, k)
            rounds = -(-steps * rows // len(pool))
            order = np.concatenate([draws.permutation(pool) for _ in range(rounds)])
            slots[:, k, :rows] = order[: steps * rows].reshape(steps, rows)
            weights[:, k, :rows] = 1
    return Table(slots, weights)


def natural(
    seed: int, t: int, epoch: int, pools: list[Ints], batch_rows: int, purpose: str = "batch"
) -> Table:
    """Shuffle new rows and exemplars into one pool and cut it into batches of `batch_rows`.

    So an old task has as many rows in a batch as chance gives it, perhaps none.
    """
    tasks = np.concatenate([np.full(len(pool), k) for k, pool in enumerate(pools)])
    every = np.concatenate(pools)
    order = stream(seed, purpose, t, epoch).permutation(len(every))
    steps = -(-len(every) // batch_rows)
    slots = np.zeros((steps, len(pools), batch_rows), dtype=np.int64)
    weights = np.zeros(slots.shape)
    for step in range(steps):
        drawn = order[step * batch_rows : (step + 1) * batch_rows]
        for k in range(len(pools)):
            members = every[drawn[tasks[drawn] == k]]
            slots[step, k, : len(members)] = members
            weights[step, k, : len(members)] = 1
    return Table(slots, weights)


def passes(deal: Callable[[int], Table], steps: int) -> Table:
    """Give the first `steps` batches of as many passes as they take; deal(epoch) gives a pass."""
    slots, weights, total = [], [], 0
    for epoch in count():
        table = deal(epoch)
        slots.append(table.slots)
        weights.append(table.weights)
        total += len(table.slots)
        if total >= steps:
            break
    return Table(np.concatenate(slots)[:steps], np.concatenate(weights)[:steps])


def paired(
    seed: int,
    t: int,
    epoch: int,
    pools: list[Ints],
    batch_rows: int,
    exemplar_rows: int | None = None,
) -> Table:
    """Give `batch_rows` new rows and some of all exemplars together, whichever their task.

    New rows are passed once an epoch; the exemplars, as many as new rows unless `exemplar_rows`
    says another number, go round and round, in a new order each time.
    """
    new = balanced(seed, t, epoch, [*(pool[:0] for pool in pools[:t]), pools[t]], batch_rows)
    old = np.concatenate([pools[t][:0], *pools[:t]])
    rows = min(exemplar_rows or batch_rows, len(old))
    if not rows:
        return new
    new = wider(new, rows)
    steps, draws = len(new.slots), stream(seed, "replay", t, epoch)
    tasks = np.repeat(np.arange(t), [len(pool) for pool in pools[:t]])
    rounds = -(-steps * rows // len(old))
    order = np.concatenate([draws.permutation(len(old)) for _ in range(rounds)])
    order = order[: steps * rows].reshape(steps, rows)
    at, task_ids = np.arange(steps)[:, None], tasks[order]
    # the place of each row among those of its own task in the batch
    rank = (np.tril(task_ids[:, :, None] == task_ids[:, None, :], -1)).sum(-1)
    new.slots[at, task_ids, rank] = old[order]
    new.weights[at, task_ids, rank] = 1
    return new


def wider(table: Table, rows: int) -> Table:
    """Make room for `rows` rows of each task, at least; what is added is padding."""
    more = [(0, 0), (0, 0), (0, max(0, rows - table.slots.shape[-1]))]
    return Table(np.pad(table.slots, more), np.pad(table.weights, more))


KINDS = {"balanced": balanced, "natural": natural, "paired": paired}


SMALL_BYTES = 100_000
"""Larger tables are dealt anew: a hundred of them would fill more memory than they save time."""


class Pools(NamedTuple):
    """The slots of each task, told apart by what they hold, so that tables can be remembered."""

    slots: list[Ints]
    digest: bytes

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pools) and self.digest == other.digest

    @classmethod
    def of(cls, slots: list[Ints]) -> Pools:
        """Take the slots of each task."""
        digest = hashlib.blake2b(digest_size=16)
        for part in slots:
            digest.update(len(part).to_bytes(8, "big") + part.tobytes())
        return cls(slots, digest.digest())


def deal(
    kind: str, where: tuple[int, int, int], pools: Pools, batch_rows: int, exemplar_rows: int | None
) -> Table:
    """Give an epoch's table; where: seed, task and epoch. Arms share them, so they are remembered.

    exemplar_rows: only `paired` tables have a number of their own.
    """
    steps = -(-len(pools.slots[-1]) // batch_rows)
    if steps * len(pools.slots) * batch_rows * 16 > SMALL_BYTES:
        return _deal(kind, where, pools, batch_rows, exemplar_rows)
    return _remembered(kind, where, pools, batch_rows, exemplar_rows)


def _deal(
    kind: str, where: tuple[int, int, int], pools: Pools, batch_rows: int, exemplar_rows: int | None
) -> Table:
    seed, t, epoch = where
    if kind == "paired":
        return paired(seed, t, epoch, pools.slots, batch_rows, exemplar_rows)
    return KINDS[kind](seed, t, epoch, pools.slots, batch_rows)


_remembered = lru_cache(maxsize=2048)(_deal)


def stack(tables: list[Table]) -> Table:
    """Put replicas' tables together, `[S, steps, K, B]`; missing steps are all padding."""
    shapes = np.array([table.slots.shape for table in tables])
    slots = np.zeros((len(tables), *shapes.max(0)), np.int64)
    weights = np.zeros(slots.shape)
    for s, table in enumerate(tables):
        steps, tasks, rows = table.slots.shape
        slots[s, :steps, :tasks, :rows] = table.slots
        weights[s, :steps, :tasks, :rows] = table.weights
    return Table(slots, weights)
