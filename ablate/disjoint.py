"""Verdicts over blocks that share no pair key: each block brings an error of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ablate import verdict
from ablate.stats.pooled import Pooled, pooled
from ablate.types import ENOUGH_PAIRS, Comparison, Design, TestResult, Verdict

RULE = "Welch-Satterthwaite"
ASSUMES = "normal differences, independent blocks"


def judge(contrasts: Sequence[Sequence[Comparison]], design: Design) -> tuple[Verdict, ...]:
    """Decide each contrast, given its comparison inside every block, over the whole family.

    The estimand is the mean of the blocks' mean differences, equal weights. Raises nothing: what
    cannot be judged is UNTESTABLE.
    """
    faults = [fault(blocks) for blocks in contrasts]
    found = [None if bad else _pool(blocks)
             for bad, blocks in zip(faults, contrasts, strict=True)]  # fmt: skip
    p = [min(one.claims(blocks[0].margin)) if one else 1.0
         for one, blocks in zip(found, contrasts, strict=True)]  # fmt: skip
    adjusted = verdict.adjust(p, design.correction)
    return tuple(
        _verdict(blocks, one, bad, q, design)
        for blocks, one, bad, q in zip(contrasts, found, faults, adjusted, strict=True)
    )


def _pool(blocks: Sequence[Comparison]) -> Pooled:
    tiny = max(one.round_off for one in blocks)
    return pooled([one.deltas for one in blocks], blocks[0].resolution, tiny)


def fault(blocks: Sequence[Comparison]) -> str:
    """Say why a contrast's blocks cannot be pooled; '' where they can."""
    thin = [one for one in blocks if len(one.deltas) < 2]
    if thin:
        return f"{len(thin)} of {len(blocks)} blocks have fewer than 2 pairs"
    if not blocks[0].margin > 0:
        return verdict.fault(blocks[0])
    return next(
        filter(None, (one.refusal or verdict.differential_failure(one) for one in blocks)), ""
    )


def _verdict(
    blocks: Sequence[Comparison], found: Pooled | None, bad: str, p: float, design: Design
) -> Verdict:
    whole = joined(blocks)
    n = len(whole.deltas)
    if found is None:
        nothing = (math.nan, math.nan)
        return Verdict(whole, "UNTESTABLE", math.nan, *nothing, n, math.nan, math.nan, math.nan,
                       bad, (), {}, RULE, nothing)  # fmt: skip
    large, small = found.claims(whole.margin)
    outer, inner = found.interval(design.alpha), found.interval(2 * design.alpha)
    decision, why = "INCONCLUSIVE", "the interval crosses the margin"
    flags: tuple[str, ...] = ()
    zero = all(verdict.is_zero(one) for one in blocks)
    if n < ENOUGH_PAIRS:
        why = f"{n} pairs are too few to decide; at least {ENOUGH_PAIRS} are needed"
    elif zero and whole.identical:
        decision, flags = "NEGLIGIBLE", ("INERT",)
        why = "no seed shows any difference: every score of both arms is the same"
    elif p <= design.alpha:
        decision = "MATTERS" if large < small else "NEGLIGIBLE"
        side = "beyond" if large < small else "inside"
        why = f"the difference lies {side} the margin of {whole.margin:g}"
    differs = decision == "INCONCLUSIVE" and (outer[0] > 0 or outer[1] < 0)
    sd = float(np.std(whole.deltas, ddof=1)) or whole.resolution
    size = found.estimate / sd
    test = TestResult(RULE, n, min(large, small), found.estimate, *outer, ASSUMES, 0.0, size, "d")
    detectable = whole.margin + (outer[1] - outer[0]) / 2 + found.reach(0.8)
    return Verdict(
        whole, decision, found.estimate, *outer, n, min(large, small), p, size, why,
        ("differs",) if differs else flags, {RULE: test}, RULE, inner, detectable,
    )  # fmt: skip


def joined(blocks: Sequence[Comparison]) -> Comparison:
    """Put the blocks' pairs side by side; a key stands for one pair, as no two blocks share it."""
    first = blocks[0]
    order = sorted(
        (seed, t, b)
        for one in blocks
        for seed, t, b in zip(one.seeds, one.treatment_values, one.baseline_values, strict=True)
    )
    return Comparison(
        treatment=first.treatment,
        baseline=first.baseline,
        metric=first.metric,
        margin=first.margin,
        seeds=tuple(seed for seed, _, _ in order),
        treatment_values=tuple(t for _, t, _ in order),
        baseline_values=tuple(b for _, _, b in order),
        lost=tuple(pair for one in blocks for pair in one.lost),
        resolution=first.resolution,
        identical=all(one.identical for one in blocks),
        refusal="; ".join(dict.fromkeys(filter(None, (one.refusal for one in blocks)))),
    )
