"""What goes to a worker with a job: how long it may take, and whose code it runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ablate.core import resources
from ablate.records.payload import pack
from ablate.registry import Catalogue
from ablate.types import Choice, Json, Site, Stack

LEAST_SECONDS = 1800.0
"""No job is given up before, unless its worker does not use the processor at all."""

GENEROUS = 200.0
"""Times the estimated seconds that a stack may take: the estimate knows no machine."""


def job(
    stack: Stack,
    site: Site,
    catalogue: Catalogue,
    estimate: float,
    stack_timeout: float | None = None,
    kind: str = "stack",
) -> Json:
    """Pack a job. estimate: of its seconds; stack_timeout: how long it may take, instead."""
    allowed = stack_timeout or max(LEAST_SECONDS, GENEROUS * estimate)
    if stack.runs[0].outside:  # it has its own limit, and a process of its own
        limits = {"seconds": math.inf, "idle": math.inf}
        return {**pack(stack, site), "job": "program", **limits, "foreign": []}
    chosen = {choice for run in stack.runs for choice in _all(run.choices.values())}
    whose = sorted(".".join(name) for name in chosen if _foreign(*name, catalogue))
    return {**pack(stack, site), "job": kind, "seconds": allowed, "foreign": whose}


def _all(choices: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for choice in choices:
        if isinstance(choice, Choice):
            yield choice.kind, choice.name
            yield from _all(choice.settings.values())


def _foreign(kind: str, name: str, catalogue: Catalogue) -> bool:
    """Say whether a component is not shipped: it came through an entry point."""
    return not Path(catalogue.get(kind, name).origin).is_relative_to(resources.ROOT / "variants")
