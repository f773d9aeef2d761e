"""Which declarations take effect in which arms, and the grid without cells that never run.

A value that no component reads has no effect, wherever it stands: behind a component that is not
chosen, or in a `training` of all methods where a method has its own. What is read is what counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ablate.design.axes import Cell, Levels
from ablate.parsing.located_yaml import Node
from ablate.parsing.paths import depth
from ablate.types import Variant

Note = Callable[..., None]


def of_axis(path: str) -> str:
    """Name an axis as a declaration."""
    return f"axis {path}"


def of_arm(arm: str, path: str) -> str:
    """Name what an arm says at a path as a declaration."""
    return f"arm {arm}: {path}"


@dataclass(frozen=True)
class Reading:
    """An arm as it was read in one cell, with the declarations whose values took effect."""

    variant: Variant
    sources: frozenset[str]

    @property
    def content(self) -> str:
        """Give everything that it chooses, as text: equal for runs that are the same."""
        return content(self.variant)


@dataclass(frozen=True)
class Grid:
    """The variants of a suite, each of them run once.

    places: by arm, the variant that stands for it in each cell; an arm that an axis does not reach
    has one variant for all of the axis's values.
    """

    variants: tuple[Variant, ...] = ()
    places: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    axes: tuple[str, ...] = ()

    def rows(self) -> list[tuple[int, ...]]:
        """Give the places of all arms in each cell."""
        return list(zip(*self.places.values(), strict=True)) if self.places else []


def content(variant: Variant) -> str:
    """Give all that a variant chooses, its own predictor included, as text."""
    chosen = {kind: choice.plain() for kind, choice in variant.choices.items()}
    return json.dumps([variant.seed(0), chosen], sort_keys=True)


def collapsed(readings: Sequence[Mapping[str, Reading]], cells: Sequence[Cell]) -> Grid:
    """Give the grid in which an arm has one variant for all values of an axis that misses it."""
    variants: dict[tuple[str, tuple[tuple[str, str], ...]], Variant] = {}
    places: dict[str, list[int]] = {}
    order: dict[tuple[str, tuple[tuple[str, str], ...]], int] = {}
    for cell, row in zip(cells, readings, strict=True):
        for arm, reading in row.items():
            words = {
                axis: word for axis, word in cell.words.items() if of_axis(axis) in reading.sources
            }
            missing = tuple(axis for axis in cell.words if axis not in words)
            key = (arm, tuple(words.items()))
            if key not in variants:
                order[key] = len(variants)
                variants[key] = replace(reading.variant, cell=words, unvaried=missing)
            places.setdefault(arm, []).append(order[key])
    axes = tuple(cells[0].words) if cells else ()
    whole = {arm: tuple(row) for arm, row in places.items()}
    return Grid(tuple(variants.values()), whole, axes)


def same_levels(grid: Grid, axes: Levels) -> Iterator[tuple[Node, str, str]]:
    """Give the values of axes that make the same run as another: value, its axis, the other."""
    repeats = set()
    for axis, levels in axes.items():
        nodes = dict(levels)
        groups: dict[tuple[str, str, str], list[str]] = {}
        for variant in grid.variants:
            if axis in variant.cell:
                rest = json.dumps({k: v for k, v in variant.cell.items() if k != axis})
                key = (variant.arm, rest, content(variant))
                groups.setdefault(key, []).append(variant.cell[axis])
        for first, *others in groups.values():
            for other in others:
                if (axis, other) not in repeats:
                    repeats.add((axis, other))
                    yield nodes[other], f"{other} on the axis {axis!r}", first


def same_arms(grid: Grid) -> Iterator[tuple[Variant, Variant]]:
    """Give the arms that are another arm under a second name, with where, once a pair."""
    seen: dict[str, Variant] = {}
    repeats = set()
    for variant in grid.variants:
        first = seen.setdefault(content(variant), variant)
        if first.arm != variant.arm and (first.arm, variant.arm) not in repeats:
            repeats.add((first.arm, variant.arm))
            yield first, variant


def idle(
    readings: Sequence[Mapping[str, Reading]], cells: Sequence[Cell], arm: str, source: str
) -> Cell | None:
    """Give the first cell in which what an arm declares takes no effect, if there is one."""
    for cell, row in zip(cells, readings, strict=True):
        if arm in row and source not in row[arm].sources:
            return cell
    return None


def missed(readings: Sequence[Mapping[str, Reading]], source: str) -> list[str]:
    """Name the arms that a declaration reaches in no cell."""
    arms = dict.fromkeys(arm for row in readings for arm in row)
    reached = {arm for row in readings for arm, reading in row.items() if source in reading.sources}
    return [arm for arm in arms if arm not in reached]


def by_depth(values: Mapping[str, Node]) -> list[str]:
    """Sort paths so that what is put at one is not undone by what is put at a shorter one."""
    return sorted(values, key=depth)
