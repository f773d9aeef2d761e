"""What a suite claims: contrasts and effects with margins, and published figures beside arms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ablate.design.axes import remedy
from ablate.design.claim_models import WrittenContrast, WrittenReference
from ablate.design.distinct import Claim, repeated, same_runs
from ablate.design.factorial import Design
from ablate.design.located_models import Written
from ablate.design.reach import Grid, content
from ablate.errors import nearest
from ablate.parsing.choices import ChoiceReader
from ablate.parsing.located_yaml import Node
from ablate.parsing.published import published
from ablate.records import metrics
from ablate.source.field_schema import quoted, shown
from ablate.types import Contrast, FactorialEffect, PooledContrast, Reference

Entry = TypeVar("Entry", WrittenContrast, WrittenReference)


class ClaimReader:
    """Reads the sections `contrasts` and `references` of a suite, noting every problem."""

    def __init__(self, written: Written, reader: ChoiceReader, grid: Grid) -> None:
        """Read from what is sound in a suite, with its own reader of choices and its grid."""
        self.root, self.suite = written.root, written.suite
        self.grid = grid
        self.claims: list[Claim] = []
        self.reader = reader
        self.note = reader.note

    def contrasts(
        self, arms: Mapping[str, Node], known: Sequence[str]
    ) -> tuple[list[Contrast], list[PooledContrast]]:
        """Read the contrasts, each in every cell of the grid, and those pooled over cells.

        known: the names of metrics.
        """
        single: list[Contrast] = []
        pooled: list[PooledContrast] = []
        for child, contrast in self.entries("contrasts", self.suite.contrasts):
            sound = self.named(child, contrast, arms, known)
            if not sound or self.phantom(child, contrast) or self.unshared(child, contrast):
                continue
            claims: list[Contrast] | list[PooledContrast] = []
            if "over" not in child.items:
                single += (claims := cells(contrast, self.grid))
            elif self.grid.places and (over := self.over(child, contrast)):
                pooled += (claims := pools(contrast, over, self.grid))
            self.claims += [Claim(child.at, claim) for claim in claims]
        return single, pooled

    def entries(self, key: str, values: Sequence[Entry]) -> Iterator[tuple[Node, Entry]]:
        """Give the entries of a list of the suite, or a lone one, each with its node."""
        node = self.root.items.get(key, Node([], self.root.at))
        nodes = node.value if isinstance(node.value, list) else [node]
        return zip(nodes, values, strict=True)

    def phantom(self, node: Node, contrast: WrittenContrast) -> bool:
        """Refuse a contrast of an arm that an axis reaches with one that it does not reach."""
        sides = {"treatment": contrast.treatment, "baseline": contrast.baseline}
        for a, b in pairs(contrast, self.grid):
            have = {key: self.grid.variants[i].cell for key, i in zip(sides, (a, b), strict=True)}
            for axis in {**have["treatment"], **have["baseline"]}:
                key = next((key for key in sides if axis not in have[key]), "")
                if key:
                    other = next(arm for side, arm in sides.items() if side != key)
                    fault = f"the axis {axis!r} reaches {other!r} and not {sides[key]!r}, "
                    self.note(node.items[key].at, f"{fault}which runs once", remedy(axis))
                    return True
            pair = (self.grid.variants[a], self.grid.variants[b])
            if same_runs(*pair, contrast.metric) and content(pair[0]) != content(pair[1]):
                fault = f"{contrast.treatment!r} and {contrast.baseline!r} are the same runs, "
                self.note(
                    node.items["baseline"].at,
                    f"{fault}scored alike in {contrast.metric}",
                    "a metric in which they are scored apart, such as accuracy",
                )
                return True
        return False

    def unshared(self, node: Node, contrast: WrittenContrast) -> bool:
        """Refuse a metric of a protocol that cannot score arms whose tasks share their outputs."""
        for index in dict.fromkeys(i for pair in pairs(contrast, self.grid) for i in pair):
            arm = self.grid.variants[index]
            if arm.outside:
                continue
            protocol = arm.choices["predict"].label()
            shared = arm.choices["model"].settings.get("domains", 1) > 1
            if shared and metrics.protocol_of(contrast.metric, protocol) != protocol:
                subject = f"{contrast.metric!r} of {arm.arm!r}, whose tasks share their outputs, "
                accepts = f"accuracy, {protocol}, or a summary such as forgetting@{protocol}"
                self.note(node.items["metric"].at, f"{subject}tells no classes apart", accepts)
                return True
        return False

    def distinct(self) -> None:
        """Refuse a claim that was made before, in whatever words."""
        for at, what in repeated(self.claims, self.grid):
            self.note(at, what, "each claim once")

    def named(
        self,
        node: Node,
        contrast: WrittenContrast,
        arms: Mapping[str, Node],
        known: Sequence[str],
    ) -> bool:
        """Say whether a contrast names two arms and a metric; note what it names instead."""
        before = len(self.reader.problems)
        for key in ("treatment", "baseline"):
            self.one_of(node, key, arms, "arm")
        self.one_of(node, "metric", known, "metric")
        if contrast.treatment == contrast.baseline:
            self.note(node.items["baseline"].at, "an arm compared with itself", "another arm")
        return len(self.reader.problems) == before

    def over(self, node: Node, contrast: WrittenContrast) -> tuple[str, ...]:
        """Read the axes over which a contrast is pooled, of those that reach its arms."""
        child = node.items["over"]
        places = [i for pair in pairs(contrast, self.grid) for i in pair]
        known = [{*self.grid.variants[i].cell} for i in places]
        axes = [axis for axis in self.grid.axes if all(axis in cell for cell in known)]
        plain = child.plain()
        named = axes if plain == "all" else list(plain if isinstance(plain, list) else [plain])
        words = [name for name in named if isinstance(name, str)]
        wrong = [name for name in named if name not in axes]
        if wrong or not named or len({*words}) < len(named):
            accepts = (
                f"all, or axes of vary that reach both arms: {', '.join(axes) or 'there are none'}"
            )
            guess = nearest(str(wrong[0]), axes) if wrong else ""
            self.note(child.at, f"{shown(plain)} for over", accepts, guess)
            return ()
        return tuple(axis for axis in axes if axis in named)

    def one_of(self, node: Node, key: str, known: Any, what: str) -> None:
        """Check a name; when the arms are already at fault, they are not blamed again."""
        child = node.items.get(key)
        if child is None or not known or child.text in list(known):
            return
        words = quoted(child.text, child.plain())
        few = [*known][:12]
        accepts = ", ".join(few) + (" ..." if len(known) > len(few) else "")
        axes = [
            axis
            for variant in self.grid.variants
            for axis, word in variant.cell.items()
            if what == "arm" and word == child.text
        ]
        if axes:
            words += f", a level of the axis {axes[0]!r}, which arms are crossed with"
            accepts = f"{accepts}; levels are compared where each of them is an arm"
        self.note(child.at, f"unknown {what} {words}", accepts, nearest(child.text, known))

    def effects(self, design: Design | None, known: Sequence[str]) -> tuple[FactorialEffect, ...]:
        """Give the effects that a factorial asks about, in every cell of the grid."""
        if design is None:
            return ()
        factorial = self.suite.factorial
        self.one_of(design.node, "metric", known, "metric")
        self.others(design, known)
        rows = list(dict.fromkeys(self.grid.rows()))
        for row in rows:
            cells = [self.grid.variants[i].cell for i in row]
            for axis in self.grid.axes:
                if any(axis in cell for cell in cells) != all(axis in cell for cell in cells):
                    fault = f"the axis {axis!r} reaches some arms of the factorial and not others"
                    self.note(self.root.items["vary"].keys[axis], fault, remedy(axis))
        if self.reader.problems:
            return ()
        plain = design.effects(rows, factorial.metric, 0.0)
        effects = tuple(
            replace(effect, **declared) for declared in factorial.asked() for effect in plain
        )
        self.claims += [Claim(design.node.at, effect) for effect in effects]
        return effects

    def others(self, design: Design, known: Sequence[str]) -> None:
        """Check the other metrics of a factorial: known ones, each asked about once."""
        first = self.suite.factorial.metric
        for name, mark in design.node.items.get("also", Node({}, design.node.at)).keys.items():
            if name not in known:
                few = ", ".join([*known][:12])
                self.note(mark, f"unknown metric {name!r}", f"{few} ...", nearest(name, known))
            elif name == first:
                self.note(mark, f"metric {name!r}, which is asked about above", "another metric")

    def references(self, arms: Mapping[str, Node], known: Sequence[str]) -> tuple[Reference, ...]:
        """Read which published figures stand beside which arms."""
        references, figures = [], published()
        for child, entry in self.entries("references", self.suite.references):
            self.one_of(child, "arm", arms, "arm")
            self.one_of(child, "metric", known, "metric")
            if "figure" in child.items:
                self.one_of(child, "figure", figures, "figure")
            if figure := entry.published(figures):
                references.append(Reference(entry.arm, entry.metric, figure))
        return tuple(references)


def pairs(contrast: WrittenContrast, grid: Grid) -> list[tuple[int, int]]:
    """Give the variants of a contrast's two arms, once for each cell in which they were run."""
    sides = [grid.places.get(arm, ()) for arm in (contrast.treatment, contrast.baseline)]
    return list(dict.fromkeys(zip(*sides, strict=True)))


def cells(contrast: WrittenContrast, grid: Grid) -> list[Contrast]:
    """Give a contrast in every cell."""
    return [Contrast(a, b, **contrast.declared()) for a, b in pairs(contrast, grid)]


def pools(contrast: WrittenContrast, over: tuple[str, ...], grid: Grid) -> list[PooledContrast]:
    """Give a contrast pooled over axes, once for each combination of the other axes."""
    groups: dict[tuple[tuple[str, str], ...], list[tuple[int, int]]] = {}
    for a, b in pairs(contrast, grid):
        cell = grid.variants[a].cell
        rest = tuple((axis, word) for axis, word in cell.items() if axis not in over)
        groups.setdefault(rest, []).append((a, b))
    return [
        PooledContrast(
            treatment=contrast.treatment,
            baseline=contrast.baseline,
            plus=tuple(a for a, _ in group),
            minus=tuple(b for _, b in group),
            over=over,
            **contrast.declared(),
        )
        for group in groups.values()
    ]
