"""Effective steps against the formula, and what reports draw of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ablate import flow
from ablate.compiled.effective_step import effective_step
from ablate.registry import scan
from ablate.types import Suite
from reports import effective_steps, write

PRESENT = [1, 2, 3, 4, 5]
ETA = sum(math.exp(-t / 5) for t in range(5)) / 5
CHAINED = sum((t + 1) * math.exp(-t / 5) for t in range(5)) / 5
LR, M = 0.05, 0.9
MOMENTUM = f"method.meta.optimizer: {{sgd: {{lr: {LR}, momentum: {M}}}}}"


def method_of(suite_of: Callable[..., Suite], arm: str) -> Any:
    """Build the method of an arm."""
    old = "balanced: {method.meta.update: balanced}"
    suite = suite_of((old, f"balanced: {{{arm}}}"))
    return scan().build(suite.variants[1].choices["method"])


def rolled(steps: int) -> float:
    """Add up how far steps go from rest on a slope of 1: each velocity is m times the last, + 1."""
    return sum((1 - M**j) / (1 - M) for j in range(1, steps + 1))


@pytest.mark.parametrize(
    ("arm", "expected"),
    [
        ("method.meta.update: balanced", 0.3),
        ("method.meta.update: {balanced: {steps: inner}}, method.meta.inner_steps: 4", 1.2),
        ("method.meta.update: {joint: {steps: inner}}, method.meta.inner_steps: 4", 1.2),
        ("method.meta.update: itaml, method.meta.inner_steps: 3", 0.3 * ETA * 3),
        ("method.meta.update: itaml-released", 0.3 * CHAINED),
        ("method.meta.update: {balanced: {match: itaml-released}}", 0.3 * CHAINED),
        (f"method.meta.update: itaml, {MOMENTUM}", LR * ETA),
        (
            f"method.meta.update: itaml, method.meta.inner_steps: 4, {MOMENTUM}",
            LR * ETA * rolled(4),
        ),
        (
            f"method.meta.update: itaml-released, method.meta.inner_state: carried, {MOMENTUM}",
            LR * CHAINED / (1 - M),
        ),
        ("method: {replay: {optimizer: {sgd: {lr: 0.05, momentum: 0.9}}}}", LR / (1 - M)),
        ("method.meta.optimizer.sgd.weight_decay: 0.01", 0.15),
    ],
)
def test_it_is_lr_k_eta_r_over_one_less_momentum(
    arm: str, expected: float, suite_of: Callable[..., Suite]
) -> None:
    """In every part: the mean and the chain, fresh and carried momentum, one step and r."""
    found = effective_step(method_of(suite_of, arm), PRESENT)
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "arm",
    ["method.meta.optimizer: adam", "method: {mas: {optimizer: {sgd: {lr: 0.1}}}}"],
)
def test_there_is_none_where_the_slope_does_not_set_it(
    arm: str, suite_of: Callable[..., Suite]
) -> None:
    """Adam scales slopes away; a method that adds a term has no compiled form."""
    assert effective_step(method_of(suite_of, arm), PRESENT) is None


def test_arms_are_drawn_along_the_axis_that_moves_them(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study], tmp_path: Path
) -> None:
    """A line an arm over the rates, a panel for each loss, and a sentence on how to read it."""
    axes = "vary: {method.meta.optimizer.sgd.lr: [0.1, 0.2], method.meta.loss: [all-ce, task-ce]}"
    study = run_suite(suite_of(("seeds: 3", f"{axes}\nseeds: 3")))
    panels = effective_steps.lines(study, "all-classes")
    assert list(panels) == ["loss = all-ce", "loss = task-ce"]
    for panel in panels.values():
        assert {arm: [step for step, _ in points] for arm, points in panel.items()} == {
            "reptile": pytest.approx([0.05, 0.1]),
            "balanced": pytest.approx([0.1, 0.2]),
        }
    text = write.write(study, tmp_path).read_text()
    assert (tmp_path / effective_steps.STEPS).exists()
    assert "in slopes of the mean loss" in text


def test_one_step_an_arm_is_no_picture(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study], tmp_path: Path
) -> None:
    """Nor a sentence on it."""
    text = write.write(run_suite(suite_of()), tmp_path).read_text()
    assert not (tmp_path / effective_steps.STEPS).exists()
    assert "in slopes of the mean loss" not in text
