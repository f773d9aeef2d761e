"""YAML -> Suite: everything declared before the runs, each fault with its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ablate.design.common_sections import SuiteReader, twin
from ablate.design.contrasts import ClaimReader
from ablate.design.grid import GridReader
from ablate.design.located_models import read_sections
from ablate.design.programs.reading import is_outside
from ablate.design.programs.suite import ProgramSuiteReader
from ablate.design.protocols import predictors
from ablate.design.reach import Grid
from ablate.design.suite_models import KEYS
from ablate.design.tuning.component_search import ComponentSearch
from ablate.design.tuning.tuning_keys import Own
from ablate.errors import Problem, SuiteError, nearest, once
from ablate.parsing import changes as command
from ablate.parsing.changes import Change
from ablate.parsing.located_yaml import DocumentError, read_document
from ablate.records import metrics
from ablate.registry import Catalogue
from ablate.source.field_schema import shown
from ablate.types import Suite


def read_suite(
    path: Path,
    catalogue: Catalogue,
    quick: bool = False,
    changes: Sequence[str] = (),
    values: Own | None = None,
) -> Suite:
    """Read a suite file. Raises SuiteError with every problem, each at its place.

    quick: apply the suite's `quick` block. changes: `path=value`, put into the base after that.
    values: by arm and path, in the place of those that `tuned` names.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        fault = f"no suite can be read here: {error.strerror}"
        raise SuiteError(str(path), (Problem(1, 1, fault),)) from error
    return parse_suite(data, path.stem, str(path), catalogue, quick, changes, values, path.parent)


def parse_suite(
    data: bytes,
    name: str,
    origin: str,
    catalogue: Catalogue,
    quick: bool = False,
    changes: Sequence[str] = (),
    values: Own | None = None,
    folder: Path = Path(),
) -> Suite:
    """Parse a suite's bytes; `origin` is what its errors call the file.

    values: by arm and path, in the place of those that `tuned` names. folder: where that is.
    """
    try:
        root = read_document(data)
    except DocumentError as error:
        raise SuiteError(origin, error.problems) from None
    form: type[SuiteReader] = ProgramSuiteReader if is_outside(root) else _ComponentReader
    text = data.decode("utf-8-sig")

    def read(quick: bool, changes: Sequence[str]) -> Suite:
        """Read the suite, and that of the arms which are screened before it."""
        reader = form(root, catalogue, quick, changes, values, folder)
        suite = reader.suite(name, origin, text)
        left = reader.left_out
        if suite and left.screened:
            reader = form(left.screened, catalogue, quick, changes, None, folder)
            first = reader.suite(screening(name), origin, text)
            suite = first and replace(suite, screening=replace(first, lacks=left.screens))
        if suite is None:
            raise SuiteError(origin, once(reader.reader.problems))
        return suite

    suite = read(quick, changes)
    if "quick" in root.items and not (quick or changes):  # faults show before it is used
        read(True, ())
    return suite


def screening(name: str) -> str:
    """Give the name of the suite of the arms that are screened before another's."""
    return f"{name}-screening"


class _ComponentReader(SuiteReader):
    """Reads a suite of components."""

    def suite(self, name: str, origin: str, text: str) -> Suite | None:
        if not isinstance(self.root.value, dict):
            self.note(self.root.at, shown(self.root.plain()), f"a mapping: {', '.join(KEYS)}")
            return None
        written = read_sections(self.root, self.note)
        if any(key not in KEYS and nearest(key, KEYS) for key in self.root.items):
            return None  # what a mistyped key was to say is missing everywhere else
        written = self.parts_left_out(written)
        self.root = written.root
        seeds = self.seeds(written)
        changes = self.changed()
        grid = GridReader(self.root, self.reader, changes)
        cells, searching = grid.cells(), ComponentSearch(self.root, self.reader, grid)
        arms = grid.arms()
        if written.faulty & {"arms", "factorial", "ablate"}:
            arms = {}  # what would follow from others is not told
        arms, tuned = self.tuned(searching, arms)
        whole = grid.variants(arms, cells)
        if self.reader.problems:
            whole = Grid()  # what is wrong with the grid is not told again of each claim
        variants = seeds.of(whole.variants)
        protocols = [choice.label() for choice in predictors(self.catalogue, variants)]
        claims, known = ClaimReader(written, self.reader, whole), metrics.names(protocols)
        contrasts, pooled = claims.contrasts(arms, known)
        references = claims.references(arms, known)
        effects = claims.effects(grid.design, known)
        claims.distinct()
        honest = [label for label in protocols if label.split("(")[0] not in self.oracles()]
        tune, placed = written.suite.tune, arms if whole.places else {}
        search = None
        if "tune" in self.root.items:
            search = searching.search(tune, placed, honest, whole)
        twins = self.twins(arms, variants)
        looks = self.looks(written, seeds)
        budget = self.budget()
        if self.reader.problems:
            return None
        return self.assembled(
            written,
            (name, origin, text),
            unread=tuple(grid.unread),
            changed_words=tuple(self.changed_words(changes, grid, seeds.declared, seeds.count)),
            references=references,
            spread=written.suite.spread,
            variants=(*variants, *(twin(variants[i]) for i, _ in twins)),
            contrasts=tuple(contrasts),
            effects=(*pooled, *effects),
            twins=twins,
            looks=looks,
            search=search,
            tuned=tuned,
            budget=budget,
            seeds=seeds.count,
            precision=written.suite.precision,
        )

    def oracles(self) -> list[str]:
        """Name the protocols that know what a user cannot."""
        names = self.catalogue.names("predict")
        return [name for name in names if self.catalogue.get("predict", name).facts.get("oracle")]

    def changed_words(
        self, changes: Sequence[Change], grid: GridReader, declared: int, seeds: int
    ) -> list[str]:
        """Say in words what the command line has changed."""
        sentences = [
            *command.told(changes, grid.before, grid.missed),
            *command.told_seeds(seeds, declared),
        ]
        if self.quick and not sentences:
            return ["--quick found nothing to shorten: this is the suite as it stands"]
        return sentences
