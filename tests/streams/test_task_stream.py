"""Named streams, index tables and the stream of a stack."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ablate.core import random_streams
from ablate.streams import batch_tables
from ablate.streams.class_split import split
from ablate.streams.task_stream import Stream
from ablate.types import Data
from variants.memory.first import First
from variants.memory.none import NoMemory
from variants.memory.random import Random
from variants.memory.reservoir import Reservoir

POOLS = [np.arange(100, 107), np.arange(200, 203), np.arange(300, 310)]


def data(counts: tuple[int, ...] = (9, 7, 8, 6)) -> Data:
    """Rows whose only input is their own number; four classes of differing size."""
    y = np.concatenate([np.full(n, c) for c, n in enumerate(counts)])
    x = np.arange(len(y), dtype=np.float32)[:, None]
    return Data(x, y, x[:4], np.array([0, 1, 2, 3]))


def test_a_draw_depends_on_its_meaning_not_on_call_order() -> None:
    """Purpose, seed and place tell streams apart."""
    first = random_streams.stream(3, "batch", 1, 2).random(4)
    random_streams.stream(9, "other").random(99)
    assert np.array_equal(first, random_streams.stream(3, "batch", 1, 2).random(4))
    others = [(4, "batch", 1, 2), (3, "order", 1, 2), (3, "batch", 2, 1), (3, "batch", 12)]
    for seed, purpose, *where in others:
        assert not np.array_equal(first, random_streams.stream(seed, purpose, *where).random(4))


def test_stream_digests_are_pinned() -> None:
    """They change only if the generators do, and then records are no pairs."""
    assert (
        random_streams.digest(0, "init")
        == random_streams.digest(0, "init")
        != random_streams.digest(1, "init")
    )
    assert random_streams.digest(0, "order") == "384df72e92ed8e8b"


def test_an_epoch_passes_every_new_row_once() -> None:
    """Balanced: ten new rows in batches of four, the last one short."""
    made = batch_tables.balanced(1, 2, 0, POOLS, 4)
    assert made.slots.shape == (3, 3, 4)
    new = made.slots[:, 2][made.weights[:, 2] == 1]
    assert sorted(new) == POOLS[2].tolist()
    assert made.weights[:, 2].sum(1).tolist() == [4, 4, 2]


def test_old_tasks_fill_every_balanced_batch_as_far_as_they_can() -> None:
    """Seven exemplars give four rows a batch; three give three."""
    made = batch_tables.balanced(1, 2, 0, POOLS, 4)
    assert made.weights[:, 0].sum(1).tolist() == [4, 4, 4]
    assert made.weights[:, 1].sum(1).tolist() == [3, 3, 3]
    assert set(made.slots[:, 0].ravel()) == set(POOLS[0])
    for step in range(3):
        assert sorted(made.slots[step, 1, :3]) == POOLS[1].tolist()


def test_natural_batches_are_cuts_of_one_shuffled_pool() -> None:
    """Every row once an epoch; eight rows in a batch whatever their task."""
    made = batch_tables.natural(1, 2, 0, POOLS, 8)
    drawn = made.slots[made.weights == 1]
    assert sorted(drawn) == sorted(np.concatenate(POOLS))
    assert made.weights.sum((1, 2)).tolist() == [8, 8, 4]
    assert not np.array_equal(made.slots, batch_tables.natural(1, 2, 1, POOLS, 8).slots)


@pytest.mark.parametrize("exemplars", [1, 3, 4, 9, 50])
def test_a_paired_batch_has_the_exemplars_that_it_is_told(exemplars: int) -> None:
    """Of ten in all, of two tasks; they go round and round, and the new rows are as before."""
    made = batch_tables.paired(1, 2, 0, POOLS, 4, exemplars)
    usual = batch_tables.paired(1, 2, 0, POOLS, 4)
    rows = min(exemplars, 10)
    assert made.weights[:, :2].sum((1, 2)).tolist() == [rows] * 3
    assert made.slots.shape[-1] >= made.weights.sum(-1).max()
    assert (made.slots[:, 2, :4] == usual.slots[:, 2, :4]).all()
    assert made.weights[:, 2].sum(1).tolist() == [4, 4, 2]
    for k in (0, 1):
        assert set(made.slots[:, k][made.weights[:, k] == 1]) <= set(POOLS[k])
    drawn = made.slots[:, :2][made.weights[:, :2] == 1]
    counts = np.unique(drawn, return_counts=True)[1]
    assert counts.max() - counts.min() <= 1 or len(drawn) < 10
    if exemplars == 4:
        assert (made.slots == usual.slots).all()
        assert (made.weights == usual.weights).all()


def test_replicas_with_batches_of_different_width_stand_together() -> None:
    """What is added is padding."""
    tall = [batch_tables.paired(1, 2, 0, POOLS, 4, rows) for rows in (1, 9)]
    made = batch_tables.stack(tall)
    for place, table in enumerate(tall):
        width = table.slots.shape[-1]
        assert (made.slots[place, :, :, :width] == table.slots).all()
        assert made.weights[place].sum() == table.weights.sum()


@pytest.mark.parametrize("kind", [batch_tables.balanced, batch_tables.natural])
def test_a_memory_without_rows_leaves_only_the_new_task(kind: object) -> None:
    """Its weights are 0 throughout."""
    made = kind(1, 1, 0, [np.arange(0), np.arange(5)], 2)  # type: ignore[operator]
    assert made.weights[:, 0].sum() == 0
    assert made.weights[:, 1].sum() == 5


def test_class_orders_are_permutations_by_seed() -> None:
    """Natural order stays as it is."""
    orders = [batch_tables.class_order(seed, 10, "seeded").tolist() for seed in range(5)]
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert len({tuple(order) for order in orders}) == 5
    assert batch_tables.class_order(3, 4, "natural").tolist() == [0, 1, 2, 3]


def test_classes_that_do_not_come_out_even_are_refused() -> None:
    """Four classes in three tasks."""
    with pytest.raises(ValueError, match="4 classes cannot be split evenly into 3 tasks"):
        split(data(), (0,), 3, "seeded")


def stream_of(memory: object, seeds: tuple[int, ...] = (0, 1, 2)) -> Stream:
    cut = split(data(), seeds, 2, "seeded")
    return Stream(data(), cut, memory, torch.zeros(1))  # type: ignore[arg-type]


def test_batches_hold_the_rows_of_their_tasks_with_their_positions() -> None:
    """Row numbers lead back to the class; y is its place in the seed's order."""
    stream = stream_of(Random(8))
    y = data().y_train
    for t in range(2):
        for batch in stream.batches(t, 0, "balanced", 4):
            for s in range(3):
                for k in range(batch.tasks.y.shape[1]):
                    rows = batch.tasks.x[s, k, :, 0][batch.tasks.w[s, k] == 1].long().numpy()
                    position = batch.tasks.y[s, k][batch.tasks.w[s, k] == 1].numpy()
                    assert np.array_equal(y[rows], stream.cut.orders[s][position])
                    assert (position // 2 == k).all()


def test_only_exemplars_of_old_tasks_can_be_reached() -> None:
    """The first two rows of each old class, and no other, whatever the epoch."""
    stream = stream_of(First(4))
    reached: list[set[int]] = [set(), set(), set()]
    for epoch in range(30):
        for batch in stream.batches(1, epoch, "natural", 5):
            for s in range(3):
                if batch.tasks.y.shape[1] == 2:
                    old = batch.tasks.x[s, 0, :, 0][batch.tasks.w[s, 0] == 1]
                    reached[s] |= set(old.long().tolist())
    y = data().y_train
    for s in range(3):
        expected = {int(i) for c in stream.cut.orders[s][:2] for i in np.flatnonzero(y == c)[:2]}
        assert reached[s] == expected


def test_a_task_absent_from_a_whole_epoch_costs_nothing() -> None:
    """Without a memory the batch of task 1 has one task in it."""
    for batch in stream_of(NoMemory()).batches(1, 0, "balanced", 4):
        assert batch.tasks.y.shape[1] == 1
        assert batch.sizes is None


def test_seeds_with_fewer_steps_sit_out_the_last() -> None:
    """Classes of differing size give seeds differing numbers of batches."""
    batches = list(stream_of(NoMemory(), tuple(range(8))).batches(0, 0, "balanced", 3))
    last = batches[-1].active
    assert last is not None
    assert bool(last.any())
    assert not bool(last.all())
    assert all(batch.active is None for batch in batches[:4])


def test_ragged_batches_are_padded_to_their_own_tasks_largest_count() -> None:
    """`sizes` is what each task needs over the stack at this step."""
    for batch in stream_of(Reservoir(6)).batches(1, 0, "natural", 6):
        assert batch.sizes is not None
        assert list(batch.sizes) == batch.tasks.w.sum(-1).max(0).values.int().tolist()


def test_keeping_reorders_a_class_by_rank() -> None:
    """The rows with the smallest random priority come first."""
    stream = stream_of(Random(4))
    before = stream.pool[:, 0].clone()
    stream.keep(0, 0, torch.zeros(3, stream.cut.width, 1))
    for s in range(3):
        count = int(stream.cut.counts[s, 0])
        order = np.argsort(stream.cut.priorities[s][0])
        assert (
            before[s, :count][torch.as_tensor(order)].tolist() == stream.pool[s, 0, :count].tolist()
        )
