"""What a suite claims: contrasts and effects with margins, and published figures beside arms."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ablate import metrics
from ablate.choices import ChoiceReader
from ablate.document import Node
from ablate.errors import nearest
from ablate.factorial import Design
from ablate.grid import Cell
from ablate.references import published
from ablate.schema import shown
from ablate.types import Contrast, Effect, Reference

CONTRAST_KEYS = ("treatment", "baseline", "metric", "margin")
OVER = "over"
_MARGIN = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s+points?")


class ClaimReader:
    """Reads the sections `contrasts` and `references` of a suite, noting every problem."""

    def __init__(self, root: Node, reader: ChoiceReader) -> None:
        """Read from a suite's root, with the suite's own reader of choices."""
        self.root = root
        self.reader = reader
        self.note = reader.note

    def contrasts(
        self, arms: Mapping[str, Node], cells: Sequence[Cell], protocols: Sequence[str]
    ) -> tuple[list[Contrast], list[Effect]]:
        """Read the contrasts, each in every cell of the grid, and those pooled over cells."""
        node = self.root.items.get("contrasts", Node([], self.root.at))
        if not isinstance(node.value, list):
            self.note(node.at, f"{shown(node.plain())} for contrasts", "a list of mappings")
            return [], []
        axes = tuple(cells[0].words) if cells else ()
        read = [self.contrast(child, arms, metrics.names(protocols), axes) for child in node.value]
        self.once(node, read)
        if self.reader.problems:
            return [], []
        found = [one for one in read if one]
        pooled = [pool for one in found if one[OVER] for pool in pools(one, list(arms), cells)]
        return [
            Contrast(
                cell * len(arms) + list(arms).index(one["treatment"]),
                cell * len(arms) + list(arms).index(one["baseline"]),
                one["metric"],
                one["margin"],
            )
            for one in found
            if not one[OVER]
            for cell in range(len(cells))
        ], pooled

    def once(self, node: Node, read: Sequence[Mapping[str, Any] | None]) -> None:
        """Refuse a contrast that was declared before: the family must not grow by repetition."""
        seen = set()
        for child, one in zip(node.value, read, strict=True):
            claim = tuple(one[key] for key in (*CONTRAST_KEYS[:3], OVER)) if one else None
            if claim in seen:
                self.note(child.at, "a contrast that is declared above", "each claim once")
            if claim:
                seen.add(claim)

    def contrast(
        self, node: Node, arms: Mapping[str, Node], known: Sequence[str], axes: Sequence[str]
    ) -> dict[str, Any] | None:
        """Read one contrast; None where it has a problem."""
        if not isinstance(node.value, dict):
            self.note(node.at, f"{shown(node.plain())} for a contrast", ", ".join(CONTRAST_KEYS))
            return None
        before = len(self.reader.problems)
        keys = (*CONTRAST_KEYS, OVER)
        for key in node.items:
            if key not in keys:
                self.note(node.keys[key], f"unknown key {key!r}", ", ".join(keys),
                          nearest(key, keys))  # fmt: skip
        for key in CONTRAST_KEYS:
            if key not in node.items:
                self.note(node.at, f"a contrast without {key!r}", CONTRAST_HELP[key])
        values: dict[str, Any] = {key: child.text for key, child in node.items.items()}
        for key in ("treatment", "baseline"):
            self.one_of(node, key, arms, "arm")
        self.one_of(node, "metric", known, "metric")
        values["margin"] = self.margin(node)
        values[OVER] = self.over(node, axes)
        same = values.get("treatment") == values.get("baseline")
        if same and "treatment" in values:
            self.note(node.items["baseline"].at, "an arm compared with itself", "another arm")
        return values if len(self.reader.problems) == before else None

    def over(self, node: Node, axes: Sequence[str]) -> tuple[str, ...]:
        """Read the axes over which a contrast is pooled; () where it is asked in every cell."""
        child = node.items.get(OVER)
        if child is None:
            return ()
        said = child.plain()
        named = axes if said == "all" else tuple(said if isinstance(said, list) else [said])
        wrong = [one for one in named if one not in axes]
        if wrong or not named or len({*named}) < len(named):
            accepts = f"all, or axes of vary: {', '.join(axes) or 'there are none'}"
            guess = nearest(str(wrong[0]), axes) if wrong else ""
            self.note(child.at, f"{shown(said)} for over", accepts, guess)
            return ()
        return tuple(axis for axis in axes if axis in named)

    def one_of(self, node: Node, key: str, known: Any, what: str) -> None:
        """Check a name; when the arms are already at fault, they are not blamed again."""
        child = node.items.get(key)
        if child is None or not known or child.text in list(known):
            return
        said = child.text or shown(child.plain())
        few = [*known][:12]
        accepts = ", ".join(few) + (" ..." if len(known) > len(few) else "")
        self.note(child.at, f"unknown {what} {said!r}", accepts, nearest(said, known))

    def margin(self, node: Node) -> float:
        """Read a margin, in points."""
        return self.points(node, "margin", CONTRAST_HELP["margin"])

    def points(self, node: Node, key: str, accepts: str) -> float:
        """Read a number of points, in (0, 100]; 0 where there is none."""
        child = node.items.get(key)
        if child is None:
            return 0.0
        match = _MARGIN.fullmatch(child.text.strip())
        if not match or not 0 < float(match[1]) <= 100:
            self.note(child.at, f"{shown(child.plain())} for {key}", accepts)
            return 0.0
        return float(match[1])

    def effects(
        self, design: Design | None, cells: Sequence[Cell], protocols: Sequence[str]
    ) -> tuple[Effect, ...]:
        """Give the effects that a factorial asks about, in every cell of the grid."""
        if design is None:
            return ()
        self.one_of(design.node, "metric", metrics.names(protocols), "metric")
        margin, metric = self.margin(design.node), design.node.items.get("metric")
        if self.reader.problems or metric is None:
            return ()
        return design.effects(len(cells), metric.text, margin)

    def references(
        self, arms: Mapping[str, Node], protocols: Sequence[str]
    ) -> tuple[Reference, ...]:
        """Read which published figures stand beside which arms."""
        node = self.root.items.get("references", Node([], self.root.at))
        known = {"arm": arms, "metric": metrics.names(protocols), "figure": published()}
        found = []
        for child in node.value if isinstance(node.value, list) else [node]:
            if set(child.items) != set(known):
                self.note(child.at, f"{shown(child.plain())} for a reference", ", ".join(known))
                continue
            for key, names in known.items():
                self.one_of(child, key, names, key)
            found.append(Reference(*(child.items[key].text for key in known)))
        return tuple(found)


CONTRAST_HELP = {
    "treatment": "the name of an arm",
    "baseline": "the name of an arm",
    "metric": "such as all-classes, continuum(20), forgetting",
    "margin": "the smallest difference that would matter, in (0, 100], as in '1.0 points'",
    OVER: "all, or axes of vary: one verdict over these settings, all of equal weight",
}


def pools(one: Mapping[str, Any], arms: Sequence[str], cells: Sequence[Cell]) -> list[Effect]:
    """Give a contrast pooled over its axes, once for each combination of the other axes."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for place, cell in enumerate(cells):
        rest = tuple(word for axis, word in cell.words.items() if axis not in one[OVER])
        groups.setdefault(rest, []).append(place)
    sides = {key: arms.index(one[key]) for key in ("treatment", "baseline")}
    places = [{key: tuple(c * len(arms) + i for c in mine) for key, i in sides.items()}
              for mine in groups.values()]  # fmt: skip
    return [
        Effect(
            f"{one['treatment']} − {one['baseline']}", one["treatment"], one["baseline"],
            at["treatment"], at["baseline"], one["metric"], one["margin"], one[OVER],
        )
        for at in places
    ]  # fmt: skip
