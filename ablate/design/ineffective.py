"""What a suite declares and nothing reads: refused where a table would show what never ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ablate.design.axes import Cell, Levels
from ablate.design.factorial import Design
from ablate.design.reach import Grid, Reading, idle, missed, of_arm, of_axis, same_arms, same_levels
from ablate.errors import nearest
from ablate.parsing import choices
from ablate.parsing.changes import Change
from ablate.parsing.choices import ChoiceReader
from ablate.parsing.compatibility import filled, has, near, unread
from ablate.parsing.located_yaml import Mark, Node
from ablate.parsing.presets import resolved
from ablate.registry import Catalogue
from ablate.types import TOP_KINDS, cell_words

BASE_PRESET = "the base's preset"


class Declared(Protocol):
    """What a suite declares of its grid. marks: where arms say what they set, by arm and path."""

    root: Node
    vary: Node
    kinds: tuple[str, ...]
    axes: Levels
    reader: ChoiceReader
    design: Design | None
    changes: Sequence[Change]
    marks: dict[tuple[str, str], Mark]
    missed: dict[str, Sequence[str]]
    unread: list[str]
    before: dict[str, Node | None]
    base: Node

    def in_cell(self, tree: Node, cell: Cell) -> Node:
        """Apply a cell's values to an arm."""

    def arm(self, name: str, base: Node, node: Node) -> Node:
        """Apply what an arm says to the base."""

    def read(self, arms: Mapping[str, Node], cell: Cell) -> dict[str, Reading]:
        """Read arms in one cell."""


@dataclass(frozen=True)
class Effects:
    """The arms of a suite in its cells, as they were declared and as they were read."""

    of: Declared
    arms: Mapping[str, Node]
    cells: Sequence[Cell]
    readings: Sequence[Mapping[str, Reading]]

    def check(self, grid: Grid) -> None:
        """Refuse what takes no effect, and what differs in name alone."""
        before = len(self.of.reader.problems)
        self.axes()
        self.arm_paths()
        self.command_line()
        self.shared()
        if len(self.of.reader.problems) > before:
            return  # arms that differ in what takes no effect are the same for that reason
        self.labels(grid)
        if self.of.design:
            self.factors(self.of.design)
        for node, level, first in same_levels(grid, self.of.axes):
            self.note(node.at, f"{level}, which is the same as {first}", "each value once")
        for variant, other in same_arms(grid):
            where = f" at {', '.join(other.setting)}" if other.setting else ""
            if self.of.design:
                self.of.design.note_same(variant.arm, other.arm, where)
            else:
                at = self.of.root.items["arms"].keys[other.arm]
                self.note(
                    at,
                    f"arm {other.arm!r} is the same as arm {variant.arm!r}{where}",
                    "arms that differ (`same:` runs one again on other seeds)",
                )

    def note(self, at: Mark, fault: str, accepts: str = "", guess: str = "") -> None:
        """Add a problem."""
        self.of.reader.note(at, fault, accepts, guess)

    def factors(self, design: Design) -> None:
        """Refuse factors of a fraction whose levels are the same, though no two of its arms are."""
        first = next(iter(self.arms))
        before = len(self.of.reader.problems)
        for factor, node in design.turned():
            read = self.of.read(
                {first: self.arms[first], factor: self.of.arm(factor, self.of.base, node)},
                self.cells[0],
            )
            del self.of.reader.problems[before:]  # an arm that follows another one cannot be read
            if len(read) == 2 and read[first].content == read[factor].content:
                design.note_alike(factor)
                before += 1

    def labels(self, grid: Grid) -> None:
        """Refuse an arm that is labelled as another one is in a cell."""
        seen: dict[str, str] = {}
        for variant in grid.variants:
            arm = seen.setdefault(variant.label, variant.arm)
            if arm != variant.arm and not self.of.design:
                at = self.of.root.items["arms"].keys[variant.arm]
                fault = f"arm {variant.arm!r}, which is labelled {variant.label!r} like arm {arm!r}"
                self.note(at, fault, "labels that differ")

    def nowhere(self, source: str) -> bool:
        """Say whether a declaration reaches no arm in any cell."""
        return len(missed(self.readings, source)) == len(self.arms)

    def axes(self) -> None:
        """Refuse an axis that reaches no arm."""
        for axis in self.of.axes:
            if self.nowhere(of_axis(axis)):
                at, (guess, accepts) = self.of.vary.keys[axis], self.near(axis)
                self.note(at, f"the axis {axis!r} reaches no arm", accepts, guess)

    def near(self, axis: str) -> tuple[str, str]:
        """Give the nearest setting of the component that an axis means, and all of them."""
        catalogue = self.of.reader.catalogue
        guess = near(axis, [*self.arms.values()], catalogue)
        if axis.split(".")[0] not in self.of.kinds:
            return guess or nearest(axis.split(".")[0], self.of.kinds), ", ".join(self.of.kinds)
        if axis.split(".")[0] not in TOP_KINDS:
            reason, accepts = unread(next(iter(self.arms.values())), axis, catalogue)
            if accepts:
                return "", f"{accepts}, as{reason.removeprefix(':')}"
            return guess, "a path to a setting of a chosen component"
        for tree in self.arms.values():
            path, _ = resolved(axis, Node(None, self.of.vary.at), filled(tree, catalogue))
            *parent, last = path.split(".")
            if len(parent) < 2 or choices.find(tree, tuple(parent)) is None:
                continue
            kind = catalogue.slot(parent[-2]) or ""
            if parent[-1] in catalogue.names(kind):
                names = [field.name for field in catalogue.get(kind, parent[-1]).fields]
                near_here = near(axis, [tree], catalogue) or nearest(last, names)
                return near_here, ", ".join(names) or "no settings"
        return guess, "a path to a setting of a chosen component"

    def arm_paths(self) -> None:
        """Refuse what an arm sets and no component reads, in the first cell where it is so."""
        for (arm, path), at in self.of.marks.items():
            cell = idle(self.readings, self.cells, arm, of_arm(arm, path))
            if cell is not None:
                self.idle(path, at, self.of.in_cell(self.arms[arm], cell), cell)

    def command_line(self) -> None:
        """Refuse what `--set` or `--quick` changes in no arm; keep which arms it misses.

        A quick block was written for the suite as it stands: what `--set` takes its ground from is
        no fault of either, and said.
        """
        swapped = any(change.by_set for change in self.of.changes)
        for change in (edit for edit in self.of.changes if edit.source in self.of.before):
            self.of.missed[change.source] = missed(self.readings, change.source)
            if self.nowhere(change.source) and swapped and not change.by_set:
                self.of.unread.append(f"The quick block's {change.path} is read by no arm.")
            elif self.nowhere(change.source):
                self.idle(change.path, change.at, next(iter(self.arms.values())))

    def shared(self) -> None:
        """Say what the base says for all methods and none of them reads.

        No table shows it as if it had been run, and who swaps methods keeps it for the others:
        that is no fault, but a word before the runs.
        """
        base = self.of.root.items["base"]
        for kind in base.items:
            source = BASE_PRESET if kind == "preset" else f"base {kind}"
            again = [change.path for change in self.of.changes]
            again += [*self.of.axes, *(path for _, path in self.of.marks)]
            unknown = kind != "preset" and kind not in self.of.kinds
            if kind in TOP_KINDS or unknown or any(path.split(".")[0] == kind for path in again):
                continue  # what others say again has no need of the base's
            if self.nowhere(source):
                self.of.unread.append(
                    f"The base's {kind} is read by no arm{self.why_unread(kind)}."
                )

    def why_unread(self, kind: str) -> str:
        """Say why no arm reads what the base says of a kind, or its preset."""
        if kind == "preset":
            return ": the base says all of it itself"
        return unread(next(iter(self.arms.values())), kind, self.of.reader.catalogue)[0]

    def idle(self, path: str, at: Mark, tree: Node, cell: Cell | None = None) -> None:
        """Note a value that takes no effect, with the reason where it is known."""
        where = f" at {', '.join(cell_words(cell.words))}" if cell and cell.words else ""
        reason, accepts = unread(tree, path, self.of.reader.catalogue)
        self.note(at, f"{path!r} takes no effect{where}{reason}", accepts)


def left_out(
    change: Change, changes: Sequence[Change], before: Node, tree: Node, catalogue: Catalogue
) -> bool:
    """Say whether `--set` took away what a quick block's path leads to.

    before, tree: the base without changes, and with those so far.
    """
    kind = change.path.split(".")[0]
    if change.by_set or not any(c.by_set and c.path.split(".")[0] == kind for c in changes):
        return False
    there, here = (
        has(base, tuple(resolved(change.path, change.value, base)[0].split(".")), catalogue)
        for base in (before, tree)
    )
    return there and not here
