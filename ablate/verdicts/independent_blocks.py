"""Verdicts over blocks that share no pair key: each block brings an error of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ablate.stats.correction import Step, steps
from ablate.stats.pooled import pooled
from ablate.types import Comparison, Decision, Design, TestResult, Verdict, Worst
from ablate.verdicts import decision
from ablate.verdicts.interim import Interim, Look
from ablate.verdicts.sequential import Once
from ablate.verdicts.ties import worst

RULE = "Welch-Satterthwaite"
ASSUMES = "normal differences, independent blocks"


def judge(contrasts: Sequence[Sequence[Comparison]], design: Design) -> tuple[Verdict, ...]:
    """Decide each contrast, given its comparison inside every block, over the whole family.

    The estimand is the mean of the blocks' mean differences, equal weights. Raises nothing: what
    cannot be judged is UNTESTABLE.
    """
    faults = [fault(blocks) for blocks in contrasts]
    family = [joined(blocks) for blocks in contrasts]
    allowed = [worst(whole, family) for whole in family]
    read = [
        None if reason else _pool(blocks, most.size)
        for reason, blocks, most in zip(faults, contrasts, allowed, strict=True)
    ]
    p = [
        interim.p if interim and not _few(blocks) else 1.0
        for interim, blocks in zip(read, contrasts, strict=True)
    ]
    ladder = steps(p, design.alpha, design.correction)
    return tuple(
        _verdict(blocks, interim, step, most) if interim else _untestable(blocks, reason)
        for blocks, interim, reason, step, most in zip(
            contrasts, read, faults, ladder, allowed, strict=True
        )
    )


def _few(blocks: Sequence[Comparison]) -> str:
    return decision.withheld(joined(blocks))


def _pool(blocks: Sequence[Comparison], most: float) -> Interim:
    tiny = max(block.round_off for block in blocks)
    mean = pooled([block.deltas for block in blocks], blocks[0].resolution, tiny)
    n = sum(len(block.deltas) for block in blocks)
    look = Look(n=n, mean=mean.estimate, error=mean.error, rule=Once(RULE, mean.df), worst=most)
    first = blocks[0]
    return Interim(
        bounds=first.bounds, claim=first.claim, side=first.side, bar=first.bar, looks=(look,)
    )


def fault(blocks: Sequence[Comparison]) -> str:
    """Say why a contrast's blocks cannot be pooled; '' where they can."""
    thin = [block for block in blocks if len(block.deltas) < 2]
    if thin:
        return f"{len(thin)} of {len(blocks)} blocks have fewer than 2 pairs"
    if not blocks[0].margin > 0:
        return decision.fault(blocks[0])
    return next(
        filter(None, (block.refusal or decision.differential_failure(block) for block in blocks)),
        "",
    )


def _untestable(blocks: Sequence[Comparison], reason: str) -> Verdict:
    whole, unknown = joined(blocks), math.nan
    return Verdict(
        comparison=whole,
        decision=Decision.UNTESTABLE,
        estimate=unknown,
        low=unknown,
        high=unknown,
        n=len(whole.deltas),
        p=unknown,
        p_adjusted=unknown,
        effect=unknown,
        why=reason,
        flags=(),
        tests={},
        rule=RULE,
    )


def _verdict(blocks: Sequence[Comparison], interim: Interim, step: Step, allowed: Worst) -> Verdict:
    whole = joined(blocks)
    mean, error = interim.last.mean, interim.last.error
    size = mean / (float(np.std(whole.deltas, ddof=1)) or whole.resolution)
    low, high = interim.outer(step.level)
    test = TestResult(
        name=RULE,
        n=interim.last.n,
        p=interim.p,
        estimate=mean,
        low=low,
        high=high,
        assumes=ASSUMES,
        effect=size,
        measure="d",
    )
    evidence = decision.Evidence(whole, {RULE: test}, step.level, interim=interim, worst=allowed)
    reached = decision.decide(evidence, step)
    reach = interim.last.rule.constant(0.2, interim.last.n) * error
    why = reached.why
    undecided = reached.decision == Decision.INCONCLUSIVE and not decision.withheld(whole)
    if undecided and not allowed.size:
        why = "the interval crosses the margin"  # how many seeds of which block, is not known
    return replace(
        reached, effect=size, why=why, detectable=max(whole.bounds) + (high - low) / 2 + reach
    )


def joined(blocks: Sequence[Comparison]) -> Comparison:
    """Put the blocks' pairs side by side; a key stands for one pair, as no two blocks share it."""
    first = blocks[0]
    order = sorted(
        (seed, t, b)
        for block in blocks
        for seed, t, b in zip(
            block.seeds, block.treatment_values, block.baseline_values, strict=True
        )
    )
    return replace(
        first,  # margin, side, grid and what a guess scores are the metric's, not the block's
        seeds=tuple(seed for seed, _, _ in order),
        treatment_values=tuple(t for _, t, _ in order),
        baseline_values=tuple(b for _, _, b in order),
        lost=tuple(pair for block in blocks for pair in block.lost),
        identical=all(block.identical for block in blocks),
        alike=(),
        standing={},
        refusal="; ".join(dict.fromkeys(filter(None, (block.refusal for block in blocks)))),
    )
