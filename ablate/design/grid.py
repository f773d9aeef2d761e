"""Base, arms and axes -> Variants: every arm in every cell, each read against the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ablate.design.axes import VARY as VARY, Cell as Cell, crossed, read_axes
from ablate.design.factorial import Design
from ablate.design.ineffective import BASE_PRESET, Effects, left_out
from ablate.design.reach import Grid, Reading, by_depth, collapsed, of_arm, of_axis
from ablate.errors import mistyped, nearest
from ablate.parsing import choices
from ablate.parsing.changes import Change
from ablate.parsing.choices import ChoiceReader, Fault, OffPath
from ablate.parsing.compatibility import (
    filled,
    has,
    misfits,
    near,
    shared_kinds,
    tasks_at,
    unequal,
    whole_path,
)
from ablate.parsing.located_yaml import Mark, Node
from ablate.parsing.paths import depth, stamped, states, undoes, within
from ablate.parsing.presets import preset, presets, resolved
from ablate.source.field_schema import NAME, NAME_HELP, quoted, shown
from ablate.types import TOP_KINDS, Variant

OPEN = (" without ", " cannot ", "unknown arm or ")
"""Words of the problems that a base alone may have."""
PRESET = "preset"
OPTIONAL_KINDS = {"predict": "all-classes", "augment": "none"}
BASE = "the component of each kind: " + ", ".join(TOP_KINDS)
ARMS = "each arm: its name and what differs from the base"


class GridReader:
    """Reads the sections `base`, `arms` and `vary` of a suite, noting every problem."""

    def __init__(self, root: Node, reader: ChoiceReader, changes: Sequence[Change] = ()) -> None:
        """Read from a suite's root, with the suite's own reader of choices.

        changes: values of the command line, put into the base before anything else.
        """
        self.root = root
        self.changes = changes
        self.reader = reader
        self.note = reader.note
        self.catalogue = reader.catalogue
        self.kinds = (*TOP_KINDS, *shared_kinds(self.catalogue))
        block = root.items.get("factorial")
        before = len(reader.problems)
        self.design = Design(block, reader.note) if block else None
        self.design_sound = len(reader.problems) == before
        self.vary = root.items.get("vary", Node({}, root.at))
        self.axes = read_axes(self.vary, reader.note)
        self.before: dict[str, Node | None] = {}
        """What stood where the command line has put something, by the change's source."""
        self.missed: dict[str, Sequence[str]] = {}
        """The arms that what the command line has put does not reach, by the change's source."""
        self.unread: list[str] = []
        """What the base says and no arm reads, a sentence each."""
        self.base = Node({}, root.at)
        self.broken = False
        """Whether a value could not be put where it was said to go."""
        self.marks: dict[tuple[str, str], Mark] = {}
        """Where each arm says what it sets, by arm and path."""

    def arms(self) -> dict[str, Node]:
        """Give each arm's tree of choices, axes not yet applied; none without a base."""
        base = self.root.items.get("base")
        if base is None:
            return {}
        for kind in base.items:
            if kind not in (*self.kinds, PRESET):
                accepts, like = ", ".join(self.kinds), nearest(kind, self.kinds)
                self.note(base.keys[kind], f"unknown kind {kind!r}", accepts, like)
        # what a mistyped kind was to say is missing wherever it is read
        mistaken = any(nearest(k, self.kinds) for k in base.items if k not in (*self.kinds, PRESET))
        if not self.complete(base) or mistaken:
            return {}
        missing = {
            kind: Node(name, base.at)
            for kind, name in OPTIONAL_KINDS.items()
            if kind not in base.items
        }
        chosen = {
            kind: stamped(child, f"base {kind}")
            for kind, child in base.items.items()
            if kind != PRESET
        }
        whole = Node({**chosen, **missing}, base.at, base.keys)
        before = whole
        for change in self.changes:
            if left_out(change, self.changes, before, whole, self.catalogue):
                self.unread.append(
                    f"The quick block's {change.path} is left out, as --set chooses "
                    "something else there."
                )
                continue
            path, _ = resolved(change.path, change.value, whole)
            self.before[change.source] = choices.find(whole, tuple(path.split(".")))
            whole = self.apply(whole, change.path, stamped(change.value, change.source), change.at)
        whole = self.preset_base(whole, base)
        self.base = whole
        if not self.known(whole):
            return {}
        named = self.root.items.get("arms", Node({}, self.root.at))
        if self.design and "arms" in self.root.items:
            self.note(self.root.keys["arms"], "arms beside a factorial", "one of the two")
        if self.design and not self.design_sound:
            return {}  # what follows from it would be told as faults of their own
        if self.design:
            named = Node(self.design.arms(), self.design.node.at)
            return {name: self.arm(name, whole, node) for name, node in named.items.items()}
        if not named.items:
            return {"base": whole}
        for name in named.items:
            if not NAME.fullmatch(name):
                self.note(named.keys[name], f"{name!r} for an arm's name", NAME_HELP)
        return {name: self.arm(name, whole, node) for name, node in named.items.items()}

    def complete(self, base: Node) -> bool:
        """Say whether a base names a component of each kind; note those that it lacks."""
        absent = [
            kind for kind in TOP_KINDS if kind not in base.items and kind not in OPTIONAL_KINDS
        ]
        missing = [kind for kind in absent if not mistyped(kind, base.items, self.kinds)]
        if missing:
            names = ", ".join(self.catalogue.names(missing[0]))
            accepts = f"{missing[0]}: one of {names}" if len(missing) == 1 else BASE
            self.note(base.at, f"a base without {', '.join(map(repr, missing))}", accepts)
        return not absent

    def known(self, base: Node) -> bool:
        """Say whether what a base says can be read; note what cannot, once and not in every arm.

        What it leaves open, its arms and axes may say.
        """
        probe = ChoiceReader(self.catalogue)
        whole = filled(base, self.catalogue).items  # what a method leaves unread is checked, too
        for kind in (name for name in self.kinds if name in whole):
            probe.read(whole[kind], kind, (kind,))
        wrong = [fault for fault in probe.problems if not any(word in fault.found for word in OPEN)]
        self.reader.problems += wrong
        return not wrong

    def preset_base(self, whole: Node, base: Node) -> Node:
        """Put the base's preset where neither the base nor the command line says anything.

        A base has to name a component of each kind: it may not be another than the preset's.
        """
        for path, value in self.preset("base", base).items():
            if any(depth(c.path) == depth(path) and within(c.path, path) for c in self.changes):
                continue
            settled, _ = resolved(path, value, whole)
            there = choices.find(whole, tuple(settled.split(".")))
            named = next(iter(there.items), there.text) if there else value.text
            if path.endswith(".*") and settled in base.items and named != value.text:
                fault = f"{settled}: {named}, which the base's preset makes {value.text}"
                self.note(base.keys[settled], fault, f"{settled}: {value.text}")
            elif path.endswith(".*") or there is None:
                whole = self.apply(whole, path, stamped(value, BASE_PRESET), value.at)
        return whole

    def arm(self, name: str, base: Node, node: Node) -> Node:
        """Apply what an arm says to the base: its preset, then its own values."""
        if node.value is not None and not isinstance(node.value, dict):
            accepts = "a mapping of paths, such as method.meta.inner_steps: 4"
            self.note(node.at, f"{shown(node.plain())} for arm {name!r}", accepts)
            self.broken = True
        tree = base
        for path, value in self.preset(name, node).items():
            self.undone(name, path, value, value.at)
            before = len(self.reader.problems)
            tree = self.apply(tree, path, stamped(value, of_arm(name, "preset")), value.at)
            self.marks[name, "preset"] = value.at
            if len(self.reader.problems) > before:  # what it sets besides would be the same fault
                fault = self.reader.problems.pop()
                problem = f"preset {node.items['preset'].text!r} for arm {name!r}: {fault.found}"
                self.reader.problems.append(replace(fault, found=problem, nearest=""))
                break
        taken: dict[str, str] = {}
        for path in by_depth({k: v for k, v in node.items.items() if k != "preset"}):
            value, at = node.items[path], node.keys.get(path, node.at)
            self.undone(name, path, value, at)
            settled, _ = resolved(path, value, tree)
            for outer, first in taken.items():
                rest = settled.split(".")[depth(outer) + 1 :]
                if within(settled, outer) and states(node.items[first], rest):
                    self.note(at, f"{path!r}, which {first!r} sets too", "each setting once")
            taken[settled] = path
            tree = self.apply(tree, path, stamped(value, of_arm(name, path)), at)
            self.marks[name, path] = at
        return tree

    def undone(self, name: str, path: str, value: Node, at: Mark) -> None:
        """Refuse what an arm sets and an axis sets again, so that one of them would be lost."""
        for axis, levels in self.axes.items():
            inside = any(undoes(axis, level, path) for _, level in levels)
            outside = within(axis, path) and states(value, axis.split(".")[depth(path) + 1 :])
            if inside or (outside and depth(axis) > depth(path)):
                accepts = f"the arm without what {axis!r} sets, or no such axis"
                self.note(at, f"arm {name!r} sets {path!r}, which vary sets too", accepts)
                self.broken = True

    def preset(self, owner: str, node: Node) -> dict[str, Node]:
        """Give what the preset that an arm or the base names sets, by path."""
        child, known = node.items.get("preset"), presets()
        if child is None:
            return {}
        if child.text not in known:
            fault = f"unknown preset {quoted(child.text, child.plain())} for {owner!r}"
            self.note(child.at, fault, ", ".join(known), nearest(child.text, known))
            self.broken = True
            return {}
        return preset(child.text, child.at)

    def apply(self, tree: Node, path: str, value: Node, at: Mark) -> Node:
        """Put a value at a dotted path; a path that leads nowhere is a problem."""
        path, value = resolved(path, value, tree)
        words, sound = tuple(path.split(".")), not self.broken
        self.broken = True
        try:
            if words[0] not in self.kinds:
                meant = whole_path(words, tree, self.kinds, self.catalogue)
                problem = f"a path that starts with {words[0]!r}"
                raise Fault(at, problem, ", ".join(self.kinds), meant)
            tree, self.broken = choices.put(tree, words, value, at), not sound
        except Fault as fault:
            self.reader.problems.append(fault.problem)
        except OffPath as error:
            problem = f"{path!r} leads through a component that is not chosen"
            self.note(at, problem, str(error), near(path, [tree], self.catalogue))
        return tree

    def cells(self) -> list[Cell]:
        """Cross the axes of `vary`; without any there is one cell."""
        return crossed(self.axes, self.vary, self.note)

    def variants(self, arms: Mapping[str, Node], cells: Sequence[Cell]) -> Grid:
        """Cross the arms with the cells, and refuse every declaration that takes no effect.

        Every arm in cell 0, then every arm in cell 1 ..., those that an axis does not reach once.
        """
        before = len(self.reader.problems)
        readings = [self.read(arms, cell) for cell in cells] if arms else []
        if not readings or len(self.reader.problems) > before:
            return Grid()
        grid = collapsed(readings, cells)
        if not self.broken:  # else what was refused would be told a second time
            Effects(self, arms, cells, readings).check(grid)
        return grid

    def read(self, arms: Mapping[str, Node], cell: Cell) -> dict[str, Reading]:
        """Read every arm in one cell."""
        placed = {name: self.in_cell(tree, cell) for name, tree in arms.items()}
        trees = {name: filled(tree, self.catalogue) for name, tree in placed.items()}
        readings = {}
        for name, tree in trees.items():
            reader = self.reader.among(trees)
            chosen = {
                kind: reader.read(tree.items[kind], kind, (kind,), (name,)) for kind in TOP_KINDS
            }
            have = {kind: choice for kind, choice in chosen.items() if choice}
            if len(have) == len(TOP_KINDS):
                at = tasks_at(tree)
                variant = Variant(name, cell.words, have, (at.line, at.column))
                readings[name] = Reading(variant, frozenset(reader.sources))
                for reason in unequal(have, self.catalogue):
                    self.note(at, reason)
                for reason in misfits(have, self.catalogue):
                    self.note(tree.items["method"].at, reason)
        return readings

    def in_cell(self, tree: Node, cell: Cell) -> Node:
        """Apply a cell's values to an arm, where the arm has what they set."""
        for axis in by_depth(cell.values):
            value = cell.values[axis]
            path, _ = resolved(axis, value, tree)
            words = tuple(path.split("."))
            if has(tree, words, self.catalogue):
                tree = self.apply(tree, axis, stamped(value, of_axis(axis)), value.at)
        return tree
