"""The catalogue and a plan in words, for the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ablate.analysis.calibrated import METHOD
from ablate.core import resources
from ablate.core.component_source import REQUIRED
from ablate.core.foreign_text import plain
from ablate.errors import SelectionError, nearest, unknown
from ablate.registry import scan
from ablate.source.field_schema import allowed

if TYPE_CHECKING:
    from ablate.flow import Work


def catalogue(kind: str | None = None) -> Iterator[tuple[str, list[str]]]:
    """Give each kind with a line for each component; without a kind, the shipped suites as well.

    Raises SelectionError for a kind that does not exist.
    """
    components = scan()
    if kind and kind not in components.kinds():
        raise SelectionError(unknown("kind of component", kind, components.kinds()))
    for name in [kind] if kind else components.kinds():
        entries = [components.get(name, label) for label in components.names(name)]
        yield (
            name,
            [f"{entry.name:<16} {entry.doc.splitlines()[0]}" for entry in entries if entry.doc],
        )
    if not kind:
        yield "suites", list(resources.suites())


def warnings() -> tuple[str, ...]:
    """Name the third-party components that could not be read."""
    return scan().warnings


def component(name: str) -> Iterator[str]:
    """Describe `KIND.NAME`: formula, fields with ranges and defaults, source.

    Raises SelectionError with the nearest name.
    """
    kind, dot, rest = name.partition(".")
    components = scan()
    if not dot:
        raise SelectionError(without_kind(name))
    entry = components.get(kind, rest)
    yield f"{entry.kind}.{entry.name}\n\n{entry.doc}\n"
    for field in entry.fields:
        slot = components.slot(field.annotation)
        accepts = f"a component: {', '.join(components.names(slot))}" if slot else allowed(field)
        default = "required" if field.default == REQUIRED else f"default {field.default!r}"
        yield f"  {field.name}: {accepts} ({default})"
    yield f"\nSource: {entry.paper or 'this toolkit'}"
    if entry.kind == METHOD:
        yield f"Calibrated: {entry.calibrated or 'no figure of its authors is reproduced with it'}"
    yield f"File:   {entry.origin}"


def without_kind(name: str) -> str:
    """Say which components a name without its kind may mean."""
    labels = [f"{kind}.{entry}" for kind in scan().kinds() for entry in scan().names(kind)]
    words = {word for label in labels for word in label.split(".")}
    word = name if name in words else nearest(name, sorted(words))
    meant = ", ".join(label for label in labels if word in label.split("."))
    sentence = f"There is no kind of component {plain(name)!r}, which is no KIND.NAME."
    return f"{sentence} Meant may be: {meant or '`list` shows all'}."


def work(work: Work) -> str:
    """Say the size of a grid, what is left of it to run, and what that will cost."""
    plan, left = work.plan, sum(len(stack.runs) for stack in work.stacks)
    cells, runs = len(plan.suite.variants) * plan.suite.seeds, len(plan.runs)
    shared = f" ({cells - runs} shared between arms)" if cells > runs else ""
    pairs = zip(plan.stacks, plan.costs, strict=True)
    gradients = sum(cost.gradients * len(stack.runs) for stack, cost in pairs)
    if any(variant.outside for variant in plan.suite.variants):
        return (
            f"{len(plan.suite.variants)} arms x {plan.suite.seeds} seeds: {runs} runs{shared}. "
            f"{runs - left} done or not asked for, {left} to run."
        )
    text = (
        f"{len(plan.suite.variants)} arms x {plan.suite.seeds} seeds: {runs} runs{shared} in "
        f"{len(plan.stacks)} stacks, about {gradients:,} gradient evaluations. "
        f"{runs - left} done or not asked for, {left} to run."
    )
    return (
        f"{text}\nEstimated: about {duration(work.seconds)} on one core (rough)." if left else text
    )


def cautions(work: Work) -> Iterator[str]:
    """Say what a reader must know of the suite and its data before any run."""
    if words := work.plan.suite.changed_words:
        yield f"Changed on the command line: {plain('; '.join(words), limit=1000)}."
    yield from (f"Warning: {plain(warning, limit=1000)}" for warning in work.plan.warnings)


def duration(seconds: float) -> str:
    """Write seconds for people.

    >>> duration(0.2), duration(600), duration(9000)
    ('1 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
