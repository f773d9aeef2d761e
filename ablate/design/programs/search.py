"""The search space of a program: its parameters, each held against the value that the base has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ablate.core.tuning_values import Dial, Search
from ablate.design.programs.reading import ProgramReader, bare
from ablate.design.programs.study_models import OwnSearch
from ablate.design.reach import Grid
from ablate.design.suite_models import WrittenRange
from ablate.design.tuning.tuning_keys import SearchReader, Written
from ablate.errors import nearest
from ablate.parsing.located_yaml import Mark, Node
from ablate.source.field_schema import shown
from ablate.types import Measure

NONE_HERE = "no such key: nothing here can make such runs"

RANGED = (int, float, type(None))
"""Types of a parameter of which a range may be searched."""


class ProgramSearch(SearchReader):
    """Reads what may be tuned of a program, and what was."""

    def __init__(self, root: Node, programs: ProgramReader) -> None:
        """Read from a suite's root, with its reader of parameters."""
        super().__init__(root, programs.note)
        self.programs = programs

    def search(
        self,
        tune: OwnSearch,
        arms: Mapping[str, Node],
        measures: Mapping[str, Measure],
        grid: Grid,
    ) -> Search:
        """Read the key `tune`."""
        if self.programs.program.imported:
            self.note(self.root.keys["tune"], "tune of imported runs", NONE_HERE)
        metric = tune.metric or (next(iter(measures)) if len(measures) == 1 else "")
        if metric not in measures:
            at = self.block.items.get("metric", self.block).at
            fault = f"{metric!r} for the metric of tune" if metric else "tune without a metric"
            self.note(at, fault, ", ".join(measures), nearest(metric, measures))
        search = Search(
            trials=tune.trials,
            seeds=tune.seeds,
            metric=metric,
            dials=self.dials(tune.space, arms),
            held_out=self._held_out(tune),
            lower=measures.get(metric, Measure()).lower,
            lost=float("nan"),
        )
        self.apart(grid, search)
        return search

    def _held_out(self, tune: OwnSearch) -> dict[str, Any]:
        """Give the parameters that trials have instead; note those that are no others."""
        node, values = self.block.items.get("held_out", Node({}, self.block.at)), {}
        for path, child in node.items.items():
            name, at = self.programs.parameter(path, node.keys[path]), node.keys[path]
            if not name or not self.programs.fits(name, child):
                continue
            if any(self.same(name, other) for other in tune.space):
                self.note(at, f"{path!r} is tuned and held out too", "one of the two")
            if child.plain() == self.programs.params[name]:
                accepts = "a value with which the program scores other rows"
                self.note(child.at, f"{shown(child.plain())} for {name}, as in the base", accepts)
            self.axes(path, at)
            values[name] = child.plain()
        return values

    def dial(self, path: str, written: Written, arms: Mapping[str, Node]) -> Dial | None:
        """Read a path of the space; None where it has a problem."""
        name = self.programs.parameter(path, self.at(path))
        if not name:
            return None
        self.axes(path, self.at(path))
        node, base = self.block.items["space"].items[path], self.programs.params[name]
        if not isinstance(written, WrittenRange):
            sound = [self.programs.fits(name, child) for child in node.value]
            return replace(self.choices(path, written), path=name) if all(sound) else None
        if type(base) not in RANGED:
            fault = f"a range for {name}, which is {shown(base)}"
            self.note(node.at, fault, "a list of at least two values")
            return None
        ends = [node.items[end].value for end in ("low", "high")]
        # a number of the base with decimals asks for such numbers, whatever the ends are
        whole = all(type(end) is int for end in ends) and type(base) is not float
        return Dial(name, low=written.low, high=written.high, log=written.log, whole=whole)

    def same(self, path: str, axis: str) -> bool:
        """Say whether a parameter is set by an axis; its name may be written in full."""
        return bare(path) == bare(axis)

    def home(self, tree: Node, path: str) -> str:
        """Give a parameter's name; '' where the program has none of that name."""
        name = bare(path)
        return name if name in self.programs.params else ""

    def put(self, tree: Node, where: str, value: Node, at: Mark) -> Node:
        """Give an arm another value of a parameter."""
        rest = {key: node for key, node in tree.items.items() if not self.same(key, where)}
        keys = {key: tree.keys.get(key, at) for key in rest}
        return Node({**rest, where: value}, tree.at, {**keys, where: at})

    def now(self, tree: Node, where: str, first: Any) -> Any:
        """Give what an arm has of a parameter today."""
        stated = [node for key, node in tree.items.items() if self.same(key, where)]
        return stated[0].plain() if stated else self.programs.params[where]
