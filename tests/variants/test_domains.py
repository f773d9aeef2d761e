"""Streams whose tasks have the same classes, and the head that all tasks share."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ablate import flow
from ablate.errors import DataError, SuiteError
from ablate.training.net import initial
from ablate.training.train_step import Rows, labelled
from ablate.types import Data, Facts, Suite, TaskClasses
from variants.dataset import _domains
from variants.dataset.digits import Digits
from variants.dataset.permuted import Permuted
from variants.dataset.rotated import Rotated
from variants.loss.task_ce import TaskCe
from variants.model.mlp import Mlp
from variants.predict.shared_head import SharedHead

NOWHERE = Path("nowhere")
SUITE = """
question: Does replay help where tasks share their classes?
base:
  dataset: {permuted: {of: digits, tasks: 3, train_rows: 300, test_rows: 200}}
  model: {mlp: {widths: [32], domains: 3}}
  memory: {random: {budget_rows: 60}}
  optimizer: {sgd: {lr: 0.1}}
  training: {standard: {epochs: 3, batch_rows: 20, batches: paired}}
  method: replay
  predict: shared-head
arms:
  replay: {}
  fine-tune: {method: fine-tune, memory: none}
seeds: 5
contrasts:
  - {treatment: replay, baseline: fine-tune, metric: accuracy, margin: 1 points, claim: helps}
"""


def test_each_task_permutes_pixels_in_its_own_way() -> None:
    """The same values in another order, the first task's as they are, labels behind one another."""
    data = Permuted(Digits(), tasks=3, train_rows=50, test_rows=None).load(NOWHERE)
    plain = Digits().load(NOWHERE)
    assert sorted(np.unique(data.y_train // 10)) == [0, 1, 2]
    assert len(data.y_train) == 150
    assert len(data.y_test) == 3 * len(plain.y_test)
    per_task = data.x_test.reshape(3, len(plain.y_test), -1)
    assert np.array_equal(per_task[0], plain.x_test.reshape(len(plain.y_test), -1))
    for t in (1, 2):
        order = _domains.permutation(0, t, per_task.shape[-1])
        assert sorted(order) == list(range(per_task.shape[-1]))
        assert np.array_equal(per_task[t], per_task[0][:, order])
        assert not np.array_equal(per_task[t], per_task[0])
    other = Permuted(Digits(), tasks=3, train_rows=50, draw=1).load(NOWHERE)
    assert not np.array_equal(other.x_train, data.x_train)


def test_rows_are_drawn_evenly_from_the_classes() -> None:
    """Few rows of many classes leave none out; fewer than there are classes are refused."""
    y = np.repeat(np.arange(7), [40, 2, 30, 5, 9, 11, 3])
    for most in (7, 20, 60):
        kept = _domains.drawn(0, 1, 0, y, most)
        assert len({*kept}) == most
        counts, there = np.bincount(y[kept], minlength=7), np.bincount(y)
        assert counts.min() >= min(most // 7, 2)
        assert all(
            n == have or n >= counts.max() - 1 for n, have in zip(counts, there, strict=True)
        )
    with pytest.raises(DataError, match="do not cover 10 classes"):
        Permuted(Digits(), train_rows=9).look(NOWHERE)


def test_pictures_are_turned_counter_clockwise() -> None:
    """A quarter turn is NumPy's; what comes in from outside is dark."""
    x = np.random.default_rng(0).normal(size=(2, 1, 5, 5)).astype(np.float32)
    assert np.allclose(_domains.turned(x, 90.0), np.rot90(x, axes=(2, 3)), atol=1e-5)
    assert _domains.turned(x, 0.0) is x
    assert np.isclose(_domains.turned(x, 45.0)[:, :, 0, 0], x.min()).all()


def test_rotations_are_evenly_spaced() -> None:
    """Task t of T is turned by degrees t / T."""

    class Pictures:
        def look(self, root: Path) -> Facts:
            return Facts((1, 4, 4), 2, 6, 4, "digest")

        def load(self, root: Path) -> Data:
            x = np.arange(6 * 16, dtype=np.float32).reshape(6, 1, 4, 4)
            y = np.array([0, 1] * 3)
            return Data(x, y, x[:4], y[:4])

    of = Pictures()
    rows = Rotated(of, tasks=4, degrees=360.0, train_rows=None, test_rows=2)  # type: ignore[arg-type]
    data, facts = rows.load(NOWHERE), rows.look(NOWHERE)
    assert (facts.classes, facts.train_rows, facts.test_rows) == (8, 24, 8)
    plain = of.load(NOWHERE).x_train
    for t in range(4):
        turned = np.rot90(plain, t, axes=(2, 3))
        assert np.allclose(data.x_train[6 * t : 6 * t + 6], turned, atol=1e-3)
    assert data.y_train[6:8].tolist() == [2, 3]

    class Flat(Pictures):
        def look(self, root: Path) -> Facts:
            return Facts((16,), 2, 6, 4, "digest")

    with pytest.raises(DataError, match="no pictures"):
        Rotated(Flat()).look(NOWHERE)  # type: ignore[arg-type]


def test_a_shared_heads_loss_is_that_of_its_own_outputs() -> None:
    """Among all seen classes it has log T more, and the same gradient; own tasks', exactly."""
    net, theta = initial(lambda: Mlp((), domains=3)((4,), 6), seed=0)
    assert len(theta) == Mlp((), domains=3).parameters((4,), 6) == 10
    x, y = torch.randn(5, 4, dtype=torch.float64), torch.tensor([0, 3, 2, 5, 1])
    theta = theta.double()
    every, own = torch.ones(6).bool(), torch.tensor([0, 0, 0, 0, 1, 1]).bool()
    rows = Rows(x, y, torch.ones(5, dtype=torch.float64), every, own, x)
    found = {}
    for name in ("all", "own", "known"):
        at = theta.clone().requires_grad_()
        logits = net(at, x)
        assert torch.equal(logits[:, :2], logits[:, 4:])
        known = nn.functional.cross_entropy(logits[:, :2], y % 2)
        loss = {"all": labelled(logits, rows), "own": labelled(logits, rows, TaskCe())}
        value = loss.get(name, known)
        value.backward()
        found[name] = value.item(), at.grad
    assert found["own"][0] == pytest.approx(found["known"][0])
    assert found["all"][0] == pytest.approx(found["known"][0] + np.log(3))
    for name in ("all", "own"):
        assert torch.allclose(found[name][1], found["known"][1], atol=1e-12)


def test_the_shared_head_needs_no_task_and_refuses_heads_of_tasks() -> None:
    """The class is the best of U outputs; outputs that differ by task would tell the task."""
    shared = np.tile(np.array([[0.2, 0.9], [0.8, 0.1]]), 3)
    guess, task = SharedHead()(shared, np.array([2, 0]), TaskClasses((2,) * 3))
    assert (guess.tolist(), task.tolist()) == ([5, 0], [2, 0])
    with pytest.raises(ValueError, match="domains"):
        SharedHead()(shared + np.arange(6), np.array([2, 0]), TaskClasses((2,) * 3))


def test_a_domain_incremental_suite_runs_and_stands_on_its_chance(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study]
) -> None:
    """Guessing is one in ten, not one in thirty, and no arm is an ORACLE."""
    study = run_suite(suite_of(text=SUITE))
    (verdict,) = study.verdicts
    assert verdict.comparison.chance == pytest.approx(10, abs=4)
    assert verdict.decision in ("MATTERS", "NO GAIN", "INCONCLUSIVE")
    assert verdict.comparison.treatment_values[0] > 50
    assert not any("ORACLE" in warning for warning in study.warnings)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("domains: 3", "domains: 6", "all of them share the outputs, with `domains: 3`"),
        ("predict: shared-head", "predict: all-classes", "say `predict: shared-head`"),
        ("widths: [32], domains: 3", "widths: [32]", "say `domains: 3`"),
        ("metric: accuracy", "metric: all-classes", "tells no classes apart"),
        ("metric: accuracy", "metric: forgetting", "tells no classes apart"),
        ("metric: accuracy", "metric: known-task", "tells no classes apart"),
    ],
)
def test_what_cannot_score_shared_outputs_is_refused(
    old: str, new: str, said: str, suite_of: Callable[..., Suite]
) -> None:
    """Before a run, with what to say instead; otherwise a tie would always be the first task's."""
    with pytest.raises(SuiteError, match=re.escape(said)):
        suite_of((old, new), text=SUITE)
    assert suite_of(("metric: accuracy", "metric: forgetting@shared-head"), text=SUITE)
