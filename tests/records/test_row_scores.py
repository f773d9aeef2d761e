"""Which rows are right, packed: they come back in the file's order, or not at all."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ablate import flow
from ablate.records.cohort import merged
from ablate.records.rows import row_scores
from ablate.streams.batch_tables import class_order
from ablate.training import scoring
from ablate.types import Floats, RunResult, Suite
from tests.conftest import record
from tests.records.test_metrics import PAIRS
from variants.predict.all_classes import AllClasses
from variants.predict.continuum import Continuum

LABEL = "all-classes"


def of_ten(bits: str, classes: str, class_rows: tuple[int, ...]) -> RunResult:
    """Make a record of two tasks of ten rows with these rows right, a digit a row."""
    right = np.array([*bits]) == "1"
    text = row_scores.pack(right, np.array([*classes], int))
    return replace(record(class_rows=class_rows), row_right={LABEL: text})


def test_rows_come_back_by_class_in_the_files_order() -> None:
    """Fifteen of twenty are right, as the counts of the record say."""
    packed = of_ten("11101111111011100110", "01" * 10, (10, 10))
    first, second = row_scores.unpack(packed, LABEL) or []
    assert first.tolist() == [1, 1, 1, 1, 1, 1, 1, 1, 0, 1]
    assert second.tolist() == [1, 0, 1, 1, 1, 0, 1, 0, 1, 0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no base64 at all, nor ASCII: é",
        base64.b64encode(b"no deflated text").decode(),
        base64.b64encode(zlib.compress(b"1" * 15 + b"0" * 5)).decode(),  # one class
        base64.b64encode(zlib.compress(b"1" * 10 + b"/" + b"0" * 10)).decode(),  # ten are right
        base64.b64encode(zlib.compress(b"1" * 10 + b"/" + b"111115555x")).decode(),
        base64.b64encode(zlib.compress(b"1" * 10**7)).decode(),
    ],
)
def test_what_is_not_of_the_records_counts_is_not_there(text: str) -> None:
    """Nobody's text is believed, and none is inflated further than the rows reach."""
    run = replace(record(class_rows=(10, 10)), row_right={LABEL: text})
    assert row_scores.unpack(run, LABEL) is None
    assert row_scores.unpack(run, "known-task") is None


def test_a_run_scored_again_keeps_the_rows_of_other_protocols() -> None:
    """As it keeps their counts: suites share runs."""
    counts = record().right[LABEL]
    old, new = (
        replace(
            record(),
            right={label: counts},
            task_right={label: counts},
            row_right={label: text},
        )
        for label, text in (("mine", "of mine"), ("yours", "of yours"))
    )
    assert merged(old, new).row_right == {"mine": "of mine", "yours": "of yours"}


def test_rows_that_vote_have_no_scores_of_their_own() -> None:
    """A chunk of one is a row; the sums are those that are counted."""
    draws = np.random.default_rng(0)
    y = draws.permutation(np.repeat(np.arange(6), 13))
    logits = draws.normal(size=(len(y), 6)) + 2 * np.eye(6)[y]
    protocols = {"a": AllClasses(), "c": Continuum(5), "single": Continuum(1)}
    right = scoring.right_rows(logits, y, PAIRS, protocols)
    assert right.keys() == {"a", "single"}
    assert right["a"].tolist() == (logits.argmax(1) == y).tolist()
    assert 0 < right["a"].sum() == sum(scoring.count(logits, y, 2, PAIRS, protocols)["a"].right)


def test_a_run_leaves_its_rows_whatever_order_a_seed_puts_them_in(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study], tmp_path: Path
) -> None:
    """A task's counts are those of its classes, and two seeds find the same rows hard."""
    suite = suite_of(("epochs: 1", "epochs: 8"), ("widths: [16]", "widths: [32]"))
    study = run_suite(suite, tmp_path)
    rows: dict[int, list[Floats]] = {}
    for seed, run in study.runs[1].items():
        rows[seed] = row_scores.unpack(run, LABEL) or []
        order = class_order(seed, 10, "seeded")
        of_task = [sum(rows[seed][c].sum() for c in order[2 * k : 2 * k + 2]) for k in range(5)]
        assert of_task == run.right[LABEL][-1]
    inside = [
        np.stack([classes[c] - classes[c].mean() for classes in rows.values()]) for c in range(10)
    ]
    products = sum(float((part[0] * part[1]).sum()) for part in inside)
    size = sum(float((part**2).sum()) / len(part) for part in inside)
    assert products / size > 0.1
