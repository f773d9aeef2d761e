"""What a reader must know of the records before believing anything that rests on them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ablate.plan.standing import Reason
from ablate.records import cohort, notes, provenance
from ablate.records.spans import spans
from ablate.records.store import Store
from ablate.types import RunResult, Status, Suite

GROUPS = 6
"""Groups of records that are described one by one."""

Runs = Sequence[Mapping[int, RunResult]]
Stale = Mapping[str, tuple[RunResult, Sequence[Reason]]]
"""Stale records by key, with the reasons."""


@dataclass(frozen=True)
class Caveat:
    """A warning for the first screen.

    head: in our own words, shown in bold. text: what may hold words of others. advice: our own.
    """

    head: str
    text: str = ""
    advice: str = ""

    def plainly(self) -> str:
        """Say it in a line for a terminal."""
        return " ".join(filter(None, (self.head, self.text, self.advice)))


def caveats(suite: Suite, runs: Runs, store: Store) -> Iterator[Caveat]:
    """Say what is damaged, stored elsewhere, old, kept on purpose, or does not go together."""
    yield from (Caveat(line) for line in store.damage.lines())
    records = {record.key: record for by_seed in runs for record in by_seed.values()}
    yield from _stored(suite, records, store)
    yield from _imported(suite, records, store)
    yield from _versions(records)
    yield from _kept(suite, records, store)
    yield from _apart(suite, runs)
    yield from _unused_seeds(suite, runs)
    yield from _not_repeated(suite, runs)


def keep(suite: Suite, store: Store, stale: Stale, keys: Container[str]) -> None:
    """Note which stale records of a suite count as done.

    stale: those that are not to be run now. keys: those that the user keeps; one that was kept
    before and is still there stays noted.
    """
    earlier = _noted(suite, store)
    if keys or earlier:
        runs = {
            key: (_mark(record), "; ".join(reason.text for reason in reasons))
            for key, (record, reasons) in stale.items()
            if key in keys or key in earlier
        }
        store.note({_key(suite): json.dumps({"runs": runs}, sort_keys=True)})


def _stored(suite: Suite, records: Mapping[str, RunResult], store: Store) -> Iterator[Caveat]:
    """Tell of records that were not made here, as long as they are those."""
    for key, text in store.notes([notes.stored_key(suite.name)]).items():
        note = notes.read(notes.Stored, key, text)
        runs = note["runs"].items()
        if count := sum(key in records and _mark(records[key]) == mark for key, mark in runs):
            yield Caveat(
                f"{count} runs are stored records: they were not trained here.",
                f"They were run {note['origin']}.",
                f"`ablate-study run {suite.name}` trains them.",
            )


def _imported(suite: Suite, records: Mapping[str, RunResult], store: Store) -> Iterator[Caveat]:
    """Tell of runs that a tracker had: they were there before anything was asked of them."""
    count = sum("imported" in record.provenance for record in records.values())
    if not count:
        return
    key = notes.imported_key(suite.name)
    for text in store.notes([key]).values():
        note = notes.read(notes.Imported, key, text)
        yield Caveat(
            f"{count} runs were imported: they were there before the question and its margin.",
            f"They were read from {note['origin']}.",
            "A margin that was chosen after seeing scores proves less than one chosen before.",
        )
        yield from (Caveat("", sentence) for sentence in note["notes"])


def _versions(records: Mapping[str, RunResult]) -> Iterator[Caveat]:
    versions = Counter(r.provenance.get("record_version") for r in records.values())
    del versions[provenance.RECORD_VERSION]
    for version, count in sorted(versions.items(), key=str):
        yield Caveat(
            f"{count} records are of record version {version}, which counts as not done.",
            advice=f"This version writes {provenance.RECORD_VERSION}; `run` replaces them.",
        )


def _kept(suite: Suite, records: Mapping[str, RunResult], store: Store) -> Iterator[Caveat]:
    """Tell of stale records, as long as they are the ones that were kept."""
    reasons = Counter(
        reason
        for key, (mark, reason) in _noted(suite, store).items()
        if key in records and _mark(records[key]) == mark
    )
    if reasons:
        shown = "; ".join(f"{reason} ({count})" for reason, count in reasons.most_common(4))
        yield Caveat(
            f"{sum(reasons.values())} runs were kept although they are stale (`--keep-stale`).",
            f"Since they were run: {shown}.",
            "`run` without that option replaces them.",
        )


def _apart(suite: Suite, runs: Runs) -> Iterator[Caveat]:
    reasons = cohort.refusals(suite.variants, runs, across_data=True)
    if not reasons:
        return
    yield Caveat(
        "These records do not go together.",
        f"{'; '.join(reasons)}.",
        "What mixes them is UNTESTABLE; ranks and shares of variance are not given, means and "
        "curves only of the arms that go with the most others. `run` replaces the records that are "
        "not of today's code, data and packages; `plan --why` names them.",
    )
    groups = cohort.groups(suite.variants, runs)
    for group in groups[:GROUPS] if len(groups) > 1 else ():
        names = [(suite.variants[index].label, seed) for index, seed in group.runs]
        yield Caveat(f"{len(names)} runs:", f"{', '.join(group.facts)} ({spans(names)})")
    if len(groups) > GROUPS:
        yield Caveat(f"{len(groups) - GROUPS} more groups of runs.")


def _unused_seeds(suite: Suite, runs: Runs) -> Iterator[Caveat]:
    """Name the arms whose program scores the same with every seed: it may not read it."""
    for variant, by_seed in zip(suite.variants, runs, strict=True):
        scores = [record.scores for record in by_seed.values() if record.status == Status.OK]
        if variant.outside and len(scores) > 1 and all(same == scores[0] for same in scores):
            yield Caveat(
                f"The same scores with every one of {len(scores)} seeds:",
                f"{variant.label}.",
                "The program does not seem to use the seed, so that these runs are one run.",
            )


def _not_repeated(suite: Suite, runs: Runs) -> Iterator[Caveat]:
    """Tell of a run of a program that was made again with its seed, and was another."""
    for variant, by_seed in zip(suite.variants, runs, strict=True):
        for seed, record in by_seed.items():
            again = record.provenance.get("again")
            if not again:
                continue
            where = f"{variant.label}, seed {seed}, was run again with the same seed"
            if lost := again.get("lost"):
                yield Caveat("A repeated run was lost.", f"{where}: {lost}.")
                continue
            differ = ", ".join(
                f"{name} {a:.6g} and {b:.6g}" for name, (a, b) in again["scores"].items()
            )
            yield Caveat(
                "The seed does not settle what a run scores.",
                f"{where}: {differ}.",
                "The program draws more than the seed governs: pairing by seed takes away only "
                "what the seed fixes, and nobody can repeat a run.",
            )


def _noted(suite: Suite, store: Store) -> dict[str, tuple[str, str]]:
    """Read what was kept, as (mark of the record, why it was stale) by key."""
    runs: dict[str, tuple[str, str]] = {}
    for key, text in store.notes([_key(suite)]).items():
        runs |= notes.read(notes.Kept, key, text)["runs"]
    return runs


def _mark(record: RunResult) -> str:
    return provenance.mark(record.provenance)


def _key(suite: Suite) -> str:
    return f"kept:{suite.name}"
