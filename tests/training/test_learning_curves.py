"""How a task is learnt: alike in every form of a stack, right by hand, and without a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ablate import flow
from ablate.core import process_state
from ablate.records.rows.sealing import content
from ablate.registry import Catalogue
from ablate.training import loop, replicas
from ablate.training.assembly import Assembled, assemble
from ablate.training.execute import attempt
from ablate.training.learning_curves import MOST_ROWS, Recorder, measured_epochs, sample
from ablate.types import Json, Site, Stack, Suite

HERE = Site("data", "cpu")
EPOCHS = ("epochs: 1", "epochs: 7")
FLOAT64 = ("seeds: 3", "seeds: 2\nprecision: float64")


def stacks(suite: Suite) -> tuple[Stack, ...]:
    return flow.prepare(suite, Path("data"), None).stacks


def losses(curves: Sequence[Json]) -> list[float]:
    return [value for task in curves for value in task["loss"]]


def test_epochs_are_evenly_spaced_and_the_last_is_among_them() -> None:
    """Every epoch of a few; from ten on every second, never more than ten."""
    for epochs in range(1, 200):
        at = measured_epochs(epochs)
        assert at == sorted({*at})
        assert at[0] >= 1
        assert at[-1] == epochs
        assert len(at) == (epochs if epochs <= 5 else min(10, max(5, epochs // 2)))
        assert max(np.diff(at), default=0) - min(np.diff(at), default=0) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("arm", ["reptile", "balanced"])
def test_compiled_stacked_and_alone_have_the_same_curves(
    arm: str, suite_of: Callable[..., Suite], catalogue: Catalogue
) -> None:
    """To 1e-4 of a nat, and to the row."""
    stack = next(s for s in stacks(suite_of(EPOCHS, FLOAT64)) if arm in str(s.runs))
    torch_form = replace(HERE, compiled=False)
    forms = {
        "compiled": attempt(stack, HERE, catalogue),
        "stacked": attempt(stack, torch_form, catalogue),
        "alone": [
            result
            for run in stack.runs
            for result in attempt(replace(stack, runs=(run,)), torch_form, catalogue)
        ],
    }
    assert [r.provenance["form"] for results in forms.values() for r in results] == [
        *["compiled"] * 2,
        *["torch"] * 4,
    ]
    for results in forms.values():
        for result, expected in zip(results, forms["alone"], strict=True):
            assert len(result.curves) == 5
            assert losses(result.curves) == pytest.approx(losses(expected.curves), abs=1e-4)
            for task, other in zip(result.curves, expected.curves, strict=True):
                assert task["at"] == [1, 2, 4, 5, 7]
                assert {**task, "loss": 0} == {**other, "loss": 0}
    first, second = forms["stacked"]
    assert abs(losses(first.curves)[-1] - losses(second.curves)[-1]) > 1e-3


@pytest.fixture
def made(suite_of: Callable[..., Suite], catalogue: Catalogue) -> Assembled:
    return assemble(stacks(suite_of(EPOCHS, FLOAT64))[0], HERE, catalogue)


def test_a_point_is_the_cross_entropy_of_the_rows_named(made: Assembled) -> None:
    """Of task 2 with two seeds, by NumPy from the network's logits alone."""
    after = list(loop.run(made.program, made.stream, made.theta))[1]
    for s, curve in enumerate(after.curves):
        rows, positions = sample(made.stream.cut, 1, s)
        assert len(rows) == MOST_ROWS == curve["rows"]
        order = list(made.stream.cut.orders[s])
        assert [order.index(c) for c in made.data.y_train[rows]] == positions.tolist()
        logits = replicas.logits(made.program, after.state, made.stream.x[rows])[s, :, :4].numpy()
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        expected = -np.log(p[np.arange(MOST_ROWS), positions]).mean()
        assert curve["loss"][-1] == pytest.approx(expected, rel=1e-9)
        assert curve["right"][-1] == (logits.argmax(1) == positions).sum()
        assert 0 < curve["right"][-1] < MOST_ROWS


def test_rows_are_spread_over_the_task_in_their_order(made: Assembled) -> None:
    """From its first row on; they are the same whatever order the memory has put them in."""
    cut = made.stream.cut
    rows, _ = sample(cut, 0, 1)
    of_task = np.flatnonzero(np.isin(made.data.y_train, cut.orders[1][:2]))
    assert rows[0] == of_task[0]
    assert np.array_equal(rows, of_task[np.arange(MOST_ROWS) * len(of_task) // MOST_ROWS])
    before = rows.tolist()
    cut.pool[1, 0, : cut.counts[1, 0]] = cut.pool[1, 0, : cut.counts[1, 0]][::-1].copy()
    assert sample(cut, 0, 1)[0].tolist() == before


def test_replicas_with_fewer_rows_count_theirs_alone(made: Assembled) -> None:
    """What fills them up weighs nothing."""
    counts = made.stream.cut.counts.copy()
    counts[1, :2] = 3
    stream = made.stream
    stream.cut = replace(stream.cut, counts=counts)
    state = replicas.start(made.program, made.theta)
    recorder = Recorder(made.program, stream, 0, 1)
    recorder.see(0, state)
    whole, few = recorder.curves
    assert (whole["rows"], few["rows"]) == (MOST_ROWS, 6)
    rows, positions = sample(stream.cut, 0, 1)
    logits = replicas.logits(made.program, state, stream.x[rows])[1, :, :2]
    expected = torch.nn.functional.cross_entropy(logits, torch.as_tensor(positions))
    assert few["loss"] == pytest.approx([float(expected)], rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "torch"])
def test_looking_changes_nothing(
    compiled: bool,
    suite_of: Callable[..., Suite],
    catalogue: Catalogue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Records, and the state of every generator, are those of a training that nobody looks at."""
    stack, site = stacks(suite_of(EPOCHS))[0], replace(HERE, compiled=compiled)
    before = process_state.snapshot()
    looked = attempt(stack, site, catalogue)
    assert process_state.changes(before, process_state.snapshot()) == []
    final = list(loop.run(*trained(stack, site, catalogue)))[-1].state.theta
    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "see", lambda *_: None)
        unseen = attempt(stack, site, catalogue)
        assert torch.equal(final, list(loop.run(*trained(stack, site, catalogue)))[-1].state.theta)
    assert looked[0].curves[0]["loss"]
    assert not unseen[0].curves[0]["loss"]
    for with_curves, without in zip(looked, unseen, strict=True):
        assert {**content(with_curves), "seconds": 0} == {**content(without), "seconds": 0}


def trained(stack: Stack, site: Site, catalogue: Catalogue) -> tuple[object, object, torch.Tensor]:
    made = assemble(stack, site, catalogue)
    return made.program, made.stream, made.theta


def test_a_run_that_diverges_has_its_curve_up_to_there(
    suite_of: Callable[..., Suite], catalogue: Catalogue
) -> None:
    """Losses that are not finite are none."""
    suite = suite_of(EPOCHS, ("lr: 0.3", "lr: 8.0, weight_decay: 1.0"))
    (result, *_) = attempt(stacks(suite)[-1], HERE, catalogue)
    assert result.status == "diverged"
    (first, second, *_), last = losses(result.curves), losses(result.curves)[-1]
    assert 1 < first < second / 100
    assert last is None


@pytest.mark.slow
@pytest.mark.parametrize("method", ["dgr", "rps-net", "icarl", "rtf"])
def test_methods_with_scores_of_their_own_have_curves(
    method: str, suite_of: Callable[..., Suite], catalogue: Catalogue
) -> None:
    """Also in the middle of a task, before they could classify by exemplars."""
    text = f"""
question: Is it looked at?
base:
  dataset: {{digits: {{tasks: 5}}}}
  model: {{mlp: {{widths: [16]}}}}
  memory: {"{random: {budget_rows: 50}}" if method in ("icarl", "rps-net") else "none"}
  optimizer: {{sgd: {{lr: 0.1}}}}
  training: {{standard: {{epochs: 1, batch_rows: 64}}}}
  method: {method}
arms: {{a: {{}}}}
seeds: 2
"""
    for stack in stacks(suite_of(text=text)):
        for result in attempt(stack, HERE, catalogue):
            assert result.reason == ""
            assert len(losses(result.curves)) == 5
            assert losses(result.curves)[0] < np.log(2) * 2
