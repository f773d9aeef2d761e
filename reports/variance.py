"""Where the variance of a suite's differences comes from, in plain lines for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ablate.core.foreign_text import plain
from ablate.registry import component
from ablate.workflows.variance_sources import Advice, ClaimSources


@component("report", "variance")
@dataclass(frozen=True)
class VarianceLines:
    """Which random streams the variance is from, and where the next hour is best spent."""

    def lines(self, claims: Sequence[ClaimSources], advice: Advice) -> Iterator[str]:
        """Say the shares, a paragraph a claim, then the advice."""
        yield (
            "\nWhere the variance of a paired difference comes from: each stream alone, and what "
            "only several together do."
        )
        yield "90 % intervals, for normal effects; rough, since a stream has few seeds in a pilot."
        for claim in claims:
            yield from _claim(claim)
        yield f"\nNext hour: {_next(advice)}"


def _claim(claim: ClaimSources) -> Iterator[str]:
    sources = claim.sources
    left_out = f", {claim.lost} more left out for lost pairs" if claim.lost else ""
    squares = "1 square" if sources.squares == 1 else f"{sources.squares} squares"
    yield f"\n{plain(claim.label)}  [{plain(claim.metric)}, margin {claim.margin:g}]"
    yield (
        f"  variance {sources.variance:.3g} squared points ({squares} of {sources.levels**2} "
        f"crossed runs{left_out}: {sources.squares * sources.levels} seeds of each stream)"
    )
    if not sources.variance:
        yield "  every run had the same difference: there is nothing to part"
        return
    for part in (*sources.parts, sources.rest):
        yield (
            f"  {part.name:<18} {100 * part.share:3.0f} %   "
            f"[{100 * part.low:.0f} to {100 * part.high:.0f} %]"
        )
    if claim.rows is None:
        yield "  test rows: their part is not known (rows that vote, or no mean over rows)"
        return
    share = (
        f"chance of single rows is {100 * claim.rows.share:.0f} % of that variance, inside the "
        "shares above; "
        if math.isfinite(claim.rows.share)
        else ""
    )
    yield (
        f"  {claim.rows.rows} test rows: {share}on other rows the difference moves by "
        f"{claim.rows.error:.2f} points (one standard error), whatever the seeds"
    )


def _next(advice: Advice) -> str:
    """Say in a sentence what gains most, and what the alternatives would gain."""
    if not advice.error:
        return "nothing is left to gain: no claim's differences vary."
    now = f"the standard error of {plain(advice.claim.label)} at {advice.seeds} seeds"
    seeds = (
        f"one worker trains {advice.more_seeds:,} more of all arms, which takes {now} from "
        f"{advice.error:.3g} to {advice.with_seeds:.3g} points"
        if advice.more_seeds
        else f"one worker trains no further seed of all arms; {now} is {advice.error:.3g} points"
    )
    if not advice.unused_rows:
        rows = "no test row is left unused"
    elif math.isnan(advice.with_rows):
        rows = f"{advice.unused_rows} test rows are left unused, and what they would do is unknown"
    else:
        rows = (
            f"scoring the {advice.unused_rows} unused test rows from the start, which trains "
            f"nothing, takes it to {advice.with_rows:.3g}"
        )
    first, second = (rows, seeds) if advice.rows_first else (seeds, rows)
    what = "score more test rows" if advice.rows_first else "more seeds"
    crossing = (
        ""
        if math.isnan(advice.worth)
        else (
            f"; crossing orders with inits gains nothing, since {advice.square} crossed runs say "
            f"as much as {advice.worth:.0f} seeds that draw all streams afresh"
        )
    )
    return f"{what}: {first}; {second}{crossing}."
