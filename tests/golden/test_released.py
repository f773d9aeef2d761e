"""The preset `itaml-released` against an independent loop on torch.nn and torch.optim.

Only the rows of each batch are shared. The loop is written from the list of what the released code
does: one optimizer for each class-incremental task, no restart, no average, r = 1 (or another r on
the newest task's rows in the last task), absent tasks skipped, a checkpoint that beats every epoch
before it, buffers that run on.
"""

from __future__ import annotations

import copy
import math
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ablate import flow
from ablate.design.reader import parse_suite
from ablate.registry import Catalogue
from ablate.training import execute, loop, replicas, test_time_adaptation
from ablate.training.assembly import Assembled, assemble
from ablate.training.net import initial
from ablate.types import Site

pytestmark = pytest.mark.slow

SUITE = """
question: Is the preset what the released code does?
base:
  preset: itaml-released
  dataset: {digits: {tasks: 5, train_per_class: 30, test_per_class: 20}}
  model: MODEL
  memory: {first: {budget_rows: 40}}
  predict: {continuum-adapted: {optimizer: {adam: {lr: 0.001}}, loss: task-bce, batch_rows: 8}}
  training:
    standard:
      epochs: 4
      first_epochs: 2
      batch_rows: 16
      checkpoint: {best: {by: test-ORACLE, over: all-epochs, last_epochs: 3}}
      schedule: {milestones: {epochs: [1, 3], factor: 0.5, last_task: 0.5}}
  method:
    meta:
      update: {itaml-released: {beta: 0.5}}
      optimizer: {sgd: {lr: 0.05, momentum: 0.9, weight_decay: 0.001}}
      loss: task-bce
      last_steps: 2
precision: float64
seeds: 1
"""
MODELS = {
    "mlp": "{mlp: {widths: [12], output_bias: false}}",
    "batch norm": "{released-conv: {width: 0.1}}",
}


@pytest.fixture(params=MODELS.values(), ids=MODELS)
def made(request: Any, catalogue: Catalogue) -> Assembled:
    text = SUITE.replace("MODEL", request.param)
    suite = parse_suite(text.encode(), "released", "released.yaml", catalogue)
    (stack,) = flow.prepare(suite, Path("data"), None).stacks
    return assemble(stack, Site("data", "cpu"), catalogue)


def module_of(made: Assembled, catalogue: Catalogue) -> nn.Module:
    """The same initial values in an ordinary module with torch's own layers."""
    model = catalogue.build(made.stack.runs[0].choices["model"])
    kept: list[nn.Module] = []

    def build() -> nn.Module:
        module = model((1, 8, 8), 10)
        kept.append(copy.deepcopy(module))
        return module

    initial(build, made.stack.runs[0].seed)
    return kept[0].double()


def released(made: Assembled, module: nn.Module, tasks: int) -> nn.Module:
    """Train as the released code does; made's stream only says which rows a batch has."""
    x_test, y_test = torch.as_tensor(made.data.x_test).double(), torch.as_tensor(made.data.y_test)
    for t in range(tasks):
        optimizer = torch.optim.SGD(module.parameters(), lr=1, momentum=0.9, weight_decay=0.001)
        record, chosen = 0.0, None
        epochs = 2 if t == 0 else 4
        for epoch in range(epochs):
            drops = sum(epoch >= milestone for milestone in (1, 3))
            optimizer.param_groups[0]["lr"] = 0.05 * 0.5**drops * (0.5 if t == 4 else 1)
            for batch in made.stream.batches(t, epoch, "natural", 16):
                before = [p.detach().clone() for p in module.parameters()]
                module.train()
                assert batch.sizes is not None
                for k, size in enumerate(batch.sizes):
                    x, y = batch.tasks.x[0, k, :size], batch.tasks.y[0, k, :size]
                    for _ in range((2 if t == 4 and int(y[0]) // 2 == 4 else 1) if size else 0):
                        own = 2 * (int(y[0]) // 2)
                        target = nn.functional.one_hot(y, 10)[:, own : own + 2].double()
                        optimizer.zero_grad()
                        nn.functional.binary_cross_entropy_with_logits(
                            module(x)[:, own : own + 2], target
                        ).backward()
                        optimizer.step()
                eta = math.exp(-0.5 * t / 5)
                with torch.no_grad():
                    for p, old in zip(module.parameters(), before, strict=True):
                        p.copy_(eta * p + (1 - eta) * old)
            module.eval()
            seen = y_test < 2 * (t + 1)
            guess = module(x_test[seen])[:, : 2 * (t + 1)].argmax(1)
            accuracy = float((guess == y_test[seen]).double().mean())
            if accuracy > record and epoch >= epochs - 3:
                chosen = copy.deepcopy(module.state_dict())
            record = max(record, accuracy)
        if chosen is not None:
            module.load_state_dict(chosen)
        if t < 4:
            loop.keep(made.program, made.stream, None, t)
    return module.eval()


def test_the_preset_is_the_released_loop(made: Assembled, catalogue: Catalogue) -> None:
    """Final logits agree in float64: every factor of training at its released level.

    With batch norm after two tasks: batches of a few rows blow round-off up a hundredfold a task.
    """
    tasks = 2 if made.program.net.buffers else 5
    (*_, after) = islice(loop.run(made.program, made.stream, made.theta), tasks)
    x = torch.as_tensor(made.data.x_test).double()
    ours = replicas.logits(made.program, after.state, x)[0]
    again = assemble(made.stack, Site("data", "cpu"), catalogue)
    theirs = released(again, module_of(made, catalogue), tasks)(x)
    assert theirs.std() > 0.1
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-7 if made.program.net.buffers else 1e-9)


def test_adaptation_is_an_epoch_of_adam_on_a_tasks_exemplars(
    made: Assembled, catalogue: Catalogue
) -> None:
    """Against torch.optim.Adam, for a task in the middle."""
    after = list(loop.run(made.program, made.stream, made.theta))[-1]
    (label,) = [name for name in made.protocols if "adapted" in name]
    x = torch.as_tensor(made.data.x_test).double()
    adapted = test_time_adaptation.adapted(
        made.program, made.stream, after, made.protocols[label], x
    )
    assert adapted.shape[-1] == 10
    ours = adapted[0, :, 4:6]  # of task 2 of five
    module = module_of(made, catalogue)
    load(module, after.state.theta[0])
    before = module.eval()(x)[:, 4:6].detach()
    optimizer = torch.optim.Adam(module.parameters(), lr=0.001)
    module.train()
    batches = list(made.stream.exemplars(2, 5, 0, 8))
    assert len(batches) == 1  # 40 rows for 10 classes: 8 of a task
    for batch in batches:
        target = nn.functional.one_hot(batch.tasks.y[0, 0], 10)[:, 4:6].double()
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(
            module(batch.tasks.x[0, 0])[:, 4:6], target
        ).backward()
        optimizer.step()
    theirs = module.eval()(x)[:, 4:6]
    assert (theirs - before).abs().max() > 1e-3
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-9)


def load(module: nn.Module, theta: Tensor) -> None:
    """Put a flat vector, buffers last, into an ordinary module."""
    running = [b for b in module.buffers() if b.is_floating_point()]
    with torch.no_grad():
        for value in [*module.parameters(), *running]:
            value.copy_(theta[: value.numel()].view(value.shape))
            theta = theta[value.numel() :]
    assert not len(theta)


def test_a_model_with_batch_norm_runs_one_seed_at_a_time(catalogue: Catalogue) -> None:
    """The planner knows it from the model's setting; a stack of several is taken apart."""
    text = SUITE.replace("MODEL", MODELS["batch norm"])
    for old, new in {
        "seeds: 1": "seeds: 2",
        "epochs: 4": "epochs: 1",
        "_rows: 16": "_rows: 60",
        "_epochs: 3": "_epochs: 1",
    }.items():
        text = text.replace(old, new)
    suite = parse_suite(text.encode(), "released", "released.yaml", catalogue)
    plan = flow.prepare(suite, Path("data"), None).plan
    assert [len(stack.runs) for stack in plan.stacks] == [1, 1]
    both = execute.replace(plan.stacks[0], runs=tuple(plan.runs.values()))
    alone = [execute.attempt(stack, Site("data", "cpu"), catalogue)[0] for stack in plan.stacks]
    together = execute.attempt(both, Site("data", "cpu"), catalogue)
    assert [r.status for r in together] == ["ok", "ok"]
    assert [r.right for r in together] == [r.right for r in alone]
