"""What is left to run: the data looked at, the runs asked for, the records already there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ablate import provenance
from ablate.errors import AblateError, DataError, SelectionError
from ablate.plan import Plan, canonical, code_facts, protocol_facts, specify
from ablate.registry import Catalogue, scan
from ablate.types import Choice, Contrast, Facts, Json, RunResult, Stack, Suite, Variant


def look(suite: Suite, catalogue: Catalogue, root: Path, fetch: bool) -> dict[str, Facts]:
    """Look at every data set that a suite uses, by the canonical text of its Choice.

    fetch: download what is missing, where the data set can. Raises DataError where it stays so.
    """
    facts: dict[str, Facts] = {}
    for variant in suite.variants:
        choice = variant.choices["dataset"]
        if (key := canonical(choice.plain())) not in facts:
            facts[key] = inspect(choice, catalogue, root, fetch=fetch)
    return facts


def inspect(choice: Choice, catalogue: Catalogue, root: Path, *, fetch: bool) -> Facts:
    """Look at one data set. Raises DataError, whatever its reader or the file system raises."""
    dataset = catalogue.build(choice)
    try:
        if fetch and hasattr(dataset, "fetch"):
            dataset.fetch(root)
        facts: Facts = dataset.look(root)
    except AblateError:
        raise
    except Exception as error:
        raise DataError(
            f"{choice.kind}.{choice.name} cannot look at its data in {root.absolute()}: "
            f"{type(error).__name__}: {error}."
        ) from error
    return facts


def select(suite: Suite, patterns: Sequence[str]) -> set[tuple[int, int]]:
    """Give (variant, nth seed) for what `--only` names: labels with wildcards, or `seed=3`.

    Raises SelectionError, with the labels there are, where a pattern fits nothing.
    """
    chosen = {(v, seed) for v in range(len(suite.variants)) for seed in range(suite.seeds)}
    for pattern in patterns:
        if not any(
            fits(suite.variants[v], suite.seed_numbers[seed], pattern) for v, seed in chosen
        ):
            known = sorted({variant.label for variant in suite.variants})
            raise SelectionError(
                f"--only {pattern!r} fits no run. Labels: {'; '.join(known)}; "
                f"seed={suite.seed_numbers[0]} to seed={suite.seed_numbers[-1]}"
            )
    seeds = [pattern for pattern in patterns if pattern.startswith("seed=")]
    labels = [pattern for pattern in patterns if pattern not in seeds]
    return {
        (v, seed)
        for v, seed in chosen
        for variant in [suite.variants[v]]
        if (not seeds or any(fits(variant, suite.seed_numbers[seed], pattern) for pattern in seeds))
        and (
            not labels
            or any(fits(variant, suite.seed_numbers[seed], pattern) for pattern in labels)
        )
    }


def differing(a: Variant, b: Variant, catalogue: Catalogue) -> list[str]:
    """Name the settings in which two arms' training differs, if their first steps can show it.

    Nothing where they train alike, or differ in what acts `later` alone (as their method says).
    """
    paths = [
        f"{kind}{path}"
        for kind, choice in a.choices.items()
        if kind != "predict"
        for path in _apart(choice, b.choices[kind])
    ]
    method = a.choices["method"]
    later = catalogue.get("method", method.name).facts.get("later", ())
    late = {f"method.{method.name}.{name}" for name in later}
    return [] if all(path in late for path in paths) else paths


def _apart(a: Any, b: Any) -> list[str]:
    if not (isinstance(a, Choice) and isinstance(b, Choice)):
        return [] if a == b else [""]
    if a.name != b.name:
        return [f": {a.name} and {b.name}"]
    return [
        f".{a.name}.{name}{path}"
        for name, value in a.settings.items()
        for path in _apart(value, b.settings[name])
    ]


def pair_key(suite: Suite, contrast: Contrast, catalogue: Catalogue) -> str:
    """Name the check of a contrast's two arms with today's code."""
    runs = [
        specify(suite.variants[i], 0, suite.precision)
        for i in (contrast.treatment, contrast.baseline)
    ]
    parts = [canonical([run.key, code_facts(run, catalogue)]).encode() for run in runs]
    return provenance.digest([b"inert", *parts])


def fits(variant: Variant, seed: int, pattern: str) -> bool:
    """Say whether a pattern names a run: by its label, its arm or its seed."""
    words = (variant.label, variant.arm, f"seed={seed}")
    return any(fnmatchcase(word, pattern) for word in words)


def unfinished(
    made: Plan, records: Mapping[str, RunResult], facts: Mapping[str, Facts], wanted: set[str]
) -> list[Stack]:
    """Give the stacks with only the runs that are wanted and not done."""
    left = []
    for stack in made.stacks:
        today = current(stack, facts)
        open_runs = tuple(
            run for run in stack.runs if run.key in wanted and not done(records.get(run.key), today)
        )
        if open_runs:
            left.append(replace(stack, runs=open_runs))
    return left


@dataclass(frozen=True)
class Current:
    """What a record must say to answer a run of a stack today.

    facts: digests of the data, the engine and the components. protocols: digests by label.
    """

    facts: Mapping[str, Json]
    protocols: Mapping[str, str]


def current(stack: Stack, facts: Mapping[str, Facts]) -> Current:
    """Look at the data and the code that a stack would use; its runs share their components."""
    first, catalogue = stack.runs[0], scan()
    data = facts[canonical(first.choices["dataset"].plain())].digest
    return Current(
        {"data": data, **code_facts(first, catalogue)},
        protocol_facts(stack.predictors, catalogue),
    )


def done(record: RunResult | None, today: Current) -> bool:
    """Say whether a record answers its run: ended, on today's data and code, fully scored."""
    if record is None or record.status == "failed":
        return False
    if any(record.provenance.get(name) != value for name, value in today.facts.items()):
        return False
    have = record.provenance.get("protocols") or {}
    scored = all(have.get(label) == digest for label, digest in today.protocols.items())
    return record.status == "diverged" or (scored and set(today.protocols) <= set(record.right))
