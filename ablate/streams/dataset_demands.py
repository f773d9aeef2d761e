"""Suite x Facts -> what the data do not allow, and what a reader must know of them.

Refusals come before any run. Warnings travel with the records, for reports are written where the
data are not.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ablate.core.foreign_text import NAME, of_error, plain
from ablate.core.inputs import written_sizes
from ablate.errors import AblateError, Problem, SuiteError
from ablate.registry import Catalogue
from ablate.types import (
    Choice,
    Facts,
    RunResult,
    Suite,
    TaskClasses,
    Variant,
)

PROVENANCE = "data_warnings"
"""Where a record keeps the warnings of its data and its memory."""

SURELY_LAST = (1, 3)
"""Sizes of a last axis that are channels, where the first two are larger: no picture is so thin."""
PERHAPS_LAST = (2, 4)
"""... and that may be."""

MOST_PER_CLASS = 10_000
"""Rows of a class that a memory is asked about when a suite is planned."""


def check_data(suite: Suite, facts: Sequence[Facts], catalogue: Catalogue) -> None:
    """Refuse data that do not fit what a suite asks of them. facts: by variant.

    Raises SuiteError for tasks that classes cannot be split into evenly, and for rows that a model
    or an augmentation cannot read.
    """
    problems = {
        Problem(*variant.tasks_at, fault, allowed)
        for variant, held in zip(suite.variants, facts, strict=True)
        for fault, allowed in (
            *_uneven(variant, held),
            *_shapes(variant, held, catalogue),
            *_unbuilt(variant, held, catalogue),
        )
    }
    if problems:
        raise SuiteError(suite.origin, sorted(problems))


def _uneven(variant: Variant, held: Facts) -> Iterator[tuple[str, str]]:
    tasks, classes = variant.choices["dataset"].settings["tasks"], held.classes
    if not isinstance(tasks, int):
        accepts = f"the classes of each task, {classes} together"
        if not tasks:
            yield "an empty list of tasks", accepts
        elif sum(tasks) != classes:
            sizes = f"tasks of {written_sizes(tasks)[:60]} classes"
            yield f"{sizes}, {sum(tasks):,} together, where the data have {classes}", accepts
    elif classes % tasks:
        divisors = ", ".join(str(n) for n in range(1, classes + 1) if classes % n == 0)
        fault = f"{classes} classes in {tasks} tasks, which do not come out even"
        yield fault, f"tasks: {divisors}"


def _shapes(variant: Variant, held: Facts, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Hold the shape of the rows against what models and augmentations of images read."""
    shape = list(held.inputs)
    for kind, without in (("model", _others(catalogue)), ("augment", "augment: none")):
        choice = variant.choices[kind]
        declared = catalogue.get(kind, choice.name).facts
        if not declared.get("images"):
            continue
        fault = f"rows of shape {shape} with {kind} {choice.name!r}"
        least = declared.get("least_side", 1)
        if len(shape) != 3:
            reshaped = "x[:, None]" if len(shape) == 2 else "x.reshape(-1, 1, H, W)"
            yield fault, f"images (channels, H, W), as by {reshaped}, or {without}"
        elif channels_last(shape, SURELY_LAST):
            turned = [shape[2], *shape[:2]]
            yield (
                f"{fault}, which look like (H, W, channels)",
                f"images (channels, H, W), here {turned}, as by np.moveaxis(x, -1, 1), "
                f"or {without}",
            )
        elif min(shape[1:]) < least:
            yield fault, f"images of at least {least} x {least}, or {without}"


def _others(catalogue: Catalogue) -> str:
    """Name the models that read rows of any shape."""
    names = [
        n for n in catalogue.names("model") if not catalogue.get("model", n).facts.get("images")
    ]
    return f"model: {', '.join(names)}"


def channels_last(shape: Sequence[int], sizes: Sequence[int]) -> bool:
    """Say whether images seem to have their channels last.

    >>> channels_last([8, 8, 3], SURELY_LAST), channels_last([3, 8, 8], SURELY_LAST)
    (True, False)
    """
    if len(shape) != 3 or shape[2] not in sizes or min(shape[:2]) <= shape[2]:
        return False
    return not (shape[2] == 1 and shape[0] <= 4)  # series: a few channels, time, one place


def _unbuilt(variant: Variant, held: Facts, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Ask a model that counts its own parameters to do so: a stranger's may not take these rows."""
    choice = variant.choices["model"]
    declared = catalogue.get("model", choice.name)
    if "images" in declared.facts or "parameters" not in declared.methods:
        return
    try:
        catalogue.build(choice).parameters(held.inputs, held.classes)
    except AblateError:
        raise
    except Exception as error:  # whatever a stranger's model raises
        yield (
            f"model {choice.name!r} on rows of shape {list(held.inputs)} raises {of_error(error)}",
            "rows that it reads, or another model",
        )


def warnings(suite: Suite, facts: Sequence[Facts], catalogue: Catalogue) -> tuple[str, ...]:
    """Say what a reader must know of a suite's data and memories before it is run.

    facts: by variant.
    """
    sentences: dict[str, None] = {}
    for variant, held in zip(suite.variants, facts, strict=True):
        sentences |= dict.fromkeys(of_data(variant.choices, held, catalogue))
        sentences |= dict.fromkeys(_memory(variant, held, catalogue))
    return tuple(sentences)


def of_data(choices: Mapping[str, Choice], held: Facts, catalogue: Catalogue) -> Iterator[str]:
    """Give the warnings of one data set, by the name that it is called."""
    name = plain(called(choices["dataset"]), NAME)
    for text in (*held.warnings, *_doubtful_axes(choices, held.inputs, catalogue)):
        yield f"Data {name}: {text}"


def called(choice: Choice) -> str:
    """Name a data set as its user would: by its file or folder, where it has one."""
    return str(choice.settings.get("source") or choice.settings.get("folder") or choice.name)


def _doubtful_axes(
    choices: Mapping[str, Choice], inputs: Sequence[int], catalogue: Catalogue
) -> Iterator[str]:
    """Say where images may have their channels last but need not."""
    reads = any(
        catalogue.get(kind, choices[kind].name).facts.get("images") for kind in ("model", "augment")
    )
    if reads and channels_last(inputs, PERHAPS_LAST):
        yield (
            f"Rows of shape {list(inputs)} are read as {inputs[0]} channels of {inputs[1]} x "
            f"{inputs[2]}; if channels are last, turn them: np.moveaxis(x, -1, 1)."
        )


def _memory(variant: Variant, held: Facts, catalogue: Catalogue) -> Iterator[str]:
    """Ask a memory what it keeps of classes of as many rows each."""
    choice, tasks = variant.choices["memory"], variant.choices["dataset"].settings["tasks"]
    by_task = TaskClasses.of(tasks, held.classes)
    rows = max(1, min(held.train_rows // held.classes, MOST_PER_CLASS))
    priorities = np.arange(rows) / rows
    try:
        memory = catalogue.build(choice)

        def kept(t: int) -> int:
            return int(memory.quota([priorities] * int(by_task.starts[t])).sum())

        yield from short_memory(choice, by_task, kept, catalogue)
    except AblateError:
        raise
    except Exception as error:  # whatever a stranger's memory raises
        yield (f"Memory {plain(choice.label(), NAME)} cannot say what it keeps: {of_error(error)}.")


def short_memory(
    choice: Choice, by_task: TaskClasses, rows_after: Callable[[int], int], catalogue: Catalogue
) -> Iterator[str]:
    """Say from which task on a memory has fewer rows than there are classes.

    rows_after: rows in all after t tasks, t from 1 on; a memory that is short is taken to stay so.
    """
    tasks, seen = len(by_task), by_task.starts.tolist()
    if catalogue.get("memory", choice.name).facts.get("keeps") == "nothing":
        return
    counts = range(1, tasks + 1)
    t = 1 + bisect_left(counts, True, key=lambda t: rows_after(t) < seen[t])
    if t > tasks:
        return
    name, budget = plain(choice.label(), NAME), choice.settings.get("budget_rows")
    count = rows_after(t) if budget is None else budget
    rows = "1 row" if count == 1 else f"{count} rows"
    empty = 1 + bisect_left(counts, True, key=lambda t: rows_after(t) == 0)
    if empty <= tasks:
        yield (
            f"Memory {name} is empty from the end of task {empty} of {tasks} on: {rows} shared "
            f"over {seen[empty]} classes are less than one each. Its arms have nothing to "
            f"rehearse from there; {by_task.classes} rows are the least for all classes."
        )
    else:
        yield (
            f"Memory {name} has fewer rows than classes from the end of task {t} of {tasks} on: "
            f"{rows} for {seen[t]} classes, so that some have none."
        )


def of_records(records: Sequence[RunResult]) -> Iterator[str]:
    """Give the warnings that records bring from where their data were."""
    sentences: dict[str, Any] = {}
    for record in records:
        noted = record.provenance.get(PROVENANCE)
        if isinstance(noted, list):
            sentences |= dict.fromkeys(text for text in noted if isinstance(text, str))
    yield from sentences
