"""A suite whose arms are somebody's own program -> Suite: parameters in the place of components."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ablate.design.axes import Cell, crossed, read_axes
from ablate.design.factorial import Design
from ablate.design.programs.models import WrittenMetric, WrittenProgram
from ablate.design.programs.values import finite
from ablate.design.reach import Grid, Reading, collapsed, of_axis, same_arms, same_levels
from ablate.errors import nearest
from ablate.parsing.changes import Change
from ablate.parsing.located_yaml import Mark, Node
from ablate.source.field_schema import NAME, NAME_HELP, shown
from ablate.source.program import RESERVED, SEED, names_in
from ablate.types import Choice, Json, Measure, Variant

Note = Callable[..., None]

PREFIX, ANY_PREFIX = "method.external.params.", "method.*.params."
"""Where a parameter stands in the base; its name alone is enough elsewhere."""

PRESET = "preset"
"""A key of arms that says nothing to a program."""


def is_outside(root: Node) -> bool:
    """Say whether a suite's base is somebody's own program."""
    base = root.items.get("base")
    method = base.items.get("method") if base else None
    return bool(method and "external" in method.items)


class ProgramReader:
    """Reads a base of a program, its arms and its axes, noting every problem."""

    def __init__(self, root: Node, program: WrittenProgram, note: Note) -> None:
        """Read from a suite's root; `note(at, fault, accepts, guess)` takes its problems."""
        self.root, self.program, self.note = root, program, note
        self.node = root.items["base"].items["method"].items["external"]
        self.params: dict[str, Json] = dict(program.params)
        self.before: dict[str, Node | None] = {}
        block = root.items.get("factorial")
        self.design = Design(block, note) if block else None
        self.vary = root.items.get("vary", Node({}, root.at))
        self.axes = read_axes(self.vary, note)

    def check(self) -> None:
        """Refuse programs that cannot be run, or that cannot know their seed or a parameter."""
        program = self.program
        if program.imported:
            for key in ("command", "function"):
                if key in self.node.items:
                    self.note(self.node.keys[key], f"{key} beside imported runs", "no such key")
            return
        if bool(program.command) is bool(program.function):
            what = "both" if program.command else "neither"
            self.note(self.node.at, f"a program with {what} of command and function", "one of them")
        texts = [str(word) for word in (*program.command, *program.environment.values())]
        for key in ("command", "environment"):
            for child in _leaves(self.node.items.get(key)):
                for name in names_in(str(child.value)):
                    if name not in (*program.params, *RESERVED):
                        accepts = ", ".join([*program.params, *RESERVED])
                        guess = nearest(name, [*program.params, *RESERVED])
                        self.note(child.at, f"unknown parameter {{{name}}}", accepts, guess)
        used = {name for text in texts for name in names_in(text)}
        if program.function or program.config:
            used |= {*program.params, SEED}
        at = self.node.items.get("command", self.node).at
        if SEED not in used:
            self.note(at, "a program that is not given its seed", "{seed} in its arguments")
        for name in program.params:
            mark = self.node.items["params"].keys[name]
            if name in RESERVED:
                self.note(mark, f"a parameter called {name!r}, which every run has", "another name")
            elif name not in used:
                self.note(mark, f"the parameter {name!r}, which nothing reads", f"{{{name}}}")

    def change(self, changes: Sequence[Change]) -> None:
        """Put what the command line changes into the base."""
        for change in changes:
            name = self.parameter(change.path, change.at)
            if name and self.fits(name, change.value):
                self.before[change.source] = Node(self.params[name], change.at, {}, "")
                self.params[name] = change.value.plain()

    def arms(self) -> dict[str, Node]:
        """Give what each arm sets, by name."""
        named = self.root.items.get("arms", Node({}, self.root.at))
        if self.design:
            if "arms" in self.root.items:
                self.note(self.root.keys["arms"], "arms beside a factorial", "one of the two")
            return self.design.arms()
        for name in named.items:
            if not NAME.fullmatch(name):
                self.note(named.keys[name], f"{name!r} for an arm's name", NAME_HELP)
        return dict(named.items) or {"base": Node({}, self.root.at)}

    def parameter(self, path: str, at: Mark) -> str:
        """Give the parameter that a path names; '' with a problem where there is none."""
        name = bare(path)
        if name in self.params:
            return name
        if name == PRESET:
            self.note(at, "a preset for a program", "its parameters; presets are of our components")
            return ""
        accepts = ", ".join(self.params) or "none: the program has no params"
        self.note(at, f"unknown parameter {path!r}", accepts, nearest(name, self.params))
        return ""

    def fits(self, name: str, value: Node) -> bool:
        """Say whether a value is of the type that the base declares; note it where not."""
        base, given = self.program.params[name], value.plain()
        numbers = (int, float)
        same = (
            base is None
            or given is None
            or type(given) is type(base)
            or (type(given) in numbers and type(base) in numbers)
        )
        if not (same and finite(given)):
            self.note(value.at, f"{shown(given)} for {name}", f"a value like {shown(base)}")
        return same and finite(given)

    def grid(self, arms: Mapping[str, Node], settings: Json) -> Grid:
        """Cross the arms with the axes; each variant is the program with its parameters."""
        cells = crossed(self.axes, self.vary, self.note)
        readings = [
            {name: self.reading(name, node, cell, settings) for name, node in arms.items()}
            for cell in cells
        ]
        return collapsed(readings, cells) if cells else Grid()

    def reading(self, name: str, node: Node, cell: Cell, settings: Json) -> Reading:
        """Read an arm in a cell."""
        params = dict(self.params)
        if node.value is not None and not isinstance(node.value, dict):
            self.note(node.at, f"{shown(node.plain())} for arm {name!r}", "parameters: {lr: 0.1}")
        for path, value in node.items.items():
            at = node.keys.get(path, node.at)
            key = self.parameter(path, at)
            if key in [self.parameter(axis, at) for axis in cell.values] and key:
                self.note(at, f"arm {name!r} sets {path!r}, which vary sets too", "one of the two")
            elif key and self.fits(key, value):
                params[key] = value.plain()
        for axis, value in cell.values.items():
            key = self.parameter(axis, self.vary.keys[axis])
            if key and self.fits(key, value):
                params[key] = value.plain()
        choice = Choice("method", "external", {**settings, "params": params})
        variant = Variant(name, cell.words, {"method": choice})
        return Reading(variant, frozenset(map(of_axis, cell.values)))

    def distinct(self, grid: Grid) -> None:
        """Refuse arms and levels that are one and the same."""
        named = self.root.items.get("arms")
        for first, second in same_arms(grid):
            if self.design:
                self.design.note_same(first.arm, second.arm, "")
            elif named:
                fault = f"arm {second.arm!r} is the same as arm {first.arm!r}"
                self.note(named.keys[second.arm], fault, "arms that differ")
        for node, level, first_level in same_levels(grid, self.axes):
            self.note(node.at, f"{level} is the same as {first_level}", "values that differ")


def bare(path: str) -> str:
    """Give a parameter's own name, however much of its path is written.

    >>> bare("method.external.params.lr"), bare("lr")
    ('lr', 'lr')
    """
    return path.removeprefix(PREFIX).removeprefix(ANY_PREFIX)


def settings_of(program: WrittenProgram, folder: Path) -> Json:
    """Give what is settings of a program, as a method's settings hold it; defaults are left out.

    folder: the suite's, from which the program's own is named.
    """
    settings = program.model_dump(exclude_unset=True, by_alias=True, exclude={"params", "metrics"})
    settings["command"] = [
        word if isinstance(word, str) else json.dumps(word) for word in program.command
    ]
    settings["environment"] = {name: str(text) for name, text in program.environment.items()}
    metrics = {
        name: metric.model_dump(exclude_unset=True, by_alias=True)
        for name, metric in program.metrics.items()
    }
    if program.imported:  # which seeds there are is no part of a run
        settings["imported"].pop("seeds", None)
    return {**settings, "metrics": metrics, "folder": str((folder / program.folder).absolute())}


def measure(metric: WrittenMetric) -> Measure:
    """Give what a metric of a program is like."""
    span = metric.range[1] - metric.range[0] if metric.range else 0.0
    return Measure(metric.better == "lower", span)


def _leaves(node: Node | None) -> Iterator[Node]:
    """Give the scalars in a list or a mapping."""
    children = (
        () if node is None else node.value if isinstance(node.value, list) else node.items.values()
    )
    yield from (child for child in children if not isinstance(child.value, list | dict))
