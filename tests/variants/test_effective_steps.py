"""How far the arms of the Split-MNIST suite go, on a loss whose gradient is 1 everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from ablate.parsing.located_yaml import read_document
from ablate.training.inner_loop import InnerLoop
from ablate.types import Clock, Tasks
from variants.gather.chain import Chain
from variants.gather.mean import Mean
from variants.optimizer.sgd import Sgd
from variants.step.decaying import Decaying
from variants.update.balanced import Balanced
from variants.update.outer import Outer

RATE, MOMENTUM = 0.1, 0.9
DESCRIBED, RELEASED = Outer(Mean(), Decaying(beta=0.0)), Outer(Chain(), Decaying(beta=0.0))
"""What `itaml` and `itaml-released` expand into, with a step that does not decay."""


def slope_of_one(theta: Tensor, task: Tasks) -> Tensor:
    return theta.sum() + 0 * task.x.sum()


def tasks(count: int) -> Tasks:
    own = torch.eye(count).bool()
    x, y = torch.ones(count, 1, 1), torch.arange(count)[:, None]
    ones = torch.ones(count, 1)
    return Tasks(x, y, ones, own, torch.ones(count, count).bool(), torch.ones(count).bool())


def test_a_momentum_that_starts_fresh_does_nothing_in_one_step() -> None:
    """At r = 1 the described arm moves lr, a tenth of what carried momentum comes to."""
    one = InnerLoop(slope_of_one, Sgd(lr=RATE, momentum=MOMENTUM), 1)
    plain = InnerLoop(slope_of_one, Sgd(lr=RATE), 1)
    theta = torch.zeros(1)
    for count in (1, 5):
        clock = Clock(count - 1, 5)
        moved = [DESCRIBED(theta, tasks(count), fit, clock) - theta for fit in (one, plain)]
        assert torch.equal(*moved)
        eta = moved[0].item() / -RATE
        assert eta == pytest.approx(1)


def test_a_carried_momentum_and_a_chain_go_fifty_times_as_far() -> None:
    """lr / (1 - momentum) a step, once for each of the five tasks of the chain."""
    fit = InnerLoop(slope_of_one, Sgd(lr=RATE, momentum=MOMENTUM), 1, carried=True)
    theta, clock = torch.zeros(1), Clock(4, 5)
    inner = fit.fresh(theta)
    for _ in range(60):
        before = theta
        theta, inner = RELEASED.carry(theta, tasks(5), fit, clock, inner)
    step = (before - theta).item()
    alone = InnerLoop(slope_of_one, Sgd(lr=RATE, momentum=MOMENTUM), 1)
    described = -DESCRIBED(torch.zeros(1), tasks(5), alone, clock).item()
    assert step / described == pytest.approx(50, rel=0.02)


def test_a_plain_step_may_be_as_long_as_a_chain_with_carried_momentum_at_rest() -> None:
    """0.1 of two tasks in a chain at beta 0, m = 0.9: 0.1 * 2 / (1 - 0.9) = 2 a step.

    Velocities are 1, 1.9, 2.71 and so on up to 10, so that two of them come to 20 times 0.1.
    """
    theta, clock = torch.zeros(1), Clock(1, 5)
    fit = InnerLoop(slope_of_one, Sgd(lr=RATE, momentum=MOMENTUM), 1, carried=True)
    inner, moved = fit.fresh(theta), []
    for _ in range(80):
        before = theta
        theta, inner = RELEASED.carry(theta, tasks(2), fit, clock, inner)
        moved.append((before - theta).item())
    assert moved[0] == pytest.approx(0.1 * (1 + 1.9))
    assert moved[-1] == pytest.approx(2.0, rel=1e-5)
    null = Balanced(match=RELEASED, momentum=MOMENTUM)
    plain = InnerLoop(slope_of_one, Sgd(lr=RATE), 1)
    assert (-null(torch.zeros(1), tasks(2), plain, clock)).item() == pytest.approx(2.0)
    halved = Balanced(match=Outer(Chain(), Decaying(beta=5 * 0.6931472)), momentum=MOMENTUM)
    assert (-halved(torch.zeros(1), tasks(2), plain, clock)).item() == pytest.approx(1.0)
    assert Balanced(momentum=0.75).scale(clock, tasks(2)) == pytest.approx(4.0)


def test_the_suite_says_which_steps_it_compares() -> None:
    """The full step is lr over one less momentum, without momentum."""
    node = read_document((Path(__file__).parents[2] / "suites" / "mnist.yaml").read_bytes())
    sgd = node.items["base"].items["method"].items["meta"].items["optimizer"].items["sgd"].items
    arms = node.items["arms"].items
    assert (float(sgd["lr"].text), float(sgd["momentum"].text)) == (RATE, MOMENTUM)
    for arm in ("itaml-full-step", "joint-full-step"):
        full = arms[arm].items["method.meta.optimizer"].items["sgd"].items
        assert float(full["lr"].text) == pytest.approx(RATE / (1 - MOMENTUM))
        assert "momentum" not in full
