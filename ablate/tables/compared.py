"""What a table says: verdicts, ranks and warnings as one value, and as plain data for JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ablate.registry import scan
from ablate.stats.across_datasets import Settings
from ablate.stats.pooled import paired_gain
from ablate.tables.arm_means import ArmMean
from ablate.tables.rows import label
from ablate.types import Comparison, Decision, Design, TestResult, Verdict

SCHEMA = 1
"""Version of the JSON that `to_dict` gives; `schema_path` describes it. Raised by any change but a
new key.
"""


DOCUMENT = "comparison.json"
"""The file of it beside a report."""


def schema_path() -> Path:
    """Give the file of the JSON Schema that `to_dict` keeps to."""
    return Path(__file__).with_name("comparison.schema.json")


@dataclass(frozen=True)
class Kind:
    """What the errors of a table's differences rest on.

    cluster: the column of the clusters that pairs fall into. test_train: rows tested over rows
    trained on, of folds that share training rows.
    """

    name: str
    cluster: str | None = None
    test_train: float | None = None


PAIRED = Kind("paired")
UNPAIRED, CLUSTERS, FOLDS = "unpaired", "clusters", "folds"
BLOCKS = Kind("independent blocks")


@dataclass(frozen=True)
class Compared:
    """What a table says.

    verdicts: one a pair of arms, over all blocks, corrected as one family. blocks: by block, the
    same pairs inside it, corrected as a family of their own. keys: the pair keys by place.
    settings: what the blocks say together, beside the verdicts; None for fewer than two. notes: how
    the table was read, and what is to be known before any verdict. lower: less is better. arms:
    each arm's own mean. kind: what the errors rest on. gains: what pairing would have bought, by
    treatment and baseline, where they are not paired. metric, pair: what the scores and their keys
    are called.
    """

    verdicts: tuple[Verdict, ...]
    blocks: Mapping[str, tuple[Verdict, ...]]
    warnings: tuple[str, ...]
    design: Design
    keys: tuple[Any, ...]
    settings: Settings | None = None
    notes: tuple[str, ...] = ()
    lower: bool = False
    arms: tuple[ArmMean, ...] = ()
    kind: Kind = PAIRED
    gains: Mapping[tuple[str, str], float] = field(default_factory=dict)
    metric: str = ""
    pair: str = "seed"

    @property
    def declared(self) -> bool:
        """Say whether a margin was declared, so that there are verdicts."""
        return all(verdict.comparison.margin > 0 for verdict in self.verdicts)

    @property
    def tested(self) -> bool:
        """Say whether any claim could be tested, over all blocks or inside one.

        Without a margin: whether any difference has an interval.
        """
        every = (*self.verdicts, *(v for block in self.blocks.values() for v in block))
        if not self.declared:
            return any(not math.isnan(verdict.low) for verdict in every)
        return any(verdict.decision != Decision.UNTESTABLE for verdict in every)

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain data for JSON; what is not a number is None."""
        blocks = self.blocks.items()
        return {
            "schema": SCHEMA,
            "metric": self.metric,
            "pair": self.pair,
            "design": self.kind.name,
            "cluster": self.kind.cluster,
            "test_train": self.kind.test_train,
            "declared": self.declared,
            "alpha": self.design.alpha,
            "correction": self.design.correction,
            "looks": list(self.design.looks),
            "less_is_better": self.lower,
            "anytime": self.design.anytime,
            "notes": list(self.notes),
            "arms": [_finite(asdict(mean)) for mean in self.arms],
            "contrasts": [self._plain(verdict, self.verdicts) for verdict in self.verdicts],
            "blocks": [
                {"block": b, **self._plain(verdict, some)} for b, some in blocks for verdict in some
            ],
            "settings": _finite(asdict(self.settings)) if self.settings else None,
            "warnings": list(self.warnings),
        }

    def _repr_html_(self) -> str:
        """Show the verdicts in a notebook."""
        page: str = scan().load("report", "notebook")().comparison(self)
        return page

    def gain(self, comparison: Comparison) -> float:
        """Give what pairing bought, or would have bought where arms were not paired."""
        arms = (comparison.treatment, comparison.baseline)
        return self.gains.get(arms, paired_gain(comparison))

    def _plain(self, verdict: Verdict, family: Sequence[Verdict]) -> dict[str, Any]:
        comparison = verdict.comparison
        record = {
            "treatment": comparison.treatment,
            "baseline": comparison.baseline,
            "metric": comparison.metric,
            "margin": comparison.margin,
            "margins": list(comparison.bounds),
            "claim": comparison.claim,
            "verdict": verdict.decision if comparison.margin > 0 else None,
            "direction": _direction(verdict),
            "better": _better(verdict, self.lower),
            "effect": {True: "helps", False: "hurts", None: ""}[_better(verdict, self.lower)],
            "flags": list(verdict.flags),
            "why": verdict.why,
            "n": verdict.n,
            "runs": [len(comparison.treatment_values), len(comparison.baseline_values)],
            "estimate": verdict.estimate,
            "low": verdict.low,
            "high": verdict.high,
            "confidence": verdict.confidence,
            "simultaneous": len(family) < 2 or self.design.correction == "bonferroni",
            "inner_low": verdict.inner[0],
            "inner_high": verdict.inner[1],
            "simultaneous_low": verdict.simultaneous[0],
            "simultaneous_high": verdict.simultaneous[1],
            "simultaneous_confidence": 1 - self.design.alpha,
            "worst": verdict.worst.size or None,
            "worst_from": verdict.worst.origin,
            "negligible_from": verdict.negligible_from,
            "matters_to": verdict.matters_to,
            "unseen_rate": verdict.unseen,
            "robust": asdict(verdict.robust) if verdict.robust else None,
            "collapses": asdict(verdict.collapses) if verdict.collapses else None,
            "items": asdict(verdict.items) if verdict.items else None,
            "p_of": verdict.p_of,
            "p": verdict.p,
            "p_adjusted": verdict.p_adjusted,
            "rule": verdict.rule,
            "detectable": verdict.detectable,
            "correlation": comparison.correlation if verdict.n > 1 else math.nan,
            "pairing_gain": self.gain(comparison),
            "pairs": {
                label(self.keys[s]): d
                for s, d in zip(comparison.seeds, comparison.deltas, strict=True)
            },
            "lost": [
                {"reason": lost.reason, "failed": list(lost.sides)} for lost in comparison.lost
            ],
            "tests": {name: self._test(test) for name, test in verdict.tests.items()},
        }
        plain: dict[str, Any] = _finite(record)
        return plain

    def _test(self, test: TestResult) -> dict[str, Any]:
        """Give a test with the level of its interval, which is its own alone, as its p is."""
        missed = 2 * self.design.alpha if test.name == "equivalence" else self.design.alpha
        return {**asdict(test), "confidence": 1 - missed, "simultaneous": False}


def _direction(verdict: Verdict) -> str:
    if verdict.decision != Decision.MATTERS:
        return ""
    return "higher" if verdict.estimate > 0 else "lower"


def _better(verdict: Verdict, lower: bool) -> bool | None:
    """Say whether the treatment does better, where it matters."""
    if verdict.decision != Decision.MATTERS:
        return None
    return (verdict.estimate < 0) == lower


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return _finite(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
