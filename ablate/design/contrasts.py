"""What a suite claims: contrasts and effects with margins, and published figures beside arms."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ablate.design.axes import remedy
from ablate.design.distinct import Claim, repeated, same_runs
from ablate.design.factorial import Design
from ablate.design.reach import Grid, content
from ablate.errors import mistyped, nearest
from ablate.parsing.choices import ChoiceReader
from ablate.parsing.located_yaml import Node
from ablate.parsing.published import published
from ablate.records import metrics
from ablate.source.field_schema import quoted, shown
from ablate.types import SIDES, Contrast, Effect, Reference

CONTRAST_KEYS = ("treatment", "baseline", "metric", "margin")
OVER = "over"
CLAIM, WORST = "claim", "worst"
DECLARED = ("metric", "margin", "lower_margin", WORST)
_SIGNED = re.compile(r"([-+](?:\d+(?:\.\d+)?|\.\d+)|(?:\d+(?:\.\d+)?|\.\d+))\s+points?")
_MARGIN = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s+points?")


class ClaimReader:
    """Reads the sections `contrasts` and `references` of a suite, noting every problem."""

    def __init__(self, root: Node, reader: ChoiceReader, grid: Grid) -> None:
        """Read from a suite's root, with the suite's own reader of choices and its grid."""
        self.root = root
        self.grid = grid
        self.claims: list[Claim] = []
        self.reader = reader
        self.note = reader.note

    def contrasts(
        self, arms: Mapping[str, Node], protocols: Sequence[str]
    ) -> tuple[list[Contrast], list[Effect]]:
        """Read the contrasts, each in every cell of the grid, and those pooled over cells."""
        node = self.root.items.get("contrasts", Node([], self.root.at))
        if not isinstance(node.value, list):
            self.note(node.at, f"{shown(node.plain())} for contrasts", "a list of mappings")
            return [], []
        read = [self.contrast(child, arms, metrics.names(protocols)) for child in node.value]
        single: list[Contrast] = []
        pooled: list[Effect] = []
        for child, values in zip(node.value, read, strict=True):
            if not values or self.phantom(child, values) or self.unshared(child, values):
                continue
            claims: list[Contrast] | list[Effect] = []
            if OVER not in child.items:
                single += (claims := cells(values, self.grid))
            elif self.grid.places and (over := self.over(child, values)):
                pooled += (claims := pools(values, over, self.grid))
            self.claims += [Claim(child.at, claim) for claim in claims]
        return single, pooled

    def phantom(self, node: Node, values: Mapping[str, Any]) -> bool:
        """Refuse a contrast of an arm that an axis reaches with one that it does not reach."""
        sides = {key: values[key] for key in ("treatment", "baseline")}
        for a, b in pairs(values, self.grid):
            have = {key: self.grid.variants[i].cell for key, i in zip(sides, (a, b), strict=True)}
            for axis in {**have["treatment"], **have["baseline"]}:
                key = next((key for key in sides if axis not in have[key]), "")
                if key:
                    other = next(arm for side, arm in sides.items() if side != key)
                    fault = f"the axis {axis!r} reaches {other!r} and not {sides[key]!r}, "
                    self.note(node.items[key].at, f"{fault}which runs once", remedy(axis))
                    return True
            variant, other = (self.grid.variants[i] for i in (a, b))
            if same_runs(variant, other, values["metric"]) and content(variant) != content(other):
                fault = f"{values['treatment']!r} and {values['baseline']!r} are the same runs, "
                self.note(
                    node.items["baseline"].at,
                    f"{fault}scored alike in {values['metric']}",
                    "a metric in which they are scored apart, such as accuracy",
                )
                return True
        return False

    def unshared(self, node: Node, values: Mapping[str, Any]) -> bool:
        """Refuse a metric of a protocol that cannot score arms whose tasks share their outputs."""
        for index in dict.fromkeys(i for pair in pairs(values, self.grid) for i in pair):
            arm = self.grid.variants[index]
            protocol = arm.choices["predict"].label()
            shared = arm.choices["model"].settings.get("domains", 1) > 1
            if shared and metrics.protocol_of(values["metric"], protocol) != protocol:
                subject = f"{values['metric']!r} of {arm.arm!r}, whose tasks share their outputs, "
                accepts = f"accuracy, {protocol}, or a summary such as forgetting@{protocol}"
                self.note(node.items["metric"].at, f"{subject}tells no classes apart", accepts)
                return True
        return False

    def distinct(self) -> None:
        """Refuse a claim that was made before, in whatever words."""
        for at, what in repeated(self.claims, self.grid):
            self.note(at, what, "each claim once")

    def contrast(
        self, node: Node, arms: Mapping[str, Node], known: Sequence[str]
    ) -> dict[str, Any] | None:
        """Read one contrast; None where it has a problem."""
        if not isinstance(node.value, dict):
            self.note(node.at, f"{shown(node.plain())} for a contrast", ", ".join(CONTRAST_KEYS))
            return None
        before = len(self.reader.problems)
        keys = (*CONTRAST_KEYS, OVER, CLAIM, WORST)
        for key in node.items:
            if key not in keys:
                self.note(
                    node.keys[key], f"unknown key {key!r}", ", ".join(keys), nearest(key, keys)
                )
        for key in CONTRAST_KEYS:
            if key not in node.items and not mistyped(key, node.items, keys):
                self.note(node.at, f"a contrast without {key!r}", CONTRAST_HELP[key])
        values: dict[str, Any] = {key: child.text for key, child in node.items.items()}
        for key in ("treatment", "baseline"):
            self.one_of(node, key, arms, "arm")
        self.one_of(node, "metric", known, "metric")
        values |= self.sizes(node)
        values[OVER] = OVER in node.items
        values[CLAIM] = self.side(node)
        same = values.get("treatment") == values.get("baseline")
        if same and "treatment" in values:
            self.note(node.items["baseline"].at, "an arm compared with itself", "another arm")
        return values if len(self.reader.problems) == before else None

    def side(self, node: Node) -> str:
        """Read the side that a contrast claims; '' for both."""
        child = node.items.get(CLAIM)
        if child is None:
            return ""
        if child.text not in SIDES:
            wrong = f"{shown(child.plain())} for claim"
            self.note(child.at, wrong, CONTRAST_HELP[CLAIM], nearest(child.text, SIDES))
            return ""
        return child.text

    def over(self, node: Node, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Read the axes over which a contrast is pooled, of those that reach its arms."""
        child = node.items[OVER]
        places = [i for pair in pairs(values, self.grid) for i in pair]
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

    def sizes(self, node: Node) -> dict[str, Any]:
        """Read what is declared in points: the margin, its lower side, the worst difference."""
        child, worst = node.items.get("margin"), self.points(node, WORST, CONTRAST_HELP[WORST])
        if child is None or not isinstance(child.value, list):
            margin = self.points(node, "margin", CONTRAST_HELP["margin"])
            return {"margin": margin, "lower_margin": 0.0, WORST: worst}
        ends = [_SIGNED.fullmatch(end.text.strip()) for end in child.value]
        low, high = (float(end[1]) if end else 0.0 for end in ends) if len(ends) == 2 else (0, 0)
        if not -100 <= low < 0 < high <= 100:
            self.note(child.at, f"{shown(child.plain())} for margin", CONTRAST_HELP["margin"])
        return {"margin": high, "lower_margin": -low if low != -high else 0.0, WORST: worst}

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

    def effects(self, design: Design | None, protocols: Sequence[str]) -> tuple[Effect, ...]:
        """Give the effects that a factorial asks about, in every cell of the grid."""
        if design is None:
            return ()
        self.one_of(design.node, "metric", metrics.names(protocols), "metric")
        sizes, metric = self.sizes(design.node), design.node.items.get("metric")
        rows = list(dict.fromkeys(self.grid.rows()))
        for row in rows:
            cells = [self.grid.variants[i].cell for i in row]
            for axis in self.grid.axes:
                if any(axis in cell for cell in cells) != all(axis in cell for cell in cells):
                    fault = f"the axis {axis!r} reaches some arms of the factorial and not others"
                    self.note(self.root.items["vary"].keys[axis], fault, remedy(axis))
        if self.reader.problems or metric is None:
            return ()
        effects = tuple(
            replace(effect, **sizes) for effect in design.effects(rows, metric.text, 0.0)
        )
        self.claims += [Claim(design.node.at, effect) for effect in effects]
        return effects

    def references(
        self, arms: Mapping[str, Node], protocols: Sequence[str]
    ) -> tuple[Reference, ...]:
        """Read which published figures stand beside which arms."""
        node = self.root.items.get("references", Node([], self.root.at))
        known = {"arm": arms, "metric": metrics.names(protocols), "figure": published()}
        references = []
        for child in node.value if isinstance(node.value, list) else [node]:
            if not isinstance(child.value, dict):
                self.note(child.at, f"{shown(child.plain())} for a reference", ", ".join(known))
                continue
            unknown = [key for key in child.items if key not in known]
            for key in unknown:
                fault = f"unknown key {key!r}"
                self.note(child.keys[key], fault, ", ".join(known), nearest(key, known))
            missing = [key for key in known if key not in child.items]
            for key in missing:
                if not mistyped(key, child.items, known):
                    self.note(child.at, f"a reference without {key!r}", ", ".join(known))
            if unknown or missing:
                continue
            for key, names in known.items():
                self.one_of(child, key, names, key)
            references.append(Reference(*(child.items[key].text for key in known)))
        return tuple(references)


CONTRAST_HELP = {
    "treatment": "the name of an arm",
    "baseline": "the name of an arm",
    "metric": "such as all-classes, continuum(20), forgetting",
    "margin": "the smallest difference that would matter, in (0, 100], as in '1.0 points'; "
    "[-1 points, 2 points] where a loss and a gain of different size would",
    WORST: "the largest difference that a seed may show, in (0, 100], as in '20 points': for pairs "
    "that tie exactly; without it, the largest of the suite, or 100",
    OVER: "all, or axes of vary: one verdict over these settings, all of equal weight",
    CLAIM: "helps or hurts: alpha is spent on that side, and the other is not asked about",
}


def pairs(values: Mapping[str, Any], grid: Grid) -> list[tuple[int, int]]:
    """Give the variants of a contrast's two arms, once for each cell in which they were run."""
    sides = [grid.places.get(values[key], ()) for key in ("treatment", "baseline")]
    return list(dict.fromkeys(zip(*sides, strict=True)))


def cells(values: Mapping[str, Any], grid: Grid) -> list[Contrast]:
    """Give a contrast in every cell."""
    about = {key: values[key] for key in (*DECLARED, CLAIM)}
    return [Contrast(a, b, **about) for a, b in pairs(values, grid)]


def pools(values: Mapping[str, Any], over: tuple[str, ...], grid: Grid) -> list[Effect]:
    """Give a contrast pooled over axes, once for each combination of the other axes."""
    groups: dict[tuple[tuple[str, str], ...], list[tuple[int, int]]] = {}
    for a, b in pairs(values, grid):
        cell = grid.variants[a].cell
        rest = tuple((axis, word) for axis, word in cell.items() if axis not in over)
        groups.setdefault(rest, []).append((a, b))
    arms = values["treatment"], values["baseline"]
    return [
        Effect(
            name=" − ".join(arms),
            high=arms[0],
            low=arms[1],
            plus=tuple(a for a, _ in group),
            minus=tuple(b for _, b in group),
            over=over,
            **{key: values[key] for key in (*DECLARED, CLAIM)},
        )
        for group in groups.values()
    ]
