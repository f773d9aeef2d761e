"""What became of expectations, a line each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ablate.core.foreign_text import STORED, plain
from ablate.registry import component
from ablate.types import Json
from ablate.workflows.gate.expectations import OPEN, Outcome

from . import words


@component("report", "gate")
@dataclass(frozen=True)
class Gate:
    """Expectations with what the runs say of them, for a terminal and as plain data."""

    def lines(self, outcomes: Sequence[Outcome]) -> Iterator[str]:
        """Say each in a line: kept, broken or open, the difference and its interval."""
        return map(line, outcomes)

    def data(self, outcomes: Sequence[Outcome]) -> list[Json]:
        """Give each as plain data; what is not finite is null."""
        return [
            {
                "expectation": outcome.expectation.text,
                "outcome": outcome.word,
                "treatment": comparison.treatment,
                "baseline": comparison.baseline,
                "metric": comparison.metric,
                "verdict": str(verdict.decision),
                "difference": _number(verdict.estimate),
                "low": _number(verdict.low),
                "high": _number(verdict.high),
                "alpha": outcome.alpha,
                "pairs": len(comparison.deltas),
                "why": verdict.why,
            }
            for outcome in outcomes
            for verdict in [outcome.verdict]
            for comparison in [verdict.comparison]
        ]


def line(outcome: Outcome) -> str:
    """Say one outcome."""
    verdict = outcome.verdict
    comparison = verdict.comparison
    arms = f"{comparison.treatment} − {comparison.baseline} [{comparison.metric}]"
    asked = f"{outcome.expectation.phrase.words} {outcome.expectation.size:g}"
    figures = ""
    if math.isfinite(verdict.estimate):
        figures = f": {words.of(verdict, verdict.estimate)}"
    if math.isfinite(verdict.low) and math.isfinite(verdict.high):
        figures += f", {words.interval(verdict.low, verdict.high, of_points=comparison.points)}"
    why = f"; {verdict.why}" if outcome.word == OPEN else ""
    text = f"{plain(arms, STORED)}: {asked}{figures}; {len(comparison.deltas)} pairs{plain(why)}"
    return f"  {outcome.word:<7} {text}"


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
