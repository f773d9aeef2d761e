"""Arms and axes -> Variants: every arm in every cell, each read against the catalogue."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ablate import choices
from ablate.choices import ChoiceReader, Fault, OffPath
from ablate.compose import clashes, filled, misfits, shared_kinds
from ablate.document import Mark, Node
from ablate.errors import nearest
from ablate.factorial import Design
from ablate.presets import preset, presets, resolved
from ablate.schema import NAME, NAME_HELP, shown
from ablate.types import TOP_KINDS, Variant

OPTIONAL_KINDS = {"predict": "all-classes", "augment": "none"}
MAX_CELLS = 10_000
BASE = "the component of each kind: " + ", ".join(TOP_KINDS)
ARMS = "each arm: its name and what differs from the base"
VARY = "axes crossed with the arms: a path and its values"


@dataclass(frozen=True)
class Cell:
    """One combination of the crossed axes: the values set, and how they are shown."""

    values: Mapping[str, Node]
    words: Mapping[str, str]


class GridReader:
    """Reads the sections `base`, `arms` and `vary` of a suite, noting every problem."""

    def __init__(
        self, root: Node, reader: ChoiceReader, changes: Sequence[tuple[str, Node, Mark]] = ()
    ) -> None:
        """Read from a suite's root, with the suite's own reader of choices.

        changes: values put into the base before anything else, by path, with the paths' places.
        """
        self.root = root
        self.changes = changes
        self.reader = reader
        self.note = reader.note
        self.catalogue = reader.catalogue
        self.kinds = (*TOP_KINDS, *shared_kinds(self.catalogue))
        block = root.items.get("factorial")
        self.design = Design(block, reader.note) if block else None

    def section(self, key: str, what: str) -> Node:
        """Give a mapping of the suite; an absent one is empty."""
        node = self.root.items.get(key, Node({}, self.root.at))
        if node.value is None:
            return Node({}, node.at)
        if not isinstance(node.value, dict):
            self.note(node.at, f"{shown(node.plain())} for {key}", what)
            return Node({}, node.at)
        return node

    def arms(self) -> dict[str, Node]:
        """Give each arm's tree of choices, axes not yet applied."""
        if "base" not in self.root.items:
            self.note(self.root.at, "a suite without 'base'", BASE)
            return {}
        base = self.section("base", BASE)
        for kind in base.items:
            if kind not in (*self.kinds, "preset"):
                self.note(base.keys[kind], f"unknown kind {kind!r}", ", ".join(self.kinds),
                          nearest(kind, self.kinds))  # fmt: skip
        for kind in TOP_KINDS:
            if kind not in base.items and kind not in OPTIONAL_KINDS:
                known = ", ".join(self.catalogue.names(kind))
                self.note(base.at, f"a base without {kind!r}", f"{kind}: one of {known}")
        if any(kind not in base.items for kind in TOP_KINDS if kind not in OPTIONAL_KINDS):
            return {}
        missing = {
            kind: Node(name, base.at)
            for kind, name in OPTIONAL_KINDS.items()
            if kind not in base.items
        }
        chosen = {kind: child for kind, child in base.items.items() if kind != "preset"}
        whole = Node({**chosen, **missing}, base.at, base.keys)
        for path, value, at in self.changes:
            whole = self.apply(whole, path, value, at)
        for path, value in self.preset("base", base).items():
            if "*" in path or choices.find(whole, tuple(path.split("."))) is None:
                whole = self.apply(whole, path, value, value.at)
        named = self.section("arms", ARMS)
        if self.design and "arms" in self.root.items:
            self.note(self.root.keys["arms"], "arms beside a factorial", "one of the two")
        if self.design:
            named = Node(self.design.arms(), self.design.node.at)
            return {name: self.arm(name, whole, node) for name, node in named.items.items()}
        if not named.items:
            return {"base": whole}
        for name in named.items:
            if not NAME.fullmatch(name):
                self.note(named.keys[name], f"{name!r} for an arm's name", NAME_HELP)
        return {name: self.arm(name, whole, node) for name, node in named.items.items()}

    def arm(self, name: str, base: Node, node: Node) -> Node:
        """Apply what an arm says to the base."""
        if node.value is not None and not isinstance(node.value, dict):
            self.note(node.at, f"{shown(node.plain())} for arm {name!r}",
                      "a mapping of paths, such as method.meta.inner_steps: 4")  # fmt: skip
        values = {**self.preset(name, node), **node.items}
        values.pop("preset", None)
        tree = base
        # Shorter paths first, so that `memory` does not undo `memory.herding.budget_rows`.
        own = [path for path in values if path in node.items]
        for path in [*(path for path in values if path not in own), *sorted(own, key=_depth)]:
            at = node.keys.get(path, node.at)
            for axis in self.section("vary", VARY).items:
                if f"{path}.".startswith(f"{axis}."):  # the axis would undo what the arm sets
                    self.note(at, f"arm {name!r} sets {path!r}, which vary sets too")
            tree = self.apply(tree, path, values[path], at)
        return tree

    def preset(self, owner: str, node: Node) -> dict[str, Node]:
        """Give what the preset that an arm or the base names sets, by path."""
        said, known = node.items.get("preset"), presets()
        if said is None:
            return {}
        if said.text not in known:
            found = f"unknown preset {said.text or shown(said.plain())!r} for {owner!r}"
            self.note(said.at, found, ", ".join(known), nearest(said.text, known))
            return {}
        return preset(said.text, said.at)

    def apply(self, tree: Node, path: str, value: Node, at: Mark) -> Node:
        """Put a value at a dotted path; a path that leads nowhere is a problem."""
        path, value = resolved(path, value, tree)
        words = tuple(path.split("."))
        try:
            if words[0] not in self.kinds:
                raise Fault(at, f"a path that starts with {words[0]!r}", ", ".join(self.kinds),
                            nearest(words[0], self.kinds))  # fmt: skip
            return choices.put(tree, words, value, at)
        except Fault as fault:
            self.reader.problems.append(fault.problem)
        except OffPath as error:
            self.note(at, f"{path!r} leads through a component that is not chosen", str(error))
        return tree

    def cells(self) -> list[Cell]:
        """Cross the axes of `vary`; without any there is one cell."""
        axes = self.section("vary", VARY)
        for path, node in axes.items.items():
            if not isinstance(node.value, list) or not node.value:
                self.note(
                    node.at, f"{shown(node.plain())} for {path}", "a list of at least one value"
                )
                return []
            texts = [words(child) for child in node.value]
            for child, text in zip(node.value, texts, strict=True):
                if texts.count(text) > 1:
                    self.note(child.at, f"{text} more than once on an axis", "each value once")
            for other in axes.items:
                if other != path and f"{path}.".startswith(f"{other}."):
                    self.note(axes.keys[path], f"the axis {path!r} inside the axis {other!r}")
        values = [node.value for node in axes.items.values()]
        combinations = list(itertools.islice(itertools.product(*values), MAX_CELLS + 1))
        if len(combinations) > MAX_CELLS:
            self.note(axes.at, f"more than {MAX_CELLS:,} cells", "fewer values or axes")
            return []
        return [
            Cell(
                dict(zip(axes.items, combination, strict=True)),
                {p: words(node) for p, node in zip(axes.items, combination, strict=True)},
            )
            for combination in combinations
        ]

    def variants(self, arms: Mapping[str, Node], cells: Sequence[Cell]) -> list[Variant]:
        """Cross the arms with the cells: every arm in cell 0, then every arm in cell 1 ..."""
        found = []
        for cell in cells:
            placed = {name: self.in_cell(tree, cell) for name, tree in arms.items()}
            trees = {name: filled(tree, self.catalogue) for name, tree in placed.items()}
            self.reader.arms = tuple(trees)
            self.check_axes_reach(arms, cell)
            self.reader.arm_at = lambda name, path, trees=trees: (  # type: ignore[misc]
                choices.find(trees[name], path) if name in trees else None
            )
            for name, tree in trees.items():
                for said in clashes(placed[name], self.catalogue):
                    self.note(tree.items["method"].at, said)
                chosen = {
                    kind: self.reader.read(tree.items[kind], kind, (kind,), (name,))
                    for kind in TOP_KINDS
                }
                if all(chosen.values()):
                    have = {kind: choice for kind, choice in chosen.items() if choice}
                    found.append(Variant(name, cell.words, have, _tasks_at(tree)))
                    for reason in misfits(have, self.catalogue):
                        self.note(tree.items["method"].at, reason)
        return found

    def in_cell(self, tree: Node, cell: Cell) -> Node:
        """Apply a cell's values to an arm, where the arm has what they set."""
        for path, value in cell.values.items():
            if choices.find(tree, tuple(path.split("."))[:-1]) is not None:
                tree = self.apply(tree, path, value, value.at)
        return tree

    def check_axes_reach(self, arms: Mapping[str, Node], cell: Cell) -> None:
        """An axis may pass by the arms that do not choose its component, but not by all."""
        axes = self.section("vary", VARY)
        for path in cell.values:
            parent = tuple(path.split("."))[:-1]
            if not any(choices.find(tree, parent) is not None for tree in arms.values()):
                self.note(axes.keys[path], f"the axis {path!r} reaches no arm",
                          "a path to a setting of a chosen component")  # fmt: skip


def _depth(path: str) -> int:
    return path.count(".")


def _tasks_at(tree: Node) -> tuple[int, int]:
    """Give the place of a data set's `tasks`, or of the data set where they are not written."""
    dataset = tree.items["dataset"]
    written = [child.items["tasks"] for child in dataset.items.values() if "tasks" in child.items]
    at = (written or [dataset])[0].at
    return at.line, at.column


def words(node: Node) -> str:
    """Show an axis value in few words: a component by its name and settings."""
    plain = node.plain()
    if isinstance(plain, dict) and len(plain) == 1:
        name, settings = next(iter(plain.items()))
        pairs = settings.items() if isinstance(settings, dict) else []
        inner = ", ".join(f"{k} {v}" for k, v in pairs)
        return f"{name}({inner})" if inner else str(name)
    return str(plain)
