"""What a run's record comes to today: done, or the reasons why it is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ablate.plan.run_keys import canonical
from ablate.records import cohort, fingerprints
from ablate.records.fingerprints import code_facts, protocol_facts
from ablate.records.provenance import RECORD_VERSION, machine
from ablate.registry import scan
from ablate.types import Facts, Json, RunResult, Stack, Status


@dataclass(frozen=True)
class Reason:
    """Why a record does not answer its run. stale: it did once, and may be kept on purpose."""

    text: str
    stale: bool = True


NEVER_RUN = Reason("never run", stale=False)
DAMAGED = Reason("its record is damaged", stale=False)


@dataclass(frozen=True)
class Current:
    """What a record must say to answer a run of a stack today.

    data: the digest; None where the data is not looked at. facts: digests and versions as
    `fingerprints.code_facts` gives them. protocols: digests by label.
    """

    data: str | None
    facts: Mapping[str, Json]
    protocols: Mapping[str, str]


def current(
    stack: Stack,
    facts: Mapping[str, Facts] | None,
    known: dict[tuple[int, str], Current] | None = None,
) -> Current:
    """Look at the data and the code that a stack would use; its runs share their components.

    facts: of each data set, by the canonical text of its Choice; None where there is no data.
    known: of stacks that were looked at before, filled here; the arms of a suite have few sets of
    components.
    """
    first, catalogue = stack.runs[0], scan()
    if first.outside:
        return Current(None, code_facts(first, catalogue), {})
    dataset = canonical(first.choices["dataset"].plain())
    names = canonical([dataset, *fingerprints.used(first.choices.values(), catalogue)])
    known = {} if known is None else known
    if (components := (id(stack.predictors), names)) not in known:
        known[components] = Current(
            facts[dataset].digest if facts is not None else None,
            code_facts(first, catalogue),
            protocol_facts(stack.predictors, catalogue),
        )
    return known[components]


def reasons(record: RunResult | None, today: Current) -> tuple[Reason, ...]:
    """Say why a record does not answer its run; nothing where it does."""
    if record is None:
        return (NEVER_RUN,)
    if record.status == Status.FAILED:
        return (Reason(f"failed: {record.reason}", stale=False),)
    return (*_stale(record, today), *_unscored(record, today))


def is_done(why: tuple[Reason, ...], keep: bool = False) -> bool:
    """Say whether a run need not be run. keep: what is stale counts as done."""
    return all(reason.stale for reason in why) if keep else not why


def basis(record: RunResult) -> str:
    """Say in a line what a record rests on."""
    facts = record.provenance
    packages = ", ".join(
        f"{name} {version}" for name, version in cohort.versions(facts.get("packages", {})).items()
    )
    return (
        f"record version {facts.get('record_version')}, engine {facts.get('engine')}, "
        f"data {str(facts.get('data'))[:12]}, Python {cohort.python_of(facts)}, {packages}, "
        f"{facts.get('device')}"
    )


def _stale(record: RunResult, today: Current) -> Iterator[Reason]:
    facts = record.provenance
    if "outside" in today.facts:
        yield from _program(facts, today.facts)
        return
    if (version := facts.get("record_version")) != RECORD_VERSION:
        yield Reason(f"record version {version}, now {RECORD_VERSION}")
    else:  # earlier versions took their digests in other ways
        yield from _code(facts, today.facts)
    if today.data is not None and facts.get("data") != today.data:
        yield Reason("the data changed")
    if (python := cohort.python_of(facts)) != (now := cohort.python_of(machine())):
        yield Reason(f"Python {python}, now {now}")
    installed = cohort.table(facts.get("packages"))
    for name, version in cohort.versions(today.facts["packages"]).items():
        if installed.get(name) != version:
            yield Reason(f"{name} {installed.get(name, 'unknown')}, now {version}")


def _code(facts: Mapping[str, Json], today: Mapping[str, Json]) -> Iterator[Reason]:
    if facts.get("engine") != today["engine"]:
        yield Reason("engine code changed")
    for table, word in (("helpers", "helper"), ("components", "component")):
        stated = cohort.table(facts.get(table))
        changed = [name for name, digest in today[table].items() if stated.get(name) != digest]
        yield from (Reason(f"{word} {name} changed") for name in changed)
    for name in fingerprints.changed(cohort.table(facts.get("loaded"))):
        yield Reason(f"helper {name} changed")


def _program(facts: Mapping[str, Json], today: Mapping[str, Json]) -> Iterator[Reason]:
    """Give what changed of somebody's own program: its files, its interpreter, its packages."""
    stated = cohort.table(facts.get("components"))
    for name, digest in today["components"].items():
        if stated.get(name) != digest:
            yield Reason(f"{name} changed")
    if facts.get("python") != today["python"]:
        yield Reason(f"Python {facts.get('python')}, now {today['python']}")
    installed = cohort.table(facts.get("packages"))
    for name, version in today["packages"].items():
        if installed.get(name) != version:
            yield Reason(f"{name} {installed.get(name, 'not installed')}, now {version}")


def _unscored(record: RunResult, today: Current) -> Iterator[Reason]:
    stated = cohort.table(record.provenance.get("protocols"))
    comparable = record.provenance.get("record_version") == RECORD_VERSION
    for label, digest in today.protocols.items():
        if label not in record.right and record.status == Status.OK:
            yield Reason(f"lacks protocol {label}", stale=False)
        elif comparable and stated.get(label) != digest:
            yield Reason(f"protocol {label} changed")
