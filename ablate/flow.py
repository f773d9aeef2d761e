"""The data flow on one page: suite -> plan -> results -> store -> comparisons -> verdicts.

Nothing here prints: `run` yields events, `analyse` gives the Study that reports are made from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ablate.analysis import equal_budgets, importance, judge
from ablate.analysis.aa_test import same
from ablate.analysis.arm_summary import summaries
from ablate.analysis.calibrated import uncalibrated_arms
from ablate.analysis.caveats import caveats
from ablate.analysis.leave_one_out.screening import Screened, narrowed, screened
from ablate.analysis.scored_rows import for_rows_anew
from ablate.analysis.shared_seeds import shared_seeds
from ablate.analysis.study import Finished as Finished, Study as Study, Work as Work
from ablate.design.protocols import predictors
from ablate.errors import SelectionError
from ablate.executors.attempts import Tried, attempts
from ablate.plan import dispatch
from ablate.plan.opening import (
    find_suite as find_suite,
    open_suite as open_suite,
    with_seeds as with_seeds,
)
from ablate.plan.pending import inert_pairs, look, reasons_of, same_code, select, unfinished
from ablate.plan.run_keys import keys, plan
from ablate.plan.standing import is_done
from ablate.records import registration
from ablate.records.cohort import merged
from ablate.records.payload import failed, unpack_results
from ablate.records.store import Store
from ablate.registry import scan
from ablate.types import ENOUGH_PAIRS, Choice, Json, Lost, RunResult, Site, Stack, Suite
from ablate.verdicts.family import FUTILE


def with_looks(suite: Suite) -> Suite:
    """Give a suite that declares no looks the usual ones: 5, 8, 12, 20, 32, ... up to its seeds.

    Raises SelectionError where its seeds were changed or are too few to look at.
    """
    if suite.seeds != suite.declared_seeds:
        raise SelectionError("--until-decided spends the seeds that the suite declares, no --seeds")
    if suite.seeds < ENOUGH_PAIRS:
        raise SelectionError(f"{suite.seeds} seeds decide nothing; at least {ENOUGH_PAIRS} do")
    usual = (round(ENOUGH_PAIRS * 1.6**step) for step in range(25))
    return replace(
        suite, looks=suite.looks or (*(n for n in usual if n < suite.seeds), suite.seeds)
    )


def prepare(
    suite: Suite,
    root: Path,
    store: Store | None,
    only: Sequence[str] = (),
    fetch: bool = False,
    fresh: bool = False,
    among: Container[tuple[int, int]] | None = None,
    keep: bool = False,
    before: Work | None = None,
) -> Work:
    """Plan a suite against its data, and find what no record answers yet.

    only: selectors of `todo.select`. fetch: download missing data. fresh: no record counts.
    among: the (variant, seed) that are wanted now; all of them unless said. keep: records that are
    stale count as done. before: of the same arms and seeds, whose plan and look at the data hold.
    """
    if before:
        facts, planned = before.facts, replace(before.plan, suite=suite)
    else:
        facts = look(suite, scan(), root, fetch)
        planned = plan(suite, scan(), facts)
    chosen = {pair for pair in select(suite, only) if among is None or pair in among}
    wanted = {planned.keys[v][seed] for v, seed in chosen}
    records = store.load(planned.runs) if store else {}
    why = reasons_of(planned, records, facts, store.damage.runs if store else ())
    left = {key for key in wanted if fresh or not is_done(why[key], keep)}
    stale = frozenset(key for key in wanted - left if why[key])
    return Work(
        plan=planned,
        stacks=tuple(unfinished(planned, left)),
        records=records,
        reasons=why,
        kept=stale,
        facts=facts,
    )


@contextmanager
def crew(
    workers: int,
    sink: Callable[[bytes], object] = len,
    inline: bool = False,
    where: Choice | None = None,
) -> Iterator[Any]:
    """Keep an executor with its workers for several works in turn; `size` says how many it has.

    workers: at a time; 0 for as many as `where` says, or finds. sink: takes what components print.
    inline: run everything in this process, as a reference; one worker is one process of its own
    otherwise. where: an executor that was chosen.
    """
    chosen = where or Choice("executor", "inline" if inline else "processes", {})
    settings = {**chosen.settings, **({"workers": workers} if workers else {})}
    with scan().build(replace(chosen, settings=settings)).crew(sink) as hired:
        yield hired


def run(
    work: Work,
    store: Store,
    site: Site,
    executor: Any = None,
    stack_timeout: float | None = None,
) -> Iterator[Finished]:
    """Run what is left, saving each stack as it finishes. This process alone writes.

    executor: a `crew` that is kept; without one everything runs in this process.
    stack_timeout: seconds that a stack may take, instead of many times its estimate.
    """
    if executor is None:
        with crew(1, inline=True) as hired:
            yield from run(work, store, site, hired, stack_timeout)
        return
    records, catalogue, shares = dict(work.records), scan(), work.seconds_by_run
    if not site.trial:
        site = replace(site, twice=work.plan.keys[0][0])

    def job(stack: Stack) -> Json:
        seconds = sum(shares[run.key] for run in stack.runs)
        return dispatch.job(stack, site, catalogue, seconds, stack_timeout)

    for tried in attempts(work.stacks, executor, job):
        results = [merged(records.get(result.key), result) for result in _results(tried)]
        store.save(results)
        same_code(tried.stack, results)
        records |= {result.key: result for result in results}
        yield Finished(tuple(results), MappingProxyType(records))


def _results(tried: Tried) -> list[RunResult]:
    """Read what came of a stack; a record says how often the system took its run before."""
    answer = tried.answer
    if isinstance(answer, Lost):
        results = failed(tried.stack, answer.reason)
    else:
        results = unpack_results(answer)
    more = {"losses": tried.losses} if tried.losses else {}
    return [replace(result, provenance={**result.provenance, **more}) for result in results]


def by_look(
    suite: Suite, root: Path, store: Store, keep: bool = False, before: Work | None = None
) -> Iterator[Work]:
    """Give the work of each look in turn, until every claim is decided or the seeds are spent.

    The runs of one look have to be done before the next is asked for. Arms whose claims are all
    decided run no further.
    """
    suite = registration.as_registered(suite, registration.registered(suite, store))
    for seeds in judge.design(suite).looks:
        wanted = {(v, seed) for v in open_arms(suite, store) for seed in range(seeds)}
        if not wanted:
            return
        yield prepare(suite, root, store, among=wanted, keep=keep, before=before)


def open_arms(suite: Suite, store: Store) -> set[int]:
    """Name the variants that a claim still waits for; those in no claim wait with them.

    No claim waits that is decided, or that the seeds left are not likely to decide.
    """
    claims = [set(arms) for arms in judge.arms_of(suite)]
    runs = judge.by_variant(suite, records(suite, store))
    verdicts = judge.judge(suite, judge.claims(suite, runs))
    waiting = [
        arms
        for arms, verdict in zip(claims, verdicts, strict=True)
        if not (verdict.decided or verdict.comparison.refusal or FUTILE in verdict.flags)
    ]
    idle = {*range(len(suite.variants))} - set().union(*claims)
    return set().union(*waiting, idle if waiting else set())


def screening(suite: Suite, store: Store) -> Screened | None:
    """Read the screening of a suite; None where it screens nothing, or its runs are not all there.

    Runs that were lost count as there.
    """
    if suite.screening is None:
        return None
    there = records(suite.screening, store)
    if any(key not in there for row in keys(suite.screening) for key in row):
        return None
    return screened(suite, judge.by_variant(suite.screening, there))


def stage(suite: Suite, store: Store) -> Suite:
    """Give what is to be run: the arms that are screened, then the suite with what they left."""
    if suite.screening is None:
        return suite
    done = screening(suite, store)
    return narrowed(suite, done.carried) if done else suite.screening


def analyse(suite: Suite, store: Store) -> Study:
    """Read a suite's records and reach its verdicts; needs neither torch nor the data.

    Raises SelectionError where parts are still to be screened.
    """
    catalogue, first = scan(), screening(suite, store)
    if first:
        suite = narrowed(suite, first.carried)
    elif suite.screening:
        raise SelectionError(f"{suite.name} is not screened yet: `run` does that first")
    frozen = registration.registered(suite, store)
    deviations = tuple(registration.deviations(suite, frozen))
    suite = registration.as_registered(suite, frozen)
    names = keys(suite)
    runs = judge.by_variant(suite, store.load(key for row in names for key in row), names)
    level = shared_seeds(suite, runs)
    scored = predictors(catalogue, suite.variants)
    labels = tuple(choice.label() for choice in scored)
    compared = judge.claims(suite, runs)
    judged = judge.judge(suite, compared)  # one family
    then = registration.original(suite, frozen)
    as_was = judge.judge(then, judge.claims(then, runs)) if then else []
    verdicts, effects = judged[: len(suite.contrasts)], judged[len(suite.contrasts) :]
    return Study(
        suite=suite,
        keys=names,
        runs=runs,
        level=level,
        arms=summaries(suite, level, labels),
        verdicts=tuple(verdicts),
        warnings=tuple(judge.warnings(suite, runs, judged)),
        protocols=labels,
        oracles=judge.oracles(catalogue, scored),
        chunks={choice.label(): rows for choice in scored if (rows := choice.settings.get("rows"))},
        inert=inert_pairs(suite, store),
        effects=tuple(effects),
        same=tuple(same(suite, runs)),
        deviations=deviations,
        settings=importance.settings(suite, level),
        importance=importance.importance(suite, level),
        registered=tuple(as_was),
        equal=equal_budgets.at_equal(suite, runs),
        caveats=tuple(caveats(suite, runs, store)),
        registered_alpha=then.alpha if then else math.nan,
        uncalibrated=uncalibrated_arms(catalogue, suite.variants),
        new_rows=tuple(for_rows_anew(suite, runs, judged)),
        screened=first,
        curves=partial(store.curves, {key for row in names for key in row}),
    )


def records(suite: Suite, store: Store) -> Mapping[str, RunResult]:
    """Load what is there of a suite's runs, by key."""
    return store.load(key for row in keys(suite) for key in row)
