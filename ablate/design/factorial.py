"""Two-level factorials: a design's arms, and the main effects and interactions that it shows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import prod

from ablate.errors import nearest
from ablate.parsing.located_yaml import Mark, Node
from ablate.parsing.paths import depth, undoes, within
from ablate.source.field_schema import NAME, NAME_HELP, quoted
from ablate.types import FactorialEffect

TOGETHER = ("both changed, or neither", "one changed alone")
"""The two halves of an interaction."""

MOST_ARMS = 256
FIRST = "first levels"
JOINED = (" + ", " = ")
"""What joins factors in the names of arms, and in those of effects that are the same column."""
Note = Callable[..., None]


class Design:
    """A suite's `factorial` block: every combination of two levels, or a declared fraction.

    runs: an arm each, the level of every factor as -1 (its first) or 1 (its second).
    """

    def __init__(self, node: Node, note: Note) -> None:
        """Read a block of a sound shape; `note(at, fault, accepts, guess)` takes its problems."""
        self.node, self.note = node, note
        self.factors = self._factors()
        self._apart()
        fraction = self._fraction()
        self._together(fraction)
        self._alike: set[str] = set()
        free = [name for name in self.factors if name not in fraction]
        if 2 ** len(free) > MOST_ARMS:
            note(node.at, f"{2 ** len(free)} arms", f"at most {MOST_ARMS}: declare a fraction")
            free = []
        self.runs: list[dict[str, int]] = []
        for drawn in itertools.product((-1, 1), repeat=len(free)):
            signs = dict(zip(free, drawn, strict=True))
            more = {
                name: prod(signs.get(factor, 1) for factor in of) for name, of in fraction.items()
            }
            self.runs.append({name: {**signs, **more}[name] for name in self.factors if free})
        self.within = self._within()

    def _factors(self) -> dict[str, Mapping[str, Node]]:
        block = self.node.items["factors"]
        for name, levels in block.items.items():
            for label, mark in [(name, block.keys[name]), *levels.keys.items()]:
                if not NAME.fullmatch(label):
                    self.note(mark, f"{label!r} for a factor or its level", NAME_HELP)
            if name == FIRST or any(sign in name for sign in JOINED):
                fault = f"{name!r} for a factor, which arms and effects are called"
                accepts = f"a name other than {FIRST!r} and without {' or '.join(JOINED)}"
                self.note(block.keys[name], fault, accepts)
        return {name: levels.items for name, levels in block.items.items()}

    def _apart(self) -> None:
        """Refuse factors that set the same path, or one inside the other's: they would fight."""
        at = [
            (name, path, value, level.keys[path])
            for name, levels in self.factors.items()
            for level in levels.values()
            for path, value in level.items.items()
        ]
        order = list(self.factors)
        for (factor, path, value, _), (other, inner, _, mark) in itertools.permutations(at, 2):
            equal = depth(path) == depth(inner) and within(inner, path)
            later = order.index(other) > order.index(factor)
            if factor != other and (later if equal else undoes(path, value, inner)):
                fault = f"factor {other!r} sets {inner!r}, inside what factor {factor!r} sets"
                self.note(mark, fault, "a path of its own")

    def _fraction(self) -> dict[str, list[str]]:
        block = self.node.items.get("fraction", Node({}, self.node.at))
        declared = self.node.items["factors"].items
        known = [name for name in declared if name not in block.items]
        fraction: dict[str, list[str]] = {}
        for name, child in block.items.items():
            of = [str(factor) for factor in child.plain()]
            if name not in declared:
                self.note(
                    block.keys[name],
                    f"unknown factor {name!r} in fraction",
                    ", ".join(declared),
                    nearest(name, declared),
                )
            elif len({*of}) < len(of) or not {*of} <= {*known}:
                self.note(
                    child.at,
                    f"{child.plain()} for the fraction of {name!r}",
                    f"two or more different ones of: {', '.join(known)}",
                )
                continue
            fraction[name] = of
        return fraction

    def _within(self) -> str:
        """Read the factor at whose levels the others' effects are asked; '' for none."""
        node = self.node.items.get("within")
        if node is None:
            return ""
        if node.text not in self.factors:
            self.note(
                node.at,
                f"unknown factor {quoted(node.text, node.plain())} for within",
                ", ".join(self.factors),
                nearest(node.text, self.factors),
            )
            return ""
        for name, twin in self._tied(node.text) if all(self.runs) else ():
            self.note(
                node.at,
                f"effects within {node.text!r}, at whose levels this fraction cannot tell {name!r} "
                f"from {twin!r}",
                "a fraction in which the others stay apart at each level",
            )
        return node.text

    def _tied(self, within: str) -> Iterator[tuple[str, str]]:
        """Give factors that change together in the arms at one level of another."""
        half = [signs for signs in self.runs if signs[within] < 0]  # the other half mirrors it
        first: dict[tuple[int, ...], str] = {}
        for name in self.factors:
            # relative to the first arm, so that factors that change in opposite ways tie too
            column = tuple(signs[name] * half[0][name] for signs in half)
            if name != within and (twin := first.setdefault(column, name)) != name:
                yield name, twin

    def _together(self, fraction: Mapping[str, Sequence[str]]) -> None:
        """Refuse two factors that a fraction makes one."""
        seen: dict[frozenset[str], str] = {}
        for name, of in fraction.items():
            first = seen.setdefault(frozenset(of), name)
            if first != name:
                at = self.node.items["fraction"].keys[name]
                self.note(
                    at,
                    f"factors {first!r} and {name!r}, which always change together",
                    "other factors for one of them to follow",
                )

    def note_same(self, first: str, second: str, where: str) -> None:
        """Note two arms that are one and the same, by the factor whose levels are."""
        names = list(self.arms())
        runs = [self.runs[names.index(arm)] for arm in (first, second)]
        differing = [name for name in self.factors if runs[0][name] != runs[1][name]]
        if len(differing) == 1 and differing[0] not in self._alike:
            self.note_alike(differing[0], where)
        elif not self._alike.intersection(differing):
            self.note(
                self.node.at,
                f"arm {second!r} is the same as arm {first!r}{where}",
                "arms that differ",
            )

    def note_alike(self, factor: str, where: str = "") -> None:
        """Note a factor whose levels are the same."""
        self._alike.add(factor)
        low, high = self.factors[factor]
        at = self.node.items["factors"].items[factor].keys[high]
        fault = f"level {high!r} of factor {factor!r} is the same as level {low!r}{where}"
        self.note(at, fault, "two levels that differ")

    def arms(self) -> dict[str, Node]:
        """Give the paths that each arm sets; its name tells the factors at their second level."""
        names = (" + ".join(name for name, sign in run.items() if sign > 0) for run in self.runs)
        return {name or FIRST: self.arm(run) for name, run in zip(names, self.runs, strict=True)}

    def arm(self, signs: Mapping[str, int]) -> Node:
        """Give the paths that an arm at some levels sets."""
        paths: dict[str, Node] = {}
        keys: dict[str, Mark] = {}
        for factor, sign in signs.items():
            level = [*self.factors[factor].values()][(sign + 1) // 2]
            paths |= level.items
            keys |= level.keys
        return Node(paths, self.node.at, keys)

    def turned(self) -> Iterator[tuple[str, Node]]:
        """Give the first arm with one factor turned: a fraction need not have it as an arm."""
        first = self.runs[0]
        for name, sign in first.items():
            if {**first, name: -sign} not in self.runs:
                yield name, self.arm({**first, name: -sign})

    def effects(
        self, cells: Sequence[Sequence[int]], metric: str, margin: float
    ) -> tuple[FactorialEffect, ...]:
        """Give main effects and two-way interactions; those that cannot be told apart, as one.

        With `within`, the others' main effects at each level of that factor follow. cells: in each
        cell, the variant of every arm.
        """
        columns = self._columns((1, 2))
        higher = self._columns(range(3, len(self.factors) + 1))
        return tuple(
            effect
            for cell in cells
            for effect in [
                *(
                    FactorialEffect(
                        factors=tuple(groups),
                        high=high,
                        low=low,
                        plus=tuple(arm for arm, s in zip(cell, column, strict=True) if s > 0),
                        minus=tuple(arm for arm, s in zip(cell, column, strict=True) if s < 0),
                        metric=metric,
                        margin=margin,
                        aliases=tuple(higher.get(column, ())),
                    )
                    for column, groups in columns.items()
                    for high, low in [self._halves(groups[0])]
                ),
                *self._at_levels(cell, metric, margin),
            ]
        )

    def _columns(self, sizes: Iterable[int]) -> dict[tuple[int, ...], list[tuple[str, ...]]]:
        """Give groups of factors by the sign of their product in each arm."""
        columns: dict[tuple[int, ...], list[tuple[str, ...]]] = {}
        for size in sizes:
            for group in itertools.combinations(self.factors, size):
                column = tuple(prod(signs[name] for name in group) for signs in self.runs)
                if len(set(column)) > 1:
                    columns.setdefault(column, []).append(group)
        return columns

    def _at_levels(
        self, cell: Sequence[int], metric: str, margin: float
    ) -> Iterator[FactorialEffect]:
        """Give the others' main effects at each level of the factor of `within`."""
        levels = self.factors.get(self.within, ())
        for sign, level in zip((-1, 1), levels, strict=False):
            half = [i for i, signs in enumerate(self.runs) if signs[self.within] == sign]
            for factor in self.factors:
                if factor == self.within:
                    continue
                low, high = self.factors[factor]
                yield FactorialEffect(
                    factors=((factor,),),
                    at=(self.within, level),
                    high=high,
                    low=low,
                    plus=tuple(cell[i] for i in half if self.runs[i][factor] > 0),
                    minus=tuple(cell[i] for i in half if self.runs[i][factor] < 0),
                    metric=metric,
                    margin=margin,
                )

    def _halves(self, group: tuple[str, ...]) -> tuple[str, str]:
        if len(group) == 2:
            return TOGETHER
        low, high = self.factors[group[0]]
        return high, low
