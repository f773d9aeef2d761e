"""What is left to run: the data looked at, the runs asked for, the records already there."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ablate.core.foreign_text import of_error
from ablate.errors import AblateError, DataError, SelectionError, SourceError
from ablate.plan.run_keys import Plan, canonical, specify
from ablate.plan.standing import DAMAGED, Current, Reason, current, is_done, reasons
from ablate.records import notes, provenance, spans
from ablate.records.fingerprints import code_facts
from ablate.records.store import Store
from ablate.registry import Catalogue, scan
from ablate.source import extras
from ablate.source.foreign_code import contained
from ablate.types import Choice, Contrast, Facts, Json, RunResult, Stack, Status, Suite, Variant


def look(suite: Suite, catalogue: Catalogue, root: Path, fetch: bool) -> dict[str, Facts]:
    """Look at every data set that a suite uses, by the canonical text of its Choice.

    fetch: download what is missing, where the data set can. Raises DataError where it stays so.
    """
    facts: dict[str, Facts] = {}
    for variant in suite.variants:
        if variant.outside:
            continue
        choice = variant.choices["dataset"]
        if (key := canonical(choice.plain())) not in facts:
            facts[key] = inspect(choice, catalogue, root, fetch=fetch)
    return facts


def inspect(choice: Choice, catalogue: Catalogue, root: Path, *, fetch: bool) -> Facts:
    """Look at one data set.

    Raises DataError, whatever its reader or the file system raises; ExtraError where it lacks a
    package that an extra would install.
    """
    try:
        with contained(f"{choice.kind}.{choice.name}"):
            dataset = catalogue.build(choice)
            if fetch and hasattr(dataset, "fetch"):
                dataset.fetch(root)
            facts: Facts = dataset.look(root)
    except AblateError:
        raise
    except Exception as error:
        if explained := extras.explained(error, f"{choice.kind}.{choice.name}"):
            raise explained from error
        raise DataError(
            f"{choice.kind}.{choice.name} cannot look at its data in {root.absolute()}: "
            f"{of_error(error)}."
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
                f"{spans.seeds(sorted(suite.seed_numbers))}"
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

    Nothing where they train alike, or differ in what acts `later` alone (as the components say).
    """
    differences = {
        f"{kind}{path}": late
        for kind, choice in a.choices.items()
        if kind != "predict"
        for path, late in _differences(choice, b.choices[kind], catalogue)
    }
    return [] if all(differences.values()) else [*differences]


def _differences(a: Any, b: Any, catalogue: Catalogue) -> Iterator[tuple[str, bool]]:
    """Give the paths in which two settings differ, and whether that shows only later."""
    if not (isinstance(a, Choice) and isinstance(b, Choice)):
        if a != b:
            yield "", False
    elif a.name != b.name:
        yield f": {a.name} and {b.name}", False
    else:
        later = catalogue.get(a.kind, a.name).facts.get("later", ())
        for name, value in a.settings.items():
            for path, late in _differences(value, b.settings[name], catalogue):
                yield f".{a.name}.{name}{path}", late or name in later


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


def reasons_of(
    plan: Plan,
    records: Mapping[str, RunResult],
    facts: Mapping[str, Facts] | None,
    damaged: Container[str] = (),
) -> dict[str, tuple[Reason, ...]]:
    """Say of every run, by key, why it is not done; nothing where it is.

    facts: of the data sets, None where they are not looked at. damaged: keys of damaged records.
    """
    by_key: dict[str, tuple[Reason, ...]] = {}
    todays: dict[tuple[int, str], Current] = {}
    alike: dict[Hashable, tuple[Reason, ...]] = {}
    for stack in plan.stacks:
        today = current(stack, facts, todays)
        for run in stack.runs:
            lost = run.key in damaged and run.key not in records
            by_key[run.key] = (DAMAGED,) if lost else _known(records.get(run.key), today, alike)
    return by_key


def _known(
    record: RunResult | None, today: Current, alike: dict[Hashable, tuple[Reason, ...]]
) -> tuple[Reason, ...]:
    """Give a record's reasons, looked into once for those that rest on the same, scored alike."""
    text = getattr(record.provenance, "shared", "") if record else ""
    if not record or not text or record.status == Status.FAILED:
        return reasons(record, today)
    same = (text, id(today), record.status, *record.right)
    if same not in alike:
        alike[same] = reasons(record, today)
    return alike[same]


def stale_ones(
    why: Mapping[str, tuple[Reason, ...]],
    records: Mapping[str, RunResult],
    stacks: Sequence[Stack],
) -> dict[str, tuple[RunResult, tuple[Reason, ...]]]:
    """Give the stale records that are not to be run, with the reasons."""
    left = {run.key for stack in stacks for run in stack.runs}
    return {
        key: (records[key], several)
        for key, several in why.items()
        if key in records and key not in left and several and is_done(several, keep=True)
    }


def unfinished(plan: Plan, wanted: Container[str]) -> list[Stack]:
    """Give the stacks with only the runs that are wanted."""
    left = []
    for stack in plan.stacks:
        open_runs = tuple(run for run in stack.runs if run.key in wanted)
        if open_runs:
            left.append(replace(stack, runs=open_runs))
    return left


def same_code(stack: Stack, results: Sequence[RunResult]) -> None:
    """Make sure that a worker ran the code that the run was planned with.

    Raises SourceError where it was changed since this process began; the results are stored, and
    say what they were run with.
    """
    planned = code_facts(stack.runs[0], scan())
    for result in results:
        loaded = {name: result.provenance.get(name) for name in planned}
        changed = [name for name, value in planned.items() if loaded[name] not in (None, value)]
        if changed and result.status != Status.FAILED:
            raise SourceError(
                f"the code was changed during the run ({', '.join(changed)}): what a worker loaded "
                "is not what the run was planned with. Finished runs are kept, each with what it "
                "was run with; the same command goes on with the code as it is now"
            )


def inert_pairs(suite: Suite, store: Store) -> dict[int, Json]:
    """Read which contrasts compare arms that took the same first steps."""
    if any(variant.outside for variant in suite.variants):
        return {}
    if all(":" in key for key in store.note_keys()):
        return {}  # no check was made: what the checks are named by takes long to work out
    keys = [pair_key(suite, contrast, scan()) for contrast in suite.contrasts]
    texts = store.notes(keys).items()
    tied = {key: notes.read(notes.Inert, key, text) for key, text in texts}
    return {i: tied[key] for i, key in enumerate(keys) if tied.get(key, {}).get("tied")}
