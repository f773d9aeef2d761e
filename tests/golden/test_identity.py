"""At r = 1 with plain SGD the meta update is balanced SGD at eta * alpha."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from ablate.registry import Catalogue
from ablate.training.inner_loop import InnerLoop
from ablate.training.net import initial
from ablate.training.train_step import binary
from ablate.types import Choice, Clock, Suite, Tasks
from variants.model.mlp import Mlp
from variants.optimizer.sgd import Sgd


def batch(tasks: int = 3, rows: int = 7) -> Tasks:
    generator = torch.Generator().manual_seed(3)
    x = torch.rand(tasks, rows, 5, dtype=torch.float64, generator=generator)
    y = 2 * torch.arange(tasks)[:, None] + torch.randint(0, 2, (tasks, rows), generator=generator)
    own = torch.arange(2 * tasks) // 2 == torch.arange(tasks)[:, None]
    seen = torch.ones_like(own)
    return Tasks(x, y, torch.ones_like(x[..., 0]), own, seen, torch.ones(tasks, dtype=torch.bool))


@pytest.mark.parametrize("name", ["itaml", "reptile"])
def test_mean_at_one_step_is_balanced_at_the_effective_step(
    catalogue: Catalogue, name: str
) -> None:
    """To 1e-12 in float64, over ten outer steps of a real network, and they do move."""
    net, theta = initial(lambda: Mlp((8,))((5,), 6), seed=1)
    start = theta.double()
    meta, null = start, start
    rule = catalogue.build(Choice("update", name, {}))
    matched = catalogue.build(Choice("update", "balanced", {"match": Choice("update", name, {})}))
    fit = InnerLoop(lambda at, task: binary(net(at, task.x), task), Sgd(lr=0.5), 1)
    for t in range(10):
        clock = Clock(t % 3, 3)
        meta, null = rule(meta, batch(), fit, clock), matched(null, batch(), fit, clock)
    assert float((meta - null).abs().max()) < 1e-12
    assert float((meta - start).abs().max()) > 1e-2


@pytest.mark.parametrize(
    ("steps", "momentum"), [(2, 0.0), (4, 0.0)], ids=["two steps", "four steps"]
)
def test_the_identity_breaks_beyond_one_step(
    catalogue: Catalogue, steps: int, momentum: float
) -> None:
    """There the question is empirical."""
    net, theta = initial(lambda: Mlp((8,))((5,), 6), seed=1)
    rule = catalogue.build(Choice("update", "reptile", {}))
    match = Choice("update", "reptile", {})
    matched = catalogue.build(Choice("update", "balanced", {"match": match, "steps": "inner"}))
    fit = InnerLoop(lambda at, task: binary(net(at, task.x), task), Sgd(lr=0.5), steps)
    clock = Clock(0, 3)
    gap = rule(theta.double(), batch(), fit, clock) - matched(theta.double(), batch(), fit, clock)
    assert float(gap.abs().max()) > 1e-6


def test_the_identity_through_the_whole_product_is_inert(
    suite_of: Callable[..., Suite], run_suite: Callable[..., object]
) -> None:
    """Zero differences are flagged INERT; five seeds of them are not yet NEGLIGIBLE."""
    suite = suite_of(
        ("method.meta.update: balanced", "method.meta.update: {balanced: {match: reptile}}"),
        ("seeds: 3", "seeds: 5\nprecision: float64"),
    )
    (verdict,) = run_suite(suite).verdicts  # type: ignore[attr-defined]
    assert verdict.comparison.deltas == (0.0,) * 5
    assert (verdict.decision, verdict.flags) == ("INCONCLUSIVE", ("INERT",))
    assert verdict.comparison.identical
    assert "tie exactly" in verdict.why
