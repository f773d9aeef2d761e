"""The verdicts on somebody's table, in plain lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from ablate.api import Compared
from ablate.types import Verdict

from . import words


def lines(found: Compared) -> Iterator[str]:
    """Say each verdict with its figures in the metric's own unit, then the warnings."""
    for verdict in found.verdicts:
        yield from _told(verdict, found.design.alpha)
    for block, verdicts in found.blocks.items():
        yield f"\nin {block}:"
        for verdict in verdicts:
            yield from _told(verdict, found.design.alpha)
    if found.warnings:
        yield "\nWarnings:"
        yield from (f"  {warning}" for warning in found.warnings)


def _told(verdict: Verdict, alpha: float) -> Iterator[str]:
    one = verdict.comparison
    direction = " (higher)" if verdict.estimate > 0 else " (lower)"
    way = direction if verdict.decision == "MATTERS" else ""
    flags = f" ({', '.join(verdict.flags)})" if verdict.flags else ""
    yield f"{verdict.decision}{way}{flags}  {one.treatment} − {one.baseline}  [{one.metric}]"
    if verdict.decision != "UNTESTABLE":
        yield (
            f"  {verdict.estimate:+.4g}, {words.percent(alpha)} interval {verdict.low:+.4g} to "
            f"{verdict.high:+.4g}, margin {one.margin:g}, {verdict.n} pairs, p "
            f"{words.p_value(verdict.p_adjusted)} (corrected)"
        )
    yield f"  {verdict.why}"
