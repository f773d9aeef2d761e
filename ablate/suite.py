"""YAML -> Suite: everything declared before the runs, each fault with its place."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from ablate.choices import ChoiceReader
from ablate.claims import ClaimReader
from ablate.document import DocumentError, Mark, Node, read_document
from ablate.errors import Problem, SuiteError, nearest
from ablate.grid import GridReader
from ablate.presets import moved
from ablate.reading import Field
from ablate.registry import Catalogue
from ablate.schema import allowed, check, shown
from ablate.search import Own, SearchReader
from ablate.seed_range import COUNT, SeedRange, read_seeds
from ablate.suite_keys import KEYS, SCALARS
from ablate.types import ENOUGH_PAIRS, Choice, Suite, Variant

Change: TypeAlias = tuple[str, Node, Mark]
TWIN_SEEDS = 1_000_000
"""Where the seeds of an A/A twin begin: beyond any that a suite can ask for."""

COMMAND = Mark(0, 0)
"""The place of what the command line says."""


def read_suite(
    path: Path,
    catalogue: Catalogue,
    quick: bool = False,
    changes: Sequence[str] = (),
    own: Own | None = None,
) -> Suite:
    """Read a suite file. Raises SuiteError with every problem, each at its place.

    quick: apply the suite's `quick` block. changes: `path=value`, put into the base after that.
    own: values by arm and path in the place of those that `tuned` names.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        found = f"no suite can be read here: {error.strerror}"
        raise SuiteError(str(path), (Problem(1, 1, found),)) from error
    return parse_suite(data, path.stem, str(path), catalogue, quick, changes, own, path.parent)


def parse_suite(
    data: bytes,
    name: str,
    origin: str,
    catalogue: Catalogue,
    quick: bool = False,
    changes: Sequence[str] = (),
    own: Own | None = None,
    folder: Path = Path(),
) -> Suite:
    """Parse a suite's bytes; `origin` is what its errors call the file.

    own: values by arm and path in the place of those that `tuned` names. folder: where that is.
    """
    try:
        root = read_document(data)
    except DocumentError as error:
        raise SuiteError(origin, error.problems) from None
    reader = _SuiteReader(root, catalogue, quick, changes, own, folder)
    suite = reader.suite(name, origin, data.decode("utf-8-sig"))
    if suite and "quick" in root.items and not (quick or changes):  # faults show before it is used
        reader = _SuiteReader(root, catalogue, True, (), own, folder)
        suite = reader.suite(name, origin, "") and suite
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
    def __init__(
        self,
        root: Node,
        catalogue: Catalogue,
        quick: bool,
        changes: Sequence[str],
        own: Own | None,
        folder: Path,
    ) -> None:
        self.root = root
        self.own, self.folder = own, folder
        self.quick = quick
        self.changes = changes
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
        seeds = self.seeds()
        changed = self.set_changes()
        changes = [*changed, *self.quick_changes({path for path, _, _ in changed})]
        grid = GridReader(self.root, self.reader, changes)
        cells, searching = grid.cells(), SearchReader(self.root, self.reader)
        tuned = searching.tuned(self.folder) if self.own is None else None
        found = {name: one.values for name, one in tuned.arms.items()} if tuned else {}
        arms = grid.arms()
        if tuned:
            searching.stale(arms, tuned)
        arms = searching.applied(grid, arms, found if self.own is None else self.own)
        variants = [replace(arm, first_seed=seeds.first) for arm in grid.variants(arms, cells)]
        protocols = [choice.label() for choice in predictors(self.catalogue, variants)]
        claims = ClaimReader(self.root, self.reader)
        contrasts, pooled = claims.contrasts(arms, cells, protocols)
        references = claims.references(arms, protocols)
        effects = claims.effects(grid.design, cells, protocols)
        honest = [label for label in protocols if label.split("(")[0] not in self.oracles()]
        search = searching.search(arms, honest)
        twins = self.twins(arms, variants)
        looks = self.looks(seeds.count)
        spread = claims.points(self.root, "spread", KEYS["spread"])
        budget = self.budget()
        if self.reader.problems:
            return None
        said = (*(["--quick"] if self.quick else []), *(f"--set {one}" for one in self.changes))
        return Suite(
            name="-".join([name, *(_slug(one) for one in said)]),
            changes=said,
            references=references,
            origin=origin,
            text=text,
            variants=(*variants, *(_twin(variants[i]) for i, _ in twins)),
            contrasts=tuple(contrasts),
            effects=(*pooled, *effects),
            twins=twins,
            looks=looks,
            spread=spread,
            search=search,
            tuned=tuned,
            budget=budget,
            tuned_file=self.root.items["tuned"].text if "tuned" in self.root.items else "",
            first_seed=seeds.first,
            seeds=seeds.count,
            declared_seeds=seeds.count,
            **scalars,
        )

    def seeds(self) -> SeedRange:
        """Read the seeds; those of the `quick` block go first where it is asked for."""
        node, quick = self.root.items.get("seeds"), self.root.items.get("quick")
        seeds = read_seeds(node, self.note) if node else SeedRange(0, COUNT.default)
        if quick is None or "seeds" not in quick.items:
            return seeds
        fewer = read_seeds(quick.items["seeds"], self.note, seeds.first)
        return fewer if self.quick else seeds

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

    def twins(
        self, arms: Mapping[str, Node], variants: Sequence[Variant]
    ) -> tuple[tuple[int, int], ...]:
        """Give the variants that are run a second time, with the places of their twins."""
        node = self.root.items.get("same")
        if node is None:
            return ()
        if node.text not in arms and arms:
            said = node.text or shown(node.plain())
            self.note(node.at, f"unknown arm {said!r} for same", ", ".join([*arms][:12]),
                      nearest(said, arms))  # fmt: skip
        mine = [i for i, variant in enumerate(variants) if variant.arm == node.text]
        return tuple((i, len(variants) + place) for place, i in enumerate(mine))

    def oracles(self) -> list[str]:
        """Name the protocols that know what a user cannot."""
        names = self.catalogue.names("predict")
        return [one for one in names if self.catalogue.get("predict", one).facts.get("oracle")]

    def budget(self) -> str:
        """Read the axis along which arms spend more."""
        node, vary = self.root.items.get("budget"), self.root.items.get("vary")
        if node is None:
            return ""
        axes = vary.items if vary else {}
        if node.text in axes:
            values = axes[node.text].plain()
            numbers = isinstance(values, list) and all(type(v) in (int, float) for v in values)
            if not numbers or len(values) < 2:
                self.note(node.at, f"the budget {node.text!r} of {shown(values)}",
                          "an axis of at least two numbers")  # fmt: skip
            for one in self.root.items.get("contrasts", Node([], node.at)).value or ():
                if isinstance(one, Node) and "over" in one.items:
                    self.note(one.items["over"].at, "a contrast pooled over settings in a suite "
                              "with a budget", "a contrast asked in every setting")  # fmt: skip
            return node.text
        self.note(node.at, f"the budget {node.text!r}, which vary does not set", ", ".join(axes),
                  nearest(node.text, axes))  # fmt: skip
        return ""

    def looks(self, seeds: Any) -> tuple[int, ...]:
        """Read the looks; those of a quick run are the ones that its seeds reach."""
        node = self.root.items.get("looks")
        if node is None:
            return ()
        said = node.plain()
        whole = isinstance(said, list) and all(type(one) is int for one in said)
        if not whole or not said or said != sorted({*said}) or said[0] < ENOUGH_PAIRS:
            accepts = f"rising whole numbers of seeds, the first at least {ENOUGH_PAIRS}"
            self.note(node.at, f"{shown(said)} for looks", accepts)
            return ()
        if self.quick and "seeds" in self.root.items["quick"].items:
            return (*(one for one in said if one < seeds), seeds)
        if said[-1] != seeds:
            self.note(node.at, f"looks that end at {said[-1]} with {seeds} seeds",
                      f"the last look at seeds: {seeds}")  # fmt: skip
        return tuple(said)

    # --- what the command line changes

    def quick_changes(self, fixed: Container[str]) -> list[Change]:
        """Check the `quick` block and give what it changes, if it is asked for.

        fixed: paths that the command line sets itself.
        """
        node = self.root.items.get("quick")
        if node is None:
            if self.quick:
                self.note(self.root.at, "--quick of a suite without 'quick'", KEYS["quick"])
            return []
        if not isinstance(node.value, dict):
            self.note(node.at, f"{shown(node.plain())} for quick", KEYS["quick"])
            return []
        paths = [(path, value, node.keys[path]) for path, value in node.items.items()]
        free = [one for one in paths if one[0] != "seeds" and one[0] not in fixed]
        return free if self.quick else []

    def set_changes(self) -> list[Change]:
        """Read what `--set` changes; its problems stand at line 0."""
        found = []
        for said in self.changes:
            path, equals, text = said.partition("=")
            if not equals or not text.strip():
                self.note(COMMAND, f"--set {said!r}", "path=value, as in dataset=digits")
                continue
            try:
                value = read_document(text.encode())
            except DocumentError as error:
                self.note(COMMAND, f"--set {said}: {error.problems[0].found}", "path=value")
                continue
            found.append((path.strip(), moved(value, COMMAND), COMMAND))
        return found


def _twin(variant: Variant) -> Variant:
    return replace(variant, arm=f"{variant.arm} (A/A)", first_seed=TWIN_SEEDS + variant.first_seed)


def _slug(said: str) -> str:
    """Make a change part of a folder's name.

    >>> _slug("--quick"), _slug("--set dataset=fashion-mnist")
    ('quick', 'dataset=fashion-mnist')
    """
    return re.sub(r"[^\w.=+-]+", "_", said.removeprefix("--set ").removeprefix("--"))[:60]
