"""Verdicts in words: the sentence that answers the question, and what each figure is called."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ablate.analysis.pairing import in_cell
from ablate.core.foreign_text import Markup
from ablate.types import Contrast, Decision, Effect, PooledContrast, Verdict

if TYPE_CHECKING:  # the store comes with it, which `compare` does not need
    from ablate.flow import Study

MEANINGS = {
    Decision.MATTERS: "the difference is larger than the margin declared as worth caring about",
    Decision.NEGLIGIBLE: "the difference is shown to be smaller than that margin",
    Decision.NO_GAIN: "a gain above the margin is excluded, and nothing else was asked: "
    "it may hurt",
    Decision.NO_HARM: "a loss above the margin is excluded, and nothing else was asked: "
    "it may help",
    Decision.INCONCLUSIVE: "neither could be shown with these seeds; it is no proof of equality",
    Decision.UNTESTABLE: "there were too few comparable runs, or the comparison would not be fair",
}


def points(value: float, signed: bool = True) -> str:
    """Write points with two decimals and a real minus sign.

    >>> points(-1.234), points(0.5), points(float("nan")), points(float("-inf"))
    ('−1.23', '+0.50', '–', '−∞')
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "+∞" if value > 0 else "−∞"
    text = f"{value:+.2f}" if signed else f"{value:.2f}"
    return text.replace("-", "−")


def amount(value: float, *, of_points: bool, signed: bool = True) -> str:
    """Write a size in its metric's unit: points, or another with four significant digits.

    >>> amount(-0.00123456, of_points=False), amount(4e9, of_points=False, signed=False)
    ('−0.001235', '4e+09')
    >>> amount(1.234, of_points=True)
    '+1.23'
    """
    if of_points or not math.isfinite(value):
        return points(value, signed)
    return (f"{value:+.4g}" if signed else f"{value:.4g}").replace("-", "−")


def interval(low: float, high: float, *, of_points: bool = True, signed: bool = True) -> str:
    """Write an interval in its metric's unit."""
    if math.isnan(low):
        return "–"
    return " to ".join(amount(end, of_points=of_points, signed=signed) for end in (low, high))


def of(verdict: Verdict, value: float, *, signed: bool = True) -> str:
    """Write a size in the unit of a verdict's metric."""
    return amount(value, of_points=verdict.comparison.points, signed=signed)


def p_value(p: float) -> Markup:
    """Write a p-value; never as 0.

    >>> p_value(0.04321), p_value(1e-9)
    ('0.043', '< 0.001')
    """
    if math.isnan(p):
        return Markup("–")
    return Markup("< 0.001" if p < 0.001 else f"{p:.3f}")


def procedure(correction: str) -> str:
    """Name a correction as a heading does.

    >>> procedure("holm"), procedure("bh")
    ('Holm', 'BH')
    """
    return correction.upper() if correction in ("bh", "by") else correction.capitalize()


def percent(alpha: float) -> str:
    """Write the level of an interval.

    >>> percent(0.05)
    '95 %'
    """
    return f"{100 * (1 - alpha):g} %"


def decision(verdict: Verdict) -> Markup:
    """Write a verdict with its direction and flags."""
    direction = ""
    if verdict.decision == Decision.MATTERS:
        direction = " (helps)" if better(verdict) else " (hurts)"
    flags = f" ({', '.join(verdict.flags)})" if verdict.flags else ""
    return Markup(f"**{verdict.decision}**{direction}{flags}")


def better(verdict: Verdict) -> bool:
    """Say whether the treatment does better, in the metric's own direction."""
    lower = verdict.comparison.lower
    return (verdict.estimate < 0) if lower else (verdict.estimate > 0)


def named(study: Study, effect: Effect) -> str:
    """Name an effect or a pooled contrast, with the setting it is about where there are several."""
    where = setting(study, effect)
    return f"{effect.name} {where}" if isinstance(effect, PooledContrast) else effect.name + where


def in_metric(study: Study, effect: Effect) -> str:
    """Name an effect likewise, with its metric where effects are claimed in several."""
    several = len({one.metric for one in study.suite.effects}) > 1
    return f"{named(study, effect)}{f' on {effect.metric}' if several else ''}"


def setting(study: Study, effect: Effect) -> str:
    """Say over which axes an effect is pooled, and the cell of the others."""
    cell = study.suite.variants[effect.plus[0]].cell
    over = effect.over if isinstance(effect, PooledContrast) else ()
    others = {axis: value for axis, value in cell.items() if axis not in over}
    axes = [axis.rsplit(".", 1)[-1] for axis in over]
    pooled = f"over {', '.join(axes)}" if axes else ""
    return f"{pooled}{in_cell(others)}"


def scoring(study: Study, contrast: Contrast) -> str:
    """Name a contrast's metric, the protocols behind `accuracy`, and any oracle among them."""
    from ablate.analysis.judge import scored_by

    if study.suite.measures:
        return contrast.metric
    labels = sorted(scored_by(study.suite, contrast))
    named = f"{contrast.metric}: {' / '.join(labels)}" if contrast.metric == "accuracy" else ""
    oracle = " (ORACLE)" if study.oracles.intersection(labels) else ""
    return f"{named or contrast.metric}{oracle}"


ALONE = "There is one claim, which has the whole of alpha: nothing else is to hold with it."


LEVELS = {
    "holm": "The level is that of Holm's step for the claim, of an undecided one where the "
    "procedure over the {claims} claims stopped; the simultaneous interval is Bonferroni's, which "
    "stands among the details.",
    "bonferroni": "The level is Bonferroni's for {claims} claims: the intervals are simultaneous.",
    "hommel": "It is per claim, at the level to which Hommel's procedure over the {claims} claims "
    "came; Hommel's has no simultaneous interval.",
    "bh": "It is per claim, at the level to which Benjamini and Hochberg's procedure over the "
    "{claims} claims came: where the false share of the claims is held, there is no simultaneous "
    "interval.",
    "by": "It is per claim, at the level to which Benjamini and Yekutieli's procedure over the "
    "{claims} claims came: where the false share of the claims is held, there is no simultaneous "
    "interval.",
    "none": "It is per claim: nothing is corrected for there being {claims}.",
}


def levels(correction: str, claims: int) -> str:
    """Say at which level the intervals of a family are, and whether they hold all at once."""
    return LEVELS[correction].format(claims=claims) if claims > 1 else ALONE


def exactly(p: float) -> str:
    """Say an exact p beside its approximations, where it could be counted.

    >>> exactly(0.0625), exactly(math.nan)
    (', exact p 0.062', '')
    """
    return "" if math.isnan(p) else f", exact p {p_value(p)}"


def plain(value: float) -> str:
    """Write a figure without a unit.

    >>> plain(3.14159), plain(float("nan"))
    ('3.14', '–')
    """
    return "–" if math.isnan(value) else f"{value:.2f}"


def picture(name: str, title: str, pictures: Sequence[str]) -> str:
    """Show a picture if it was drawn."""
    return f"![{title}]({name})" if name in pictures else ""
