"""Runs stacks one after the other in this process: the reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ablate.registry import component
from ablate.types import Json


@component("executor", "inline")
@dataclass(frozen=True)
class Inline:
    """Runs each stack here, in order.

    workers: ignored, >= 1.
    """

    workers: int = 1

    def map(self, payloads: Sequence[Json]) -> Iterator[tuple[int, list[Json] | str]]:
        """Give each payload's place and its results."""
        from ablate.execute import execute

        for place, payload in enumerate(payloads):
            yield place, execute(payload)
