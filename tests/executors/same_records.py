"""A suite run by an executor, and its records without what tells of how they came about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ablate import flow
from ablate.design.reader import parse_suite
from ablate.records.store import open_store
from ablate.registry import scan
from ablate.types import Choice, RunResult, Site, Suite
from tests.conftest import TINY

FACTS = ("losses", "again", "stack_width")
"""What a record's provenance says of how a run came about, and not of what it rests on."""


def run(
    suite: Suite, folder: Path, at: Choice | None, event: Callable[[Any], object] = len
) -> dict[str, RunResult]:
    """Run a suite somewhere, and give its records by key."""
    site = Site("data", "cpu", folder=str(folder / "programs"))
    store = open_store(folder)
    work = flow.prepare(suite, Path("data"), store)
    with flow.crew(0 if at else 1, inline=at is None, where=at) as crew:
        for done in flow.run(work, store, site, crew):
            event(done.results)
    return store.load(work.plan.runs)


def plain(records: dict[str, RunResult]) -> dict[str, Any]:
    """Give records without wall time and what tells of their coming about."""
    left = {}
    for key, record in records.items():
        kept = {name: v for name, v in record.provenance.items() if name not in FACTS}
        left[key] = {**asdict(record), "seconds": 0, "provenance": kept}
    return left


def tiny(**changes: Any) -> Suite:
    return parse_suite(TINY.encode(), "tiny", "tiny.yaml", scan(), **changes)
