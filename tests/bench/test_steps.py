"""Timings of update steps, for `make bench`; they are looked at, never asserted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ablate import flow
from ablate.core import resources
from ablate.registry import scan
from ablate.training.assembly import assemble
from ablate.types import Site
from ablate.workflows.benchmark import middle_step


@pytest.mark.parametrize("place", [0, -1], ids=["dearest", "cheapest"])
def test_update_step(benchmark: Any, place: int) -> None:
    """One outer step of a stack of twenty seeds of `update_rule`."""
    suite = flow.open_suite(resources.ROOT / "suites" / "update_rule.yaml")
    stack = flow.prepare(suite, Path("data"), None).stacks[place]
    state = benchmark(middle_step(assemble(stack, Site("data", "cpu"), scan())))
    assert state.theta.isfinite().all()
