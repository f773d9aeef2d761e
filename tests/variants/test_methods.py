"""The methods' formulas, by hand or by another library."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor, nn

from ablate.training.inner_loop import InnerLoop
from ablate.training.net import FlatNet, initial
from ablate.training.train_step import Rows, flat_rows, old_and_new, soft_labels
from ablate.types import Batch, Clock, Tasks
from variants.method import (
    _paths,
    _vae,
    a_gem,
    der,
    dgr,
    ewc,
    gem,
    icarl,
    la_maml,
    lwf,
    mas,
    mer,
    rps_net,
    si,
)
from variants.model.mlp import Mlp
from variants.optimizer.adam import Adam
from variants.optimizer.radam import Radam
from variants.optimizer.sgd import Sgd
from variants.training.standard import Standard
from variants.update.fomaml import Fomaml
from variants.update.maml import Maml

PLAIN = (Sgd(lr=0.5), Standard(batch_rows=2))
"""The optimizer and the training of every method here."""

X = torch.tensor([[[1.0, 2.0], [3.0, -1.0]], [[0.5, 1.0], [2.0, 0.0]]], dtype=torch.float64)


def linear(classes: int = 4) -> tuple[FlatNet, Tensor]:
    """Give logits W x without bias: theta is W `[C, 2]`, row by row."""
    net, theta = initial(lambda: Mlp((), output_bias=False)((2,), classes), seed=0)
    return net, torch.linspace(-1, 1, len(theta), dtype=torch.float64)


def two_tasks() -> Tasks:
    """Give classes 0 and 1, then 2 and 3; two rows each."""
    own = torch.tensor([[1, 1, 0, 0], [0, 0, 1, 1]]).bool()
    y, w = torch.tensor([[0, 1], [2, 3]]), torch.ones(2, 2, dtype=torch.float64)
    return Tasks(X, y, w, own, torch.ones(2, 4).bool(), torch.tensor([True, True]))


def new_task(classes: int = 2) -> Tasks:
    """Give one task of all classes, one row of each of the first two."""
    every = torch.ones(1, classes).bool()
    y, w = torch.tensor([[0, 1]]), torch.ones(1, 2, dtype=torch.float64)
    return Tasks(X[:1], y, w, every, every, torch.tensor([True]))


def entropy(net: FlatNet, theta: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Give the gradient of the mean cross-entropy, by PyTorch's own loss and autograd."""
    at = theta.clone().requires_grad_()
    nn.functional.cross_entropy(net(at, x), y).backward()
    return at.grad


# --- what methods share


def test_flat_rows_weigh_by_row_or_by_task_and_come_apart_again() -> None:
    """Three rows of one task and one of another: by task, the lone row weighs as much as three."""
    tasks = Tasks(
        torch.arange(6.0).view(2, 3, 1),
        torch.tensor([[0, 0, 1], [2, 0, 0]]),
        torch.tensor([[1.0, 1, 1], [1, 0, 0]]),
        torch.tensor([[1, 1, 0], [0, 0, 1]]).bool(),
        torch.ones(2, 3).bool(),
        torch.tensor([True, True]),
    )
    rows = flat_rows(Batch(tasks, Clock(1, 2), (3, 1)), "tasks")
    assert rows.x.flatten().tolist() == [0, 1, 2, 3]
    assert torch.allclose(rows.w, torch.tensor([1 / 3, 1 / 3, 1 / 3, 1]))
    old, new = old_and_new(rows, Batch(tasks, Clock(1, 2), (3, 1)))
    assert (old.y.tolist(), new.y.tolist()) == ([0, 0, 1], [2])
    assert rows.before.tolist() == [True, True, False]


def test_soft_labels_are_the_cross_entropy_of_softened_softmaxes() -> None:
    """Teacher 3 : 1 and student 1 : 1 over two of three classes: log 2, at temperature 2."""
    teacher = torch.tensor([[2 * math.log(3), 0.0, 99.0]], dtype=torch.float64)
    student = torch.tensor([[0.0, 0.0, 2 * math.log(2)]], dtype=torch.float64)
    known = torch.tensor([True, True, False])
    assert soft_labels(student, teacher, known, 2.0).item() == pytest.approx(math.log(2))
    # over all three the student's shares are 1 : 1 : 2, and each old class has a quarter
    all_of = torch.ones(3).bool()
    assert soft_labels(student, teacher, known, 2.0, all_of).item() == pytest.approx(math.log(4))


# --- penalties


@pytest.mark.parametrize("kind", ["exact", "empirical", "batch"])
def test_the_fisher_information_of_a_softmax_is_known(kind: str) -> None:
    """d log p_c / d W_i = (1[c = i] - p_i) x; so the exact diagonal is p_i (1 - p_i) x_j^2."""
    net, theta = linear(2)
    method = ewc.Ewc(*PLAIN, fisher=kind)
    state = method.review(
        method.start(theta, net), Batch(new_task(), Clock(0, 2), None, torch.zeros(1, 2, 1)), net
    )
    found = method.finish(state, Clock(0, 2), net).weight.view(2, 2)
    x, p = X[0], net(theta, X[0]).softmax(-1)  # [2, 2], [N, C]
    gaps = torch.eye(2, dtype=torch.float64) - p  # row n has label n
    expected = {
        "exact": torch.einsum("nc,nd->cd", p * (1 - p), x.square()) / 2,
        "empirical": torch.einsum("nc,nd->cd", gaps.square(), x.square()) / 2,
        "batch": (torch.einsum("nc,nd->cd", gaps, x) / 2).square(),
    }[kind]
    assert torch.allclose(found, expected, rtol=1e-12)
    assert float(found.min()) > 1e-6


def test_sampled_labels_estimate_the_exact_fisher_information() -> None:
    """Over many draws, to two percent of it."""
    net, theta = linear(2)
    theta = theta / 4
    draws = torch.special.ndtri((torch.arange(400) + 0.5).double() / 400)
    one = new_task()
    many = one._replace(
        x=one.x[:, :1].expand(1, 400, 2),
        y=one.y[:, :1].expand(1, 400),
        w=torch.ones(1, 400, dtype=torch.float64),
    )
    found = []
    for kind in ("sampled", "exact"):
        method = ewc.Ewc(*PLAIN, fisher=kind)
        start = method.start(theta, net)
        found.append(
            method.review(start, Batch(many, Clock(0, 2), None, draws.view(1, 400, 1)), net)
        )
    assert torch.allclose(found[0].fisher, found[1].fisher, rtol=0.02)


def test_ewc_pulls_back_by_strength_times_fisher_times_distance() -> None:
    """Two tasks' penalties are one: A theta - B is the sum of F_k (theta - theta_k)."""
    net, theta = linear(2)
    method = ewc.Ewc(*PLAIN, strength=3.0)
    fishers = [torch.full((4,), 2.0).double(), torch.arange(4.0).double()]
    ends = [theta, theta + 1]
    state = method.start(theta, net)
    for fisher, end in zip(fishers, ends, strict=True):
        state = state._replace(theta=end, fisher=5 * fisher, rows=torch.tensor(5.0).double())
        state = method.finish(state, Clock(0, 2), net)
    state = state._replace(theta=theta + 2)
    after = method.step(state, Batch(new_task(), Clock(1, 2), None, torch.zeros(1, 2, 1)), net)
    pull = 3 * (fishers[0] * 2 + fishers[1] * 1)
    slope = entropy(net, theta + 2, X[0], torch.tensor([0, 1]))
    assert torch.allclose(after.theta, theta + 2 - 0.5 * (slope + pull), rtol=1e-12)
    online = ewc.Ewc(*PLAIN, form="online", decay=0.5)
    kept = online.finish(state._replace(fisher=fishers[0], rows=torch.ones(())), Clock(1, 2), net)
    assert torch.allclose(kept.weight, 0.5 * state.weight + fishers[0])
    assert torch.allclose(kept.anchor, kept.weight * kept.theta)


def test_the_path_of_si_is_the_learning_rate_times_the_squared_gradient() -> None:
    """omega = lr g^2 after one step of SGD; Omega = omega / ((lr g)^2 + xi)."""
    net, theta = linear(2)
    method = si.Si(*PLAIN, strength=2.0, damping=0.3)
    state = method.step(method.start(theta, net), Batch(new_task(), Clock(0, 2)), net)
    g = entropy(net, theta, X[0], torch.tensor([0, 1]))
    assert torch.allclose(state.path, 0.5 * g.square())
    ended = method.finish(state, Clock(0, 2), net)
    assert torch.allclose(ended.weight, 0.5 * g.square() / ((0.5 * g).square() + 0.3))
    moved = ended._replace(theta=ended.theta + 1)
    after = method.step(moved, Batch(new_task(), Clock(1, 2)), net)
    slope = entropy(net, moved.theta, X[0], torch.tensor([0, 1]))
    assert torch.allclose(after.theta, moved.theta - 0.5 * (slope + 2 * 2 * ended.weight))


@pytest.mark.parametrize("kind", ["row-squared", "batch-squared", "batch-length"])
def test_the_importance_of_mas_is_twice_the_output_times_the_input(kind: str) -> None:
    """d |W x|^2 / d W = 2 (W x) x'; the definitions differ in where |.| and the mean stand."""
    net, theta = linear(2)
    method = mas.Mas(*PLAIN, importance=kind)
    state = method.review(method.start(theta, net), Batch(new_task(), Clock(0, 2)), net)
    found = method.finish(state, Clock(0, 2), net).weight.view(2, 2)
    out = X[0] @ theta.view(2, 2).T  # [N, C]
    each = 2 * out[:, :, None] * X[0][:, None]  # [N, C, D]
    expected = {
        "row-squared": each.abs().mean(0),
        "batch-squared": each.mean(0).abs(),
        "batch-length": (each / (2 * out.norm(dim=1))[:, None, None]).mean(0).abs(),
    }[kind]
    assert torch.allclose(found, expected, rtol=1e-12)
    assert not torch.allclose(each.abs().mean(0), each.mean(0).abs())


# --- distillation and replay


def test_lwf_adds_the_old_models_soft_labels_over_old_classes() -> None:
    """Its gradient is that of the two losses, written with PyTorch's own."""
    net, theta = linear()
    method = lwf.Lwf(*PLAIN, strength=0.7)
    tasks = Tasks(*(part[1:] for part in two_tasks()))
    state = method.start(theta, net)._replace(old=theta.flip(0))
    at = theta.clone().requires_grad_()
    out, old = net(at, X[1]), net(theta.flip(0), X[1])
    soft = nn.functional.cross_entropy(out[:, :2] / 2, (old[:, :2] / 2).softmax(1))
    (nn.functional.cross_entropy(out, torch.tensor([2, 3])) + 0.7 * soft).backward()
    found = method.step(state, Batch(tasks, Clock(1, 2)), net).theta
    assert torch.allclose(found, theta - 0.5 * at.grad, rtol=1e-12)


def test_dark_replay_holds_stored_logits_of_the_classes_seen_by_then() -> None:
    """alpha times the mean square over the first two logits, beta times the labels' loss."""
    net, theta = linear()
    method = der.Der(*PLAIN, alpha=0.3, beta=0.6)
    state = method.finish(method.start(theta.flip(0), net), Clock(0, 2), net)._replace(theta=theta)
    at = theta.clone().requires_grad_()
    old, new, z = net(at, X[0]), net(at, X[1]), net(theta.flip(0), X[0])
    (
        nn.functional.cross_entropy(new, torch.tensor([2, 3]))
        + 0.3 * (old[:, :2] - z[:, :2]).square().mean()
        + 0.6 * nn.functional.cross_entropy(old, torch.tensor([0, 1]))
    ).backward()
    found = method.step(state, Batch(two_tasks(), Clock(1, 2)), net).theta
    assert torch.allclose(found, theta - 0.5 * at.grad, rtol=1e-12)


def test_the_nearest_mean_of_exemplars_is_taken_on_unit_features() -> None:
    """Features are the inputs: (3, 4) goes to (.6, .8), whose square distance from (1, 0) is .8."""
    net, theta = linear()
    method = icarl.Icarl(*PLAIN)
    x = torch.tensor([[[2.0, 0.0], [0.0, 5.0]]], dtype=torch.float64)
    state = method.finish(method.start(theta, net), Clock(0, 2), net)
    state = method.review(state, Batch(new_task(4)._replace(x=x), Clock(0, 2)), net)
    scores = method.logits(state, torch.tensor([[3.0, 4.0]], dtype=torch.float64), net)[0]
    assert torch.allclose(scores, torch.tensor([-0.8, -0.4, -5, -5], dtype=torch.float64))


def test_icarls_old_classes_are_taught_by_the_old_model() -> None:
    """Binary cross-entropy with sigmoids for classes 0 and 1, with labels for 2 and 3."""
    net, theta = linear()
    method = icarl.Icarl(*PLAIN)
    state = method.start(theta, net)._replace(old=theta.flip(0))
    at = theta.clone().requires_grad_()
    x = X.reshape(4, 2)
    target = torch.eye(4, dtype=torch.float64)
    target[:, :2] = net(theta.flip(0), x)[:, :2].sigmoid()
    lost = nn.functional.binary_cross_entropy_with_logits(net(at, x), target, reduction="none")
    lost.sum(1).mean().backward()
    found = method.step(state, Batch(two_tasks(), Clock(1, 2)), net).theta
    assert torch.allclose(found, theta - 0.5 * at.grad, rtol=1e-12)


# --- constrained gradients


def test_gem_and_a_gem_project_one_conflict_alike() -> None:
    """(1, 0) against (-1, 1): half of it goes, (1/2, 1/2) is left."""
    g, h = torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 1.0])
    assert torch.allclose(gem.allowed(g, h[None], 0.0), torch.tensor([0.5, 0.5]))
    assert torch.allclose(a_gem.projected(g, h), torch.tensor([0.5, 0.5]))
    assert torch.equal(gem.allowed(g, -h[None], 0.7), g)
    assert torch.equal(a_gem.projected(g, -h), g)
    # the margin is added to the multiplier 1/2: (1, 0) + (1/2 + 1/4) (-1, 1)
    assert torch.allclose(gem.allowed(g, h[None], 0.25, False), torch.tensor([0.25, 0.75]))
    # or the multiplier is at least the margin: 1/2 is, and of 3/4 it is 3/4
    assert torch.allclose(gem.allowed(g, h[None], 0.25), torch.tensor([0.5, 0.5]))
    assert torch.allclose(gem.allowed(g, h[None], 0.75), torch.tensor([0.25, 0.75]))


@pytest.mark.parametrize("tasks", [2, 4, 9])
def test_gems_programme_agrees_with_a_general_solver_on_real_conflicts(tasks: int) -> None:
    """Gradients that point against the new one and against each other; several bind at once."""
    draws = np.random.default_rng(tasks)
    for _ in range(20):
        common = draws.normal(size=30)
        bounds = draws.normal(size=(tasks, 30)) - 0.6 * common
        slope = common + draws.normal(size=30)
        found = gem.allowed(*map(torch.as_tensor, (slope, bounds)), 0.0).numpy()
        asked = minimize(
            lambda v, slope=slope: 0.5 * ((v - slope) ** 2).sum(),
            slope,
            jac=lambda v, slope=slope: v - slope,
            constraints={
                "type": "ineq",
                "fun": lambda v, b=bounds: b @ v,
                "jac": lambda v, b=bounds: b,
            },
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500},
        )
        assert (bounds @ slope < 0).sum() >= min(2, tasks)
        assert np.abs(found - asked.x).max() < 1e-6
        assert (bounds @ found).min() > -1e-9
    assert np.abs(found - slope).max() > 0.1


def test_gems_multipliers_survive_gradients_that_are_equal() -> None:
    """Two equal constraints share the work; their sum is what counts."""
    h = np.array([[-1.0, 1.0], [-1.0, 1.0]])
    v = gem.multipliers(h @ h.T, h @ np.array([1.0, 0.0]))
    assert v.sum() == pytest.approx(0.5)
    assert (v >= 0).all()


# --- generators


def test_the_evidence_bound_is_that_of_torch_distributions() -> None:
    """Bernoulli pixels and the divergence of a normal from the standard one, per pixel."""
    generator = torch.Generator().manual_seed(0)
    code, decoded = (torch.randn(3, 4, generator=generator).double() for _ in range(2))
    x = torch.rand(3, 4, generator=generator).double() * 6 - 2  # of -2 to 4
    every = torch.ones(1).bool()
    rows = Rows(x, torch.zeros(3).long(), torch.ones(3), every, every, torch.zeros(3, 0))
    span: Any = type("Span", (), {"lowest": -2.0, "highest": 4.0})
    normal = torch.distributions.Normal(code[:, :2], (code[:, 2:] / 2).exp())
    standard = torch.distributions.Normal(torch.zeros(2).double(), torch.ones(2).double())
    pixels = torch.distributions.Bernoulli(logits=decoded, validate_args=False)
    expected = -pixels.log_prob((x + 2) / 6).sum(1)
    expected += torch.distributions.kl_divergence(normal, standard).sum(1)
    assert torch.allclose(_vae.bound(code, decoded, rows, span), expected / 4)
    even = _vae.images(torch.zeros(3, 4), torch.Size([2, 2]), span)
    assert torch.equal(even, torch.ones(3, 2, 2))


def test_generative_replay_weighs_old_and_new_by_the_tasks_seen() -> None:
    """In the third task the generated rows weigh two thirds, with the old solver's best class."""
    method = dgr.Dgr(*PLAIN, widths=(3,), latent=2)
    net, theta = initial(
        lambda: method.wrap(lambda: Mlp((), output_bias=False)((2,), 4), (2,), 4), seed=0
    )
    theta = theta.double()
    assert len(theta) == method.size(8, (2,), 4)
    noise = torch.randn(1, 2, 6, generator=torch.Generator().manual_seed(1)).double()
    state = method.start(theta, net)._replace(old=theta.roll(3))
    tasks = Tasks(*(part[1:] for part in two_tasks()))
    found = method.step(state, Batch(tasks, Clock(2, 3), None, noise), net).theta[:8]
    made = _vae.images(net.use(theta.roll(3), "decode", noise[0, :, 2:4]), torch.Size([2]), net)
    labels = net(theta.roll(3), made)[:, :2].argmax(1)
    at = theta.clone().requires_grad_()
    (
        nn.functional.cross_entropy(net(at, X[1]), torch.tensor([2, 3])) / 3
        + 2 * nn.functional.cross_entropy(net(at, made), labels) / 3
    ).backward()
    assert torch.allclose(found, (theta - 0.5 * at.grad)[:8], rtol=1e-10)
    assert float(at.grad[:8].abs().max()) > 0.01


# --- paths


def test_a_layer_of_paths_is_the_sum_of_the_active_ones() -> None:
    """Linear layers are added up before they are applied; others after."""
    layers = [nn.Linear(2, 3) for _ in range(3)]
    x, active = torch.rand(5, 2), torch.tensor([1.0, 0.0, 1.0])
    expected = layers[0](x) + layers[2](x)
    assert torch.allclose(_paths.Layer(layers)(x, active), expected, atol=1e-6)
    inside = [nn.Sequential(layer) for layer in layers]  # no linear layer to the eye
    assert torch.allclose(_paths.Layer(inside)(x, active), expected, atol=1e-6)


def test_a_switch_freezes_the_old_paths_and_trains_the_new_one() -> None:
    """Of three parallel layers the second task draws another; the first one's stays as it is."""
    method = rps_net.RpsNet(*PLAIN, paths=3)
    net, theta = initial(lambda: method.wrap(lambda: Mlp((3,))((2,), 4), (2,), 4), seed=0)
    theta = theta.double()
    first, second = (torch.full((1, 2, 64), v, dtype=torch.float64) for v in (-2.0, 2.0))
    tasks = Tasks(*(part[:1] for part in two_tasks()))
    one = method.step(method.start(theta, net), Batch(tasks, Clock(0, 2), None, first), net)
    assert one.used.tolist() == [[1, 0, 0]]
    two = method.step(
        method.finish(one, Clock(0, 2), net), Batch(tasks, Clock(1, 2), None, second), net
    )
    assert (two.used.tolist(), two.fixed.tolist()) == ([[1, 0, 1]], [[1, 0, 0]])
    changed = dict(zip(net.names, (two.theta != one.theta).split(net.sizes), strict=True))
    trained = {name for name, part in changed.items() if part.any()}
    assert trained == {
        "module.steps.1.layers.2.weight",
        "module.steps.1.layers.2.bias",
        "module.head.weight",
        "module.head.bias",
    }


# --- meta-learning


def test_meta_experience_replay_steps_row_by_row_and_goes_part_of_the_way() -> None:
    """Two groups of an old and a new row each, in the order of their noise."""
    net, theta = linear()
    method = mer.Mer(*PLAIN, walk="batch", groups=2, within=0.4, across=0.5)
    noise = torch.tensor([[[0.3], [0.1]], [[0.2], [0.9]]], dtype=torch.float64)
    found = method.step(method.start(theta, net), Batch(two_tasks(), Clock(1, 2), None, noise), net)
    at = theta
    # group 0: old row 0 (.3), new row 0 (.2); group 1: old row 1 (.1), new row 1 (.9)
    for group in ([(1, 0, 2), (0, 0, 0)], [(0, 1, 1), (1, 1, 3)]):
        begun = at
        for task, row, label in group:
            at = at - 0.5 * entropy(net, at, X[task, row][None], torch.tensor([label]))
        at = begun + 0.4 * (at - begun)
    assert torch.allclose(found.theta, theta + 0.5 * (at - theta), rtol=1e-12)


def test_meta_experience_replay_walks_over_every_new_row_with_its_exemplars() -> None:
    """Two small batches of one exemplar and the new row, for each of two new rows (Algorithm 1)."""
    net, theta = linear()
    method = mer.Mer(*PLAIN, groups=2, within=0.4, across=0.5)
    noise = torch.tensor([[[0.3], [0.1]], [[0.2], [0.9]]], dtype=torch.float64)
    found = method.step(method.start(theta, net), Batch(two_tasks(), Clock(1, 2), None, noise), net)
    at = theta
    # exemplars in the order 1 (.1), 0 (.3), in turn; new rows in the order 0 (.2), 1 (.9)
    for new in (0, 1):
        start = at
        for old in (1, 0):
            begun = at
            for task, row, label in ((0, old, old), (1, new, 2 + new)):
                at = at - 0.5 * entropy(net, at, X[task, row][None], torch.tensor([label]))
            at = begun + 0.4 * (at - begun)
        at = start + 0.5 * (at - start)
    assert torch.allclose(found.theta, at, rtol=1e-12)
    assert method.gradients(4, Clock(1, 2), 2) == 8
    assert mer.Mer(*PLAIN, groups=5, others=9).gradients(4, Clock(1, 2), 2) == 100


def test_rps_nets_released_teacher_holds_labels_beside_old_logits() -> None:
    """Old logits (2 log 3, 0), label 1 of the new ones; T = 2; terms below 0 are left out."""
    every = torch.ones(4).bool()
    own = torch.tensor([False, False, True, True])
    rows = Rows(X[0][:1], torch.tensor([3]), torch.ones(1), every, own, X[0][:1])
    taught = torch.tensor([[2 * math.log(3), 0.0, 9.0, 9.0]], dtype=torch.float64)
    logits = torch.tensor([[0.4, -0.2, 1.0, 0.3]], dtype=torch.float64)
    p = torch.tensor([3.0, 1.0, 1.0, math.exp(0.5)], dtype=torch.float64)
    p = p / p.sum()
    q = (logits[0] / 2).softmax(-1)
    expected = sum(max(0.0, float(a * (a / b).log())) for a, b in zip(p, q, strict=True))
    found = rps_net.labelled_teacher(logits, taught, rows, 2.0)
    assert found.item() == pytest.approx(expected)


def test_rps_net_begins_each_task_with_a_new_optimizer() -> None:
    """As the released code does; kept where it is asked for."""
    make = rps_net.RpsNet(Adam(lr=0.1), Standard(batch_rows=2), paths=2)
    net, theta = initial(lambda: make.wrap(lambda: Mlp((3,))((2,), 4), (2,), 4), seed=0)
    state = make.start(theta, net)
    state = state._replace(inner=tuple(part + 1 for part in state.inner))
    fresh = make.finish(state, Clock(0, 2), net).inner
    assert all(torch.equal(a, b) for a, b in zip(fresh, Adam().init(theta), strict=True))
    kept = replace(make, optimizer_state="kept").finish(state, Clock(0, 2), net).inner
    assert kept is state.inner


def bowls(alpha: float) -> tuple[InnerLoop, Tasks]:
    """Give one task of L(theta) = (theta - x)^2 / 2, support row 1 and query row 3."""
    x, flag = torch.tensor([[[1.0], [3.0]]]), torch.ones(1, 1).bool()
    tasks = Tasks(x, torch.zeros(1, 2).long(), torch.ones(1, 2), flag, flag, torch.tensor([True]))

    def objective(theta: Tensor, task: Tasks) -> Tensor:
        return ((theta - task.x).square().sum(-1) / 2 * task.w).sum() / task.w.sum()

    return InnerLoop(objective, Sgd(lr=alpha), 2), tasks


def test_maml_and_its_first_order_form_on_a_bowl() -> None:
    """phi = 1 + (1 - a)^2 (theta - 1); MAML's slope has (1 - a)^2 times (phi - 3) of FOMAML's."""
    fit, tasks = bowls(0.25)
    theta = torch.tensor([2.0])
    phi = 1 + 0.75**2
    full = Maml(0.1)(theta, tasks, fit, Clock(0, 1))
    first = Fomaml(0.1)(theta, tasks, fit, Clock(0, 1))
    assert full.item() == pytest.approx(2 - 0.1 * 0.75**2 * (phi - 3))
    assert first.item() == pytest.approx(2 - 0.1 * (phi - 3))


def test_look_ahead_maml_learns_its_rates_before_it_steps() -> None:
    """Two shares of one new row each, all four rows outside; written with PyTorch's autograd."""
    net, theta = linear()
    method = la_maml.LaMaml(Standard(), lr=0.2, rate_lr=0.5, inner_steps=2)
    found = method.step(method.start(theta, net), Batch(two_tasks(), Clock(1, 2)), net)
    phi, walked, slope, down = theta, 0.0, 0.0, 0.0
    every, labels = X.reshape(4, 2), torch.arange(4)
    for row, label in ((0, 2), (1, 3)):
        inward = entropy(net, phi, X[1, row][None], torch.tensor([label]))
        phi, walked = phi - 0.2 * inward, walked + inward
        outward = entropy(net, phi, every, labels)
        slope, down = slope + outward / 2, down - outward * walked / 2
    rates = 0.2 - 0.5 * down
    assert torch.allclose(found.rates, rates, rtol=1e-12)
    assert torch.allclose(found.theta, theta - rates.clamp(min=0) * slope, rtol=1e-12)
    assert float((rates - 0.2).abs().max()) > 0.01


def test_the_distillation_of_rps_net_grows_from_the_second_switch_on() -> None:
    """phi is 1 while t <= J, then gamma (t - J): released code, J = 1, gamma = 2.5."""
    net, theta = initial(
        lambda: rps_net.RpsNet(*PLAIN, paths=2).wrap(lambda: Mlp((3,))((2,), 4), (2,), 4), seed=0
    )
    theta, noise = theta.double(), torch.zeros(1, 2, 64, dtype=torch.float64)
    tasks = Tasks(*(part[1:] for part in two_tasks()))
    moves = {}
    for gamma in (0.0, 2.5):
        method = rps_net.RpsNet(*PLAIN, paths=2, distillation=gamma)
        for t in (1, 2, 3):
            state = method.start(theta, net)._replace(old=theta.flip(0))
            state = state._replace(old_used=state.used)
            after = method.step(state, Batch(tasks, Clock(t, 4, 0, 1), None, noise), net)
            moves[gamma, t] = after.theta - theta
    pulls = [moves[2.5, t] - moves[0.0, t] for t in (1, 2, 3)]
    assert torch.allclose(pulls[1], 2.5 * pulls[0], rtol=1e-9)
    assert torch.allclose(pulls[2], 5.0 * pulls[0], rtol=1e-9)
    assert float(pulls[0].abs().max()) > 1e-3


def test_maml_through_adam_is_finite_where_a_parameter_has_no_gradient() -> None:
    """The square root of a second moment of 0 has no slope."""
    fit, tasks = bowls(0.25)
    theta = torch.tensor([2.0, 7.0])  # nothing reads the second
    for optimizer in (Adam(lr=0.1), Radam(lr=0.1)):
        fit = InnerLoop(
            lambda at, task: ((at[:1] - task.x[:, 0]).square() / 2 * task.w).sum(), optimizer, 6
        )
        found = Maml(0.1)(theta, tasks, fit, Clock(0, 1))
        assert found.isfinite().all()
        assert found[1] == 7
        assert found[0] != 2


def test_maml_without_inner_steps_is_one_step_on_the_query_rows() -> None:
    """A learning rate of 0 leaves phi where theta is: 2 - 0.1 (2 - 3), with and without order."""
    fit, tasks = bowls(0.0)
    theta = torch.tensor([2.0])
    for rule in (Maml(0.1), Fomaml(0.1)):
        assert rule(theta, tasks, fit, Clock(0, 1)).item() == pytest.approx(2.1)
