"""Every update rule against numbers worked out by hand, on two parameters and two tasks.

Task k has the loss L_k(theta) = a_k / 2 |theta - c_k|^2, so one SGD step with learning rate alpha
takes theta to theta - alpha a_k (theta - c_k). With theta = (1, 2), alpha = 0.1:

    task 0: a = 1, c = (0, 0): gradient (1, 2),   phi_0 = (0.9, 1.8)
    task 1: a = 2, c = (3, 1): gradient (-4, 2),  phi_1 = (1.4, 1.8)
    mean of the solutions: (1.15, 1.8)
    chain: from (0.9, 1.8), gradient 2 (-2.1, 0.8) = (-4.2, 1.6), ends at (1.32, 1.64)
"""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from ablate.registry import Catalogue
from ablate.training.inner_loop import InnerLoop
from ablate.types import Choice, Clock, Tasks
from variants.optimizer.sgd import Sgd

THETA = torch.tensor([1.0, 2.0], dtype=torch.float64)
STEEP = torch.tensor([1.0, 2.0], dtype=torch.float64)
CENTRE = torch.tensor([[0.0, 0.0], [3.0, 1.0]], dtype=torch.float64)


def tasks(rows: tuple[int, int] = (1, 1)) -> Tasks:
    """Two tasks; x carries their constants, w their rows."""
    x = torch.cat([STEEP[:, None], CENTRE], 1)[:, None].expand(2, 3, 3)  # [K, B, D]
    w = torch.tensor([[1.0] * n + [0.0] * (3 - n) for n in rows], dtype=torch.float64)
    flags = torch.ones(2, 1, dtype=torch.bool)
    return Tasks(x, torch.zeros(2, 3, dtype=torch.long), w, flags, flags, w.sum(1) > 0)


def loss(theta: Tensor, task: Tasks) -> Tensor:
    steep, centre = task.x[0, 0], task.x[0, 1:]
    return steep / 2 * ((theta - centre) ** 2).sum()


def fit(steps: int = 1, **optimizer: float) -> InnerLoop:
    return InnerLoop(loss, Sgd(**{"lr": 0.1, **optimizer}), steps)


def rule(catalogue: Catalogue, name: str, **settings: Any) -> Any:
    return catalogue.build(Choice("update", name, settings))


def after(
    catalogue: Catalogue, name: str, t: int = 1, steps: int = 1, **settings: Any
) -> list[float]:
    made = rule(catalogue, name, **settings)
    return [float(v) for v in made(THETA, tasks(), fit(steps), Clock(t, T=2))]


ETA = math.exp(-1.0 * 1 / 2)  # beta 1, second of two tasks, counted from 0


@pytest.mark.parametrize(
    ("name", "settings", "target"),
    [
        ("reptile", {"epsilon": 0.5}, (1.075, 1.9)),
        ("reptile-chain", {"epsilon": 0.5}, (1.16, 1.82)),
        ("itaml", {"beta": 1.0}, (1 + ETA * 0.15, 2 - ETA * 0.2)),
        ("itaml-released", {"beta": 1.0}, (1 + ETA * 0.32, 2 - ETA * 0.36)),
        # one step on the mean of the losses: gradient ((1 - 4) / 2, (2 + 2) / 2) = (-1.5, 2)
        ("balanced", {}, (1.15, 1.8)),
        ("joint", {}, (1.15, 1.8)),
    ],
)
def test_one_inner_step_moves_theta_as_worked_out_by_hand(
    catalogue: Catalogue, name: str, settings: dict[str, float], target: tuple[float, float]
) -> None:
    """Each rule gives its formula's numbers."""
    assert pytest.approx(target, abs=1e-12) == after(catalogue, name, **settings)


def test_two_inner_steps_are_taken_before_the_mean(catalogue: Catalogue) -> None:
    """phi_0 = 0.81 theta; phi_1: from (1.4, 1.8), gradient (-3.2, 1.6), to (1.72, 1.64)."""
    expected = [1 + 0.5 * ((0.81 + 1.72) / 2 - 1), 2 + 0.5 * ((1.62 + 1.64) / 2 - 2)]
    assert expected == pytest.approx(after(catalogue, "reptile", steps=2, epsilon=0.5), abs=1e-12)


def test_chain_differs_from_mean_here(catalogue: Catalogue) -> None:
    """The two gathers are not the same rule."""
    mean, chain = (after(catalogue, name) for name in ("reptile", "reptile-chain"))
    assert max(abs(a - b) for a, b in zip(mean, chain, strict=True)) > 0.05


def test_counting_from_one_is_a_smaller_step(catalogue: Catalogue) -> None:
    """In the first of two tasks: eta = 1 counted from 0, exp(-1/2) counted from 1."""
    zero, one = (after(catalogue, "itaml", t=0, count_from=c)[0] for c in (0, 1))
    assert pytest.approx(zero, abs=1e-12) == 1.15
    assert pytest.approx(one, abs=1e-12) == 1 + ETA * 0.15


def test_joint_weighs_tasks_by_their_rows(catalogue: Catalogue) -> None:
    """Three rows of task 0 and one of task 1: gradient ((3 - 4) / 4, (6 + 2) / 4) = (-0.25, 2)."""
    found = rule(catalogue, "joint")(THETA, tasks((3, 1)), fit(), Clock(1, 2))
    assert pytest.approx(found.tolist(), abs=1e-12) == [1.025, 1.8]


def test_balanced_ignores_how_many_rows_a_task_has(catalogue: Catalogue) -> None:
    """The mean of task losses counts each task once."""
    found = rule(catalogue, "balanced")(THETA, tasks((3, 1)), fit(), Clock(1, 2))
    assert pytest.approx(found.tolist(), abs=1e-12) == [1.15, 1.8]


@pytest.mark.parametrize("name", ["reptile", "itaml", "balanced", "joint", "reptile-chain"])
def test_an_absent_task_takes_no_part(catalogue: Catalogue, name: str) -> None:
    """With task 1 absent only task 0 moves theta: its solution is (0.9, 1.8)."""
    ragged = InnerLoop(loss, Sgd(lr=0.1), 1, sizes=(3, 1))
    whole = {"reptile": {"epsilon": 1.0}, "itaml": {"beta": 0.0}, "reptile-chain": {"epsilon": 1.0}}
    found = rule(catalogue, name, **whole.get(name, {}))(THETA, tasks((3, 0)), ragged, Clock(1, 2))
    assert pytest.approx(found.tolist(), abs=1e-12) == [0.9, 1.8]


def test_matched_takes_the_arms_effective_step(catalogue: Catalogue) -> None:
    """One step at eta * alpha * r: at r = 2, theta - 2 eta 0.1 (-1.5, 2)."""
    match = Choice("update", "itaml", {"beta": 1.0})
    found = after(catalogue, "balanced", steps=2, match=match)
    assert pytest.approx(found, abs=1e-12) == [1 + 2 * ETA * 0.15, 2 - 2 * ETA * 0.2]


def test_matched_to_a_chain_takes_a_step_for_each_task(catalogue: Catalogue) -> None:
    """Two tasks in a chain move as far as two steps on their mean: theta - 2 eta 0.1 (-1.5, 2)."""
    match = Choice("update", "itaml-released", {"beta": 1.0})
    found = after(catalogue, "balanced", match=match)
    assert pytest.approx(found, abs=1e-12) == [1 + 2 * ETA * 0.15, 2 - 2 * ETA * 0.2]
    alone = rule(catalogue, "balanced", match=match)
    ragged = InnerLoop(loss, Sgd(lr=0.1), 1, sizes=(3, 1))
    one = alone(THETA, tasks((3, 0)), ragged, Clock(1, 2))
    assert pytest.approx(one.tolist(), abs=1e-12) == [1 - ETA * 0.1, 2 - ETA * 0.2]


def test_a_matched_null_moves_as_far_as_its_arm_for_small_steps(catalogue: Catalogue) -> None:
    """To first order in the learning rate, for every preset, at one and at three inner steps."""
    for name in ("reptile", "itaml", "reptile-chain", "itaml-released"):
        for steps in (1, 3):
            small = fit(steps, lr=1e-6)
            arm = rule(catalogue, name)(THETA, tasks(), small, Clock(1, 2)) - THETA
            null = rule(catalogue, "balanced", match=Choice("update", name, {}))
            moved = null(THETA, tasks(), small, Clock(1, 2)) - THETA
            assert torch.allclose(moved, arm, rtol=1e-4)


def test_nulls_can_take_as_many_steps_as_the_inner_loop(catalogue: Catalogue) -> None:
    """Two steps on the mean loss: from (1.15, 1.8), gradient (1.15 - 3.7, 1.8 + 1.6) / 2."""
    made = rule(catalogue, "balanced", **{"steps": "inner"})
    found = made(THETA, tasks(), fit(2), Clock(1, 2))
    assert pytest.approx(found.tolist(), abs=1e-12) == [1.15 + 0.1275, 1.8 - 0.17]


def test_carried_momentum_goes_from_task_to_task(catalogue: Catalogue) -> None:
    """Chain with momentum 0.5: v = (1, 2), then 0.5 v + (-4.2, 1.6) = (-3.7, 2.6)."""
    made, loop = rule(catalogue, "reptile-chain", epsilon=1.0), fit(momentum=0.5)
    found, inner = made.carry(THETA, tasks(), loop, Clock(1, 2), loop.fresh(THETA))
    assert pytest.approx(found.tolist(), abs=1e-12) == [0.9 + 0.37, 1.8 - 0.26]
    assert pytest.approx(inner[0].tolist(), abs=1e-12) == [-3.7, 2.6]


def test_fresh_momentum_is_forgotten_between_tasks(catalogue: Catalogue) -> None:
    """At one inner step fresh momentum is plain SGD, carried momentum is not."""
    made = rule(catalogue, "reptile-chain", epsilon=1.0)
    fresh = made(THETA, tasks(), fit(momentum=0.5), Clock(1, 2))
    assert pytest.approx(fresh.tolist(), abs=1e-12) == [1.32, 1.64]


def test_mean_with_carried_state_restarts_theta_but_not_the_state(catalogue: Catalogue) -> None:
    """phi_1 starts at theta with velocity 0.5 (1, 2) + (-4, 2) = (-3.5, 3): (1.35, 1.7)."""
    made, loop = rule(catalogue, "reptile", epsilon=1.0), fit(momentum=0.5)
    found, _ = made.carry(THETA, tasks(), loop, Clock(1, 2), loop.fresh(THETA))
    assert pytest.approx(found.tolist(), abs=1e-12) == [(0.9 + 1.35) / 2, (1.8 + 1.7) / 2]


# --- what runs on, and what restarts


def counted(theta: Tensor, task: Tasks) -> tuple[Tensor, Tensor]:
    """The loss of the first two entries; each forward pass adds 1 to the last, a buffer."""
    return loss(theta[:2], task), (theta[2:] + 1).detach()


BUFFERED = torch.cat([THETA, THETA.new_tensor([10.0])])


@pytest.mark.parametrize(
    ("name", "running", "steps", "expected"),
    [
        ("outer-mean", False, 1, 10 + ETA),  # both tasks: 10 -> 11, their mean is 11
        ("outer-chain", False, 1, 10 + 2 * ETA),  # 10 -> 11 -> 12
        ("outer-mean", True, 1, 12),  # the second task goes on from the first one's 11
        ("outer-chain", True, 3, 16),  # six forward passes, neither averaged nor stepped
    ],
)
def test_buffers_restart_and_average_or_run_on(
    catalogue: Catalogue, name: str, running: bool, steps: int, expected: float
) -> None:
    """Restarted, they move like parameters; carried, every forward pass counts once."""
    gather = Choice("gather", name.removeprefix("outer-"), {})
    step = Choice("step", "decaying", {"beta": 1.0, "count_from": 0})
    made = rule(catalogue, "outer", gather=gather, step=step)
    plain = fit(steps)
    loop = InnerLoop(counted, plain.optimizer, steps, buffers=1, carried=False, running=running)
    if running:
        theta, inner = made.carry(BUFFERED, tasks(), loop, Clock(1, 2), loop.fresh(BUFFERED))
        assert float(inner[-1]) == expected
    else:
        theta = made(BUFFERED, tasks(), loop, Clock(1, 2))
        assert float(theta[2]) == pytest.approx(expected, rel=1e-12)
    parameters = made(THETA, tasks(), plain, Clock(1, 2))
    assert torch.allclose(theta[:2], parameters, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["balanced", "joint"])
def test_the_nulls_move_buffers_by_one_pass_a_step(catalogue: Catalogue, name: str) -> None:
    """Over tasks they are averaged with the weights of the loss."""
    loop = InnerLoop(counted, fit().optimizer, 2, buffers=1, running=True)
    made = rule(catalogue, name, steps="inner")
    _, inner = made.carry(BUFFERED, tasks(), loop, Clock(1, 2), loop.fresh(BUFFERED))
    assert float(inner[-1]) == 12


def test_the_newest_task_may_take_steps_of_its_own(catalogue: Catalogue) -> None:
    """Chain, one step on task 0: (0.9, 1.8); two on task 1: (1.32, 1.64), (1.656, 1.512)."""
    for carried in (False, True):
        loop = InnerLoop(loss, fit().optimizer, 1, newest_steps=2, carried=carried)
        chain = rule(catalogue, "reptile-chain", epsilon=1.0)
        found = chain(THETA, tasks(), loop, Clock(1, 2))
        assert found.tolist() == pytest.approx([1.656, 1.512])
        mean = rule(catalogue, "reptile", epsilon=1.0)
        # task 1 from theta: (1.4, 1.8), (1.72, 1.64); its mean with (0.9, 1.8)
        assert mean(THETA, tasks(), loop, Clock(1, 2)).tolist() == pytest.approx([1.31, 1.72])
