"""What a suite can show before it is run, in plain lines for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ablate.core.foreign_text import plain
from ablate.registry import component
from ablate.types import Suite, calm
from ablate.workflows.power_forecast import Forecast


@component("report", "forecast")
@dataclass(frozen=True)
class ForecastLines:
    """What a suite can show before it is run, for a terminal."""

    def lines(self, forecasts: Sequence[Forecast], suite: Suite) -> Iterator[str]:
        """Say forecasts, a paragraph a claim."""
        return lines(forecasts, suite)


def lines(forecasts: Sequence[Forecast], suite: Suite) -> Iterator[str]:
    """Say forecasts as plain text, a paragraph a claim."""
    looks = suite.looks or (suite.declared_seeds,)
    when = f"looks at {', '.join(map(str, looks))} seeds" if len(looks) > 1 else f"{looks[0]} seeds"
    claims = "1 claim" if len(forecasts) == 1 else f"{len(forecasts)} claims"
    yield f"{claims}, alpha {suite.alpha:g}, {suite.correction}, {when}."
    yield "Power is at the last look and the strictest step of the correction: at least this much."
    for forecast in forecasts:
        none = calm(forecast.claim)
        side = f", claim: {forecast.claim}" if forecast.claim else ""
        known = (
            ""
            if math.isnan(forecast.low)
            else f", 90 % interval {forecast.low:.2f} to {forecast.high:.2f}"
        )
        yield (
            f"\n{plain(forecast.label)}  "
            f"[{plain(forecast.metric)}, margin {forecast.margin:g}{side}]"
        )
        yield f"  spread of the differences {forecast.sd:.2f} points ({forecast.source}{known})"
        yield f"  a true difference of {forecast.detectable:.2f} points is found to matter in 80 %"
        yield (
            f"  twice the margin: MATTERS in {100 * forecast.matters:.0f} %; 80 % needs "
            f"{_seeds(forecast.seeds_matters)}"
        )
        yield (
            f"  no difference: {none} in {100 * forecast.equivalent:.0f} %; 80 % needs "
            f"{_seeds(forecast.seeds_negligible)}; half the margin: {100 * forecast.halfway:.0f} %"
        )


def _seeds(count: int) -> str:
    return f"{count} seeds" if count else "more than 100,000 seeds"
