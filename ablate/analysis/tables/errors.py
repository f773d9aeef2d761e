"""A table's differences judged by what their errors rest on: pairs, loose runs, clusters, folds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ablate.errors import SelectionError
from ablate.stats import correlated
from ablate.stats.pooled import Pooled, paired_gain, welch
from ablate.tables import pairs
from ablate.tables.columns.clusters import clusters, folds
from ablate.tables.compared import CLUSTERS, FOLDS, PAIRED, UNPAIRED, Kind
from ablate.tables.score_table import Scores
from ablate.tables.shape import Shaped
from ablate.types import ENOUGH_PAIRS, Comparison, Design, TestResult, Verdict
from ablate.verdicts import decision, independent_blocks
from ablate.verdicts.items import by_clusters, items
from ablate.verdicts.read_once import Estimated, judge as read_once

ASSUMES = {
    UNPAIRED: "normal scores, independent runs",
    CLUSTERS: "independent clusters, normal means",
    FOLDS: "normal differences, folds that share training rows",
}
RULES = {
    UNPAIRED: "Welch t",
    CLUSTERS: "cluster-robust t",
    FOLDS: "corrected resampled t",
}

MOST_GAINS = 3


@dataclass(frozen=True)
class Errors:
    """What the errors of a table's differences rest on.

    clusters: the cluster of each pair, by the place of its key.
    """

    kind: Kind = PAIRED
    clusters: Mapping[int, Hashable] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Say whether pairs are independent."""
        return self.kind.name == PAIRED.name

    def compared(
        self, scores: Scores, arms: tuple[str, str], blocks: Sequence[str], metric: str
    ) -> Comparison:
        """Put two arms together over some blocks, as pairs or as runs that are none."""
        join = pairs.unpaired if self.kind.name == UNPAIRED else pairs.joined
        return join(scores, arms, blocks, metric, math.nan)

    def of(self, comparison: Comparison) -> list[Hashable]:
        """Give the cluster of each of its pairs."""
        return [self.clusters[seed] for seed in comparison.seeds] if self.clusters else []


def judged(
    contrasts: Sequence[Sequence[Comparison]], errors: Errors, design: Design
) -> tuple[Verdict, ...]:
    """Judge contrasts, each given inside blocks that share no key, or once over all of them."""
    if errors.plain:
        return independent_blocks.judge(contrasts, design)
    return read_once([_estimated(blocks, errors) for blocks in contrasts], design)


def with_items(verdict: Verdict, errors: Errors) -> Verdict:
    """Say beside a verdict on items that are right or wrong which arm alone had them right."""
    if errors.kind.name in (UNPAIRED, FOLDS):
        return verdict
    return replace(verdict, items=items(verdict.comparison, errors.of(verdict.comparison)))


def _estimated(blocks: Sequence[Comparison], errors: Errors) -> Estimated:
    whole = _whole(blocks)
    name = errors.kind.name
    thin = any(block.n < 2 for block in blocks)
    groups = {*errors.of(whole)}
    fault = decision.fault(whole)
    if not fault and name == CLUSTERS and len(groups) < 2:
        fault = "all pairs are in one cluster"
    if not fault and thin:
        fault = "a block has fewer than 2 pairs, or an arm there fewer than 2 runs"
    mean = None
    if fault in ("", decision.NO_MARGIN) and not thin and not (groups and len(groups) < 2):
        mean = _pooled([_mean(block, errors) for block in blocks])
    return Estimated(
        comparison=whole,
        mean=mean,
        n=_units(whole, errors, len(groups)),
        rule=RULES[name],
        assumes=ASSUMES[name],
        fault=fault,
        unit="clusters" if name == CLUSTERS else "",
        few=_few(whole, errors, len(groups)),
        beside=_beside(whole, errors) if mean else {},
    )


def _whole(blocks: Sequence[Comparison]) -> Comparison:
    if len(blocks) == 1:
        return blocks[0]
    if not blocks[0].unpaired:
        return independent_blocks.joined(blocks)
    return replace(
        blocks[0],
        treatment_values=tuple(v for block in blocks for v in block.treatment_values),
        baseline_values=tuple(v for block in blocks for v in block.baseline_values),
        lost=tuple(pair for block in blocks for pair in block.lost),
    )


def _mean(block: Comparison, errors: Errors) -> Pooled:
    name, ratio = errors.kind.name, errors.kind.test_train
    if name == UNPAIRED:
        arms = [block.treatment_values], [block.baseline_values]
        return welch(*arms, block.resolution, block.round_off)
    if name == CLUSTERS:
        return correlated.clustered(
            block.deltas, errors.of(block), block.resolution, block.round_off
        )
    return correlated.resampled(block.deltas, block.spread, ratio or 0.0)


def _pooled(means: Sequence[Pooled]) -> Pooled:
    """Give the mean of independent means, equal weights, by Welch & Satterthwaite."""
    variances = [mean.error**2 for mean in means]
    total = math.fsum(variances)
    df = total**2 / math.fsum(v**2 / mean.df for v, mean in zip(variances, means, strict=True))
    estimate = math.fsum(mean.estimate for mean in means) / len(means)
    return Pooled(estimate, math.sqrt(total) / len(means), df)


def _units(whole: Comparison, errors: Errors, clusters: int) -> int:
    """Count what is independent: runs of the smaller arm, clusters, or what folds are worth."""
    if errors.kind.name == CLUSTERS:
        return max(1, clusters)
    if errors.kind.name == FOLDS and whole.n:
        return max(1, int(1 / (1 / whole.n + (errors.kind.test_train or 0.0))))
    return max(1, whole.n)


def _few(whole: Comparison, errors: Errors, clusters: int) -> str:
    """Say why nothing may be decided yet; '' where it may."""
    if errors.kind.name == CLUSTERS and clusters < ENOUGH_PAIRS:
        return f"{clusters} clusters are too few to decide; at least {ENOUGH_PAIRS} are needed"
    if not whole.unpaired:
        return ""
    for arm, values in (
        (whole.treatment, whole.treatment_values),
        (whole.baseline, whole.baseline_values),
    ):
        (score, count), *_ = Counter(values).most_common(1) or [(math.nan, 0)]
        if 2 * count >= len(values) >= ENOUGH_PAIRS:
            return (
                f"{count} of {len(values)} runs of {arm} have the same score, {score:g}: without "
                "pairs nothing says how far runs that were not seen may lie from it"
            )
    return ""


def _beside(whole: Comparison, errors: Errors) -> dict[str, TestResult]:
    if errors.kind.name != CLUSTERS:
        return {}
    return {"sign-flip": by_clusters(whole, errors.of(whole), 0.05)}


def settled(
    shape: Shaped,
    scores: Scores,
    unpaired: bool,
    cluster: str | None,
    test_train: float | None,
) -> tuple[Errors, list[str]]:
    """Settle what a table's errors rest on, and say what was not asked for in so many words.

    Raises SelectionError for two kinds at once, or a ratio that is none.
    """
    if test_train is not None and not 0 <= test_train < math.inf:
        raise SelectionError(f"{test_train} rows tested for each trained on; it is 0 or more")
    asked = [unpaired, bool(cluster), bool(test_train)]
    if sum(asked) > 1:
        raise SelectionError("unpaired runs, clusters and folds: one of them at a time")
    if unpaired:
        note = "runs are taken for independent ones, in no pairs, whatever keys the arms share"
        return Errors(Kind(UNPAIRED)), [note]
    if cluster:
        groups = clusters(shape.table, shape.columns, cluster)
        by_place = {
            scores.places[key]: name for key, name in groups.items() if key in scores.places
        }
        return Errors(Kind(CLUSTERS, cluster=cluster), by_place), []
    count = folds(shape.table, shape.columns) if test_train is None else 0
    if count:
        note = (
            f"{shape.columns.key} number {count} folds of one data set, which share training rows: "
            f"the variance is (1 / n + 1 / {count - 1}) s², not s² / n (Nadeau & Bengio 2003); "
            "--test-train says another ratio of rows tested to rows trained on, 0 that they are "
            "independent"
        )
        return Errors(Kind(FOLDS, test_train=1 / (count - 1))), [note]
    return (Errors(Kind(FOLDS, test_train=test_train)) if test_train else Errors()), []


def gains(
    scores: Scores, contrasts: Sequence[tuple[str, str]], metric: str
) -> dict[tuple[str, str], float]:
    """Give what pairing would have bought, of the keys that both arms have."""
    return {
        arms: paired_gain(pairs.joined(scores, arms, scores.blocks, metric, math.nan))
        for arms in contrasts
    }


def of_gains(gained: Mapping[tuple[str, str], float], key: str) -> Iterator[str]:
    """Say what pairing would have bought, at most of three contrasts."""
    known = {arms: gain for arms, gain in gained.items() if not math.isnan(gain)}
    for (treatment, baseline), gain in [*known.items()][:MOST_GAINS]:
        yield (
            f"paired by {key}, the variance of {treatment} − {baseline} would be {gain:.3g} times "
            "smaller with as many runs (1 is no gain): their scores go together"
            if gain > 1
            else f"paired by {key}, the variance of {treatment} − {baseline} would be no smaller"
        )
