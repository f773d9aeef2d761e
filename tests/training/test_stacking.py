"""Stacked equals alone: seeds, and cells that differ only in numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ablate import flow
from ablate.plan.pending import look
from ablate.plan.run_keys import numbers, plan
from ablate.records.payload import pack, unpack
from ablate.registry import Catalogue
from ablate.training import loop, replicas
from ablate.training.assembly import assemble
from ablate.training.execute import attempt
from ablate.types import RunResult, Site, Stack, Suite
from tests.conftest import TINY

pytestmark = pytest.mark.slow

HERE = Site("data", "cpu")
FLOAT64 = ("seeds: 3", "seeds: 3\nprecision: float64")


def stacks(suite: Suite, catalogue: Catalogue, width: int | None = None) -> tuple[Stack, ...]:
    return plan(suite, catalogue, look(suite, catalogue, Path("data"), False), width).stacks


def final_logits(stack: Stack, catalogue: Catalogue, site: Site = HERE) -> torch.Tensor:
    """Train a stack and give the last logits `[S, N, C]`."""
    made = assemble(stack, site, catalogue)
    after = list(loop.run(made.program, made.stream, made.theta))[-1]
    return replicas.logits(
        made.program, after.state, torch.as_tensor(made.data.x_test).to(made.theta)
    )


SGD = "{sgd: {lr: 0.3}}"
CARRIED = "\n      inner_state: carried"
RANDOM = "{random: {budget_rows: 50}}"
SCHEDULE = "epochs: 2\n      first_epochs: 1\n      schedule: {milestones: {epochs: [1]}}"
SETTINGS = [
    ("plain", ("epochs: 1", "epochs: 1")),
    ("natural", ("batches: balanced", "batches: natural")),
    ("carried momentum", (SGD, "{sgd: {lr: 0.1, momentum: 0.9}}" + CARRIED)),
    ("carried adam", (SGD, "{adam: {lr: 0.01}}" + CARRIED)),
    ("herding", (RANDOM, "{herding: {budget_rows: 50}}")),
    ("reservoir", (RANDOM, "{reservoir: {budget_rows: 9}}")),
    ("no memory", (RANDOM, "none")),
    ("chain", ("update: {reptile: {epsilon: 0.5}}", "update: itaml-released")),
    ("task-bce", ("loss: all-ce", "loss: task-bce")),
    ("schedule", ("epochs: 1", SCHEDULE)),
]


@pytest.mark.parametrize(
    "change", [change for _, change in SETTINGS], ids=[name for name, _ in SETTINGS]
)
def test_stacked_seeds_equal_each_seed_alone(
    change: tuple[str, str], suite_of: Callable[..., Suite], catalogue: Catalogue
) -> None:
    """To 1e-12 in float64, in every score's logits."""
    suite = suite_of(change, FLOAT64)
    for stack in stacks(suite, catalogue):
        together = final_logits(stack, catalogue)
        for s, run in enumerate(stack.runs):
            alone = final_logits(replace(stack, runs=(run,)), catalogue)
            assert float((together[s] - alone[0]).abs().max()) < 1e-12 * max(
                1, float(alone.abs().max())
            )
        assert float((together[0] - together[1]).abs().max()) > 1e-3


def test_cells_that_differ_in_numbers_share_a_stack_and_equal_themselves_alone(
    suite_of: Callable[..., Suite], catalogue: Catalogue
) -> None:
    """Learning rate, epsilon and beta become tensors of the stack."""
    suite = suite_of(
        (
            "  balanced: {method.meta.update: balanced}",
            "  balanced: {method.meta.update.reptile.epsilon: 0.9}",
        ),
        (
            "seeds: 3",
            "vary: {method.meta.optimizer.sgd.lr: [0.1, 0.3]}\nseeds: 2\nprecision: float64",
        ),
    )
    (stack,) = stacks(suite, catalogue, width=8)
    assert len(stack.runs) == 8
    together = final_logits(stack, catalogue)
    for s, run in enumerate(stack.runs):
        alone = final_logits(replace(stack, runs=(run,)), catalogue)
        assert float((together[s] - alone[0]).abs().max()) < 1e-11


def test_float32_stacks_predict_the_same_rows_up_to_a_few(
    suite_of: Callable[..., Suite], catalogue: Catalogue
) -> None:
    """At most two of 355 test rows differ between stacked and alone."""
    for stack in stacks(suite_of(), catalogue):
        together = attempt(stack, HERE, catalogue)
        for s, run in enumerate(stack.runs):
            (alone,) = attempt(replace(stack, runs=(run,)), HERE, catalogue)
            for label, table in alone.right.items():
                gap = [
                    abs(a - b) for a, b in zip(table[-1], together[s].right[label][-1], strict=True)
                ]
                assert sum(gap) <= 2


def test_integers_and_structure_are_not_stacked(
    suite_of: Callable[..., Suite], catalogue: Catalogue
) -> None:
    """Inner steps change the program; so do the memory and the rule."""
    suite = suite_of(("seeds: 3", "vary: {method.meta.inner_steps: [1, 2]}\nseeds: 2"))
    assert [len(stack.runs) for stack in stacks(suite, catalogue)] == [2, 2, 2, 2]


def test_a_stack_is_never_wider_than_told(
    suite_of: Callable[..., Suite], catalogue: Catalogue
) -> None:
    """Parts of nearly equal size."""
    found = stacks(suite_of(("seeds: 3", "seeds: 10")), catalogue, width=4)
    assert sorted(len(stack.runs) for stack in found) == [3, 3, 3, 3, 4, 4]


def test_wide_networks_are_not_stacked(
    suite_of: Callable[..., Suite], catalogue: Catalogue
) -> None:
    """Their parameters leave the cache."""
    wide = stacks(suite_of(("[16]", "[1000, 1000]")), catalogue)
    assert {len(stack.runs) for stack in wide} == {1}
    assert {len(stack.runs) for stack in stacks(suite_of(), catalogue)} == {3}


def test_a_component_that_cannot_stack_says_so(
    suite_of: Callable[..., Suite], catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`stackable = False` anywhere in a choice gives width 1."""
    alone = replace(catalogue.get("optimizer", "sgd"), facts={"stackable": False})
    monkeypatch.setitem(catalogue.components, ("optimizer", "sgd"), alone)  # type: ignore[arg-type]
    assert {len(stack.runs) for stack in stacks(suite_of(), catalogue)} == {1}


def test_fields_of_classes_that_check_themselves_are_not_stacked(
    suite_of: Callable[..., Suite], catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `__post_init__` would meet a tensor."""
    method = suite_of().variants[0].choices["method"]
    assert ("optimizer", "lr") in numbers(method, catalogue)
    checks = replace(catalogue.get("optimizer", "sgd"), methods=frozenset({"__post_init__"}))
    monkeypatch.setitem(catalogue.components, ("optimizer", "sgd"), checks)  # type: ignore[arg-type]
    assert ("optimizer", "lr") not in numbers(method, catalogue)


def test_cells_that_do_not_go_together_are_run_one_by_one(
    suite_of: Callable[..., Suite], catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that branches on its number fails under vmap, and then works alone."""
    from variants.step.fixed import Fixed

    def branches(self: Fixed, clock: object) -> float:
        return 0.5 if self.epsilon > 0.4 else 0.25

    monkeypatch.setattr(Fixed, "__call__", branches)
    suite = suite_of(
        ("balanced: {method.meta.update: balanced}", "balanced: {method.meta.inner_steps: 2}"),
        ("seeds: 3", "vary: {method.meta.update.reptile.epsilon: [0.3, 0.6]}\nseeds: 2"),
    )
    stack = max(stacks(suite, catalogue), key=lambda one: len(one.runs))
    results = attempt(stack, replace(HERE, compiled=False), catalogue)
    assert [result.status for result in results] == ["ok"] * 4
    assert {result.provenance["stack_width"] for result in results} == {2}


def test_an_exception_is_a_failed_result_with_its_place(
    suite_of: Callable[..., Suite], catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Type, message, file and line."""
    from variants.step.fixed import Fixed

    def raises(self: Fixed, clock: object) -> float:
        raise RuntimeError("no such step")

    monkeypatch.setattr(Fixed, "__call__", raises)
    stack = next(s for s in stacks(suite_of(), catalogue) if "reptile" in str(s))
    results = attempt(stack, HERE, catalogue)
    assert {result.status for result in results} == {"failed"}
    assert results[0].reason.startswith("RuntimeError: no such step (test_stacking.py:")


def test_stacks_survive_the_border_as_plain_data(
    suite_of: Callable[..., Suite], catalogue: Catalogue
) -> None:
    """JSON there and back."""
    import json

    (stack, *_) = stacks(suite_of(), catalogue)
    assert unpack(json.loads(json.dumps(pack(stack, HERE)))) == (stack, HERE)


def final(study: flow.Study, arm: int) -> list[RunResult]:
    return [study.runs[arm][seed] for seed in sorted(study.runs[arm])]


def statuses(results: Sequence[RunResult]) -> set[str]:
    return {result.status for result in results}


def test_an_arm_that_ran_away_keeps_its_scores_and_is_marked(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study]
) -> None:
    """Logits beyond 1e4 can be scored: the runs count, and the report names them."""
    text = TINY.replace(
        "balanced: {method.meta.update: balanced}",
        "balanced: {method.meta.optimizer.sgd.lr: 1e6}",
    )
    study = run_suite(suite_of(text=text))
    assert statuses(final(study, 1)) == {"ok"}
    for record in final(study, 1):
        assert re.fullmatch(r"logits reach \S+ after task 1, beyond 1e\+04", record.reason)
        assert len(record.right["all-classes"]) == 5
    assert {record.reason for record in final(study, 0)} == {""}
    (verdict,) = study.verdicts
    assert not verdict.comparison.lost
    assert any(
        "3 runs are marked, and count" in said and "balanced: seeds 0 to 2" in said
        for said in study.warnings
    )


def test_a_diverging_arm_is_named_and_leaves_its_neighbours_alone(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study]
) -> None:
    """Though both arms share a stack; the verdict is UNTESTABLE, the pairs are lost."""
    text = TINY.replace(
        "balanced: {method.meta.update: balanced}",
        "balanced: {method.meta.optimizer.sgd.lr: 1e30}",
    )
    study = run_suite(suite_of(text=text))
    healthy = run_suite(suite_of())
    assert statuses(final(study, 1)) == {"diverged"}
    assert "logits" in final(study, 1)[0].reason
    assert [r.right for r in final(study, 0)] == [r.right for r in final(healthy, 0)]
    (verdict,) = study.verdicts
    assert (verdict.decision, len(verdict.comparison.lost)) == ("UNTESTABLE", 3)
    assert study.arms[1].statuses["diverged"] == 3
