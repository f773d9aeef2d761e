"""For other people's code: `from ablate.api import compare` judges any table of paired scores.

Nothing here needs torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate import disjoint, frame, traps
from ablate.errors import SelectionError
from ablate.family import battery, conclude
from ablate.frame import Columns
from ablate.settings import Settings, across
from ablate.types import ENOUGH_PAIRS, Comparison, Design, Verdict
from ablate.verdict import CORRECTIONS

if TYPE_CHECKING:
    import pandas as pd

INSIDE = ("minimal-effect", "equivalence", "paired-t", "sign-flip", "sign-e")
"""The tests of a comparison inside one block; of many blocks the others would take too long."""


@dataclass(frozen=True)
class Compared:
    """What a table says.

    verdicts: one a pair of arms, over all blocks, corrected as one family. blocks: by block, the
    same pairs inside it, corrected as a family of their own. keys: the pair keys by place.
    settings: what the blocks say together, beside the verdicts; None for fewer than two.
    """

    verdicts: tuple[Verdict, ...]
    blocks: Mapping[str, tuple[Verdict, ...]]
    warnings: tuple[str, ...]
    design: Design
    keys: tuple[Any, ...]
    settings: Settings | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain data for JSON; what is not a number is None."""
        blocks = self.blocks.items()
        return {
            "alpha": self.design.alpha,
            "correction": self.design.correction,
            "looks": list(self.design.looks),
            "contrasts": [self._plain(one) for one in self.verdicts],
            "blocks": [{"block": b, **self._plain(one)} for b, some in blocks for one in some],
            "settings": _finite(asdict(self.settings)) if self.settings else None,
            "warnings": list(self.warnings),
        }

    def _plain(self, verdict: Verdict) -> dict[str, Any]:
        one = verdict.comparison
        found = {
            "treatment": one.treatment,
            "baseline": one.baseline,
            "metric": one.metric,
            "margin": one.margin,
            "verdict": verdict.decision,
            "direction": _direction(verdict),
            "flags": list(verdict.flags),
            "why": verdict.why,
            "n": verdict.n,
            "estimate": verdict.estimate,
            "low": verdict.low,
            "high": verdict.high,
            "inner_low": verdict.inner[0],
            "inner_high": verdict.inner[1],
            "p": verdict.p,
            "p_adjusted": verdict.p_adjusted,
            "rule": verdict.rule,
            "detectable": verdict.detectable,
            "correlation": one.correlation if verdict.n > 1 else math.nan,
            "pairs": {str(self.keys[s]): d for s, d in zip(one.seeds, one.deltas, strict=True)},
            "lost": [{"reason": lost.reason, "failed": list(lost.sides)} for lost in one.lost],
            "tests": {name: asdict(test) for name, test in verdict.tests.items()},
        }
        plain: dict[str, Any] = _finite(found)
        return plain


def compare(
    table: pd.DataFrame,
    *,
    margin: float | None,
    pair: str = "seed",
    arm: str | Sequence[str] = "method",
    metric: str = "accuracy",
    block: str | None = None,
    baseline: str | None = None,
    alpha: float = 0.05,
    correction: str = "holm",
    looks: Sequence[int] = (),
    resolution: float | None = None,
    lower: bool = False,
) -> Compared:
    """Judge every pair of arms in a table, or every arm against `baseline`.

    Differences are treatment - baseline in the metric's own unit, joined on `pair` (and `block`);
    of two arms the one that the table names first is the baseline.

    margin: the smallest difference that would matter, in the metric's unit, chosen before the data;
        None or 0 declares none, and then nothing can be decided.
    arm: the column that names the arm, or for a wide table the columns of the arms.
    alpha: rate of false claims of either kind over the family, [0.000001, 0.5].
    correction: `holm`, `hommel`, `bonferroni`, `bh`, `by` or `none`; see `verdict.CORRECTIONS`.
    looks: numbers of pairs at which verdicts were to be read, rising, the last the most that was to
        be spent; without them the table is read once, as a study of a fixed number.
    resolution: what one test row is worth in the metric; by default the smallest step seen.
    lower: a lower score is better; it turns ranks around, and no verdict.

    Blocks that share keys are judged by the keys' means over all blocks; blocks that share none
    each bring an error of their own (Welch-Satterthwaite).

    Raises SelectionError for an unknown column or arm and settings out of range, DataError for rows
    that cannot be used.
    """
    margin, alpha, resolution, looks = _numbers(margin, alpha, resolution, looks)
    _check(margin, alpha, correction, looks, resolution)
    several = isinstance(arm, Sequence) and not isinstance(arm, str)
    arms = tuple(arm) if several else (str(arm),)
    if not arms:
        raise SelectionError("no column is named for the arms")
    baseline = None if baseline is None else str(baseline)
    columns = Columns(pair, arms, metric, block)
    found = frame.scores(table, columns, resolution)
    asked, declared = frame.pairs(found, baseline), margin or math.nan
    whole = [frame.compare_over(found, one, metric, declared) for one in asked]
    design = _design(alpha, correction, looks, whole)
    apart = {
        name: [frame.compare_in(found, one, name, metric, declared) for one in asked]
        for name in (found.blocks if block else ())
    }
    inside = {
        name: _judged(some, _design(alpha, correction, looks, some), INSIDE)
        for name, some in apart.items()
    }
    if len(inside) > 1 and not frame.shares_keys(found):
        if len(looks) > 1:
            raise SelectionError("several looks at blocks that share no key; they are read once")
        verdicts = disjoint.judge(list(zip(*apart.values(), strict=True)), design)
    else:
        verdicts = _judged(whole, design)
    named = [(one.treatment, one.baseline, one.margin) for one in whole]
    together = across(found.values, named, metric, alpha, lower) if block else None
    warned = (*traps.of(verdicts, design), *traps.of_table(table, columns))
    return Compared(verdicts, inside, warned, design, found.keys, together)


def _design(
    alpha: float, correction: str, looks: Sequence[int], compared: Sequence[Comparison]
) -> Design:
    most = max(len(one.schedule) for one in compared)
    return Design(alpha, correction, tuple(looks) or (most,), most)


def _judged(
    compared: Sequence[Comparison], design: Design, names: Sequence[str] = ()
) -> tuple[Verdict, ...]:
    return tuple(conclude(compared, battery(names), design))


def _numbers(
    margin: Any, alpha: Any, resolution: Any, looks: Any
) -> tuple[float | None, float, float | None, tuple[int, ...]]:
    """Take numbers as they come, from NumPy and from text. Raises SelectionError for others."""
    try:
        whole = tuple(int(look) for look in looks)
        if any(int(look) != float(look) for look in looks):
            raise ValueError
        return (
            None if margin is None else float(margin),
            float(alpha),
            None if resolution is None else float(resolution),
            whole,
        )
    except (TypeError, ValueError):
        said = f"margin {margin!r}, alpha {alpha!r}, resolution {resolution!r}, looks {looks!r}"
        raise SelectionError(f"numbers are needed: {said}") from None


def _check(
    margin: float | None,
    alpha: float,
    correction: str,
    looks: Sequence[int],
    resolution: float | None,
) -> None:
    if margin is not None and not 0 <= margin < math.inf:
        raise SelectionError(f"a margin of {margin}; it is a positive number in the metric's unit")
    if not 1e-6 <= alpha <= 0.5:
        raise SelectionError(f"an alpha of {alpha}; it lies in [0.000001, 0.5]")
    if correction not in CORRECTIONS:
        raise SelectionError(f"correction {correction!r}; there are {', '.join(CORRECTIONS)}")
    if list(looks) != sorted({*looks}) or any(look < ENOUGH_PAIRS for look in looks):
        raise SelectionError(f"looks {list(looks)}; they rise from at least {ENOUGH_PAIRS}")
    if resolution is not None and not frame.SMALLEST < resolution < frame.LARGEST:
        raise SelectionError(f"a resolution of {resolution}; it is a positive number")


def _direction(verdict: Verdict) -> str:
    if verdict.decision != "MATTERS":
        return ""
    return "higher" if verdict.estimate > 0 else "lower"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return _finite(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
