"""A stack's batches: one step's, and an epoch's, step by step or whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ablate.streams import batch_tables
from ablate.types import Clock, Ints, TaskClasses, Tasks


class StackedBatch(NamedTuple):
    """One step's batch for the whole stack: a `Batch` with a leading S on every tensor.

    active: `[S]`, the replicas that still have rows, or None where all step.
    """

    tasks: Tasks
    clock: Clock
    active: Tensor | None
    sizes: tuple[int, ...] | None
    noise: Tensor | None = None
    classes: TaskClasses | None = None


class EpochRows(NamedTuple):
    """A stack's batches of one epoch, as rows of the data set.

    rows, labels `[S, steps, K, B]`: row numbers and class positions. sizes `[S, steps, K]`: rows
    that are no padding, which stand first. own `[K, C]`, seen `[C]`: classes.
    """

    rows: Ints
    labels: Ints
    sizes: Ints
    own: NDArray[np.bool_]
    seen: NDArray[np.bool_]


class Server(Protocol):
    """What looks the rows of tables up."""

    def served(
        self,
        table: batch_tables.Table,
        clock: Clock,
        ragged: bool,
        where: tuple[int, ...],
        noise: int,
    ) -> Iterator[StackedBatch]:
        """Give the batches of a stack's tables."""

    def rows_of(self, table: batch_tables.Table, t: int) -> EpochRows:
        """Give their rows, of all steps together."""


class Epoch:
    """One epoch's batches of a stack: step by step, or whole as rows of the data set."""

    def __init__(
        self,
        stream: Server,
        deal: Callable[[], list[batch_tables.Table]],
        clock: Clock,
        ragged: bool,
        noise: int,
    ) -> None:
        """Take what deals the replicas' tables, which are dealt when they are asked for."""
        self.stream, self.deal = stream, deal
        self.clock, self.ragged, self.noise = clock, ragged, noise

    def __iter__(self) -> Iterator[StackedBatch]:
        """Give the batches."""
        table, where = batch_tables.stack(self.deal()), (self.clock.t,)
        yield from self.stream.served(table, self.clock, self.ragged, where, self.noise)

    def rows(self, most: int | None = None) -> EpochRows:
        """Give the whole epoch, or its first `most` steps."""
        slots, weights = batch_tables.stack(self.deal())
        table = batch_tables.Table(slots[:, :most], weights[:, :most])
        return self.stream.rows_of(table, self.clock.t)
