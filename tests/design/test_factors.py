"""Each factor of the released code: its levels differ where they should, else they are INERT."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ablate import flow
from ablate.design.reader import parse_suite
from ablate.types import Suite

pytestmark = pytest.mark.slow

BASE = """
question: Do the two levels differ?
base:
  dataset: {digits: {tasks: 5, train_per_class: 60}}
  model: MODEL
  memory: {random: {budget_rows: 40}}
  training:
    standard:
      epochs: 4
      batch_rows: 16
      batches: balanced
      schedule: {milestones: {epochs: [2], factor: 0.5}}
  method:
    meta:
      update: {itaml: {beta: 0.5}}
      optimizer: {sgd: {lr: 0.2, momentum: 0.9}}
      loss: task-bce
      inner_steps: 2
arms:
  described: {EXTRA}
  released: {LEVEL}
seeds: 1
precision: float64
contrasts:
  - {treatment: released, baseline: described, metric: all-classes, margin: 1 points}
"""
MLP = "{mlp: {widths: [16]}}"
CONV = "{conv4: {width: 4, norm: batch}}"
GROUP = "{conv4: {width: 4, norm: group}}"
META, TRAINING = "method.meta.", "training.standard."
CHAIN = f"{META}update: {{outer: {{gather: chain, step: {{decaying: {{beta: 0.5}}}}}}}}"
DIFFER = [
    ("restart and gather", CHAIN, "", MLP),
    ("r", META + "inner_steps: 1", "", MLP),
    ("r in the last task", META + "last_steps: 4", "", MLP),
    ("optimizer state", META + "inner_state: carried", "", MLP),
    ("optimizer state over tasks", META + "inner_state: kept", META + "inner_state: carried", MLP),
    ("checkpoint by validation", TRAINING + "checkpoint: best", "", MLP),
    ("checkpoint by test rows", TRAINING + "checkpoint: {best: {by: test-ORACLE}}", "", MLP),
    ("rows of a batch", TRAINING + "batches: natural", "", MLP),
    ("exemplars", "memory: {first: {budget_rows: 40}}", "", MLP),
    ("class order", "dataset.digits.class_order: natural", "", MLP),
    ("last task's rate", TRAINING + "schedule.milestones.last_task: 0.25", "", MLP),
    ("first task's epochs", TRAINING + "first_epochs: 1", "", MLP),
    ("buffers", META + "buffers: carried", "", CONV),
    ("output bias", "model.mlp.output_bias: false", "", MLP),
    ("initial values", "model.mlp.init: kaiming", "", MLP),
    ("heads with layers", "model.mlp: {widths: [16], heads: 5, head_widths: [4]}", "", MLP),
]
PLAIN = "method.meta.optimizer: {sgd: {lr: 0.2}}"
INERT = [
    ("buffers of a model without any", META + "buffers: carried", "", GROUP),
    ("state of plain SGD", f"{PLAIN}, {META}inner_state: carried", PLAIN, MLP),
    (
        "which validation rows, if none are used",
        TRAINING + "checkpoint: {best: {by: test-ORACLE, validation_rows: 3}}",
        TRAINING + "checkpoint: {best: {by: test-ORACLE}}",
        MLP,
    ),
    (
        "a window that takes the last epoch",
        TRAINING + "checkpoint: {best: {by: test-ORACLE, last_epochs: 1}}",
        "",
        MLP,
    ),
    ("r in the last task, the same", META + "last_steps: 2", "", MLP),
]


def study(
    run_suite: Callable[..., flow.Study], catalogue: Any, level: str, extra: str, model: str
) -> flow.Study:
    text = BASE.replace("LEVEL", level).replace("EXTRA", extra).replace("MODEL", model)
    suite: Suite = parse_suite(text.encode(), "factor", "factor.yaml", catalogue)
    found = run_suite(suite)
    assert [r.status for runs in found.runs for r in runs.values()] == ["ok", "ok"]
    return found


@pytest.mark.parametrize("case", DIFFER, ids=[case[0] for case in DIFFER])
def test_the_two_levels_of_a_factor_differ(
    case: tuple[str, ...], run_suite: Callable[..., flow.Study], catalogue: Any
) -> None:
    """Some test row is scored differently."""
    found = study(run_suite, catalogue, *case[1:])
    a, b = (runs[0] for runs in found.runs)
    assert a.right != b.right


@pytest.mark.parametrize("case", INERT, ids=[case[0] for case in INERT])
def test_levels_that_cannot_matter_are_inert(
    case: tuple[str, ...], run_suite: Callable[..., flow.Study], catalogue: Any
) -> None:
    """Every score is the same."""
    found = study(run_suite, catalogue, *case[1:])
    a, b = (runs[0] for runs in found.runs)
    assert (a.right, a.task_right) == (b.right, b.task_right)
