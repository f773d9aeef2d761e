"""The data flow on one page: suite -> plan -> results -> store -> comparisons -> verdicts.

Nothing here prints: `run` yields events, `analyse` gives the Study that reports are made from.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ablate import judge, shipped
from ablate.errors import SelectionError, unknown
from ablate.packing import failed, merged, pack, unpack_results
from ablate.plan import Plan, keys, plan
from ablate.registry import scan
from ablate.same import Same, same
from ablate.store import Store
from ablate.suite import predictors, read_suite
from ablate.summary import ArmSummary, Estimate, of_metric, summarise
from ablate.todo import look, pair_key, select, unfinished
from ablate.types import Json, RunResult, Site, Stack, Suite, Variant, Verdict


@dataclass(frozen=True)
class Study:
    """Everything that a report is made from.

    keys: of the runs, `[variant][seed]`; arms that differ in scoring alone share them.
    runs: by variant, the records by seed. arms: by variant. protocols: the labels of those that
    score the runs; oracles: those among them that know what a user cannot; chunks: rows in a chunk
    of those that vote. inert: of contrasts, by place, whose arms took the same first steps: how
    alike they were (`tied`) and why (`reason`). effects: of a factorial, in its suite's order.
    same: what comparing an arm with its own twin came to.
    """

    suite: Suite
    keys: tuple[tuple[str, ...], ...]
    runs: judge.Runs
    arms: tuple[ArmSummary, ...]
    verdicts: tuple[Verdict, ...]
    warnings: tuple[str, ...]
    protocols: tuple[str, ...]
    oracles: frozenset[str]
    chunks: Mapping[str, int]
    inert: Mapping[int, Json]
    effects: tuple[Verdict, ...] = ()
    same: tuple[Same, ...] = ()

    def measured(self, variant: Variant, metric: str) -> Estimate:
        """Give the mean of a metric over a variant's runs that ended well."""
        runs = self.runs[self.suite.variants.index(variant)]
        return of_metric(variant, runs, metric, self.suite.alpha)


@dataclass(frozen=True)
class Work:
    """What a run command will do. stacks: what is left to run; records: what is there, by key."""

    plan: Plan
    stacks: tuple[Stack, ...]
    records: Mapping[str, RunResult]

    @property
    def seconds(self) -> float:
        """A rough estimate for what is left, on one core."""
        left = {run.key for stack in self.stacks for run in stack.runs}
        return sum(
            cost.seconds * len(left & {run.key for run in stack.runs}) / len(stack.runs)
            for stack, cost in zip(self.plan.stacks, self.plan.costs, strict=True)
        )


@dataclass(frozen=True)
class Finished:
    """An event: a stack is done. records: all of the suite's records so far, by key."""

    results: tuple[RunResult, ...]
    records: Mapping[str, RunResult]


def find_suite(said: str) -> Path:
    """Find a suite: a file, or the name of a shipped one, with or without its folder and ending.

    Raises SelectionError with the nearest name.
    """
    path, found = Path(said), shipped.suites()
    try:
        if path.is_file():
            return path
        folder = path.is_dir()
    except OSError as error:
        raise SelectionError(f"{said[:60]!r} is no suite: {error.strerror}") from error
    bare = path.parent == Path() or path.parent == Path("suites")
    if bare and path.suffix in ("", ".yaml") and path.stem in found:
        return found[path.stem]
    if folder:
        raise SelectionError(f"{said} is a folder, not a suite file")
    raise SelectionError(unknown("suite", said, found))


def open_suite(
    said: str | Path, seeds: int | None = None, quick: bool = False, changes: Sequence[str] = ()
) -> Suite:
    """Read a suite, by its file or its shipped name; `seeds` overrides how many it declares.

    quick: apply its `quick` block. changes: `path=value`, put into its base.
    """
    suite = read_suite(find_suite(str(said)), scan(), quick, changes)
    return suite if seeds is None else replace(suite, seeds=seeds)


def prepare(
    suite: Suite,
    root: Path,
    store: Store | None,
    only: Sequence[str] = (),
    fetch: bool = False,
    fresh: bool = False,
) -> Work:
    """Plan a suite against its data, and find what no record answers yet.

    only: selectors of `todo.select`. fetch: download missing data. fresh: no record counts.
    """
    catalogue = scan()
    facts = look(suite, catalogue, root, fetch)
    made = plan(suite, catalogue, facts)
    wanted = {made.keys[v][seed] for v, seed in select(suite, only)}
    records = store.load(made.runs) if store else {}
    counted = {} if fresh else records
    return Work(made, tuple(unfinished(made, counted, facts, wanted)), records)


def run(work: Work, store: Store, site: Site, workers: int) -> Iterator[Finished]:
    """Run what is left, saving each stack as it finishes. This process alone writes."""
    records = dict(work.records)
    several = workers > 1
    executor = scan().load("executor", "processes" if several else "inline")
    count = min(workers, max(1, len(work.stacks)))
    for place, answer in executor(workers=count).map([pack(s, site) for s in work.stacks]):
        lost = isinstance(answer, str)
        results = failed(work.stacks[place], answer) if lost else unpack_results(answer)
        results = [merged(records.get(result.key), result) for result in results]
        store.save(results)
        records |= {result.key: result for result in results}
        yield Finished(tuple(results), dict(records))


def analyse(suite: Suite, store: Store) -> Study:
    """Read a suite's records and reach its verdicts; needs neither torch nor the data."""
    catalogue = scan()
    names = keys(suite)
    runs = judge.by_variant(suite, store.load(key for row in names for key in row))
    scored = predictors(catalogue, suite.variants)
    labels = tuple(choice.label() for choice in scored)
    compared = [*judge.comparisons(suite, runs), *judge.effects(suite, runs)]
    judged = judge.judge(suite, compared)  # one family
    verdicts, effects = judged[: len(suite.contrasts)], judged[len(suite.contrasts) :]
    return Study(
        suite,
        names,
        runs,
        tuple(
            summarise(v, r, labels, suite.alpha) for v, r in zip(suite.variants, runs, strict=True)
        ),
        tuple(verdicts),
        tuple(judge.warnings(suite, runs, judged)),
        labels,
        judge.oracles(catalogue, scored),
        {choice.label(): rows for choice in scored if (rows := choice.settings.get("rows"))},
        inert_pairs(suite, store),
        tuple(effects),
        tuple(same(suite, runs)),
    )


def inert_pairs(suite: Suite, store: Store) -> dict[int, Json]:
    """Read which contrasts compare arms that took the same first steps."""
    keys_of = [pair_key(suite, contrast, scan()) for contrast in suite.contrasts]
    told = {key: json.loads(text) for key, text in store.notes(keys_of).items()}
    return {i: told[key] for i, key in enumerate(keys_of) if told.get(key, {}).get("tied")}
