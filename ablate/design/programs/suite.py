"""A suite of somebody's own program -> Suite, each fault with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ablate.design.common_sections import SuiteReader, twin
from ablate.design.contrasts import ClaimReader
from ablate.design.located_models import read_sections
from ablate.design.programs.models import LEFT_OUT, WrittenOutside
from ablate.design.programs.reading import PREFIX, ProgramReader, bare, measure, settings_of
from ablate.design.programs.search import ProgramSearch
from ablate.design.programs.study_models import SECONDS, OwnBudget
from ablate.design.reach import Grid
from ablate.design.suite_models import KEYS
from ablate.errors import nearest
from ablate.parsing import changes as command
from ablate.parsing.located_yaml import Node
from ablate.types import Effect, Measure, Suite


class ProgramSuiteReader(SuiteReader):
    """Reads a suite whose base is somebody's own program."""

    def suite(self, name: str, origin: str, text: str) -> Suite | None:
        """Read the suite; None where it has a problem."""
        written = read_sections(self.root, self.note, WrittenOutside)
        if any(key not in KEYS and nearest(key, KEYS) for key in self.root.items):
            return None
        for key, instead in LEFT_OUT.items():
            if key in self.root.items:
                self.note(self.root.keys[key], f"{key} in a suite of a program", instead)
        if "base" in written.faulty:
            return None
        written = self.parts_left_out(written, WrittenOutside)
        self.root = written.root
        sections: WrittenOutside = written.suite  # type: ignore[assignment]
        program = sections.base.method.external
        seeds = self.seeds(written)
        programs = ProgramReader(self.root, program, self.note)
        programs.check()
        changes = self.changed()
        programs.change(changes)
        searching = ProgramSearch(self.root, programs)
        arms = {} if written.faulty & {"arms", "factorial", "ablate"} else programs.arms()
        arms, tuned = self.tuned(searching, arms)
        grid = programs.grid(arms, settings_of(program, self.folder)) if arms else Grid()
        if not self.reader.problems:
            programs.distinct(grid)
        variants = seeds.of(grid.variants)
        sound = Grid() if self.reader.problems else grid
        claims = ClaimReader(written, self.reader, sound)
        contrasts, pooled = claims.contrasts(arms, [*program.metrics])
        effects: tuple[Effect, ...] = (
            *pooled,
            *claims.effects(programs.design, [*program.metrics]),
        )
        claims.distinct()
        measures = {name: measure(metric) for name, metric in program.metrics.items()}
        self.spans(claims, sections, measures)
        references = claims.references(arms, [*program.metrics])
        search = None
        if "tune" in self.root.items:
            search = searching.search(sections.tune, arms, measures, sound)
        metrics = [claim.metric for claim in (*contrasts, *effects)]
        budget, costs = self.budget(), self.costs(sections, measures, metrics)
        spreads = self.spreads(sections, measures, metrics)
        twins, looks = self.twins(arms, variants), self.looks(written, seeds)
        if self.reader.problems:
            return None
        return self.assembled(
            written,
            (name, origin, text),
            changed_words=(
                *command.told(changes, programs.before, {}),
                *command.told_seeds(seeds.count, seeds.declared),
            ),
            variants=(*variants, *(twin(variants[i]) for i, _ in twins)),
            contrasts=tuple(contrasts),
            effects=effects,
            twins=twins,
            looks=looks,
            seeds=seeds.count,
            precision="float64",
            measures=measures,
            references=references,
            search=search,
            tuned=tuned,
            budget=budget,
            costs=costs,
            spreads=spreads,
        )

    def bare(self, path: str) -> str:
        """Give a parameter's own name, however much of its path is written."""
        return bare(path)

    def shortens(self, path: str) -> bool:
        """Say whether what `--quick` shortens by itself is a parameter, and no part of one."""
        return path.startswith(PREFIX) and "." not in bare(path)

    def spans(
        self, claims: ClaimReader, written: WrittenOutside, measures: Mapping[str, Measure]
    ) -> None:
        """Refuse margins that no two scores can be apart."""
        for node, contrast in claims.entries("contrasts", written.contrasts):
            span = measures.get(contrast.metric, Measure()).span
            if span and contrast.margin.high > span:
                at = node.items["margin"].at
                fault = f"a margin of {contrast.margin.high:g} in {contrast.metric}"
                self.note(at, fault, f"less than its range of {span:g}")

    def costs(
        self, written: WrittenOutside, measures: Mapping[str, Measure], claimed: Sequence[str]
    ) -> tuple[str, ...]:
        """Read what is made equal: seconds, or metrics in which the program says what it spent."""
        budget, node = written.budget, self.root.items.get("budget")
        if node is None or not isinstance(budget, OwnBudget):
            return (SECONDS,)
        known = [SECONDS, *(name for name in measures if name != SECONDS)]
        stated = node.items.get("by", Node([], node.at))
        children = stated.value if isinstance(stated.value, list) else [stated]
        for name, child in zip(budget.by if children else (), children, strict=True):
            if name not in known:
                fault = f"unknown cost {name!r}"
                accepts = f"{', '.join(known)}: seconds, or a metric of the program"
                self.note(child.at, fault, accepts, nearest(name, known))
            elif name in claimed:
                fault = f"{name} made equal, and claimed about"
                self.note(child.at, fault, "a cost that no claim is about")
        return tuple(dict.fromkeys(budget.by))

    def spreads(
        self, written: WrittenOutside, measures: Mapping[str, Measure], claimed: Sequence[str]
    ) -> dict[str, float]:
        """Read the declared spread of each metric that is claimed in."""
        spread, node = written.spread, self.root.items.get("spread")
        if node is None or not spread:
            return {}
        names = list(dict.fromkeys(claimed))
        if isinstance(spread, dict):
            for name in (name for name in spread if name not in measures):
                mark, few = node.keys[name], ", ".join(measures)
                self.note(mark, f"unknown metric {name!r}", few, nearest(name, measures))
            return dict(spread)
        if len(names) > 1:
            form = ", ".join(f"{name}: {spread:g}" for name in names)
            self.note(node.at, f"one spread for claims in {len(names)} metrics", f"{{{form}}}")
        return dict.fromkeys(names, spread)
