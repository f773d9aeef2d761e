"""Shares and simulated rates, as they are printed."""

from __future__ import annotations

import math


def share(value: float) -> str:
    """Print a share without its leading zero; a dash where there is none.

    >>> share(0.05), share(1.0), share(math.nan)
    ('.050', '1.000', '–')
    """
    return "–" if math.isnan(value) else f"{value:.3f}".removeprefix("0")


def rate(value: float, studies: int, most: float = 1.0) -> str:
    """Print a rate with its Monte-Carlo error; bold where it is over `most` by two of them.

    >>> rate(0.05, 20_000), rate(0.06, 20_000, 0.05)
    ('.050 ± .002', '**.060 ± .002**')
    """
    error = math.sqrt(value * (1 - value) / studies)
    text = f"{share(value)} ± {share(error)}"
    limit = most + 2 * math.sqrt(most * (1 - most) / studies)
    return f"**{text}**" if value > limit else text
