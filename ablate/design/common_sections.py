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
from ablate.design.tuning.tuning_keys import Own, SearchReader
from ablate.errors import nearest
from ablate.parsing import changes as command
from ablate.parsing.changes import Change
from ablate.parsing.choices import ChoiceReader
from ablate.parsing.located_yaml import Node
from ablate.registry import Catalogue
from ablate.source.field_schema import quoted, shown
from ablate.types import ENOUGH_PAIRS, Choice, Suite, Tuned, Variant

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

    def tuned(
        self, searching: SearchReader, arms: dict[str, Node]
    ) -> tuple[dict[str, Node], Tuned | None]:
        """Put tuned values into the arms: those of the file that the suite names, or given ones.

        Gives what the file says beside, None where it was not read.
        """
        if self.own is not None:
            if "tuned" in self.root.items:
                searching.named(self.root.items["tuned"])
            return searching.applied(arms, self.own), None
        tuned = searching.tuned(self.folder)
        if tuned is None:
            return arms, None
        searching.stale(arms, tuned)
        values = {name: arm.values for name, arm in tuned.arms.items()}
        return searching.applied(arms, values), tuned

    def budget(self) -> str:
        """Read the axis along which arms spend more."""
        node, vary = self.root.items.get("budget"), self.root.items.get("vary")
        if node is None:
            return ""
        node = node.items.get("axis", node)
        axes = vary.items if vary else {}
        if axis := next((axis for axis in axes if self.bare(axis) == self.bare(node.text)), ""):
            values = axes[axis].plain()
            numbers = isinstance(values, list) and all(type(v) in (int, float) for v in values)
            if not numbers or len(values) < 2:
                self.note(
                    node.at,
                    f"the budget {node.text!r} of {shown(values)}",
                    "an axis of at least two numbers",
                )
            for contrast in self.root.items.get("contrasts", Node([], node.at)).value:
                if "over" in contrast.items:
                    self.note(
                        contrast.items["over"].at,
                        "a contrast pooled over settings in a suite with a budget",
                        "a contrast asked in every setting",
                    )
            return axis
        fault = f"the budget {quoted(node.text, node.plain())}, which vary does not set"
        accepts = ", ".join(axes) or "an axis of vary: there is none"
        self.note(node.at, fault, accepts, nearest(node.text, axes))
        return ""

    def bare(self, path: str) -> str:
        """Give what a path means, in whatever words."""
        return path

    # --- what the command line changes

    def changed(self) -> list[Change]:
        """Give what the command line puts into the base."""
        changes = command.of_set(self.changes, self.note)
        block = self.root.items.get("quick")
        quick = (
            command.of_block(block, self.note)
            if block
            else [change for change in command.usual(self.root) if self.shortens(change.path)]
        )
        return command.together(quick if self.quick else [], changes)

    def shortens(self, path: str) -> bool:
        """Say whether `--quick` may shorten what stands at a path by itself."""
        return bool(path)

    def assembled(self, written: Written, labels: tuple[str, str, str], **parts: Any) -> Suite:
        """Give the suite: what is said alike in all forms, and the parts that each reads itself.

        labels: its name, its origin and its text. parts: the other fields of a Suite.
        """
        name, origin, text = labels
        sections, tuned_node = written.suite, self.root.items.get("tuned")
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
            lacks=self.left_out.lacks,
            executor=self.executor(),
            tuned_file=sections.tuned,
            tuned_at=(tuned_node.at.line, tuned_node.at.column) if tuned_node else (1, 1),
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
