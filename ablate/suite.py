"""YAML -> Suite: everything declared before the runs, each fault with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ablate import metrics
from ablate.choices import ChoiceReader
from ablate.document import DocumentError, Node, read_document
from ablate.errors import Problem, SuiteError, nearest
from ablate.grid import ARMS, BASE, VARY, Cell, GridReader
from ablate.reading import Field
from ablate.registry import Catalogue
from ablate.schema import allowed, check, shown
from ablate.types import Choice, Contrast, Suite, Variant

KEYS = {
    "question": "the question in one sentence, ending in '?'",
    "base": BASE,
    "arms": ARMS,
    "vary": VARY,
    "seeds": "how many seeds each arm runs",
    "contrasts": "treatment, baseline, metric and margin of each claim",
    "alpha": "the rate of false claims of either kind, over the whole family",
    "correction": "how p-values are adjusted over the family of contrasts",
    "precision": "floating-point format of the runs",
}
SCALARS = {
    "question": Field("question", "str", None, ""),
    "seeds": Field("seeds", "int", 20, "[1, 100000]"),
    "alpha": Field("alpha", "float", 0.05, "[0.000001, 0.5]"),
    "correction": Field(
        "correction", "Literal['holm', 'hommel', 'bonferroni', 'none']", "holm", ""
    ),
    "precision": Field("precision", "Literal['float32', 'float64']", "float32", ""),
}
CONTRAST_KEYS = ("treatment", "baseline", "metric", "margin")
_MARGIN = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s+points?")


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
    suite = reader.suite(name, origin, data.decode("utf-8-sig"))
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

    def suite(self, name: str, origin: str, text: str) -> Suite | None:
        if not isinstance(self.root.value, dict):
            self.note(self.root.at, shown(self.root.plain()), f"a mapping: {', '.join(KEYS)}")
            return None
        for key in self.root.items:
            if key not in KEYS:
                self.note(self.root.keys[key], f"unknown key {key!r}", ", ".join(KEYS),
                          nearest(key, KEYS))  # fmt: skip
        scalars = {key: self.scalar(field) for key, field in SCALARS.items()}
        grid = GridReader(self.root, self.reader)
        arms, cells = grid.arms(), grid.cells()
        variants = grid.variants(arms, cells)
        contrasts = self.contrasts(arms, cells, variants)
        if self.reader.problems:
            return None
        return Suite(
            name=name,
            origin=origin,
            text=text,
            variants=tuple(variants),
            contrasts=tuple(contrasts),
            declared_seeds=scalars["seeds"],
            **scalars,
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
        return " ".join(accepted.split()) if isinstance(accepted, str) else accepted

    # --- contrasts

    def contrasts(
        self, arms: Mapping[str, Node], cells: Sequence[Cell], variants: Sequence[Variant]
    ) -> list[Contrast]:
        node = self.root.items.get("contrasts", Node([], self.root.at))
        if not isinstance(node.value, list):
            self.note(node.at, f"{shown(node.plain())} for contrasts", "a list of mappings")
            return []
        protocols = [choice.label() for choice in predictors(self.catalogue, variants)]
        read = [self.contrast(child, arms, metrics.names(protocols)) for child in node.value]
        self.once(node, read)
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

    def once(self, node: Node, read: Sequence[Mapping[str, Any] | None]) -> None:
        """Refuse a contrast that was declared before: the family must not grow by repetition."""
        seen = set()
        for child, one in zip(node.value, read, strict=True):
            claim = tuple(one[key] for key in CONTRAST_KEYS[:3]) if one else None
            if claim in seen:
                self.note(child.at, "a contrast that is declared above", "each claim once")
            if claim:
                seen.add(claim)

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
        values: dict[str, Any] = {key: child.text for key, child in node.items.items()}
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
        if child is None or not known or child.text in list(known):
            return
        said = child.text or shown(child.plain())
        few = [*known][:12]
        accepts = ", ".join(few) + (" ..." if len(known) > len(few) else "")
        self.note(child.at, f"unknown {what} {said!r}", accepts, nearest(said, known))

    def margin(self, node: Node) -> float:
        child = node.items.get("margin")
        if child is None:
            return 0.0
        match = _MARGIN.fullmatch(child.text.strip())
        if not match or not 0 < float(match[1]) <= 100:
            self.note(child.at, f"{shown(child.plain())} for margin", CONTRAST_HELP["margin"])
            return 0.0
        return float(match[1])


CONTRAST_HELP = {
    "treatment": "the name of an arm",
    "baseline": "the name of an arm",
    "metric": "such as all-classes, continuum(20), forgetting",
    "margin": "the smallest difference that would matter, in (0, 100], as in '1.0 points'",
}
