"""What a suite can show before it is run, in plain lines for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ablate.core.foreign_text import plain
from ablate.types import Suite
from ablate.workflows.power_forecast import Forecast


def lines(found: Sequence[Forecast], suite: Suite) -> Iterator[str]:
    """Say forecasts as plain text, a paragraph a claim."""
    looks = suite.looks or (suite.declared_seeds,)
    when = f"looks at {', '.join(map(str, looks))} seeds" if len(looks) > 1 else f"{looks[0]} seeds"
    claims = "1 claim" if len(found) == 1 else f"{len(found)} claims"
    yield f"{claims}, alpha {suite.alpha:g}, {suite.correction}, {when}."
    yield "Power is at the last look and the strictest step of the correction: at least this much."
    for one in found:
        calm = {"helps": "NO GAIN", "hurts": "NO HARM"}.get(one.claim, "NEGLIGIBLE")
        side = f", claim: {one.claim}" if one.claim else ""
        known = "" if math.isnan(one.low) else f", 90 % interval {one.low:.2f} to {one.high:.2f}"
        yield f"\n{plain(one.label)}  [{plain(one.metric)}, margin {one.margin:g}{side}]"
        yield f"  spread of the differences {one.sd:.2f} points ({one.source}{known})"
        yield f"  a true difference of {one.detectable:.2f} points is found to matter in 80 %"
        yield (
            f"  twice the margin: MATTERS in {100 * one.matters:.0f} %; 80 % needs "
            f"{_seeds(one.seeds_matters)}"
        )
        yield (
            f"  no difference: {calm} in {100 * one.equivalent:.0f} %; 80 % needs "
            f"{_seeds(one.seeds_negligible)}; half the margin: {100 * one.halfway:.0f} %"
        )


def _seeds(count: int) -> str:
    return f"{count} seeds" if count else "more than 100,000 seeds"
