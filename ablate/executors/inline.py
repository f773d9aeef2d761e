"""Runs stacks one after the other in this process: the reference."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ablate.registry import component
from ablate.types import Json


@component("executor", "inline")
@dataclass(frozen=True)
class Inline:
    """Runs each stack here, in order; what takes the process down takes the command down.

    workers: ignored, >= 1.
    """

    workers: int = 1

    def map(self, payloads: Sequence[Json]) -> Iterator[tuple[int, list[Json] | str]]:
        """Give each payload's place and its results."""
        from ablate.records import fingerprints

        fingerprints.begin()
        from ablate.executors.jobs import perform

        process = os.getpid()
        for index, payload in enumerate(payloads):
            results = perform(payload)
            if os.getpid() != process:
                os._exit(0)  # a component forked: its copy of this command must write nothing
            yield index, results
