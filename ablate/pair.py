"""Records -> Comparison: joined on the seed, never on position; what cannot be paired is named."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ablate import metrics
from ablate.types import Comparison, LostPair, RunResult, Variant

CHECKED = ("data", "device", "engine", "record_version")
"""Facts on which two records of a pair must agree, besides their streams and torch."""

NOT_RUN = "not run"


def compare(
    treatment: Variant,
    baseline: Variant,
    metric: str,
    margin: float,
    records: tuple[Mapping[int, RunResult], Mapping[int, RunResult]],
    seeds: range,
) -> Comparison:
    """Pair two variants' records by seed.

    records: of the treatment and of the baseline, by seed. A run that failed, diverged, is missing
    or has no finite score drops its pair. A comparison of records from different data, streams,
    torch or devices is refused: `refusal` says why.
    """
    arms = (treatment, baseline)
    pairs: dict[int, tuple[float, float]] = {}
    lost, refusals, identical = [], set(), True
    orders = [arm.choices["dataset"].settings.get("class_order") for arm in arms
              if "dataset" in arm.choices]  # fmt: skip
    # arms that declare different class orders compare just that
    expected = {"the class order stream differs"} if len(set(orders)) > 1 else set()
    for seed in seeds:
        values, faults = [], []
        for arm, mine in zip(arms, records, strict=True):
            fault, value = _value(arm, mine.get(seed), metric)
            values.append(value)
            if fault:
                faults.append((arm.label, fault))
        if faults:
            reason = "; ".join(f"{label}: {fault}" for label, fault in faults)
            sides = tuple(label for label, fault in faults if fault != NOT_RUN)
            missing = any(fault == NOT_RUN for _, fault in faults)
            lost.append(LostPair(seed, reason, sides, missing))
            continue
        a, b = records[0][seed], records[1][seed]
        refusals |= set(mixed(a, b)) - expected
        identical = identical and a.right == b.right and a.task_right == b.task_right
        pairs[seed] = (values[0], values[1])
    for arm, mine in zip(arms, records, strict=True):
        if len({str(mine[seed].provenance.get("components")) for seed in pairs}) > 1:
            refusals.add(f"the runs of {arm.label} come from several versions of its components")
    first = next((records[0][seed] for seed in pairs), None)
    return Comparison(
        treatment=treatment.label,
        baseline=baseline.label,
        metric=metric,
        margin=margin,
        seeds=tuple(pairs),
        treatment_values=tuple(a for a, _ in pairs.values()),
        baseline_values=tuple(b for _, b in pairs.values()),
        lost=tuple(lost),
        resolution=metrics.resolution(first) if first else math.nan,
        identical=identical and bool(pairs) and own(treatment) == own(baseline),
        refusal="; ".join(sorted(refusals)),
    )


def own(variant: Variant) -> str:
    """Name the protocol by which a variant itself predicts."""
    return variant.choices["predict"].label()


def mixed(a: RunResult, b: RunResult) -> list[str]:
    """Name the facts on which two records of one seed disagree, so that they are no pair."""
    found = [
        f"{fact} differs ({a.provenance.get(fact)} and {b.provenance.get(fact)})"
        for fact in CHECKED
        if a.provenance.get(fact) != b.provenance.get(fact)
    ]
    for fact in ("components", "protocols"):
        parts = [record.provenance.get(fact) or {} for record in (a, b)]
        found += [
            f"{name} was changed between the runs"
            for name in sorted({*parts[0]} & {*parts[1]})
            if parts[0][name] != parts[1][name]
        ]
    versions = [record.provenance.get("packages", {}).get("torch") for record in (a, b)]
    if versions[0] != versions[1]:
        found.append(f"torch differs ({versions[0]} and {versions[1]})")
    streams = [record.provenance.get("streams") or {} for record in (a, b)]
    if not all(streams):
        return [*found, "a record has no stream digests"]
    differing = sorted(
        name for name in {*streams[0], *streams[1]} if streams[0].get(name) != streams[1].get(name)
    )
    return [*found, *(f"the {name} stream differs" for name in differing)]


def _value(arm: Variant, record: RunResult | None, metric: str) -> tuple[str, float]:
    """Give a fault ('' when fine) and the value."""
    if record is None:
        return NOT_RUN, math.nan
    if record.status != "ok":
        return f"{record.status} ({record.reason})", math.nan
    try:
        value = metrics.value(record, metric, own(arm))
    except KeyError:
        return "the record lacks this protocol; run again with --fresh", math.nan
    return ("" if math.isfinite(value) else "the score is not finite"), value
