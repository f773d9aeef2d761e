"""What the contracts are run on: the components of a kind as cases, and one small batch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import torch

from ablate.core.component_source import REQUIRED, Component
from ablate.registry import scan
from ablate.training.inner_loop import InnerLoop
from ablate.types import Choice, TaskClasses, Tasks

CATALOGUE = scan()
FILLED = {
    "gather": Choice("gather", "mean", {}),
    "step": Choice("step", "fixed", {}),
    "optimizer": Choice("optimizer", "sgd", {}),
    "loss": Choice("loss", "all-ce", {}),
    "update": Choice("update", "reptile", {}),
    "dataset": Choice("dataset", "digits", {}),
    "training": Choice("training", "standard", {}),
}


def of(kind: str) -> list[Any]:
    """Give the components of a kind as cases, by name."""
    return [pytest.param(CATALOGUE.get(kind, name), id=name) for name in CATALOGUE.names(kind)]


def all_of(kinds: Iterable[str]) -> list[Any]:
    """Give the components of several kinds as cases, by kind and name."""
    entries = [CATALOGUE.get(kind, name) for kind in kinds for name in CATALOGUE.names(kind)]
    return [pytest.param(entry, id=f"{entry.kind}.{entry.name}") for entry in entries]


def numbers(kind: str) -> list[Any]:
    """Give the components of a kind with each float field that states its range."""
    return [
        pytest.param(entry, field.name, id=f"{entry.name}-{field.name}")
        for entry in (CATALOGUE.get(kind, name) for name in CATALOGUE.names(kind))
        for field in entry.fields
        if field.annotation == "float" and field.range is not None
    ]


def made(entry: Component, **settings: Any) -> Any:
    """Build a component with its defaults; slots that must be filled get a plain one."""
    required = {
        field.name: FILLED[CATALOGUE.slot(field.annotation) or ""]
        for field in entry.fields
        if field.default == REQUIRED
    }
    return CATALOGUE.build(Choice(entry.kind, entry.name, {**required, **settings}))


def batch(
    dtype: torch.dtype = torch.float64,
    present: tuple[bool, ...] = (True, True, True),
    sizes: tuple[int, ...] = (2, 2, 2),
) -> Tasks:
    """Give a batch of three tasks of six classes together, six rows of four numbers each.

    sizes: classes of each task.
    """
    classes = TaskClasses(sizes)
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(3, 6, 4, generator=generator, dtype=dtype)
    within = torch.randint(0, 2, (3, 6), generator=generator) % torch.tensor(sizes)[:, None]
    y = torch.as_tensor(classes.starts[:-1])[:, None] + within
    own = torch.as_tensor(classes.task_of(np.arange(6))) == torch.arange(3)[:, None]
    here = torch.tensor(present)
    w = here[:, None].to(dtype).expand(3, 6)
    return Tasks(x=x, y=y, w=w, own=own, seen=torch.ones_like(own), present=here)


def fit(steps: int = 2, sizes: tuple[int, ...] | None = None, **settings: Any) -> InnerLoop:
    """Give the inner loop of a linear model with plain SGD."""
    loss, optimizer = (
        made(CATALOGUE.get("loss", "all-ce")),
        made(CATALOGUE.get("optimizer", "sgd"), **settings),
    )
    return InnerLoop(
        lambda theta, task: loss(task.x @ theta.view(4, 6), task), optimizer, steps, sizes=sizes
    )


THETA = torch.linspace(-1, 1, 24, dtype=torch.float64)
SEEDS = torch.stack([THETA, THETA.flip(0), THETA * 0.1])
