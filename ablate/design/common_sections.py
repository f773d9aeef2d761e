"""What all suites have: seeds, looks, twins, and what the command line changes in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ablate.core.naming import folder_name
from ablate.design.leave_one_out.removals import LeftOut, written_out
from ablate.design.located_models import Written
from ablate.design.suite_models import WrittenSeeds, WrittenSuite
from ablate.design.tuning.tuning_keys import Own
from ablate.errors import nearest
from ablate.parsing import changes as command
from ablate.parsing.changes import Change
from ablate.parsing.choices import ChoiceReader
from ablate.parsing.located_yaml import Node
from ablate.registry import Catalogue
from ablate.source.field_schema import quoted
from ablate.types import ENOUGH_PAIRS, Choice, Suite, Variant

TWIN_SEEDS = 1_000_000
"""Where the seeds of an A/A twin begin: beyond any that a suite can ask for."""


@dataclass(frozen=True)
class Seeds:
    """How many seeds a suite declares, and those that are run: from `first` on, or named ones."""

    declared: int
    count: int
    first: int = 0
    named: tuple[int, ...] = ()

    def of(self, variants: Sequence[Variant]) -> list[Variant]:
        """Give these seeds to variants."""
        return [
            replace(variant, first_seed=self.first, named_seeds=self.named) for variant in variants
        ]


class SuiteReader:
    """Reads what stands beside base, arms and claims, noting every problem."""

    def __init__(
        self,
        root: Node,
        catalogue: Catalogue,
        quick: bool,
        changes: Sequence[str],
        values: Own | None,
        folder: Path,
    ) -> None:
        self.root = root
        self.own, self.folder = values, folder
        self.quick = quick
        self.changes = changes
        self.catalogue = catalogue
        self.reader = ChoiceReader(catalogue)
        self.left_out = LeftOut({})
        self.note = self.reader.note

    def suite(self, name: str, origin: str, text: str) -> Suite | None:
        """Read the suite; None where it has a problem."""
        raise NotImplementedError

    def parts_left_out(self, written: Written, form: type[WrittenSuite] = WrittenSuite) -> Written:
        """Write the `ablate` block out, if there is one."""
        written, self.left_out = written_out(written, self.note, form)
        return written

    def seeds(self, written: Written) -> Seeds:
        """Give the seeds of this run, quick or not.

        Those of a quick block begin where the suite's do, unless it says so.
        """
        whole = _seeds(written.suite.seeds)
        if not self.quick:
            return whole
        if "quick" not in self.root.items:
            return replace(whole, count=min(whole.declared, ENOUGH_PAIRS))
        fewer = written.suite.quick.seeds
        if fewer is None:
            return whole
        block = _seeds(fewer)
        begins = block.named or (
            isinstance(fewer, WrittenSeeds) and "first" in fewer.model_fields_set
        )
        if begins:
            return replace(block, declared=whole.declared)
        if whole.named and block.count > len(whole.named):
            at = self.root.items["quick"].items["seeds"].at
            accepts = f"at most the {len(whole.named)} that the suite names"
            self.note(at, f"{block.count} seeds", accepts)
        return replace(whole, count=block.count)

    def twins(
        self, arms: Mapping[str, Node], variants: Sequence[Variant]
    ) -> tuple[tuple[int, int], ...]:
        """Give the variants that are run a second time, with the places of their twins."""
        node = self.root.items.get("same")
        if node is None:
            return ()
        if node.text not in arms and arms:
            name = quoted(node.text, node.plain())
            self.note(
                node.at,
                f"unknown arm {name} for same",
                ", ".join([*arms][:12]),
                nearest(node.text, arms),
            )
        if f"{node.text} (A/A)" in arms:
            self.note(node.at, f"a twin of {node.text!r}, which an arm is called", "another name")
        originals = [i for i, variant in enumerate(variants) if variant.arm == node.text]
        return tuple((i, len(variants) + offset) for offset, i in enumerate(originals))

    def looks(self, written: Written, seeds: Seeds) -> tuple[int, ...]:
        """Read the looks; those of a quick run are the ones that its seeds reach."""
        looks, declared = written.suite.looks, seeds.declared
        if looks and looks[-1] != declared and "seeds" not in written.faulty:
            self.note(
                self.root.items["looks"].at,
                f"looks that end at {looks[-1]} with {declared} seeds",
                f"the last look at seeds: {declared}",
            )
        if not looks or seeds.count == declared:
            return looks
        return (*(look for look in looks if look < seeds.count), seeds.count)

    def executor(self) -> Choice | None:
        """Read where the suite says that it runs."""
        node = self.root.items.get("executor")
        return self.reader.read(node, "executor", ("executor",)) if node else None

    # --- what the command line changes

    def changed(self) -> list[Change]:
        """Give what the command line puts into the base."""
        changes = command.of_set(self.changes, self.note)
        block = self.root.items.get("quick")
        quick = command.of_block(block, self.note) if block else command.usual(self.root)
        return command.together(quick if self.quick else [], changes)

    def assembled(self, written: Written, labels: tuple[str, str, str], **parts: Any) -> Suite:
        """Give the suite: what is said alike in all forms, and the parts that each reads itself.

        labels: its name, its origin and its text. parts: the other fields of a Suite.
        """
        name, origin, text = labels
        sections = written.suite
        return Suite(
            name=folder_name(name, self.flags),
            origin=origin,
            text=text,
            changes=self.flags,
            declared_seeds=parts["seeds"],
            question=sections.question,
            alpha=sections.alpha,
            correction=sections.correction,
            spend=sections.spend,
            spread=sections.spread,
            lacks=self.left_out.lacks,
            executor=self.executor(),
            **parts,
        )

    @property
    def flags(self) -> tuple[str, ...]:
        """Give what the command line said, as it said it."""
        return (*(["--quick"] if self.quick else []), *(f"--set {edit}" for edit in self.changes))


def _seeds(written: int | WrittenSeeds | tuple[int, ...]) -> Seeds:
    """Give seeds as they are written: how many, where they begin, or which they are."""
    if isinstance(written, WrittenSeeds):
        return Seeds(written.count, written.count, written.first)
    if isinstance(written, tuple):
        return Seeds(len(written), len(written), named=written)
    return Seeds(written, written)


def twin(variant: Variant) -> Variant:
    """Give an arm that is run again, on seeds of its own."""
    return replace(
        variant,
        arm=f"{variant.arm} (A/A)",
        first_seed=TWIN_SEEDS + variant.first_seed,
        named_seeds=(),
    )
