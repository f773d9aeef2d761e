"""Runs stacks one after the other in this process: the reference."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ablate.registry import component
from ablate.types import Json, Lost


@component("executor", "inline")
@dataclass(frozen=True)
class Inline:
    """Runs each stack here, in order; what takes the process down takes the command down.

    workers: ignored, >= 1.
    """

    workers: int = 1

    @property
    def size(self) -> int:
        """Jobs at a time."""
        return 1

    @contextmanager
    def crew(self, sink: Callable[[bytes], object] = len) -> Iterator[Inline]:
        """Give itself: there are no workers. sink: ignored, components print to the command."""
        yield self

    def map(self, payloads: Sequence[Json]) -> Iterator[tuple[int, list[Json] | Lost]]:
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
