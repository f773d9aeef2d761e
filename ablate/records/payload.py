"""Stacks and results as plain data: what crosses the border to a worker, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ablate.core.foreign_text import STORED, plain
from ablate.records import provenance
from ablate.types import Json, RunResult, RunSpec, Site, Stack, Status, unplain


def pack(stack: Stack, site: Site) -> Json:
    """Turn a stack and where to run it into plain data."""
    runs = [
        {**vars(run), "choices": {kind: choice.plain() for kind, choice in run.choices.items()}}
        for run in stack.runs
    ]
    scored = [choice.plain() for choice in stack.predictors]
    return {"runs": runs, "predictors": scored, "site": dict(vars(site))}


def unpack(payload: Json) -> tuple[Stack, Site]:
    """Read `pack`'s plain data."""
    runs = [
        RunSpec(**{**run, "choices": {kind: unplain(c) for kind, c in run["choices"].items()}})
        for run in payload["runs"]
    ]
    scored = tuple(unplain(choice) for choice in payload["predictors"])
    return Stack(tuple(runs), scored), Site(**payload["site"])


def unpack_results(answer: Sequence[Json]) -> list[RunResult]:
    """Read a worker's results; an error is kept as one line of bounded length."""
    results = [RunResult(**result) for result in answer]
    return [replace(result, reason=plain(result.reason, STORED)) for result in results]


def failed(stack: Stack, reason: str) -> list[RunResult]:
    """Give a `failed` result for every run of a stack."""
    short, facts = plain(reason, STORED), provenance.machine()
    return [
        RunResult(
            key=run.key,
            seed=run.seed,
            status=Status.FAILED,
            reason=short,
            rows=[],
            right={},
            task_right={},
            updates=0,
            gradients=0,
            seconds=0.0,
            provenance=facts,
        )
        for run in stack.runs
    ]
