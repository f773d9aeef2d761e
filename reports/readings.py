"""A verdict's figures as they are printed: rounded, but never across what the decision rests on.

From a printed row a reader can derive the decision, so figures get as many digits as that takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from ablate.types import Decision, Verdict, calm

WIDEST = 17
"""Digits that tell any two floating-point numbers apart."""

Write = Callable[[float, int], str]


def in_points(value: float, digits: int) -> str:
    """Write a signed number with a number of decimals.

    >>> in_points(-1.234, 2)
    '-1.23'
    """
    return f"{value:+.{digits}f}"


def in_units(value: float, digits: int) -> str:
    """Write a signed number with two significant digits more.

    >>> in_units(1234.56, 2)
    '+1235'
    """
    return f"{value:+.{digits + 2}g}"


def apart(values: Sequence[float], marks: Sequence[float], write: Write) -> list[str]:
    """Write values with the fewest digits, from two, that keep each on its side of every mark.

    >>> apart([1.996, 2.5], [2.0], in_points)
    ['+1.996', '+2.500']
    """
    for digits in range(2, WIDEST):
        texts = [write(value, digits) for value in values]
        if all(
            _side(value, mark) == _side(float(text), mark)
            for value, text in zip(values, texts, strict=True)
            for mark in marks
            if math.isfinite(value)
        ):
            return [minus(text) for text in texts]
    return [minus(f"{value:+.{WIDEST}g}") for value in values]


def _side(value: float, mark: float) -> int:
    return (value > mark) - (value < mark)


def minus(text: str) -> str:
    """Write a real minus sign, infinity by its sign, and what is missing as a dash."""
    return text.replace("-", "−").replace("inf", "∞").replace("+nan", "–").replace("nan", "–")


def number(value: float) -> str:
    """Write a declared number in full.

    >>> number(2.0), number(0.1234567)
    ('2', '0.1234567')
    """
    short = f"{value:g}"
    return short if float(short) == value or math.isnan(value) else repr(value)


def written(verdict: Verdict) -> Write:
    """Give how a verdict's numbers are written: points, or a unit of somebody's own."""
    return in_points if verdict.comparison.points else in_units


def unit(verdict: Verdict) -> str:
    """Give what follows a difference in a sentence."""
    return " points" if verdict.comparison.points else ""


def figures(verdict: Verdict, write: Write | None = None) -> tuple[str, str]:
    """Write the estimate, and the interval that the decision is read from with its level.

    A dash stands for the interval where the decision rests on none: too few pairs, seeds that are
    still to be run, or arms that scored the same throughout.
    """
    write = write or written(verdict)
    values = [verdict.estimate, verdict.low, verdict.high]
    below, above = verdict.comparison.bounds
    estimate, low, high = apart(values, (below, 0.0, above), write)
    if math.isnan(verdict.low):
        return apart([verdict.estimate], (0.0,), write)[0], "–"
    return estimate, f"{low} to {high} ({level(verdict)})"


def level(verdict: Verdict) -> str:
    """Write the level of a verdict's interval; of a declared side it is that of each end."""
    share = percent(verdict.confidence)
    return f"each end {share}" if verdict.comparison.claim else share


def percent(confidence: float) -> str:
    """Write a level, with three digits of what it leaves out.

    >>> percent(0.95), percent(1 - 0.05 / 7)
    ('95 %', '99.286 %')
    """
    return f"{100 - float(f'{100 * (1 - confidence):.3g}'):.12g} %"


def margin(verdict: Verdict) -> str:
    """Write the margin: to both sides, or on the side that was declared; `none` without one."""
    low, high = verdict.comparison.bounds
    if math.isnan(high):
        return "none"
    below, above = f"−{number(-low)}", f"+{number(high)}"
    if verdict.comparison.side:
        return above if verdict.comparison.side > 0 else below
    return f"±{number(high)}" if low == -high else f"{below} to {above}"


def is_estimate(verdict: Verdict) -> bool:
    """Say whether it has an interval and no decision, since no margin was declared."""
    return not verdict.comparison.margin > 0 and not math.isnan(verdict.low)


def afterwards(verdict: Verdict) -> str:
    """Say which margins, chosen afterwards, would have shown what; '' where nothing can be read."""
    if math.isnan(verdict.negligible_from):
        return ""
    none = calm(verdict.comparison.claim)
    parts = []
    if math.isfinite(verdict.negligible_from):
        parts.append(f"{none} with a margin above {outward(verdict.negligible_from, ROUND_UP)}")
    if math.isfinite(verdict.matters_to):
        parts.append(f"MATTERS with one under {outward(verdict.matters_to, ROUND_DOWN)}")
    return ", ".join(parts)


def robust(verdict: Verdict, write: Write | None = None) -> str:
    """Write the trimmed mean with its interval and the share of seeds on the other side."""
    trimmed, write = verdict.robust, write or written(verdict)
    if trimmed is None:
        return ""
    below, above = verdict.comparison.bounds
    estimate, low, high = apart(
        [trimmed.estimate, trimmed.low, trimmed.high], (below, 0.0, above), write
    )
    read = f"trimmed mean {estimate}, {low} to {high} ({percent(trimmed.confidence)}, alone)"
    if not verdict.decided:
        return read
    return f"{read}; {100 * trimmed.beyond:.3g} % of {verdict.comparison.unit} on the other side"


def outward(value: float, way: str) -> str:
    """Write a positive number with three significant digits, rounded up or down as asked.

    >>> outward(1.2341, ROUND_UP), outward(0.98765, ROUND_DOWN), outward(0.0, ROUND_UP)
    ('1.24', '0.987', '0')
    """
    exact = Decimal(value)
    if not exact:
        return "0"
    short = exact.quantize(Decimal(1).scaleb(exact.adjusted() - 2), rounding=way)
    return f"{short.normalize():f}"


def p(verdict: Verdict, alpha: float) -> str:
    """Write the adjusted p with the claim that it belongs to; a dash where nothing rests on it."""
    value = verdict.p_adjusted
    if math.isnan(value) or math.isnan(verdict.low):
        return "–"
    return f"{p_value(value, alpha)} ({verdict.p_of})"


def p_value(value: float, alpha: float) -> str:
    """Write a p-value, never as 0, and never across alpha.

    >>> p_value(0.04321, 0.05), p_value(1e-9, 0.05), p_value(0.05004, 0.05)
    ('0.043', '< 0.001', '0.05004')
    """
    if value < 0.001 < alpha:
        return "< 0.001"
    for digits in range(3, WIDEST):
        text = f"{value:.{digits}f}" if alpha > 0.001 else f"{value:.{digits}g}"
        if float(text) > 0 and _side(value, alpha) == _side(float(text), alpha):
            return text
    return repr(value)


def excluded(verdict: Verdict) -> tuple[bool, bool]:
    """Say whether the printed interval excludes a difference above the margin, and one below it.

    Of an INCONCLUSIVE verdict without a declared side; a decision needs no such words.
    """
    if verdict.decision != Decision.INCONCLUSIVE or verdict.comparison.side:
        return False, False
    below, above = verdict.comparison.bounds
    return verdict.high < above, verdict.low > below
