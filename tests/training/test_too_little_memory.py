"""A stack that memory does not hold is run half by half; a run that fits in no way says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ablate import flow
from ablate.design.reader import parse_suite
from ablate.registry import scan
from ablate.training import execute
from ablate.training.assembly import Assembled
from ablate.types import RunResult, Site, Stack
from tests.conftest import TINY

HERE = Site("data", "cpu")

ERRORS: dict[str, Callable[[], BaseException]] = {
    "NumPy's": lambda: MemoryError("Unable to allocate 50 GiB"),
    "a graphics card's": lambda: torch.OutOfMemoryError("CUDA out of memory."),
    "the CPU allocator's": lambda: RuntimeError(
        "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: 9 bytes"
    ),
}


@pytest.fixture
def stack() -> Stack:
    """Give the widest stack of a small suite of five seeds."""
    suite = parse_suite(TINY.encode(), "tiny", "tiny.yaml", scan())
    work = flow.prepare(flow.with_seeds(suite, 5), Path("data"), None)
    return max(work.stacks, key=lambda stack: len(stack.runs))


def held(runs: int, error: Callable[[], BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let memory hold so many runs at a time."""
    whole = execute.train

    def train(assembled: Assembled) -> list[RunResult]:
        if len(assembled.stack.runs) > runs:
            raise error()
        return whole(assembled)

    monkeypatch.setattr(execute, "train", train)


@pytest.mark.parametrize("kind", ERRORS)
def test_what_fits_in_halves_is_run_in_halves(
    stack: Stack, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And scores what it scores at once."""
    whole = execute.attempt(stack, HERE, scan())
    held(2, ERRORS[kind], monkeypatch)
    parts = execute.attempt(stack, HERE, scan())
    assert len(stack.runs) > 2
    assert [(r.key, r.status, r.right, r.row_right) for r in parts] == [
        (r.key, "ok", r.right, r.row_right) for r in whole
    ]


@pytest.mark.parametrize("kind", ERRORS)
def test_a_run_that_fits_in_no_way_failed_for_memory(
    stack: Stack, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every run of it, each with the reason."""
    held(0, ERRORS[kind], monkeypatch)
    results = execute.attempt(stack, HERE, scan())
    assert {result.key for result in results} == {run.key for run in stack.runs}
    assert {result.reason.partition(":")[0] for result in results} == {"memory"}


def test_other_errors_cut_nothing(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runtime error of another kind fails the stack's cell as one."""
    calls: list[int] = []

    def train(assembled: Assembled) -> list[RunResult]:
        calls.append(len(assembled.stack.runs))
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(execute, "train", train)
    runs = [run for run in stack.runs if run.choices == stack.runs[0].choices]
    results = execute.attempt(replace(stack, runs=tuple(runs)), HERE, scan())
    assert calls == [len(runs)]
    assert {result.status for result in results} == {"failed"}
