"""What components of each kind must do, run over the whole catalogue."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.func import grad, vmap

from ablate.core.component_source import Component
from ablate.testing.cases import (
    SEEDS,
    THETA,
    batch,
    fit,
    made,
    numbers,
    of,
)
from ablate.types import Clock, TaskClasses, Tasks, TrackedRun


@pytest.mark.parametrize("entry", of("update"))
def test_updates_move_theta_deterministically_and_in_place_of_nothing(entry: Component) -> None:
    """A new vector of the same shape and precision; the input stays."""
    rule, before = made(entry), THETA.clone()
    after = rule(THETA, batch(), fit(), Clock(1, 3))
    assert (after.shape, after.dtype) == (THETA.shape, THETA.dtype)
    assert after.isfinite().all()
    assert not torch.equal(after, THETA)
    assert torch.equal(THETA, before)
    assert torch.equal(after, rule(THETA, batch(), fit(), Clock(1, 3)))


@pytest.mark.parametrize("entry", of("update"))
@pytest.mark.parametrize("sizes", [None, (6, 6, 6)], ids=["balanced", "natural"])
def test_updates_stack(entry: Component, sizes: tuple[int, ...] | None) -> None:
    """vmap over replicas gives what each replica gives alone, to 1e-12."""
    rule, tasks, loop = made(entry), batch(), fit(sizes=sizes)
    together = vmap(lambda theta: rule(theta, tasks, loop, Clock(1, 3)))(SEEDS)
    alone = torch.stack([rule(theta, tasks, loop, Clock(1, 3)) for theta in SEEDS])
    assert float((together - alone).abs().max()) < 1e-12


@pytest.mark.parametrize(("entry", "name"), numbers("update"))
def test_updates_stack_over_their_numbers(entry: Component, name: str) -> None:
    """A float field may be a tensor."""
    tasks, loop = batch(), fit()
    values = torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)

    def after(value: Any) -> Tensor:
        moved: Tensor = made(entry, **{name: value})(THETA, tasks, loop, Clock(1, 3))
        return moved

    alone = torch.stack([after(float(value)) for value in values])
    assert float((vmap(after)(values) - alone).abs().max()) < 1e-12
    assert not torch.equal(alone[0], alone[1])


@pytest.mark.parametrize("entry", of("update"))
def test_an_update_of_one_task_stays_finite(entry: Component) -> None:
    """The first task of a study has no others."""
    tasks = Tasks(*(part[:1] for part in batch()))
    assert made(entry)(THETA, tasks, fit(), Clock(0, 3)).isfinite().all()


@pytest.mark.parametrize("entry", of("update"))
def test_carried_state_stacks_and_equals_fresh_without_momentum(entry: Component) -> None:
    """Plain SGD has no state to carry."""
    rule, loop = made(entry), fit(sizes=(6, 6, 6))
    if not hasattr(rule, "carry"):
        pytest.skip("this rule does not thread optimizer state")
    carried, _ = rule.carry(THETA, batch(), loop, Clock(1, 3), loop.fresh(THETA))
    assert torch.allclose(carried, rule(THETA, batch(), loop, Clock(1, 3)), rtol=0, atol=1e-14)
    heavy = fit(momentum=0.9)
    with_momentum, state = rule.carry(THETA, batch(), heavy, Clock(1, 3), heavy.fresh(THETA))
    assert with_momentum.isfinite().all()
    assert float(state[0].abs().max()) > 0


@pytest.mark.parametrize("entry", of("optimizer"))
def test_optimizers_descend_and_stack(entry: Component) -> None:
    """A hundred steps on a bowl go down, in every replica of a stack."""

    def descend(theta: Tensor) -> Tensor:
        rule = made(entry)
        inner = rule.init(theta)
        for _ in range(100):
            theta, inner = rule.step(theta, theta, inner, 1.0)
        return theta

    after = vmap(descend)(SEEDS)
    assert (after.norm(dim=1) < SEEDS.norm(dim=1)).all()
    assert torch.allclose(
        after, torch.stack([descend(theta) for theta in SEEDS]), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("entry", of("loss"))
def test_losses_are_positive_fall_along_their_gradient_and_stack(entry: Component) -> None:
    """For one task's logits."""
    loss = made(entry)
    task = Tasks(*(part[1] for part in batch()))
    logits = torch.randn(3, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    values = vmap(lambda z: loss(z, task))(logits)
    slopes = vmap(grad(lambda z: loss(z, task)))(logits)
    assert (values > 0).all()
    assert (vmap(lambda z: loss(z, task))(logits - 0.1 * slopes) < values).all()
    assert torch.allclose(values, torch.stack([loss(z, task) for z in logits]))


@pytest.mark.parametrize("entry", of("memory"))
def test_memories_keep_no_more_than_their_budget_and_rank_every_row(entry: Component) -> None:
    """Quotas fall as classes come; a rank is a permutation with padding behind what is kept."""
    budget = {"budget_rows": 12} if entry.field("budget_rows") else {}
    memory, draws = made(entry, **budget), np.random.default_rng(0)
    priorities = [draws.random(n) for n in (9, 7, 8, 6)]
    quotas = [memory.quota(priorities[:k]) for k in range(1, 5)]
    for quota, k in zip(quotas, range(1, 5), strict=True):
        assert len(quota) == k
        assert (quota >= 0).all()
        assert quota.sum() <= 12 or entry.facts.get("keeps") == "everything"
        assert all(q <= len(p) for q, p in zip(quota, priorities, strict=False))
    assert all((later[: len(sooner)] <= sooner).all() for sooner, later in pairwise(quotas))
    valid = torch.arange(9) < 7
    order = memory.rank(torch.rand(9, 3), valid, torch.rand(9), 3)
    assert sorted(order.tolist()) == list(range(9))
    assert valid[order[:7]].all()


@pytest.mark.parametrize("entry", of("predict"))
@pytest.mark.parametrize("sizes", [(2, 2, 2), (3, 1, 2)], ids=["equal", "unequal"])
def test_predictors_give_classes_inside_their_task(
    entry: Component, sizes: tuple[int, ...]
) -> None:
    """Of seen classes only, whatever the sizes of the tasks; perfect logits are always right."""
    classes, task = TaskClasses(sizes), np.repeat(np.arange(3), 7)
    truth = classes.first(task) + np.tile([0, 1, 0, 1, 0, 1, 2], 3) % np.array(sizes)[task]
    noise, perfect = np.random.default_rng(0).normal(size=(21, 6)), 20 * np.eye(6)[truth]
    if entry.facts.get("shares"):  # every task has the same outputs
        noise, perfect = np.tile(noise[:, :2], 3), np.tile(np.eye(2)[truth % 2], 3)
        if not classes.equal:
            with pytest.raises(ValueError, match="unequal"):
                made(entry)(noise, task, classes)
            return
    rule = made(entry)
    for adapted in {False, bool(entry.facts.get("adapts"))}:

        def answers(logits: Any, adapted: bool = adapted) -> Any:
            if adapted:  # the adapted models' logits are laid out as the base model's are
                return rule.adapted(logits, logits, task, classes)
            return rule(logits, task, classes)

        guess, guessed_task = answers(noise)
        assert (classes.task_of(guess) == guessed_task).all()
        assert ((guess >= 0) & (guess < 6)).all()
        guess, guessed_task = answers(perfect)
        if entry.facts.get("mixes"):  # a chunk of several tasks cannot be right about all
            continue
        # a vote may favour a task for its size, but inside a task the largest logit is the class
        assert (guess == truth)[guessed_task == task].all()
        assert (guess == truth).all() or not classes.equal


@pytest.mark.parametrize("entry", of("predict"))
def test_predictors_that_know_the_task_are_called_oracles(entry: Component) -> None:
    """Whoever is always right about the task, on noise, was told; or looks at no task's outputs."""
    task = np.repeat(np.arange(5), 40)
    noise, classes = np.random.default_rng(1).normal(size=(200, 10)), TaskClasses((2,) * 5)
    if entry.facts.get("shares"):
        with pytest.raises(ValueError, match="domains"):
            made(entry)(noise, task, classes)
        return
    _, guessed = made(entry)(noise, task, classes)
    assert bool((guessed == task).all()) == bool(entry.facts.get("oracle", False))


@pytest.mark.parametrize("entry", of("model"))
def test_models_count_their_parameters_and_give_logits(entry: Component) -> None:
    """Without torch as with it."""
    module = made(entry)((1, 8, 8), 10)
    assert module(torch.rand(3, 1, 8, 8)).shape == (3, 10)
    if "parameters" in entry.methods:
        held = [*module.parameters(), *module.buffers()]
        counted = sum(value.numel() for value in held if value.is_floating_point())
        assert made(entry).parameters((1, 8, 8), 10) == counted


@pytest.mark.parametrize("entry", of("dataset"))
def test_datasets_declare_tasks_and_order_and_look_without_loading_torch(entry: Component) -> None:
    """Every data set can be split; missing files are an error that names them."""
    from ablate.errors import DataError

    assert entry.field("tasks")
    assert entry.field("class_order")
    try:
        facts = made(entry).look(Path("/nonexistent"))
    except DataError:
        with pytest.raises(DataError, match="/nonexistent"):
            made(entry).look(Path("/nonexistent"))
    else:
        assert facts.train_rows > facts.test_rows > 0
        assert len(facts.digest) == 64


@pytest.mark.parametrize("entry", of("schedule"))
def test_schedules_start_at_the_full_rate_and_never_grow(entry: Component) -> None:
    """A factor in (0, 1] at every epoch."""
    rates = [float(made(entry)(Clock(0, 5, epoch))) for epoch in range(30)]
    assert rates[0] == 1
    assert all(0 < later <= sooner for sooner, later in pairwise(rates))


@pytest.mark.parametrize("entry", of("step"))
def test_steps_lie_between_nothing_and_the_target(entry: Component) -> None:
    """At every task."""
    assert all(0 < float(made(entry)(Clock(t, 5))) <= 1 for t in range(5))


@pytest.mark.parametrize("entry", of("gather"))
def test_gathering_one_task_gives_its_solution(entry: Component) -> None:
    """With one task there is nothing to gather."""
    tasks, loop = Tasks(*(part[:1] for part in batch())), fit()
    target, _ = made(entry)(THETA, tasks, loop, None)
    assert torch.allclose(target, loop(THETA, loop.split(tasks)[0]), rtol=0, atol=1e-14)


@pytest.mark.parametrize("entry", of("reader"))
def test_readers_know_nothing_of_what_is_not_theirs(entry: Component, tmp_path: Path) -> None:
    """Neither what is not there, nor an empty folder, nor a picture."""
    reader, picture = made(entry), tmp_path / "some" / "picture.png"
    picture.parent.mkdir()
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    empty = tmp_path / "empty"
    empty.mkdir()
    for path in (tmp_path / "absent", empty, picture, picture.parent):
        assert not reader.recognises(path), path


@pytest.mark.parametrize("entry", of("reader"))
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00{", b"[[[", b"{}\n{"], ids=repr)
def test_readers_refuse_what_they_cannot_read_and_name_it(
    entry: Component, content: bytes, tmp_path: Path
) -> None:
    """A file of another kind, and a folder of such files."""
    from ablate.errors import DataError

    path = tmp_path / "file.json"
    path.write_bytes(content)
    for place in (path, tmp_path):
        runs: Sequence[TrackedRun] = ()
        with suppress(DataError):
            runs = made(entry).read(place)
        assert not runs
    with pytest.raises(DataError, match=re.escape(str(path))):
        assert made(entry).read(path), "what holds no run is refused, too"
