"""What goes to a worker with a job: how long it may take, and whose code it runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ablate.core import resources
from ablate.errors import SelectionError
from ablate.records.payload import pack
from ablate.registry import Catalogue
from ablate.source import closure, extras, functions
from ablate.types import Choice, Json, RunSpec, Site, Stack

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
        if not site.folder:
            raise ValueError("a program's runs have folders: the site has to say where")
        limits = {"seconds": math.inf, "idle": math.inf}
        called = bool(stack.runs[0].choices["method"].settings.get("function"))
        more = {"job": "program", "foreign": [], "watched": called}
        return {**pack(stack, site), **limits, **more}
    chosen = {choice for run in stack.runs for choice in _all(run.choices.values())}
    whose = sorted(".".join(name) for name in chosen if _foreign(*name, catalogue))
    return {**pack(stack, site), "job": kind, "seconds": allowed, "foreign": whose}


def demand(stacks: Iterable[Stack], catalogue: Catalogue) -> None:
    """Make sure that the packages that stacks are trained by are installed, before any is run.

    Workers would each find out for themselves, when the store has been written to. Raises
    ExtraError; SelectionError for runs that were imported, which nothing here can train, and for a
    function of a notebook that is not open here.
    """
    stacks = [*stacks]
    _refuse_imported(stack.runs[0] for stack in stacks)
    for function in {stack.runs[0].choices["method"].settings.get("function") for stack in stacks}:
        if function and functions.is_of_notebook(function):
            functions.resolve(function)
    trained = [stack.runs[0] for stack in stacks if not stack.runs[0].outside]
    methods = {run.choices["method"].name for run in trained}
    modules = {catalogue.get("method", name).module for name in methods}
    if any("torch" in closure.closure(module).packages for module in modules) and (
        error := extras.missing(["torch"])
    ):
        raise error


def _refuse_imported(runs: Iterable[RunSpec]) -> None:
    """Refuse runs that were imported: their program is somebody else's, and not known here."""
    for run in runs:
        if run.outside and (origin := run.choices["method"].settings.get("imported")):
            raise SelectionError(
                f"these runs were imported from {', '.join(origin['from'])} and cannot be trained "
                "here: `report` writes their report, `import` reads them again"
            )


def _all(choices: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for choice in choices:
        if isinstance(choice, Choice):
            yield choice.kind, choice.name
            yield from _all(choice.settings.values())


def _foreign(kind: str, name: str, catalogue: Catalogue) -> bool:
    """Say whether a component is not shipped: it came through an entry point."""
    return not Path(catalogue.get(kind, name).origin).is_relative_to(resources.ROOT / "variants")
