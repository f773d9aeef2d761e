"""YAML -> Suite: everything declared before the runs, each fault with its place."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablate import choices, metrics
from ablate.choices import ChoiceReader, Fault, OffPath
from ablate.document import DocumentError, Mark, Node, read_document
from ablate.errors import Problem, SuiteError, nearest
from ablate.reading import Field
from ablate.registry import Catalogue
from ablate.schema import allowed, check, shown
from ablate.types import TOP_KINDS, Choice, Contrast, Suite, Variant

KEYS = {
    "question": "the question in one sentence, ending in '?'",
    "base": "the component of each kind: " + ", ".join(TOP_KINDS),
    "arms": "each arm: its name and what differs from the base",
    "vary": "axes crossed with the arms: a path and its values",
    "seeds": "how many seeds each arm runs",
    "contrasts": "treatment, baseline, metric and margin of each claim",
    "alpha": "the rate of false claims over the whole family",
    "correction": "how p-values are adjusted over the family of contrasts",
    "precision": "floating-point format of the runs",
}
SCALARS = {
    "question": Field("question", "str", None, ""),
    "seeds": Field("seeds", "int", 20, "[1, 100000]"),
    "alpha": Field("alpha", "float", 0.05, "(0, 0.5]"),
    "correction": Field(
        "correction", "Literal['holm', 'hommel', 'bonferroni', 'none']", "holm", ""
    ),
    "precision": Field("precision", "Literal['float32', 'float64']", "float32", ""),
}
CONTRAST_KEYS = ("treatment", "baseline", "metric", "margin")
OPTIONAL_KINDS = {"predict": "all-classes"}
_MARGIN = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s+points?")
MAX_CELLS = 10_000


@dataclass(frozen=True)
class _Cell:
    """One combination of the crossed axes: the values set, and how they are shown."""

    values: Mapping[str, Node]
    words: Mapping[str, str]


def read_suite(path: Path, catalogue: Catalogue) -> Suite:
    """Read a suite file. Raises SuiteError with every problem, each at its place."""
    try:
        data = path.read_bytes()
    except OSError as error:
        found = f"no suite can be read here: {error.strerror}"
        raise SuiteError(str(path), (Problem(1, 1, found),)) from error
    return parse_suite(data, path.stem, str(path), catalogue)


def parse_suite(data: bytes, name: str, origin: str, catalogue: Catalogue) -> Suite:
    """Parse a suite's bytes; `origin` is what its errors call the file."""
    try:
        root = read_document(data)
    except DocumentError as error:
        raise SuiteError(origin, error.problems) from None
    reader = _SuiteReader(root, catalogue)
    suite = reader.suite(name, data.decode("utf-8-sig"))
    if suite is None:
        raise SuiteError(origin, tuple(sorted(set(reader.reader.problems))))
    return suite


def standard_predictors(catalogue: Catalogue) -> list[Choice]:
    """Give the scoring protocols that every run reports: those that components call standard."""
    return [
        Choice("predict", name, {**_defaults(catalogue, name), **settings})
        for name in catalogue.names("predict")
        for settings in catalogue.get("predict", name).facts.get("standard", ())
    ]


def predictors(catalogue: Catalogue, variants: Sequence[Variant]) -> tuple[Choice, ...]:
    """Give the standard protocols and those that variants add, each once."""
    own = [variant.choices["predict"] for variant in variants]
    return tuple({c.label(): c for c in [*standard_predictors(catalogue), *own]}.values())


def _defaults(catalogue: Catalogue, name: str) -> dict[str, Any]:
    fields = catalogue.get("predict", name).fields
    return {field.name: field.default for field in fields}


class _SuiteReader:
    def __init__(self, root: Node, catalogue: Catalogue) -> None:
        self.root = root
        self.catalogue = catalogue
        self.reader = ChoiceReader(catalogue)
        self.note = self.reader.note

    def suite(self, name: str, text: str) -> Suite | None:
        if not isinstance(self.root.value, dict):
            self.note(self.root.at, shown(self.root.plain()), f"a mapping: {', '.join(KEYS)}")
            return None
        for key in self.root.items:
            if key not in KEYS:
                self.note(self.root.keys[key], f"unknown key {key!r}", ", ".join(KEYS),
                          nearest(key, KEYS))  # fmt: skip
        scalars = {key: self.scalar(field) for key, field in SCALARS.items()}
        cells = self.cells()
        arms = self.arms()
        variants = self.variants(arms, cells)
        contrasts = self.contrasts(arms, cells, variants)
        if self.reader.problems:
            return None
        return Suite(
            name=name, text=text, variants=tuple(variants), contrasts=tuple(contrasts), **scalars
        )

    def scalar(self, field: Field) -> Any:
        node = self.root.items.get(field.name)
        if node is None:
            if field.default is None:
                self.note(self.root.at, f"a suite without {field.name!r}", KEYS[field.name])
            return field.default
        accepted, fault = check(field, node.plain())
        if fault or (field.name == "question" and not str(accepted).strip()):
            self.note(node.at, fault or "an empty question", allowed(field))
        return accepted.strip() if isinstance(accepted, str) else accepted

    # --- arms and axes

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
            self.note(self.root.at, "a suite without 'base'", KEYS["base"])
            return {}
        base = self.section("base", KEYS["base"])
        for kind in base.items:
            if kind not in TOP_KINDS:
                self.note(base.keys[kind], f"unknown kind {kind!r}", ", ".join(TOP_KINDS),
                          nearest(kind, TOP_KINDS))  # fmt: skip
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
        whole = Node({**base.items, **missing}, base.at, base.keys)
        named = self.section("arms", KEYS["arms"])
        if not named.items:
            return {"base": whole}
        return {name: self.arm(name, whole, node) for name, node in named.items.items()}

    def arm(self, name: str, base: Node, node: Node) -> Node:
        if node.value is not None and not isinstance(node.value, dict):
            self.note(node.at, f"{shown(node.plain())} for arm {name!r}",
                      "a mapping of paths, such as method.meta.inner_steps: 4")  # fmt: skip
        tree = base
        # Shorter paths first, so that `memory` does not undo `memory.herding.budget_rows`.
        for path in sorted(node.items, key=lambda path: path.count(".")):
            if path in self.section("vary", KEYS["vary"]).items:
                self.note(node.keys[path], f"arm {name!r} sets {path!r}, which vary sets too")
            tree = self.apply(tree, path, node.items[path], node.keys[path])
        return tree

    def apply(self, tree: Node, path: str, value: Node, at: Mark) -> Node:
        words = tuple(path.split("."))
        try:
            if words[0] not in TOP_KINDS:
                raise Fault(at, f"a path that starts with {words[0]!r}", ", ".join(TOP_KINDS),
                            nearest(words[0], TOP_KINDS))  # fmt: skip
            return choices.put(tree, words, value, at)
        except Fault as fault:
            self.reader.problems.append(fault.problem)
        except OffPath as error:
            self.note(at, f"{path!r} leads through a component that is not chosen", str(error))
        return tree

    def cells(self) -> list[_Cell]:
        axes = self.section("vary", KEYS["vary"])
        for path, node in axes.items.items():
            if not isinstance(node.value, list) or not node.value:
                self.note(node.at, f"{shown(node.plain())} for {path}", "a list of values")
                return []
        values = [node.value for node in axes.items.values()]
        combinations = list(itertools.islice(itertools.product(*values), MAX_CELLS + 1))
        if len(combinations) > MAX_CELLS:
            self.note(axes.at, f"more than {MAX_CELLS:,} cells", "fewer values or axes")
        return [
            _Cell(
                dict(zip(axes.items, combination, strict=True)),
                {p: _words(node) for p, node in zip(axes.items, combination, strict=True)},
            )
            for combination in combinations
        ]

    def variants(self, arms: Mapping[str, Node], cells: Sequence[_Cell]) -> list[Variant]:
        """Cross the arms with the cells: every arm in cell 0, then every arm in cell 1 ..."""
        found = []
        for cell in cells:
            trees = {name: self.in_cell(tree, cell) for name, tree in arms.items()}
            self.check_axes_reach(arms, cell)
            self.reader.arm_at = lambda name, path, trees=trees: (  # type: ignore[misc]
                choices.find(trees[name], path) if name in trees else None
            )
            for name, tree in trees.items():
                chosen = {
                    kind: self.reader.read(tree.items[kind], kind, (kind,), (name,))
                    for kind in TOP_KINDS
                }
                if all(chosen.values()):
                    have = {kind: choice for kind, choice in chosen.items() if choice}
                    found.append(Variant(name, cell.words, have))
        return found

    def in_cell(self, tree: Node, cell: _Cell) -> Node:
        for path, value in cell.values.items():
            if choices.find(tree, tuple(path.split("."))[:-1]) is not None:
                tree = self.apply(tree, path, value, value.at)
        return tree

    def check_axes_reach(self, arms: Mapping[str, Node], cell: _Cell) -> None:
        """An axis may pass by the arms that do not choose its component, but not by all."""
        axes = self.section("vary", KEYS["vary"])
        for path in cell.values:
            parent = tuple(path.split("."))[:-1]
            if not any(choices.find(tree, parent) is not None for tree in arms.values()):
                self.note(axes.keys[path], f"the axis {path!r} reaches no arm",
                          "a path to a setting of a chosen component")  # fmt: skip

    # --- contrasts

    def contrasts(
        self, arms: Mapping[str, Node], cells: Sequence[_Cell], variants: Sequence[Variant]
    ) -> list[Contrast]:
        node = self.root.items.get("contrasts", Node([], self.root.at))
        if not isinstance(node.value, list):
            self.note(node.at, f"{shown(node.plain())} for contrasts", "a list of mappings")
            return []
        protocols = [choice.label() for choice in predictors(self.catalogue, variants)]
        read = [self.contrast(child, arms, metrics.names(protocols)) for child in node.value]
        if self.reader.problems:
            return []
        return [
            Contrast(
                cell * len(arms) + list(arms).index(one["treatment"]),
                cell * len(arms) + list(arms).index(one["baseline"]),
                one["metric"],
                one["margin"],
            )
            for one in read
            if one
            for cell in range(len(cells))
        ]

    def contrast(
        self, node: Node, arms: Mapping[str, Node], known: Sequence[str]
    ) -> dict[str, Any] | None:
        if not isinstance(node.value, dict):
            self.note(node.at, f"{shown(node.plain())} for a contrast", ", ".join(CONTRAST_KEYS))
            return None
        before = len(self.reader.problems)
        for key in node.items:
            if key not in CONTRAST_KEYS:
                self.note(node.keys[key], f"unknown key {key!r}", ", ".join(CONTRAST_KEYS),
                          nearest(key, CONTRAST_KEYS))  # fmt: skip
        for key in CONTRAST_KEYS:
            if key not in node.items:
                self.note(node.at, f"a contrast without {key!r}", CONTRAST_HELP[key])
        values = {key: child.plain() for key, child in node.items.items()}
        for key in ("treatment", "baseline"):
            self.one_of(node, key, arms, "arm")
        self.one_of(node, "metric", known, "metric")
        values["margin"] = self.margin(node)
        same = values.get("treatment") == values.get("baseline")
        if same and "treatment" in values:
            self.note(node.items["baseline"].at, "an arm compared with itself", "another arm")
        return values if len(self.reader.problems) == before else None

    def one_of(self, node: Node, key: str, known: Any, what: str) -> None:
        """Check a name; when the arms are already at fault, they are not blamed again."""
        child = node.items.get(key)
        if child is None or not known or child.plain() in list(known):
            return
        said = str(child.plain())
        few = [*known][:12]
        accepts = ", ".join(few) + (" ..." if len(known) > len(few) else "")
        self.note(child.at, f"unknown {what} {said!r}", accepts, nearest(said, known))

    def margin(self, node: Node) -> float:
        child = node.items.get("margin")
        if child is None:
            return 0.0
        match = _MARGIN.fullmatch(str(child.plain()).strip())
        if not match or float(match[1]) <= 0:
            self.note(child.at, f"{shown(child.plain())} for margin", CONTRAST_HELP["margin"])
            return 0.0
        return float(match[1])


CONTRAST_HELP = {
    "treatment": "the name of an arm",
    "baseline": "the name of an arm",
    "metric": "such as all-classes, continuum(20), forgetting",
    "margin": "the smallest difference that would matter, above 0, as in '1.0 points'",
}


def _words(node: Node) -> str:
    """Show an axis value in few words: a component by its name and settings."""
    plain = node.plain()
    if isinstance(plain, dict) and len(plain) == 1:
        name, settings = next(iter(plain.items()))
        inner = ", ".join(f"{k} {v}" for k, v in (settings or {}).items())
        return f"{name}({inner})" if inner else str(name)
    return str(plain)
