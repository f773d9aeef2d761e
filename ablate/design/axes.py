"""The key `vary`: axes, their levels with or without names, and the cells that they cross to."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ablate.core.naming import axis_name
from ablate.parsing.located_yaml import Node
from ablate.parsing.paths import depth, undoes, within, words
from ablate.source.field_schema import NAME, NAME_HELP, shown

MAX_CELLS = 10_000
VARY = "axes crossed with the arms: a path and its values, as a list or by name"
LEVELS = "a list of at least one value, or two or more values by name"
Note = Callable[..., None]


@dataclass(frozen=True)
class Cell:
    """One combination of the crossed axes: the values set, and how they are shown."""

    values: Mapping[str, Node]
    words: Mapping[str, str]


Levels = Mapping[str, Sequence[tuple[str, Node]]]
"""By axis, its values in their order, each with how it is shown."""


def read_axes(node: Node, note: Note) -> Levels:
    """Read the axes, noting every problem; no axis at all where there is one.

    A list holds values. A mapping names them: what stands under a name is the value itself, and a
    single entry would be a component that lacks its list, so it is refused.
    """
    axes = {path: _levels(path, child, note) for path, child in node.items.items()}
    sound = all(axes.values())
    order = list(axes)
    for path, other in itertools.permutations(axes, 2):
        equal = depth(path) == depth(other) and within(path, other)
        later = order.index(path) > order.index(other)
        if (equal and later) or (
            not equal and any(undoes(other, value, path) for _, value in axes[other])
        ):
            note(node.keys[path], f"the axis {path!r} inside the axis {other!r}", "axes apart")
            sound = False
    return axes if sound else {}


def _levels(path: str, node: Node, note: Note) -> list[tuple[str, Node]]:
    if isinstance(node.value, dict) and len(node.value) > 1:
        wrong = [name for name in node.items if not NAME.fullmatch(name)]
        for name in wrong:
            note(node.keys[name], f"{name!r} for a level of {path!r}", NAME_HELP)
        return [] if wrong else list(node.items.items())
    if isinstance(node.value, dict) and node.value:
        note(node.at, f"one level of {path!r} by name", LEVELS)
        return []
    if not isinstance(node.value, list) or not node.value:
        note(node.at, f"{shown(node.plain())} for {path}", LEVELS)
        return []
    texts = [words(child, axis_name(path)) for child in node.value]
    again = [i for i, text in enumerate(texts) if text in texts[:i]]
    for i in again:
        note(node.value[i].at, f"{texts[i]} more than once on an axis", "each value once")
    return [] if again else list(zip(texts, node.value, strict=True))


def crossed(axes: Levels, node: Node, note: Note) -> list[Cell]:
    """Cross the axes; without any there is one cell, and with too many there is none."""
    combinations = list(itertools.islice(itertools.product(*axes.values()), MAX_CELLS + 1))
    if len(combinations) > MAX_CELLS:
        note(node.at, f"more than {MAX_CELLS:,} cells", "fewer values or axes")
        return []
    return [
        Cell(
            {path: value for path, (_, value) in zip(axes, levels, strict=True)},
            {path: text for path, (text, _) in zip(axes, levels, strict=True)},
        )
        for levels in combinations
    ]


def remedy(axis: str) -> str:
    """Say both ways to write what was meant by an axis that reaches one of two arms."""
    return (
        f"an axis that reaches both arms ({free(axis)}, where both have such a setting), or no "
        "such axis and an arm for each of its values"
    )


def free(axis: str) -> str:
    """Give a path that reaches the same setting of any component.

    >>> free("memory.herding.budget_rows")
    'memory.*.budget_rows'
    """
    words = axis.split(".")
    return ".".join("*" if i % 2 else word for i, word in enumerate(words))
