"""Pairs that tie exactly: what seeds that were not seen may still differ by.

n pairs without a difference say that differences are rare, not that there are none: events in fewer
than 1 - a^(1/n) of the seeds go unseen with a probability of a and more. Where half of the pairs
tie, a bound on the mean therefore takes a half of its level for the differences that were seen
(their t interval) and a half for those that were not: they move the mean by at most their rate, 1 -
(level / 2)^(1/n), times the worst difference of a seed.

That no difference is seen up to a look includes that none was seen up to the looks before, so that
the second half needs no correction for several looks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ablate.core.verdict_values import NO_WORST, Comparison, Worst

DECLARED = "declared"
SEEN = "the largest of any pair here in this metric"
RANGE = "the metric's range"
UNKNOWN = "the metric has no known range"


def worst(comparison: Comparison, family: Sequence[Comparison]) -> Worst:
    """Give what an unseen seed may differ by; nothing where fewer than half of the pairs tie.

    family: every comparison of the family as it stood at the same look, this one included. What was
    declared counts first; then the largest difference of any pair in the metric, if another
    contrast shows one at all; then the metric's range. A larger difference that was seen replaces
    a declared one.
    """
    if not comparison.tied:
        return NO_WORST
    if comparison.worst:
        seen = comparison.farthest
        return Worst(seen, SEEN) if seen > comparison.worst else Worst(comparison.worst, DECLARED)
    same = [
        member for member in family if member.metric == comparison.metric and not member.refusal
    ]
    if any(member.farthest for member in same if not _same_arms(member, comparison)):
        return Worst(max(member.farthest for member in same), SEEN)
    return Worst(comparison.range, RANGE if math.isfinite(comparison.range) else UNKNOWN)


def _same_arms(comparison: Comparison, other: Comparison) -> bool:
    return (comparison.treatment, comparison.baseline) == (other.treatment, other.baseline)


def unseen(level: float, n: int) -> float:
    """Give the rate under which events may have gone unseen in n seeds, at an error of `level`.

    >>> [round(unseen(0.05, n), 2) for n in (5, 10, 20)]
    [0.45, 0.26, 0.14]
    """
    return -math.expm1(math.log(level) / n)
