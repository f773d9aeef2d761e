"""Exemplar memories: quotas, and which rows come first."""

from __future__ import annotations

import numpy as np
import torch

from variants.memory.first import First
from variants.memory.herding import Herding
from variants.memory.none import NoMemory
from variants.memory.random import Random
from variants.memory.reservoir import Reservoir

PRIORITIES = [np.array([0.9, 0.2, 0.5]), np.array([0.1, 0.3])]


def rank(memory: object, features: torch.Tensor, valid: list[bool], keep: int) -> list[int]:
    count = len(valid)
    priority = torch.linspace(0.9, 0.1, count)
    order = memory.rank(features, torch.tensor(valid), priority, keep)  # type: ignore[attr-defined]
    assert sorted(order.tolist()) == list(range(count))
    return order.tolist()


def test_budgets_are_shared_equally_and_capped_by_what_a_class_has() -> None:
    """Ten rows over two classes of three and two: all of them; three rows: one each."""
    assert Random(10).quota(PRIORITIES).tolist() == [3, 2]
    assert First(3).quota(PRIORITIES).tolist() == [1, 1]
    assert Herding(0).quota(PRIORITIES).tolist() == [0, 0]
    assert NoMemory().quota(PRIORITIES).tolist() == [0, 0]


def test_reservoir_keeps_the_smallest_keys_of_all() -> None:
    """The three smallest of .9 .2 .5 | .1 .3 are one of the first class and two of the second."""
    assert Reservoir(3).quota(PRIORITIES).tolist() == [1, 2]


def test_reservoir_keeps_every_row_equally_often() -> None:
    """A class with three times the rows gets three times the exemplars, on average."""
    draws = np.random.default_rng(0)
    shares = [Reservoir(20).quota([draws.random(150), draws.random(50)])[0] for _ in range(400)]
    assert 14.7 < np.mean(shares) < 15.3
    assert np.std(shares) > 1


def test_random_orders_by_priority_and_first_by_file() -> None:
    """Padding comes last in either."""
    features = torch.zeros(4, 1)
    assert rank(Random(4), features, [True, True, True, False], 2) == [2, 1, 0, 3]
    assert rank(First(4), features, [True, True, True, False], 2) == [0, 1, 2, 3]


def test_herding_follows_the_class_mean_as_worked_out_by_hand() -> None:
    """Unit features at 0, 90 and 30 degrees, and padding.

    mu = (1 + 0 + .866, 0 + 1 + .5) / 3 = (.622, .5). The nearest is 30 degrees (row 2). Then 2 mu
    minus it is (.378, .5): row 1, (0, 1), at distance .628, is nearer than row 0, (1, 0), at .798.
    """
    root = 3**0.5 / 2
    features = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2 * root, 1.0], [9.0, 9.0]])
    assert rank(Herding(3), features, [True, True, True, False], 2)[:2] == [2, 1]
    assert rank(Herding(3), features, [True, True, True, False], 3)[:3] == [2, 1, 0]


def test_herding_agrees_with_a_plain_loop() -> None:
    """The greedy rule of the paper, written out, on fifty random rows."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(50, 8, generator=generator, dtype=torch.float64)
    unit = features / features.norm(dim=1, keepdim=True)
    mean, chosen = unit.mean(0), list[int]()
    for j in range(1, 11):
        total = unit[chosen].sum(0)
        free = [i for i in range(50) if i not in chosen]
        chosen.append(min(free, key=lambda i: float((mean - (unit[i] + total) / j).norm())))
    assert chosen == rank(Herding(10), features, [True] * 50, 10)[:10]
    assert chosen != sorted(chosen)
