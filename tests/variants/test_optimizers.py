"""The inner optimizers against torch.optim, over enough steps for every branch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import vmap

from ablate.types import Clock
from variants.optimizer.adam import Adam
from variants.optimizer.radam import Radam
from variants.optimizer.sgd import Sgd
from variants.schedule.constant import Constant
from variants.schedule.milestones import Milestones

START = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)


def slope(theta: Tensor) -> Tensor:
    return theta * torch.tensor([1.0, 3.0, 0.1], dtype=torch.float64) - 1


def ours(optimizer: Any, steps: int, scale: float = 1.0) -> Tensor:
    theta, inner = START, optimizer.init(START)
    for _ in range(steps):
        theta, inner = optimizer.step(theta, slope(theta), inner, scale)
    return theta


def theirs(make: Any, steps: int, **settings: Any) -> Tensor:
    theta = START.clone().requires_grad_()
    optimizer = make([theta], **settings)
    for _ in range(steps):
        theta.grad = slope(theta.detach())
        optimizer.step()
    return theta.detach()


CASES = [
    (Sgd(lr=0.1), torch.optim.SGD, {"lr": 0.1}),
    (Sgd(lr=0.1, momentum=0.9), torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    (
        Sgd(lr=0.1, momentum=0.9, weight_decay=1e-2),
        torch.optim.SGD,
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 1e-2},
    ),
    (Adam(lr=0.01), torch.optim.Adam, {"lr": 0.01}),
    (
        Adam(lr=0.01, beta1=0.5, beta2=0.9, weight_decay=0.1),
        torch.optim.Adam,
        {"lr": 0.01, "betas": (0.5, 0.9), "weight_decay": 0.1},
    ),
    (Radam(lr=0.01), torch.optim.RAdam, {"lr": 0.01}),
    (Radam(lr=0.01, weight_decay=0.1), torch.optim.RAdam, {"lr": 0.01, "weight_decay": 0.1}),
]


@pytest.mark.parametrize("steps", [1, 5, 20])
@pytest.mark.parametrize(("optimizer", "make", "settings"), CASES, ids=lambda case: str(case)[:40])
def test_steps_equal_torch_optim(
    optimizer: Any, make: Any, settings: dict[str, Any], steps: int
) -> None:
    """Step 5 is unrectified for RAdam, step 20 rectified; both must agree."""
    expected = theirs(make, steps, **settings)
    assert not torch.allclose(expected, START, atol=1e-3)
    assert torch.allclose(expected, ours(optimizer, steps), rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("optimizer", "make"), [(Adam(lr=0.01), torch.optim.Adam), (Radam(lr=0.01), torch.optim.RAdam)]
)
def test_single_precision_agrees_too(optimizer: Any, make: Any) -> None:
    """Step by step, from the first: 1 - beta^n must not cancel."""
    theta, inner = START.float(), optimizer.init(START.float())
    other = START.float().clone().requires_grad_()
    torchs = make([other], lr=0.01)
    for _ in range(12):
        before, theirs_before = theta, other.detach().clone()
        theta, inner = optimizer.step(theta, slope(theta.double()).float(), inner, 1.0)
        other.grad = slope(other.detach().double()).float()
        torchs.step()
        assert torch.allclose(theta - before, other.detach() - theirs_before, rtol=1e-4, atol=1e-7)


def test_scale_multiplies_the_learning_rate() -> None:
    """A factor of a half is half the learning rate."""
    expected = ours(Sgd(lr=0.05, momentum=0.9), 6)
    assert torch.allclose(expected, ours(Sgd(lr=0.1, momentum=0.9), 6, scale=0.5))


@pytest.mark.parametrize("make", [Sgd, Adam, Radam])
def test_learning_rates_stack(make: Any) -> None:
    """A learning rate that is a tensor under vmap gives what each number gives alone."""
    rates = torch.tensor([0.01, 0.1], dtype=torch.float64)
    stacked = vmap(lambda lr: ours(make(lr=lr), 7))(rates)
    alone = torch.stack([ours(make(lr=float(lr)), 7) for lr in rates])
    assert torch.allclose(alone, stacked, rtol=0, atol=1e-12)


def test_plain_sgd_keeps_no_state() -> None:
    """No momentum, no velocity."""
    assert Sgd(lr=0.1).init(START) == ()


def test_milestones_halve_the_rate_at_each_epoch_named() -> None:
    """Epochs 5, 10 and 15, counted from 0."""
    rates = [Milestones((5, 10, 15), 0.5)(Clock(0, 5, epoch)) for epoch in (0, 4, 5, 10, 19)]
    assert rates == [1.0, 1.0, 0.5, 0.25, 0.125]
    assert Constant()(Clock(0, 5, 19)) == 1.0
