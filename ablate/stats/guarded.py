"""Tests beside the verdict: what one of them cannot do is said, and the verdict goes on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial

from ablate.core.foreign_text import of_error
from ablate.types import Comparison, TestResult

DECISIVE = ("minimal-effect", "equivalence")
"""The tests without whose p-values nothing is decided; those of one look are the verdict's own."""

NEEDED = (*DECISIVE, "paired-t")
"""The verdict rests on these: its p-values, its estimate and its interval."""

Test = Callable[[Comparison, float], TestResult]


def beside(tests: Mapping[str, Test]) -> dict[str, Test]:
    """Guard every test that no verdict rests on; the others may still raise."""
    return {
        name: test if name in NEEDED else partial(_guarded, name, test)
        for name, test in tests.items()
    }


def _guarded(name: str, test: Test, comparison: Comparison, alpha: float) -> TestResult:
    """Give a test's result; where it raises, MemoryError included, one of NaN with the reason."""
    try:
        return test(comparison, alpha)
    except Exception as error:  # a third party's test may raise anything
        return not_computed(name, len(comparison.deltas), of_error(error))


def not_computed(name: str, n: int, reason: str) -> TestResult:
    """Give a result of NaN that says why there is no other."""
    nothing = math.nan
    return TestResult(
        name=name,
        n=n,
        p=nothing,
        estimate=nothing,
        low=nothing,
        high=nothing,
        assumes="",
        note=reason,
    )
