"""What reads a verdict beside its test, and never decides: a robust mean, and collapsed runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Robust:
    """The 20 % trimmed mean of the paired differences, with its interval.

    confidence: of the interval, alone. decision: what it says of the margin by itself. beyond: the
    share of the pairs that lie on the other side of what the verdict says. differs: the trimmed
    mean lies there, too.
    """

    estimate: float
    low: float
    high: float
    confidence: float
    decision: str
    beyond: float
    differs: bool


@dataclass(frozen=True)
class Rate:
    """How many runs of an arm collapsed, of how many, with the exact 95 % interval of the rate."""

    count: int
    n: int
    low: float
    high: float


@dataclass(frozen=True)
class Collapses:
    """The runs of a comparison that collapsed.

    p: of equal rates in both arms, paired (exact McNemar), with its floor. conditional: the mean
    difference of the `left` pairs in which neither run collapsed, which decides nothing; nan where
    none is left. places: of the pairs that hold one.
    """

    treatment: Rate
    baseline: Rate
    p: float
    floor: float
    conditional: float
    left: int
    places: tuple[int, ...]
