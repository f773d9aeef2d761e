"""Kernels are compiled before workers start: once, told, and called by them as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ablate import flow
from ablate.compiled import build
from ablate.plan.run_keys import LEAST_WIDTH, SHARES, balanced_width
from ablate.registry import Catalogue
from ablate.training.execute import attempt
from ablate.types import Site, Stack, Suite
from ablate.workflows import warming


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep kernels in a folder of the test's own."""
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path / "cache"))
    build._imported.cache_clear()
    return tmp_path / "cache"


def stacks_of(suite: Suite) -> tuple[Stack, ...]:
    return flow.prepare(suite, Path("data"), None).stacks


@pytest.mark.slow
def test_kernels_are_compiled_once_and_serve_the_runs(
    cache: Path, suite_of: Callable[..., Suite], catalogue: Catalogue
) -> None:
    """One line for all of them; then nothing is said, and nothing is new in the cache."""
    stacks, site, told = stacks_of(suite_of()), Site("data", "cpu"), list[str]()
    warming.warm(stacks, site, catalogue, told.append)
    assert told == [warming.LINE]
    kept = set(cache.rglob("*.nb?"))
    assert kept
    for stack in stacks:
        results = attempt(stack, site, catalogue)
        assert {result.provenance["form"] for result in results} == {"compiled"}
    assert set(cache.rglob("*.nb?")) == kept
    warming.warm(stacks, site, catalogue, told.append)
    build._imported.cache_clear()
    assert told == [warming.LINE]
    assert not list(warming.cold(stacks, catalogue))


def test_what_is_not_compiled_is_not_spoken_of(
    cache: Path, suite_of: Callable[..., Suite], catalogue: Catalogue
) -> None:
    """Where the torch form is asked for."""
    told: list[str] = []
    stacks = stacks_of(suite_of())
    warming.warm(stacks, Site("data", "cpu", compiled=False), catalogue, told.append)
    assert not told
    assert not cache.exists()


def test_a_fault_in_a_kernel_is_left_to_the_worker(
    cache: Path,
    suite_of: Callable[..., Suite],
    catalogue: Catalogue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The command goes on."""

    def faulty(*_: object) -> None:
        raise ValueError("no kernel")

    monkeypatch.setattr(build, "call", faulty)
    warming.warm(stacks_of(suite_of()), Site("data", "cpu"), catalogue, lambda line: None)


def test_stacks_that_are_compiled_are_cut_for_balance(suite_of: Callable[..., Suite]) -> None:
    """Thirty-two seeds of two arms: no stack has more than its share, or the least width."""
    stacks = stacks_of(flow.with_seeds(suite_of(), 32))
    assert {len(stack.runs) for stack in stacks} == {LEAST_WIDTH}
    assert len({run.key for stack in stacks for run in stack.runs}) == 64
    assert balanced_width(32, 1.0, 1.0 * SHARES) == 32
    assert balanced_width(32, 0.0, 0.0) == 32
