"""A learning rate that stays."""

from __future__ import annotations

from dataclasses import dataclass

from ablate.registry import component
from ablate.types import Clock, Number


@component("schedule", "constant", paper="the default of every optimizer")
@dataclass(frozen=True)
class Constant:
    """alpha in every epoch of every task."""

    def __call__(self, clock: Clock) -> Number:
        """Give 1."""
        return 1.0
