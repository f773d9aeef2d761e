"""Arms that cannot differ are told before they are trained, with the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ablate import flow
from ablate.executors.inline import Inline
from ablate.plan.pending import differing
from ablate.records.store import open_store
from ablate.types import Site, Suite
from ablate.workflows import inert_check
from ablate.workflows.inert_check import check

HERE = Site("data", "cpu")
MATCHED = ("{method.meta.update: balanced}", "{method.meta.update: {balanced: {match: reptile}}}")


def told(suite: Suite, folder: Path) -> list[str]:
    store, inline = open_store(folder), Inline()
    lines = list(check(suite, store, HERE, inline))
    assert list(check(suite, store, HERE, inline)) == []  # asked once
    store.close()
    return lines


def test_a_matched_null_at_one_inner_step_is_inert_and_the_report_says_why(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study], tmp_path: Path
) -> None:
    """Bit for bit or within float error; at two steps it is not."""
    suite = suite_of(MATCHED)
    (line,) = told(suite, tmp_path / "results")
    assert line.startswith("INERT: reptile and balanced take the same first steps (")
    assert line.endswith("at r = 1 with plain SGD both update rules are one step on the mean loss")
    study = run_suite(suite)
    assert study.inert[0]["reason"] in line
    two = suite_of(MATCHED, ("inner_steps: 1", "inner_steps: 2"))
    assert told(two, tmp_path / "two") == []
    assert run_suite(two, tmp_path / "two").inert == {}


def test_a_setting_that_nothing_reads_is_named(
    suite_of: Callable[..., Suite], tmp_path: Path
) -> None:
    """Weights of rows, with a method that weighs tasks itself."""
    suite = suite_of(("{method.meta.update: balanced}", "{training.standard.weights: tasks}"))
    (line,) = told(suite, tmp_path)
    assert "(bit for bit): they differ in method.meta.training.standard.weights alone" in line


@pytest.mark.parametrize(
    "arm",
    [
        "{training.standard.checkpoint: best}",
        "{training.standard.epochs: 2}",
        "{method.meta.inner_steps: 2}",
        "{memory: none}",
        "{model: {mlp: {widths: [8]}}}",
    ],
)
def test_arms_that_differ_or_act_later_are_not_called_inert(
    arm: str, suite_of: Callable[..., Suite], tmp_path: Path
) -> None:
    """First steps cannot show what a choice of checkpoints does."""
    assert told(suite_of(("{method.meta.update: balanced}", arm)), tmp_path) == []


def test_differing_settings_are_named_by_their_path(
    suite_of: Callable[..., Suite], catalogue: object
) -> None:
    """Down to the component."""
    arm = "{method.meta.update: {reptile: {epsilon: 0.2}}, model.mlp.widths: [8]}"
    suite = suite_of(("{method.meta.update: balanced}", arm))
    assert differing(suite.variants[0], suite.variants[1], catalogue) == [  # type: ignore[arg-type]
        "model.mlp.widths",
        "method.meta.update.reptile.epsilon",
    ]


@pytest.mark.parametrize(
    ("tied", "said"),
    [
        ("bit for bit", "which nothing in these settings reads"),
        ("within float error", "which moves no parameter beyond float error"),
    ],
)
def test_steps_too_small_to_be_felt_are_not_taken_for_settings_that_are_not_read(
    tied: str, said: str
) -> None:
    """At a learning rate of 1e-9 a memory is read all the same."""
    assert said in inert_check.because(["memory"], [{"inner_steps": 2}], tied)
