"""What a compiled form must hold: it is its torch form, one replica after the other."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from ablate.compiled.engine import Engine, form_of
from ablate.core.component_source import REQUIRED, Component
from ablate.streams.epochs import EpochRows
from ablate.testing.cases import CATALOGUE, all_of, made
from ablate.training import hooks
from ablate.training.net import initial
from ablate.types import Batch, Choice, Clock, TaskClasses, Tasks

_TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4}
"""Of the largest parameter, after fifty steps."""
_STEPS, _TASKS, _ROWS, _WIDTH, _CLASSES = 50, 3, 6, 5, 6


def epoch(sizes: np.ndarray[Any, Any], classes: TaskClasses) -> tuple[torch.Tensor, EpochRows]:
    """Give thirty rows of data and an epoch of two replicas' batches drawn from them.

    sizes: rows of each task in a batch. classes: which ones each task has.
    """
    draws = np.random.default_rng(0)
    x = torch.as_tensor(draws.normal(size=(30, 4)))
    rows = draws.integers(0, 30, (2, _STEPS, _TASKS, _ROWS))
    tasks = np.arange(_TASKS)[:, None]
    labels = classes.first(tasks) + draws.integers(0, np.array(classes.sizes)[tasks], rows.shape)
    own = classes.task_of(np.arange(_CLASSES)) == tasks
    return x, EpochRows(rows, labels, sizes, own=own, seen=np.ones(_CLASSES, bool))


def by_torch(method: Any, net: Any, theta: torch.Tensor, x: torch.Tensor, table: EpochRows) -> Any:
    """Give a method's state after the same steps by its torch form, for one replica."""
    state = method.start(theta, net)
    rows, labels, sizes = (torch.as_tensor(part) for part in table[:3])
    for step in range(_STEPS):
        w = (torch.arange(_ROWS) < sizes[0, step][:, None]).to(x.dtype)
        tasks = Tasks(
            x=x[rows[0, step]],
            y=labels[0, step],
            w=w,
            own=torch.as_tensor(table.own),
            seen=torch.as_tensor(table.seen).expand(_TASKS, -1),
            present=w.sum(-1) > 0,
        )
        counts = tuple(int(n) for n in sizes[0, step])
        state = method.step(state, Batch(tasks, Clock(2, 4, 0, step), counts), net)
    return state


def methods() -> list[Any]:
    """Give `meta` with each update, loss and optimizer that has a compiled form, and the others.

    As choices: a component that cannot be built fails in its own test.
    """

    def compiled(kind: str) -> list[Choice]:
        entries = [CATALOGUE.get(kind, name) for name in CATALOGUE.names(kind)]
        alone = [e for e in entries if all(f.default != REQUIRED for f in e.fields)]
        return [Choice(kind, e.name, {}) for e in alone if {"compiled", "expand"} & e.methods]

    sgd, loss = Choice("optimizer", "sgd", {"lr": 0.05}), Choice("loss", "all-ce", {})
    update = Choice("update", "reptile", {})
    heavy = Choice("optimizer", "sgd", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01})
    grid = [
        *product(compiled("update"), [sgd], [loss], ["fresh"]),
        *product([update], compiled("optimizer"), [loss], ["fresh", "carried"]),
        *product([update], [sgd], compiled("loss"), ["fresh"]),
        (update, heavy, loss, "carried"),
    ]
    settings = [
        {"update": u, "optimizer": o, "loss": f, "inner_state": state, "inner_steps": 2}
        for u, o, f, state in grid
    ]
    entries = [CATALOGUE.get("method", name) for name in CATALOGUE.names("method")]
    others = [e.name for e in entries if "compiled" in e.methods and e.name != "meta"]
    cases: list[tuple[str, dict[str, Any]]] = [("meta", chosen) for chosen in settings]
    cases += [(name, {}) for name in others]
    return [pytest.param(*case, id=f"{case[0]}-{i}") for i, case in enumerate(cases)]


@pytest.mark.slow
@pytest.mark.parametrize("dtype", _TOLERANCE, ids=["double", "single"])
@pytest.mark.parametrize("ragged", [False, True], ids=["full", "ragged"])
@pytest.mark.parametrize("of_tasks", [(2, 2, 2), (3, 1, 2)], ids=["equal", "unequal"])
@pytest.mark.parametrize(("name", "settings"), methods())
def test_compiled_forms_are_their_torch_forms(
    name: str, settings: dict[str, Any], of_tasks: tuple[int, ...], ragged: bool, dtype: torch.dtype
) -> None:
    """Fifty steps, full batches or ragged ones with absent tasks, of tasks of equal size or not.

    And each replica is its own.
    """
    method = made(CATALOGUE.get("method", name), **settings)
    if form_of(method) is None:
        pytest.skip("these settings have no compiled form")
    sizes = np.full((2, _STEPS, _TASKS), _ROWS)
    if ragged:
        sizes = np.random.default_rng(1).integers(0, _ROWS + 1, sizes.shape)
        sizes[:, :, -1] = np.maximum(sizes[:, :, -1], 1)
    x, table = epoch(sizes, TaskClasses(of_tasks))
    x = x.to(dtype)
    model = CATALOGUE.build(Choice("model", "mlp", {"widths": (_WIDTH,)}))
    net, theta = initial(lambda: model((4,), _CLASSES), seed=0)
    thetas = torch.stack([theta, theta.flip(0)]).to(dtype)
    engine = Engine([method, method], model.chain((4,), _CLASSES), x)
    start = torch.func.vmap(lambda at: method.start(at, net))(thetas)
    state = engine.epoch(start, table, Clock(2, 4))
    for s in range(2):
        one = replace_rows(table, s)
        expected = by_torch(method, net, thetas[s], x, one)
        theirs = hooks.parameters(method, expected)
        assert theirs is not None
        gap = (state.theta[s] - theirs).abs().max() / theirs.abs().max()
        assert float(gap) < _TOLERANCE[dtype]
    assert not torch.equal(state.theta[0], thetas[0])


def replace_rows(table: EpochRows, s: int) -> EpochRows:
    """Give one replica's part of an epoch."""
    rows, labels, sizes = (part[s : s + 1] for part in table[:3])
    return table._replace(rows=rows, labels=labels, sizes=sizes)


@pytest.mark.parametrize("entry", all_of(["loss", "optimizer", "gather", "update", "method"]))
def test_forms_are_functions_of_a_module(entry: Component) -> None:
    """So that they can be named where they are compiled."""
    form = made(entry).compiled() if "compiled" in entry.methods else None
    for part in form if isinstance(form, tuple) else (form,):
        if callable(part) and hasattr(part, "__qualname__") and not hasattr(part, "__self__"):
            assert "<" not in part.__qualname__, f"{part.__qualname__} stands inside another"
