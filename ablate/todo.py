"""What is left to run: the data looked at, the runs asked for, the records already there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from ablate.errors import SelectionError
from ablate.plan import Plan, canonical, code_facts
from ablate.registry import Catalogue, scan
from ablate.types import Facts, RunResult, RunSpec, Stack, Suite, Variant


def look(suite: Suite, catalogue: Catalogue, root: Path, fetch: bool) -> dict[str, Facts]:
    """Look at every data set that a suite uses, by the canonical text of its Choice.

    fetch: download what is missing, where the data set can. Raises DataError where it stays so.
    """
    facts: dict[str, Facts] = {}
    for variant in suite.variants:
        choice = variant.choices["dataset"]
        if (key := canonical(choice.plain())) not in facts:
            dataset = catalogue.build(choice)
            if fetch and hasattr(dataset, "fetch"):
                dataset.fetch(root)
            facts[key] = dataset.look(root)
    return facts


def select(suite: Suite, patterns: Sequence[str]) -> set[tuple[int, int]]:
    """Give (variant, seed) for what `--only` names: labels or arms with wildcards, or `seed=3`.

    Raises SelectionError, with the labels there are, where a pattern fits nothing.
    """
    chosen = {(v, seed) for v in range(len(suite.variants)) for seed in range(suite.seeds)}
    for pattern in patterns:
        if not any(fits(suite.variants[v], seed, pattern) for v, seed in chosen):
            known = sorted({variant.label for variant in suite.variants})
            raise SelectionError(
                f"--only {pattern!r} fits no run. Labels: {'; '.join(known)}; "
                f"seed=0 to seed={suite.seeds - 1}"
            )
    seeds = [pattern for pattern in patterns if pattern.startswith("seed=")]
    labels = [pattern for pattern in patterns if pattern not in seeds]
    return {
        (v, seed)
        for v, seed in chosen
        for variant in [suite.variants[v]]
        if (not seeds or any(fits(variant, seed, pattern) for pattern in seeds))
        and (not labels or any(fits(variant, seed, pattern) for pattern in labels))
    }


def fits(variant: Variant, seed: int, pattern: str) -> bool:
    """Say whether a pattern names a run: by its label, its arm or its seed."""
    words = (variant.label, variant.arm, f"seed={seed}")
    return any(fnmatchcase(word, pattern) for word in words)


def unfinished(
    made: Plan, records: Mapping[str, RunResult], facts: Mapping[str, Facts], wanted: set[str]
) -> list[Stack]:
    """Give the stacks with only the runs that are wanted and not done."""
    left = [
        replace(
            stack,
            runs=tuple(
                run
                for run in stack.runs
                if run.key in wanted and not done(run, records.get(run.key), stack, facts)
            ),
        )
        for stack in made.stacks
    ]
    return [stack for stack in left if stack.runs]


def done(run: RunSpec, record: RunResult | None, stack: Stack, facts: Mapping[str, Facts]) -> bool:
    """Say whether a record answers a run.

    It ended, with today's code, on the same data, and was scored by every protocol.
    """
    if record is None or record.status == "failed":
        return False
    data = facts[canonical(run.choices["dataset"].plain())].digest
    today = {"data": data, **code_facts(run, scan())}
    if any(record.provenance.get(name) != value for name, value in today.items()):
        return False
    labels = {choice.label() for choice in stack.predictors}
    return record.status == "diverged" or labels <= set(record.right)
