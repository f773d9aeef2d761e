"""Paths -> imported runs: read, narrowed down, sorted; what was guessed is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ablate.plan.imported import chosen, sources, suite_text
from ablate.plan.imported.chosen import Chosen, Request
from ablate.plan.imported.sorting import sort
from ablate.plan.imported.study import Imported
from ablate.registry import Catalogue
from ablate.tables.names import listed, plain
from ablate.types import TrackedRun


def read(
    paths: Sequence[Path], catalogue: Catalogue, request: Request, reader: str = ""
) -> Imported:
    """Read runs and settle what they are runs of.

    Raises DataError for files that cannot be read, SelectionError for names that are not there and
    what cannot be guessed.
    """
    source = sources.read(paths, catalogue, reader)
    runs, narrowed = chosen.filtered(source.runs, request.where)
    choice = chosen.chosen(runs, request)
    whole = sort(runs, choice, request)
    return Imported(
        sources=source,
        sorted=whole,
        origin=suite_text.Origin(source.readers, source.names, request.step),
        metrics=choice.metrics,
        sentences=(
            *narrowed,
            *choice.notes,
            *_inside(runs, choice),
            *whole.notes,
            *suite_text.renumbered(whole.seeds),
        ),
    )


def _inside(runs: Sequence[TrackedRun], choice: Chosen) -> Iterator[str]:
    """Name parameters that vary between runs of one arm, where somebody said what an arm is."""
    used = {*choice.arm, choice.seed, choice.block, *choice.metrics}
    by_arm: dict[tuple[str, ...], list[TrackedRun]] = {}
    for run in runs:
        key = (*choice.arm, choice.block) if choice.block else choice.arm
        by_arm.setdefault(tuple(chosen.text(run.params.get(n)) for n in key), []).append(run)
    measured = {name for run in runs for name in run.curves}
    names = dict.fromkeys(name for run in runs for name in run.params)
    varying = [
        name
        for name in names
        if name not in used
        and name not in measured
        and not chosen.is_idle(runs, name, choice.seed)
        and any(
            len({chosen.text(run.params.get(name)) for run in same}) > 1 for same in by_arm.values()
        )
    ]
    if varying:
        yield (
            f"Inside an arm vary {listed([plain(name) for name in varying], 6)}: such runs repeat "
            "one another only if that does not matter."
        )
