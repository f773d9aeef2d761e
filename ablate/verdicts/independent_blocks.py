"""Verdicts over blocks that share no pair key: each block brings an error of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ablate.stats.pooled import pooled
from ablate.types import Comparison, Design, Verdict
from ablate.verdicts import decision
from ablate.verdicts.read_once import Estimated, judge as read_once

RULE = "Welch-Satterthwaite"
ASSUMES = "normal differences, independent blocks"


def judge(contrasts: Sequence[Sequence[Comparison]], design: Design) -> tuple[Verdict, ...]:
    """Decide each contrast, given its comparison inside every block, over the whole family.

    The estimand is the mean of the blocks' mean differences, equal weights. Raises nothing: what
    cannot be judged is UNTESTABLE.
    """
    return read_once([_estimated(blocks) for blocks in contrasts], design)


def _estimated(blocks: Sequence[Comparison]) -> Estimated:
    whole, reason = joined(blocks), fault(blocks)
    mean = None
    if not reason or reason == decision.NO_MARGIN:
        tiny = max(block.round_off for block in blocks)
        mean = pooled([block.deltas for block in blocks], blocks[0].resolution, tiny)
    return Estimated(
        comparison=whole,
        mean=mean,
        n=whole.n,
        rule=RULE,
        assumes=ASSUMES,
        fault=reason,
        alone=True,
    )


def fault(blocks: Sequence[Comparison]) -> str:
    """Say why a contrast's blocks cannot be pooled; '' where they can."""
    thin = [block for block in blocks if len(block.deltas) < 2]
    if thin:
        return f"{len(thin)} of {len(blocks)} blocks have fewer than 2 pairs"
    if not blocks[0].margin > 0:
        return decision.NO_MARGIN
    return next(
        filter(None, (block.refusal or decision.differential_failure(block) for block in blocks)),
        "",
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
