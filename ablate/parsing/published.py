"""Published figures, as data: what was printed, where, and whether it can be believed."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from math import nan

from ablate.core import resources


@dataclass(frozen=True)
class Published:
    """A figure in points, as printed. spread: its ±, or nan.

    low, high: the band in which a sound run of the method lands, or nan. suspect: why the figure is
    not to be relied on; '' where nothing is known against it.
    """

    name: str
    dataset: str
    method: str
    value: float
    spread: float
    low: float
    high: float
    source: str
    suspect: str

    def inside(self, value: float) -> bool | None:
        """Say whether a value lies in the calibration band; None where there is no band."""
        return None if self.low != self.low else self.low <= value <= self.high


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
