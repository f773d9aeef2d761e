"""Without a margin nothing is claimed: a difference and its interval, and no decision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ablate.types import Comparison, Design, Verdict
from ablate.verdicts import decision
from ablate.verdicts.family import schedule
from ablate.verdicts.interim import Interim, started
from ablate.verdicts.ties import worst

WHY = "no margin was declared, so there is no verdict: the interval says how far it may lie from 0"

UNCORRECTED = ("none", "bh", "by")
"""Corrections that hold no simultaneous interval."""


def is_undeclared(comparison: Comparison) -> bool:
    """Say whether the margin is all that keeps a comparison from being judged."""
    return decision.fault(comparison) == decision.NO_MARGIN


def with_interval(verdicts: Sequence[Verdict], design: Design) -> tuple[Verdict, ...]:
    """Give verdicts of a family without a margin their intervals, by the rule of their last look.

    The intervals hold all at once (Bonferroni) where the correction is one over claims, else each
    alone. Where half of the pairs tie, what was not seen widens them; see `ties`.
    """
    family = [verdict.comparison for verdict in verdicts]
    return tuple(
        shown(verdict, _last(verdict.comparison, family, design), level_of(design, len(verdicts)))
        if is_undeclared(verdict.comparison)
        else verdict
        for verdict in verdicts
    )


def _last(comparison: Comparison, family: Sequence[Comparison], design: Design) -> Interim:
    *_, (_, rule) = schedule(design)
    return started(comparison, rule, worst(comparison, family).size)


def level_of(design: Design, claims: int) -> float:
    """Give the level of one interval of a family."""
    return design.alpha if design.correction in UNCORRECTED else design.alpha / claims


def shown(verdict: Verdict, interim: Interim, level: float) -> Verdict:
    """Give a verdict that decides nothing its difference, with a two-sided interval of a level."""
    low, high = interim.last.calm_ends(level / 2)
    return replace(
        verdict,
        estimate=interim.last.mean,
        low=low,
        high=high,
        confidence=1 - level,
        simultaneous=(low, high),
        why=WHY,
        rule=interim.last.rule.name,
        detectable=math.nan,
        p_adjusted=math.nan,
    )
