"""What the tests share: small suites, made records, and the real catalogue."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import settings

from ablate import flow
from ablate.design.reader import parse_suite
from ablate.records.store import open_store
from ablate.registry import Catalogue, scan
from ablate.types import Choice, Comparison, RunResult, Site, Suite, Variant

torch.set_num_threads(1)

settings.register_profile("untimed", deadline=None)  # a busy machine is no fault of ours
settings.load_profile("untimed")

TINY = """
question: Does the update rule matter?
base:
  dataset: {digits: {tasks: 5}}
  model: {mlp: {widths: [16]}}
  memory: {random: {budget_rows: 50}}
  training:
    standard:
      epochs: 1
      batch_rows: 64
      batches: balanced
  method:
    meta:
      update: {reptile: {epsilon: 0.5}}
      inner_steps: 1
      optimizer: {sgd: {lr: 0.3}}
      loss: all-ce
arms:
  reptile: {}
  balanced: {method.meta.update: balanced}
seeds: 3
contrasts:
  - {treatment: reptile, baseline: balanced, metric: all-classes, margin: 2.0 points}
"""


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return scan()


@pytest.fixture
def suite_of(catalogue: Catalogue) -> Callable[..., Suite]:
    """Parse suite text; the default is TINY with replacements."""

    def parse(*replacements: tuple[str, str], text: str = TINY) -> Suite:
        for old, new in replacements:
            assert old in text, f"{old!r} is not in the suite"
            text = text.replace(old, new)
        return parse_suite(text.encode(), "tiny", "tiny.yaml", catalogue)

    return parse


@pytest.fixture
def run_suite(tmp_path: Path) -> Callable[..., flow.Study]:
    """Run a suite in this process and analyse it."""

    def run(suite: Suite, folder: Path | None = None) -> flow.Study:
        store = open_store(folder or tmp_path / "results")
        work = flow.prepare(suite, Path("data"), store)
        for _ in flow.run(work, store, Site("data", "cpu")):
            pass
        study = flow.analyse(suite, store)
        store.close()
        return study

    return run


def record(
    seed: int = 0,
    right: Sequence[Sequence[int]] = ((8, 0), (6, 9)),
    task_right: Sequence[Sequence[int]] = ((10, 0), (8, 9)),
    status: str = "ok",
    key: str = "k",
    **provenance: object,
) -> RunResult:
    """Make a record of two tasks of ten rows each."""
    facts = {
        "data": "d",
        "device": "cpu",
        "record_version": 1,
        "packages": {"torch": "2"},
        "streams": {"init": f"i{seed}"},
    }
    labels = ["all-classes"] if status == "ok" else []
    return RunResult(
        key,
        seed,
        status,
        "" if status == "ok" else "why",
        [10, 10],
        dict.fromkeys(labels, right),
        dict.fromkeys(labels, task_right),
        10,
        20,
        0.5,
        {**facts, **provenance},
    )


def variant(arm: str) -> Variant:
    """Make a variant that predicts over all classes."""
    return Variant(arm, {}, {"predict": Choice("predict", "all-classes", {})})


def comparison(
    deltas: Sequence[float],
    margin: float = 1.0,
    resolution: float = 0.25,
    base: float = 50.0,
    **more: object,
) -> Comparison:
    """Make a comparison with given differences."""
    treatment = tuple(base + delta for delta in deltas)
    return Comparison(
        "a",
        "b",
        "all-classes",
        margin,
        tuple(range(len(deltas))),
        treatment,
        (base,) * len(deltas),
        (),
        resolution,
        **more,
    )  # type: ignore[arg-type]


def reference(what: str) -> list[Any]:
    """Give the stored cases of a kind, computed with R by `tests/reference/make_cases.R`."""
    path = Path(__file__).parent / "reference" / "cases.json"
    return [case for case in json.loads(path.read_text("utf-8"))["cases"] if case["what"] == what]
