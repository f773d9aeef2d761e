"""Tasks of unequal size through the engine: what they are made of, and what does not change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ablate import flow
from ablate.design.reader import parse_suite
from ablate.plan.pending import look
from ablate.plan.run_keys import plan
from ablate.registry import scan
from ablate.streams.class_split import split
from ablate.streams.task_stream import Stream
from ablate.training.execute import attempt
from ablate.training.train_step import Rows, own_tasks
from ablate.types import Data, RunResult, Site, Stack, Suite, TaskClasses
from tests.training.test_stacking import final_logits
from tests.variants.test_method_runs import SMALL, memory_of
from variants.memory.random import Random

CATALOGUE, HERE = scan(), Site("data", "cpu")
TEXT = """
question: What do the sizes of tasks change?
base:
  dataset: {{digits: {{tasks: {tasks}, train_per_class: 13, test_per_class: 6}}}}
  model: {{mlp: {{widths: [7, 5]}}}}
  memory: {memory}
  optimizer: {{sgd: {{lr: 0.2, momentum: {momentum}}}}}
  training: {{standard: {{epochs: 1, batch_rows: 8, batches: {batches}}}}}
  method: {method}
  predict: {predict}
precision: float64
seeds: 2
"""
USUAL = {
    "tasks": "[4, 1, 3, 2]",
    "memory": "{herding: {budget_rows: 24}}",
    "batches": "balanced",
    "method": "{meta: {update: reptile, inner_steps: 2, loss: task-bce}}",
    "predict": "all-classes",
    "momentum": "0.9",
}


def only(**said: str) -> Stack:
    """Plan a suite of one arm and give its stack."""
    suite = parse_suite(TEXT.format(**USUAL | said).encode(), "u", "u.yaml", CATALOGUE)
    (stack,) = plan(suite, CATALOGUE, look(suite, CATALOGUE, Path("data"), False), 2).stacks
    return stack


def records(site: Site = HERE, **said: str) -> list[RunResult]:
    results = attempt(only(**said), site, CATALOGUE)
    assert [result.status for result in results] == ["ok", "ok"], results[0].reason
    return results


def measured(result: RunResult) -> tuple[Any, ...]:
    """Give everything that a run measured, without its key and its time."""
    timeless = {**result.provenance, "git": None}
    counts = result.rows, result.right, result.task_right, result.row_right
    return *counts, result.updates, result.gradients, result.curves, timeless


@pytest.mark.parametrize("batches", ["balanced", "natural", "paired"])
@pytest.mark.parametrize(
    "predict",
    [
        "all-classes",
        "{continuum: {rows: 5}}",
        "{known-task-adapted: {loss: task-ce, optimizer: adam}}",
    ],
)
def test_a_list_of_equal_sizes_is_the_number_of_tasks(batches: str, predict: str) -> None:
    """To the bit, in every mode; only the settings, and so the keys, are written otherwise."""
    whole, listed = (
        records(tasks=tasks, batches=batches, predict=predict) for tasks in ("5", "[2, 2, 2, 2, 2]")
    )
    assert list(map(measured, whole)) == list(map(measured, listed))
    assert whole[0].key != listed[0].key
    assert "task_classes" not in whole[0].provenance


def test_the_keys_of_equal_tasks_are_as_they_were() -> None:
    """A stored run stays the run that it was."""
    keys = [run.key[:16] for run in only(tasks="5").runs]
    assert keys == ["9ae098ebc9c226a5", "dae1409ae82e6067"]


@pytest.mark.parametrize("batches", ["balanced", "natural", "paired"])
@pytest.mark.parametrize("loss", ["all-ce", "task-ce", "task-bce"])
@pytest.mark.parametrize("learner", ["meta: {update: reptile", "meta: {update: joint", "replay: {"])
def test_compiled_and_torch_forms_agree_on_unequal_tasks(
    batches: str, loss: str, learner: str
) -> None:
    """In all that a run measures but the last digits of its training loss."""
    comma = "" if learner.endswith("{") else ", "
    said = {"batches": batches, "method": f"{{{learner}{comma}loss: {loss}}}}}"}
    forms = [records(replace(HERE, compiled=compiled), **said) for compiled in (True, False)]
    assert [form[0].provenance["form"] for form in forms] == ["compiled", "torch"]
    for one, other in zip(*forms, strict=True):
        assert (one.right, one.task_right, one.rows) == (other.right, other.task_right, other.rows)
        assert one.rows == [24, 6, 18, 12]
        for task, twin in zip(one.curves, other.curves, strict=True):
            assert task["loss"] == pytest.approx(twin["loss"], abs=1e-6)
            assert task["right"] == twin["right"]


@pytest.mark.slow
@pytest.mark.parametrize("name", CATALOGUE.names("method"))
def test_every_method_stacks_on_unequal_tasks(name: str) -> None:
    """To 1e-12 in float64, as on equal ones; the first task is the largest."""
    if not CATALOGUE.get("method", name).facts.get("stackable", True):
        pytest.skip("it says that it does not stack")
    method = SMALL.get(name, f"{{{name}: {{}}}}")
    field = CATALOGUE.get("method", name).field("loss")
    if field and CATALOGUE.slot(field.annotation) == "loss" and "loss" not in method:
        method = method.replace(": {", ": {loss: task-ce, ", 1)
    stack = only(method=method, memory=memory_of(name), batches="paired", momentum="0.0")
    together = final_logits(stack, CATALOGUE)
    for s, run in enumerate(stack.runs):
        alone = final_logits(replace(stack, runs=(run,)), CATALOGUE)[0]
        assert float((together[s] - alone).abs().max()) < 1e-12 * max(1, float(alone.abs().max()))
    assert float((together[0] - together[1]).abs().max()) > 1e-3


def test_all_classes_score_alike_however_one_task_is_cut() -> None:
    """Trained with everything in one task, rows are right whatever tasks they are counted under."""
    (whole,) = (records(tasks="1")[0],)
    (listed,) = (records(tasks="[10]")[0],)
    assert whole.row_right == listed.row_right
    assert whole.right == listed.right


def data(counts: tuple[int, ...] = (9, 7, 8, 6, 5, 4)) -> Data:
    """Rows whose only input is their own number; six classes of differing size."""
    y = np.concatenate([np.full(n, c) for c, n in enumerate(counts)])
    x = np.arange(len(y), dtype=np.float32)[:, None]
    return Data(x, y, x[:6], np.arange(6))


@pytest.mark.parametrize("kind", ["balanced", "natural", "paired"])
def test_batches_hold_the_rows_of_their_own_tasks(kind: str) -> None:
    """Classes 0-2, 3 and 4-5 by position; every new row once an epoch, in every mode."""
    cut = split(data(), (0, 1, 2), [3, 1, 2], "seeded")
    stream, bounds = Stream(data(), cut, Random(12), torch.zeros(1)), [(0, 3), (3, 4), (4, 6)]
    for t, (first, end) in enumerate(bounds):
        seen: list[list[int]] = [[], [], []]
        for batch in stream.batches(t, 0, kind, 4):
            tasks = batch.tasks
            for s in range(3):
                for k in range(tasks.y.shape[1]):
                    here = tasks.w[s, k] == 1
                    if not here.any():
                        continue
                    of_class = torch.arange(6)[tasks.own[s, k]]
                    assert (int(of_class[0]), int(of_class[-1]) + 1) in bounds[: t + 1]
                    positions = tasks.y[s, k][here]
                    assert torch.isin(positions, of_class).all()
                    rows = tasks.x[s, k, here, 0].long().numpy()
                    assert (data().y_train[rows] == cut.orders[s][positions.numpy()]).all()
                    assert tasks.seen[s, k].tolist() == [c < end for c in range(6)]
                    if int(of_class[0]) == first:
                        seen[s] += rows.tolist()
            assert batch.classes == TaskClasses((3, 1, 2))
        for s in range(3):
            assert len(seen[s]) == cut.counts[s, first:end].sum() == len({*seen[s]})


def test_each_row_is_told_apart_in_its_own_task_of_any_size() -> None:
    """Also of tasks that have no row in the batch, as generated rows have."""
    x, w = torch.zeros(3, 1), torch.ones(3)
    newest = torch.tensor([False, False, False, False, True, True])
    rows = Rows(x, torch.tensor([2, 3, 5]), w, newest | True, newest, x, TaskClasses((3, 1, 2)))
    assert own_tasks(rows, 6).int().tolist() == [
        [1, 1, 1, 0, 0, 0],
        [0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 1, 1],
    ]


def test_chance_and_the_newest_task_alone_are_of_the_true_sizes(
    run_suite: Callable[..., flow.Study],
) -> None:
    """24, 6, 18 and 12 test rows: the newest has a fifth, and inside the true task 24 / 4 + 6 +
    18 / 3 + 12 / 2 of 60 are guessed.
    """
    from ablate.analysis.chance import inside, lines, newest_line

    (record, _) = records()
    assert record.provenance["task_classes"] == [4, 1, 3, 2]
    blind, told = lines(record), lines(record, known=True)
    assert blind is not None
    assert told is not None
    assert (blind.chance, blind.majority, blind.newest) == pytest.approx((10, 10, 20))
    assert (told.chance, told.majority) == pytest.approx((40, 40))
    second = lines(record, seen=2)
    assert second is not None
    assert (second.chance, second.newest) == pytest.approx((20, 20))
    assert inside(record) == 100
    assert newest_line(record, "all-classes") == pytest.approx(20)
    forged = replace(record, provenance={**record.provenance, "task_classes": [4, 1, 3, 3]})
    assert lines(forged) is None
    suite: Suite = parse_suite(TEXT.format(**USUAL).encode(), "u", "u.yaml", CATALOGUE)
    study = run_suite(suite)
    stored = study.runs[0][0]
    assert stored.provenance["task_classes"] == [4, 1, 3, 2]
    assert stored.rows == [24, 6, 18, 12]
