"""Stacks -> their results, whatever becomes of the processes and machines that they are run on.

The one place where tries are counted. What an executor lost to the system (a process that was
killed, a node that went away) is tried again; what a component did itself is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ablate.types import Json, Lost, Stack

MOST_LOSSES = 3
"""A lone run is given up where it was lost so often, in its stack or alone."""


NOT_RUN = Lost("not run yet")


@dataclass(frozen=True)
class Tried:
    """A stack and what came of it. losses: how often the system took it before."""

    stack: Stack
    losses: int = 0
    answer: list[Json] | Lost = NOT_RUN


def attempts(stacks: Sequence[Stack], crew: Any, job: Callable[[Stack], Json]) -> Iterator[Tried]:
    """Run stacks to their end, as they finish; each run's results come once.

    crew: has `map(payloads)`. job: packs a stack. A stack that was lost is cut in two, since the
    system takes whatever uses too much memory, and one run may be what it was lost for.
    """
    waiting = [Tried(stack) for stack in stacks]
    while waiting:
        again: list[Tried] = []
        for index, answer in crew.map([job(tried.stack) for tried in waiting]):
            tried = replace(waiting[index], answer=answer)
            if isinstance(answer, Lost) and answer.by_system:
                tried = replace(tried, losses=tried.losses + 1)
                if parts := list(_parts(tried)):
                    again += parts
                    continue
            yield tried
        waiting = again


def _parts(tried: Tried) -> Iterator[Tried]:
    """Give what is tried next; nothing where a run has had its tries."""
    runs = tried.stack.runs
    if len(runs) > 1:
        for part in (runs[: len(runs) // 2], runs[len(runs) // 2 :]):
            yield replace(tried, stack=replace(tried.stack, runs=part))
    elif tried.losses < MOST_LOSSES:
        yield tried
