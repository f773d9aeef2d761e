"""Records -> verdicts: pair every contrast, test it, decide over the whole family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ablate.analysis import pairing, reference_lines
from ablate.analysis.calibrated import NOT_CALIBRATED, uncalibrated_arms
from ablate.design.protocols import predictors
from ablate.plan.run_keys import keys
from ablate.records import metrics
from ablate.records.spans import spans
from ablate.registry import Catalogue, scan
from ablate.streams import dataset_demands
from ablate.types import (
    Choice,
    Comparison,
    Contrast,
    Design,
    RunResult,
    Status,
    Suite,
    Verdict,
    axis_name,
)
from ablate.verdicts import diagnostics
from ablate.verdicts.family import battery, conclude

Runs = tuple[Mapping[int, RunResult], ...]
"""By variant, the records by seed."""


def by_variant(
    suite: Suite, records: Mapping[str, RunResult], names: Sequence[Sequence[str]] = ()
) -> Runs:
    """Sort records by variant and seed; `names` are the suite's keys, where they are known."""
    return tuple(
        {
            seed: records[key]
            for seed, key in zip(suite.seed_numbers, row, strict=True)
            if key in records
        }
        for row in names or keys(suite)
    )


def comparisons(suite: Suite, runs: Runs) -> list[Comparison]:
    """Pair the records of every contrast."""
    return [
        pairing.declared(
            pairing.compare(
                suite.variants[c.treatment],
                suite.variants[c.baseline],
                c.metric,
                c.margin,
                (runs[c.treatment], runs[c.baseline]),
                suite.seed_numbers,
            ),
            c,
            suite.measures,
        )
        for c in suite.contrasts
    ]


def effects(suite: Suite, runs: Runs) -> list[Comparison]:
    """Pair the two halves of a factorial's arms for each effect."""
    return [
        pairing.halves(effect, suite.variants, runs, suite.seed_numbers, suite.measures)
        for effect in suite.effects
    ]


def claims(suite: Suite, runs: Runs) -> list[Comparison]:
    """Pair every claim of a suite's family: its contrasts, then its effects."""
    compared = [*comparisons(suite, runs), *effects(suite, runs)]
    return reference_lines.placed(compared, arms_of(suite), ground(suite, runs))


def arms_of(suite: Suite) -> list[tuple[int, ...]]:
    """Give the arms of every claim of a suite's family, by place."""
    contrasts = [(contrast.treatment, contrast.baseline) for contrast in suite.contrasts]
    return [*contrasts, *((*effect.plus, *effect.minus) for effect in suite.effects)]


def ground(suite: Suite, runs: Runs) -> reference_lines.Ground:
    """Give what says where arms stand: their records, the looks, the protocols told the task."""
    catalogue = scan()
    known = told_by(catalogue, predictors(catalogue, suite.variants), "inside_task")
    return reference_lines.Ground(
        variants=suite.variants,
        runs=runs,
        known=known,
        alpha=suite.alpha,
        looks=design(suite).looks,
    )


def design(suite: Suite) -> Design:
    """Give what a suite declares about its family of claims."""
    looks = suite.looks or (suite.declared_seeds,)
    return Design(suite.alpha, suite.correction, looks, suite.seeds, spend=suite.spend)


def judge(suite: Suite, compared: Sequence[Comparison]) -> list[Verdict]:
    """Test every claim of a suite and decide over the whole family, look by look."""
    concluded = conclude(compared, battery(), design(suite))
    unknown = uncalibrated_arms(scan(), suite.variants)
    labels = [variant.label for variant in suite.variants]
    return [
        flagged(verdict, any(labels[index] in unknown for index in arms))
        for verdict, arms in zip(concluded, arms_of(suite), strict=True)
    ]


def flagged(verdict: Verdict, uncalibrated: bool) -> Verdict:
    """Mark a verdict whose arms stood at a floor or the ceiling, or of a method nobody checked."""
    flags = (verdict.comparison.stands.flag, NOT_CALIBRATED if uncalibrated else "")
    return replace(verdict, flags=(*verdict.flags, *filter(None, flags)))


def warnings(suite: Suite, runs: Runs, verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Say what a reader should know before believing the verdicts."""
    records = [record for by_seed in runs for record in by_seed.values()]
    if not suite.contrasts and not suite.effects:
        yield "The suite declares no contrast, so it answers no question."
    of_rows = [v.comparison for v in verdicts if v.comparison.points]  # nobody sees others' rows
    if margins := [c.margin for c in of_rows if c.margin < c.resolution]:
        yield f"A margin of {min(margins):g} points is less than one test row can show."
    yield from marked(suite, runs)
    yield from dataset_demands.of_records(records)
    yield from diagnostics.of(verdicts, design(suite))
    yield from shared_streams(records)
    catalogue = scan()
    scored = predictors(catalogue, suite.variants)
    for contrast in suite.contrasts:
        for label in sorted(scored_by(suite, contrast) & oracles(catalogue, scored)):
            yield f"A contrast in {contrast.metric} is scored by {label}, an ORACLE."
    if suite.effects:
        metric = suite.effects[0].metric
        labels = {metrics.protocol_of(metric, pairing.own(arm)) for arm in suite.variants}
        for label in sorted(labels & oracles(catalogue, scored)):
            yield f"The effects on {metric} are scored by {label}, an ORACLE."
    yield from suite.unread
    yield from shared(suite)
    yield from unvaried(suite)
    arms = dict.fromkeys(variant.arm for variant in suite.variants if variant.oracle)
    if arms:
        yield f"Checkpoints were chosen on test rows (ORACLE, no honest score): {', '.join(arms)}."


def marked(suite: Suite, runs: Runs) -> Iterator[str]:
    """Name the runs whose training ran away though they could be scored: their scores count."""
    named = [
        (variant.label, seed, record.reason)
        for variant, by_seed in zip(suite.variants, runs, strict=True)
        for seed, record in by_seed.items()
        if record.status == Status.OK and record.reason
    ]
    if named:
        yield (
            f"{len(named)} runs are marked, and count: training ran away, as where it diverges "
            f"({spans([(label, seed) for label, seed, _ in named])}); "
            f"for one, {named[0][2]}."
        )


def shared(suite: Suite) -> Iterator[str]:
    """Name the arms whose tasks share their outputs: most protocols say nothing of them."""
    arms = dict.fromkeys(
        variant.arm
        for variant in suite.variants
        if (model := variant.choices.get("model")) and model.settings.get("domains", 1) > 1
    )
    if arms:
        yield (
            f"The tasks of {', '.join(arms)} share their outputs: their figures by protocols that "
            "tell the tasks' classes apart, such as all-classes, mean nothing."
        )


def unvaried(suite: Suite) -> Iterator[str]:
    """Name the arms that stand beside the settings of the others instead of in each of them."""
    for pair in dict.fromkeys(
        (variant.arm, variant.unvaried) for variant in suite.variants if variant.unvaried
    ):
        arm, axes = pair[0], ", ".join(map(axis_name, pair[1]))
        yield (
            f"{arm} is not varied by {axes}, which does not reach it: it ran once for all "
            "values, and takes no part in ranks over settings and shares of variance."
        )


def scored_by(suite: Suite, contrast: Contrast) -> set[str]:
    """Name the protocols that score a contrast's two arms."""
    arms = (suite.variants[i] for i in (contrast.treatment, contrast.baseline))
    return {
        metrics.protocol_of(contrast.metric, pairing.own(arm)) for arm in arms if not arm.outside
    }


def oracles(catalogue: Catalogue, scored: Sequence[Choice]) -> frozenset[str]:
    """Name the protocols among `scored` that know what a user cannot."""
    return told_by(catalogue, scored, "oracle")


def told_by(catalogue: Catalogue, scored: Sequence[Choice], fact: str) -> frozenset[str]:
    """Name the protocols among `scored` that state a fact of themselves."""
    facts = {choice.label(): catalogue.get("predict", choice.name).facts for choice in scored}
    return frozenset(label for label, stated in facts.items() if stated.get(fact))


def shared_streams(records: Sequence[RunResult]) -> Iterator[str]:
    """Name what several seeds have in common, so that they are not independent in it."""
    seen: dict[str, dict[str, set[int]]] = {}
    for record in records:
        for name, digest in (record.provenance.get("streams") or {}).items():
            seen.setdefault(name, {}).setdefault(str(digest), set()).add(record.seed)
    shared = [
        name
        for name, digests in sorted(seen.items())
        if 2 * len(digests) <= len(set().union(*digests.values()))
    ]
    if shared:
        yield (
            f"Several seeds share their {', '.join(shared)}: verdicts hold for "
            f"{'these' if len(shared) > 1 else 'this one'}, not for a fresh draw."
        )
