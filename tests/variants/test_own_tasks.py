"""Losses of a row's own task in every method, and what their papers' own settings come to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor, nn

from ablate.training.net import FlatNet, initial
from ablate.training.train_step import Rows, labelled, own_tasks
from ablate.types import Batch, Clock, TaskClasses, Tasks
from variants.loss.all_ce import AllCe
from variants.loss.task_bce import TaskBce
from variants.loss.task_ce import TaskCe
from variants.method import (
    a_gem,
    der,
    ewc,
    fine_tune,
    gem,
    joint,
    la_maml,
    lwf,
    mas,
    mer,
    replay,
    si,
)
from variants.model.mlp import Mlp
from variants.optimizer.adam import Adam
from variants.optimizer.sgd import Sgd
from variants.training.standard import Standard

X = torch.tensor([[[1.0, 2.0], [3.0, -1.0]], [[0.5, 1.0], [2.0, 0.0]]], dtype=torch.float64)
ENTROPY = nn.functional.cross_entropy
PLAIN = (Sgd(lr=0.5), Standard(batch_rows=2))


def linear() -> tuple[FlatNet, Tensor]:
    """Give four logits W x without bias, `[4, 2]`."""
    net, theta = initial(lambda: Mlp((), output_bias=False)((2,), 4), seed=0)
    return net, torch.linspace(-1, 1, len(theta), dtype=torch.float64)


def two_tasks() -> Tasks:
    """Give classes 0 and 1, then 2 and 3; two rows each."""
    own = torch.tensor([[1, 1, 0, 0], [0, 0, 1, 1]]).bool()
    y, w = torch.tensor([[0, 1], [2, 3]]), torch.ones(2, 2, dtype=torch.float64)
    return Tasks(X, y, w, own, torch.ones(2, 4).bool(), torch.tensor([True, True]))


def newest() -> Tasks:
    """Give the second task alone."""
    return Tasks(*(part[1:] for part in two_tasks()))


def heads(net: FlatNet, theta: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Give the gradient of the mean cross-entropy of each row in its own task's head."""
    at = theta.clone().requires_grad_()
    logits = net(at, x).reshape(len(x), 2, 2)
    own = logits[torch.arange(len(x)), y // 2]
    ENTROPY(own, y % 2).backward()
    assert at.grad is not None
    return at.grad


def test_each_row_is_told_apart_in_its_own_task() -> None:
    """By PyTorch's cross-entropy on the slice of the task's two logits."""
    _, theta = linear()
    logits = torch.tensor([[1.0, -2.0, 0.5, 3.0], [0.1, 0.7, -1.0, 2.0]], dtype=torch.float64)
    y, w = torch.tensor([1, 2]), torch.tensor([1.0, 3.0], dtype=torch.float64)
    every, own = torch.ones(4).bool(), torch.tensor([False, False, True, True])
    rows = Rows(logits, y, w, every, own, logits)
    assert own_tasks(rows, 4).tolist() == [[True, True, False, False], [False, False, True, True]]
    each = [ENTROPY(logits[:1, :2], torch.tensor([1])), ENTROPY(logits[1:, 2:], torch.tensor([0]))]
    assert labelled(logits, rows, TaskCe()).item() == pytest.approx((each[0] + 3 * each[1]) / 4)
    assert torch.equal(labelled(logits, rows, AllCe()), labelled(logits, rows))
    target = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    kept = torch.stack([logits[0, :2], logits[1, 2:]])
    binary = nn.functional.binary_cross_entropy_with_logits(kept, target, reduction="none").mean(1)
    assert labelled(logits, rows, TaskBce()).item() == pytest.approx(
        (binary[0] + 3 * binary[1]) / 4
    )
    assert len(theta) == 8


@pytest.mark.parametrize(
    "method",
    [
        replay.Replay(*PLAIN, loss=TaskCe()),
        joint.Joint(*PLAIN, loss=TaskCe()),
        si.Si(*PLAIN, loss=TaskCe()),
        ewc.Ewc(*PLAIN, loss=TaskCe()),
        mas.Mas(*PLAIN, loss=TaskCe()),
        fine_tune.FineTune(*PLAIN, loss=TaskCe()),
    ],
    ids=lambda method: type(method).__name__,
)
def test_one_step_on_own_heads(method: Any) -> None:
    """theta - lr times the gradient of both tasks' rows, each in its own head."""
    net, theta = linear()
    more = (torch.zeros(2, 2, 1),) if getattr(method, "noise", 0) else ()
    found = method.step(method.start(theta, net), Batch(two_tasks(), Clock(0, 2), None, *more), net)
    expected = theta - 0.5 * heads(net, theta, X.reshape(4, 2), torch.arange(4))
    assert torch.allclose(found.theta, expected, rtol=1e-12)


def test_ewcs_information_is_of_the_own_head() -> None:
    """p_i (1 - p_i) x_j^2 of the two logits of the task, 0 for the others."""
    net, theta = linear()
    method = ewc.Ewc(*PLAIN, fisher="exact", loss=TaskCe())
    state = method.start(theta, net)
    state = method.review(state, Batch(newest(), Clock(1, 2), None, torch.zeros(1, 2, 1)), net)
    found = method.finish(state, Clock(1, 2), net).weight.view(4, 2)
    p = net(theta, X[1])[:, 2:].softmax(-1)
    expected = torch.einsum("nc,nd->cd", p * (1 - p), X[1].square()) / 2
    assert torch.allclose(found[2:], expected, rtol=1e-12)
    assert not found[:2].any()


def test_the_importance_of_mas_is_of_the_own_head() -> None:
    """|2 F_i x_j| of the task's two outputs, 0 for the others (the paper's Eq. 2 and 3)."""
    net, theta = linear()
    method = mas.Mas(*PLAIN, loss=TaskCe())
    state = method.review(method.start(theta, net), Batch(newest(), Clock(1, 2)), net)
    found = method.finish(state, Clock(1, 2), net).weight.view(4, 2)
    outputs = net(theta, X[1])[:, 2:]
    expected = (2 * outputs[:, :, None] * X[1][:, None]).abs().mean(0)
    assert torch.allclose(found[2:], expected, rtol=1e-12)
    assert not found[:2].any()


@pytest.mark.parametrize("balance", ["sum", "tasks"])
def test_lwf_distils_each_old_head_on_its_own(balance: str) -> None:
    """Softmaxes at T = 2 over the first head's two classes, beside the new rows' own head."""
    net, theta = linear()
    method = lwf.Lwf(*PLAIN, strength=3.0, balance=balance, loss=TaskCe())
    old = theta.flip(0)
    state = method.start(theta, net)._replace(old=old)
    found = method.step(state, Batch(newest(), Clock(1, 2)), net)
    at = theta.clone().requires_grad_()
    logits, taught = net(at, X[1]), net(old, X[1])
    soft = -((taught[:, :2] / 2).softmax(-1) * (logits[:, :2] / 2).log_softmax(-1)).sum(-1).mean()
    new = ENTROPY(logits[:, 2:], torch.tensor([0, 1]))
    loss = new + 3 * soft if balance == "sum" else new / 2 + 3 * 4 * soft / 2
    loss.backward()
    assert at.grad is not None
    assert torch.allclose(found.theta, theta - 0.5 * at.grad, rtol=1e-10)


def test_dark_replay_and_meta_experience_replay_take_own_heads() -> None:
    """Alpha 0: new and old rows' cross-entropies; MER with all rows in one step is replay."""
    net, theta = linear()
    dark = der.Der(*PLAIN, alpha=0.0, beta=1.0, loss=TaskCe())
    found = dark.step(dark.start(theta, net), Batch(two_tasks(), Clock(1, 2)), net).theta
    parts = [heads(net, theta, X[k], torch.tensor([0, 1]) + 2 * k) for k in (0, 1)]
    assert torch.allclose(found, theta - 0.5 * (parts[0] + parts[1]), rtol=1e-12)
    meta = mer.Mer(*PLAIN, walk="batch", within=1.0, rows_per_step=4, loss=TaskCe())
    noise = torch.zeros(2, 2, 1, dtype=torch.float64)
    found = meta.step(
        meta.start(theta, net), Batch(two_tasks(), Clock(1, 2), None, noise), net
    ).theta
    every = heads(net, theta, X.reshape(4, 2), torch.arange(4))
    assert torch.allclose(found, theta - 0.5 * every, rtol=1e-12)


# --- constraints on the step


def conflicts(seed: int, k: int, size: int) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    g, old = rng.normal(size=size), rng.normal(size=(k, size))
    return torch.as_tensor(g), torch.as_tensor(old - 0.8 * g)


@pytest.mark.parametrize("seed", range(8))
def test_gems_multipliers_are_the_best_that_are_at_least_gamma(seed: int) -> None:
    """min |g + G'v|^2 / 2 over v >= gamma, by a general solver."""
    g, old = conflicts(seed, 3, 6)
    found = gem.allowed(g, old, 0.4)
    best = minimize(
        lambda v: float(((g.numpy() + v @ old.numpy()) ** 2).sum()) / 2,
        np.full(3, 0.5),
        bounds=[(0.4, None)] * 3,
        method="L-BFGS-B",
        tol=1e-14,
    )
    assert np.allclose(found.numpy(), g.numpy() + best.x @ old.numpy(), atol=1e-4)


@pytest.mark.parametrize("optimizer", [Sgd(lr=0.5), Sgd(lr=0.5, momentum=0.9), Adam(lr=0.05)])
@pytest.mark.parametrize("make", [gem.Gem, a_gem.AGem])
def test_a_step_raises_no_old_loss_to_first_order(make: Any, optimizer: Any) -> None:
    """Whatever optimizer makes it, with state from steps before; SGD's is the gradient's own."""
    net, theta = linear()
    plain = {"margin": 0.0} if make is gem.Gem else {}
    method = make(optimizer, Standard(batch_rows=2), bounds="step", **plain)
    state = method.start(theta, net)
    rng = np.random.default_rng(5)
    bound = 0
    for _ in range(25):
        x = torch.as_tensor(rng.normal(size=(2, 2, 2)))
        tasks = two_tasks()._replace(x=x)
        after = method.step(state, Batch(tasks, Clock(1, 2, 0, 1)), net)
        at = state.theta.clone().requires_grad_()
        ENTROPY(net(at, x[0]), torch.tensor([0, 1])).backward()
        assert at.grad is not None
        raised = float((after.theta - state.theta) @ at.grad)
        assert raised <= 1e-9
        bound += abs(raised) < 1e-9
        state = after
    assert bound  # some of them were held back


def test_binding_the_gradient_is_binding_the_step_for_plain_sgd() -> None:
    """The paper's optimizer; gamma counts the same."""
    net, theta = linear()
    steps = []
    for bounds in ("step", "gradient"):
        method = gem.Gem(*PLAIN, bounds=bounds, margin=0.5)
        state = method.start(theta, net)
        for _ in range(3):
            state = method.step(state, Batch(two_tasks(), Clock(1, 2, 0, 1)), net)
        steps.append(state.theta)
    assert torch.allclose(*steps, rtol=1e-9)


# --- clipped gradients


def test_look_ahead_maml_clips_every_gradient_at_its_norm() -> None:
    """One inner step: g / max(1, |g| / clip) inside, of the rates and outside."""
    net, theta = linear()
    method = la_maml.LaMaml(Standard(), lr=0.2, rate_lr=0.5, inner_steps=1, clip=0.3)
    found = method.step(method.start(theta, net), Batch(two_tasks(), Clock(1, 2)), net)

    def clipped(slope: Tensor) -> Tensor:
        return slope * min(1.0, 0.3 / float(slope.norm()))

    def entropy(at: Tensor, x: Tensor, y: Tensor) -> Tensor:
        at = at.clone().requires_grad_()
        ENTROPY(net(at, x), y).backward()
        assert at.grad is not None
        return at.grad

    inward = entropy(theta, X[1], torch.tensor([2, 3]))
    assert float(inward.norm()) > 0.3
    inward = clipped(inward)
    outward = entropy(theta - 0.2 * inward, X.reshape(4, 2), torch.arange(4))
    rates = 0.2 + 0.5 * clipped(outward * inward)
    assert torch.allclose(found.rates, rates, rtol=1e-12)
    expected = theta - rates.clamp(min=0) * clipped(outward)
    assert torch.allclose(found.theta, expected, rtol=1e-12)


def test_the_released_look_ahead_clips_outside_alone_and_floors_the_rates() -> None:
    """Inside g whole, times max(0, rate); a rate below 0 has no gradient of its own."""
    net, theta = linear()
    released = la_maml.LaMaml(
        Standard(), rate_lr=0.5, inner_steps=1, clip=0.3, clips="outer", floor="zero"
    )
    rates = torch.linspace(-0.1, 0.4, theta.numel(), dtype=theta.dtype)
    begun = released.start(theta, net)._replace(rates=rates)
    found = released.step(begun, Batch(two_tasks(), Clock(1, 2)), net)

    def slope(at: Tensor, x: Tensor, y: Tensor) -> Tensor:
        at = at.clone().requires_grad_()
        ENTROPY(net(at, x), y).backward()
        assert at.grad is not None
        return at.grad

    def clipped(g: Tensor) -> Tensor:
        return g * min(1.0, 0.3 / float(g.norm()))

    inward = slope(theta, X[1], torch.tensor([2, 3]))
    assert float(inward.norm()) > 0.3
    outward = slope(theta - rates.clamp(min=0) * inward, X.reshape(4, 2), torch.arange(4))
    after = rates + 0.5 * clipped(outward * inward * (rates > 0))
    assert torch.allclose(found.rates, after, rtol=1e-12)
    assert torch.equal(found.rates[rates <= 0], rates[rates <= 0])
    assert torch.allclose(found.theta, theta - after.clamp(min=0) * clipped(outward), rtol=1e-12)


UNEQUAL = TaskClasses((1, 2, 1))
"""Class 0, then 1 and 2, then 3."""


def test_lwf_distils_old_heads_of_unequal_size() -> None:
    """One class has nothing to distil; of the second task there is a softmax over two."""
    net, theta = linear()
    own = torch.tensor([[0, 0, 0, 1]]).bool()
    y, w = torch.tensor([[3, 3]]), torch.ones(1, 2, dtype=torch.float64)
    tasks = Tasks(X[1:], y, w, own, torch.ones(1, 4).bool(), torch.tensor([True]))
    method, old = lwf.Lwf(*PLAIN, strength=3.0, loss=TaskCe()), theta.flip(0)
    state = method.start(theta, net)._replace(old=old)
    found = method.step(state, Batch(tasks, Clock(2, 3), classes=UNEQUAL), net)
    at = theta.clone().requires_grad_()
    logits, taught = net(at, X[1])[:, 1:3], net(old, X[1])[:, 1:3]
    loss = -3 * ((taught / 2).softmax(-1) * (logits / 2).log_softmax(-1)).sum(-1).mean()
    loss.backward()  # a head of one class is always right
    assert at.grad is not None
    assert float(at.grad.abs().max()) > 0.1
    assert torch.allclose(found.theta, theta - 0.5 * at.grad, rtol=1e-10)


def test_dark_replay_asks_the_model_that_a_task_of_any_size_ended_with() -> None:
    """Rows of the second of three tasks, the first has none: the model of then, three classes."""
    net, theta = linear()
    own = torch.tensor([[0, 1, 1, 0], [0, 0, 0, 1]]).bool()
    y, w = torch.tensor([[1, 2], [3, 3]]), torch.ones(2, 2, dtype=torch.float64)
    tasks = Tasks(X, y, w, own, torch.ones(2, 4).bool(), torch.tensor([True, True]))
    dark = der.Der(*PLAIN, alpha=1.0, beta=0.0, loss=TaskCe())
    first, second = theta.flip(0), theta * 2
    state = dark.start(theta, net)._replace(ended=torch.stack([first, second]))
    found = dark.step(state, Batch(tasks, Clock(2, 3), classes=UNEQUAL), net).theta
    at = theta.clone().requires_grad_()
    (net(at, X[0]) - net(second, X[0]))[:, :3].square().mean(1).mean().backward()
    assert at.grad is not None
    assert torch.allclose(found, theta - 0.5 * at.grad, rtol=1e-10)
