"""A suite of somebody's own program -> Suite, each fault with its place."""

from __future__ import annotations

from ablate.design.common_sections import SuiteReader, twin
from ablate.design.contrasts import ClaimReader
from ablate.design.located_models import read_sections
from ablate.design.programs.models import LEFT_OUT, WrittenOutside
from ablate.design.programs.reading import ProgramReader, measure, settings_of
from ablate.design.reach import Grid
from ablate.design.suite_models import KEYS
from ablate.errors import nearest
from ablate.parsing import changes as command
from ablate.types import Measure, Suite


class ProgramSuiteReader(SuiteReader):
    """Reads a suite whose base is somebody's own program."""

    def suite(self, name: str, origin: str, text: str) -> Suite | None:
        """Read the suite; None where it has a problem."""
        written = read_sections(self.root, self.note, WrittenOutside)
        if any(key not in KEYS and nearest(key, KEYS) for key in self.root.items):
            return None
        for key in (key for key in LEFT_OUT if key in self.root.items):
            self.note(
                self.root.keys[key], f"{key} in a suite of a program of its own", "no such key"
            )
        if "base" in written.faulty:
            return None
        written = self.parts_left_out(written, WrittenOutside)
        self.root = written.root
        program = written.suite.base.method.external  # type: ignore[attr-defined]
        seeds = self.seeds(written)
        programs = ProgramReader(self.root, program, self.note)
        programs.check()
        changes = self.changed()
        programs.change(changes)
        arms = {} if written.faulty & {"arms", "factorial", "ablate"} else programs.arms()
        grid = programs.grid(arms, settings_of(program, self.folder)) if arms else Grid()
        if not self.reader.problems:
            programs.distinct(grid)
        variants = seeds.of(grid.variants)
        claims = ClaimReader(written, self.reader, Grid() if self.reader.problems else grid)
        contrasts, pooled = claims.contrasts(arms, [*program.metrics])
        effects = claims.effects(programs.design, [*program.metrics])
        claims.distinct()
        measures = {name: measure(metric) for name, metric in program.metrics.items()}
        for node, contrast in claims.entries("contrasts", written.suite.contrasts):
            span = measures.get(contrast.metric, Measure()).span
            if span and contrast.margin.high > span:
                at = node.items["margin"].at
                fault = f"a margin of {contrast.margin.high:g} in {contrast.metric}"
                self.note(at, fault, f"less than its range of {span:g}")
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
            effects=(*pooled, *effects),
            twins=twins,
            looks=looks,
            seeds=seeds.count,
            precision="float64",
            measures=measures,
        )
