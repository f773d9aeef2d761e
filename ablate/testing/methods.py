"""What methods must hold, and how they are trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import vmap
from torch.utils import _pytree as pytree

from ablate.core.component_source import Component
from ablate.streams.batch_tables import KINDS as MODES
from ablate.streams.epochs import StackedBatch
from ablate.testing.cases import CATALOGUE, batch, made, of
from ablate.training import hooks
from ablate.training.net import initial
from ablate.training.replicas import Program, gradients, logits, start
from ablate.types import Batch, Choice, Clock, Facts, Net, TaskClasses, Tasks

BATCHES = {
    name: [
        Batch(
            Tasks(*(part[: t + 1] for part in batch(sizes=sizes))),
            Clock(t, 3),
            classes=TaskClasses(sizes),
        )
        for t in range(2)
    ]
    for name, sizes in (("equal", (2, 2, 2)), ("unequal", (3, 1, 2)))
}
"""The batches of the first two tasks of three, of equal size or not."""


@pytest.mark.parametrize("entry", of("method"))
def test_methods_start_where_they_are_put(entry: Component) -> None:
    """Before training, logits are those of the model as it is drawn alone, whatever wraps it."""
    method, x = made(entry), torch.rand(7, 1, 2, 2)
    model = CATALOGUE.build(Choice("model", "mlp", {"widths": (5,)}))
    held = Facts(inputs=(1, 2, 2), classes=6, train_rows=10, test_rows=5, digest="")
    alone, at = initial(lambda: model(held.inputs, held.classes), seed=0)
    shape = held.inputs, held.classes
    net, theta = initial(lambda: hooks.trained(method, lambda: model(*shape), *shape), seed=0)
    program = Program(net, method, {})
    assert torch.equal(logits(program, start(program, theta[None]), x)[0], alone(at, x))
    stacked = Tasks(*(part[None] for part in batch()))
    spent = gradients(program, StackedBatch(stacked, Clock(1, 3), None, None))
    assert spent.shape == (1,)
    assert float(spent) > 0


def learnt(
    method: Any, net: Net, theta: Tensor, noise: Tensor | None, batches: Sequence[Batch]
) -> Any:
    """Give a method's state after two tasks of one step, each of them closed."""
    state = method.start(theta, net)
    for t, shown in enumerate(batches):
        draws = None if noise is None else noise[: t + 1]
        state = method.step(state, shown._replace(noise=draws), net)
        state = hooks.finish(method, state, Clock(t, 3), net)
    return state


@pytest.mark.parametrize("entry", of("method"))
@pytest.mark.parametrize("batches", BATCHES.values(), ids=BATCHES)
def test_methods_are_pure_functions_over_trees_of_tensors(
    entry: Component, batches: Sequence[Batch]
) -> None:
    """The same state from the same draws, whatever was done before; nothing is changed in place.

    Of tasks of equal size or not.
    """
    method, shape = made(entry), ((4,), 6)
    model = CATALOGUE.build(Choice("model", "mlp", {"widths": (5,)}))
    net, theta = initial(lambda: hooks.trained(method, lambda: model(*shape), *shape), seed=0)
    theta = theta.double()
    draws = getattr(method, "noise", 0)
    noise = torch.randn(3, 6, draws, dtype=theta.dtype) if draws else None
    before = theta.clone()
    state = learnt(method, net, theta, noise, batches)
    leaves = pytree.tree_leaves(state)
    assert leaves
    for leaf in leaves:
        assert isinstance(leaf, Tensor), f"a state of tensors alone, not {type(leaf).__name__}"
    assert torch.equal(theta, before), "start and step give new tensors"
    again = pytree.tree_leaves(learnt(method, net, theta, noise, batches))
    assert all(map(torch.equal, leaves, again)), "the same batch from the same state twice"
    assert all(leaf.isfinite().all() for leaf in leaves)
    assert any(not torch.equal(leaf, before) for leaf in leaves if leaf.shape == before.shape)
    if entry.facts.get("stackable", True):
        thetas = torch.stack([theta, theta.flip(0)])
        stacked = vmap(lambda at: learnt(method, net, at, noise, batches))(thetas)
        alone = [pytree.tree_leaves(learnt(method, net, at, noise, batches)) for at in thetas]
        for leaf, *replicas in zip(pytree.tree_leaves(stacked), *alone, strict=True):
            assert torch.allclose(leaf, torch.stack(replicas), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("entry", of("method"))
def test_what_does_not_fit_a_method_is_said_with_a_reason(entry: Component) -> None:
    """Kind, key, accepted values, reason; some component of that kind must be accepted."""
    for kind, key, accepted, reason in entry.facts.get("fits", ()):
        others = [CATALOGUE.get(kind, name) for name in CATALOGUE.names(kind)]
        assert any(other.facts.get(key) in accepted or other.field(key) for other in others)
        assert len(reason) > 20


@pytest.mark.parametrize("entry", of("training"))
def test_trainings_shape_a_stream_and_start_at_the_full_rate(entry: Component) -> None:
    """Whatever the engine reads of them is there."""
    how = made(entry)
    assert how.rate(Clock(0, 5)) == 1
    assert how.steps is None or how.steps > 0
    assert how.batches in MODES
    assert min(how.epochs, how.batch_rows) > 0
