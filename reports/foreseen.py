"""What a suite can show before it is run, in plain lines for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ablate.core.foreign_text import plain
from ablate.registry import component
from ablate.types import Suite, calm
from ablate.workflows.power_forecast import Forecast
from ablate.workflows.spending_advice import Spending, recommended


@component("report", "forecast")
@dataclass(frozen=True)
class ForecastLines:
    """What a suite can show before it is run, for a terminal."""

    def lines(
        self, forecasts: Sequence[Forecast], suite: Suite, spendings: Sequence[Spending] = ()
    ) -> Iterator[str]:
        """Say forecasts, a paragraph a claim, and how alpha is best spent over the looks."""
        yield from lines(forecasts, suite)
        if spendings:
            yield from spent(spendings, suite)


def lines(forecasts: Sequence[Forecast], suite: Suite) -> Iterator[str]:
    """Say forecasts as plain text, a paragraph a claim."""
    looks = suite.looks or (suite.declared_seeds,)
    when = f"looks at {', '.join(map(str, looks))} seeds" if len(looks) > 1 else f"{looks[0]} seeds"
    claims = "1 claim" if len(forecasts) == 1 else f"{len(forecasts)} claims"
    yield f"{claims}, alpha {suite.alpha:g}, {suite.correction}, {when}."
    yield "Power is at the last look and the strictest step of the correction: at least this much."
    unit, form = ("", ".3g") if suite.measures else (" points", ".2f")

    def size(value: float) -> str:
        return format(value, form)

    for forecast in forecasts:
        none = calm(forecast.claim)
        side = f", claim: {forecast.claim}" if forecast.claim else ""
        known = (
            ""
            if math.isnan(forecast.low)
            else f", 90 % interval {size(forecast.low)} to {size(forecast.high)}"
        )
        yield (
            f"\n{plain(forecast.label)}  "
            f"[{plain(forecast.metric)}, margin {forecast.margin:g}{side}]"
        )
        yield f"  spread of the differences {size(forecast.sd)}{unit} ({forecast.source}{known})"
        yield f"  a true difference of {size(forecast.detectable)}{unit} is found to matter in 80 %"
        yield (
            f"  twice the margin: MATTERS in {100 * forecast.matters:.0f} %; 80 % needs "
            f"{_seeds(forecast.seeds_matters)}"
        )
        yield (
            f"  no difference: {none} in {100 * forecast.equivalent:.0f} %; 80 % needs "
            f"{_seeds(forecast.seeds_negligible)}; half the margin: {100 * forecast.halfway:.0f} %"
        )


def spent(spendings: Sequence[Spending], suite: Suite) -> Iterator[str]:
    """Say what each spending comes to, and which one suits the suite."""
    yield "\nSpending of alpha over the looks, on average over the claims:"
    for found in spendings:
        yield (
            f"  {found.name:<9}  no difference: right in {100 * found.calm:.0f} % with "
            f"{found.calm_seeds:.1f} seeds; twice the margin: {100 * found.matters:.0f} % with "
            f"{found.matters_seeds:.1f}"
        )
    best = recommended(spendings)
    yield (
        f"  `spend: {suite.spend}`, as declared, suits it."
        if best == suite.spend
        else f"  `spend: {best}` suits it better than {suite.spend}, as declared now."
    )


def _seeds(count: int) -> str:
    return f"{count} seeds" if count else "more than 100,000 seeds"
