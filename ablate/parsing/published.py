"""Published figures, as data: what was printed, where, and whether it can be believed."""

from __future__ import annotations

import csv
from functools import cache
from math import nan

from ablate.core import resources
from ablate.core.claim_values import Published


@cache
def published() -> dict[str, Published]:
    """Give the published figures by name."""
    with (resources.ROOT / "suites" / "references.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["name"]: _read(row) for row in rows}


def _read(row: dict[str, str]) -> Published:
    value, spread, low, high = (
        float(row[key] or nan) for key in ("value", "spread", "low", "high")
    )
    return Published(
        name=row["name"],
        dataset=row["dataset"],
        method=row["method"],
        value=value,
        spread=spread,
        low=low,
        high=high,
        source=row["source"],
        suspect=row["suspect"],
    )
