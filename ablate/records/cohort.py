"""Which records go together. Pairs, means, ranks, shares, pictures: all of them ask here.

Records go together where they agree on the data, the device, the engine, the packages, and on the
code of every component, helper and protocol that two of them share. Runs of one seed must have
drawn the same random streams as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ablate.records.provenance import PACKAGES
from ablate.types import Json, RunResult, Status, Variant

STATED = ("device", "engine", "record_version")
"""Facts that all records must have in common."""

SHARED = ("components", "helpers", "protocols", "loaded")
"""Tables of digests: two records must agree on what both of them name."""

ABOUT_US = PACKAGES[:1]
"""Our own version decides nothing: our code has digests of its own."""

Fact = tuple[str, str, str]
"""What kind of fact, its name, and where it has to agree ('' everywhere)."""

Facts = dict[Fact, str]

UNKNOWN = "not stated"

Runs = Sequence[Mapping[int, RunResult]]


@dataclass(frozen=True)
class Group:
    """Records that agree with one another and with no other group.

    facts: what sets them apart from the others, in words. runs: (place of the variant, seed).
    """

    facts: tuple[str, ...]
    runs: tuple[tuple[int, int], ...]


def refusals(arms: Sequence[Variant], runs: Runs, across_data: bool = False) -> list[str]:
    """Say why the records of arms do not go together; nothing where they do.

    across_data: arms may be of different data sets, each of which must be one.
    """
    varying = _varying(_facts(arms, runs, across_data))
    return sorted({_words(fact, values) for fact, values in varying.items()})


def groups(arms: Sequence[Variant], runs: Runs) -> list[Group]:
    """Sort the records of a study into those that go together, the largest group first."""
    stated = list(_facts(arms, runs, across_data=True))
    varying = sorted(
        fact for fact in _varying(stated) if fact[0] not in ("arm", "stream", "streams")
    )
    sorted_runs: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for run, facts, _ in stated:
        differences = (f"{_name(fact)} {facts[fact]}" for fact in varying if fact in facts)
        sorted_runs.setdefault(tuple(differences), []).append(run)
    unordered = [Group(facts, tuple(places)) for facts, places in sorted_runs.items()]
    return sorted(unordered, key=lambda group: -len(group.runs))


def together(arms: Sequence[Variant], runs: Runs) -> set[int]:
    """Name the arms, by place, that may stand side by side: those of the largest group."""
    if not refusals(arms, runs, across_data=True):
        return {*range(len(arms))}
    largest = groups(arms, runs)[0]
    counts = [sum(index == i for index, _ in largest.runs) for i in range(len(arms))]
    ended = [sum(record.status == Status.OK for record in by_seed.values()) for by_seed in runs]
    whole = [i for i, count in enumerate(counts) if count == ended[i]]
    reasons = refusals([arms[i] for i in whole], [runs[i] for i in whole], across_data=True)
    return set() if reasons else set(whole)


def same_run(a: RunResult, b: RunResult) -> bool:
    """Say whether two records of one key are the same run, done twice."""
    sides = [_of(record.provenance) for record in (a, b)]
    # other suites have other protocols, and a process may have loaded more before
    names = {name for side in sides for name in side if name[0] not in SHARED[2:]}
    names |= {name for name in sides[0] if name[0] == "loaded" and name in sides[1]}
    return all(sides[0].get(name) == sides[1].get(name) for name in names)


def merged(old: RunResult | None, new: RunResult) -> RunResult:
    """Keep the protocols that only the old record of a run has, if it is the same run indeed.

    Suites share runs; one suite's extra protocol must not cost another suite its own.
    """
    if old is None or old.status != Status.OK or new.status != Status.OK or not same_run(old, new):
        return new
    protocols = {**old.provenance.get("protocols", {}), **new.provenance.get("protocols", {})}
    return replace(
        new,
        right={**old.right, **new.right},
        task_right={**old.task_right, **new.task_right},
        row_right={**old.row_right, **new.row_right},
        provenance={**new.provenance, "protocols": protocols},
    )


def bases(records: Iterable[RunResult]) -> Iterator[Mapping[str, Json]]:
    """Give what records rest on, but for their streams and rows; once for those that share it."""
    seen: set[str] = set()
    for record in records:
        text = getattr(record.provenance, "shared", "")
        if not text or text not in seen:
            seen.add(text)
            yield record.provenance


def versions(packages: Mapping[str, str]) -> dict[str, str]:
    """Give the packages whose versions count: all but our own."""
    return {name: version for name, version in packages.items() if name not in ABOUT_US}


def python_of(provenance: Mapping[str, Json]) -> str:
    """Give the version of Python that counts: sums of floats changed in 3.12, not in 3.12.1.

    >>> python_of({"python": "3.12.7"})
    '3.12'
    """
    return ".".join(str(provenance.get("python", "")).split(".")[:2])


def _facts(
    arms: Sequence[Variant], runs: Runs, across_data: bool
) -> Iterator[tuple[tuple[int, int], Facts, Facts]]:
    """Give the place of the arm and the seed of every run that ended well, with its facts.

    They come in two: those that runs have in common come as one and the same value for all records
    that name the same text of the store, since there are many records and few such texts; then the
    streams of this run, unless another of its seed stated the very same.
    """
    drawn: dict[tuple[int, str], Json] = {}
    for index, (arm, by_seed) in enumerate(zip(arms, runs, strict=True)):
        dataset = arm.choices.get("dataset")
        label = arm.label
        data = dataset.label() if dataset and across_data else ""
        order = data or (str(dataset.settings.get("class_order")) if dataset else "")
        known: dict[str, Facts] = {}
        for seed, record in by_seed.items():
            if record.status == Status.OK:
                text = getattr(record.provenance, "shared", "")
                facts = known.get(text) if text else None
                if facts is None:
                    facts = known[text] = _of(record.provenance, data)
                    parts = (table(record.provenance.get(kind)) for kind in SHARED[:2])
                    facts["arm", label, str(index)] = str([sorted(names) for names in parts])
                streams = record.provenance.get("streams") or {}
                first = drawn.setdefault((record.seed, order), streams)
                again = first is not streams and first == streams
                yield (index, seed), facts, {} if again else _drawn(record, order)


def _drawn(record: RunResult, order: str) -> Facts:
    """Give what a run drew; arms that declare different class orders compare just that.

    Somebody's own program need not say it.
    """
    streams = record.provenance.get("streams") or {}
    facts: Facts = {("streams", "", ""): "drawn" if streams or record.scores else UNKNOWN}
    for name, digest in streams.items():
        facts["stream", name, f"{record.seed} {order if name == 'class order' else ''}"] = str(
            digest
        )
    return facts


def _of(provenance: Mapping[str, Json], data: str = "") -> Facts:
    facts = {("stated", name, ""): str(provenance.get(name)) for name in STATED}
    facts["data", "data", data] = str(provenance.get("data"))
    facts["python", "Python", ""] = python_of(provenance)
    installed = provenance.get("packages") or {}
    facts |= {("package", name, ""): str(installed.get(name)) for name in PACKAGES[1:]}
    facts |= {("package", name, ""): str(version) for name, version in versions(installed).items()}
    for kind in SHARED:
        for name, digest in table(provenance.get(kind)).items():
            facts[kind, name, ""] = str(digest)
    return facts


def table(digests: Json) -> Mapping[str, Json]:
    """Give digests by name, whatever stands in the place of them."""
    return digests if isinstance(digests, dict) else {"": digests} if digests else {}


def _varying(
    stated: Iterable[tuple[tuple[int, int], Facts, Facts]],
) -> dict[Fact, list[str]]:
    """Give the facts that have several values, and those that no record may lack."""
    values: dict[Fact, dict[str, None]] = {}
    last: Facts = {}
    for _, common, drawn in stated:
        for facts in (drawn,) if common is last else (common, drawn):
            for fact, value in facts.items():
                values.setdefault(fact, {})[value] = None
        last = common
    return {
        fact: list(several)
        for fact, several in values.items()
        if len(several) > 1 or UNKNOWN in several
    }


def _words(fact: Fact, values: Sequence[str]) -> str:
    if fact[0] == "streams":
        return "a record has no stream digests"
    if fact[0] == "stream":
        return f"the {fact[1]} stream differs"
    if fact[0] == "arm":
        return f"the runs of {fact[1]} come from several versions of its components"
    if fact[0] in SHARED:
        return f"{_name(fact)} was changed between the runs"
    return f"{_name(fact)} differs ({' and '.join(values)})"


def _name(fact: Fact) -> str:
    what, name, where = fact
    return f"{name or what} of {where}" if where else name or what
