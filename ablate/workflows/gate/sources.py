"""Where a gate finds its runs: a suite's store, or a table of scores."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.analysis import judge
from ablate.analysis.tables.compare import compare
from ablate.design.protocols import predictors
from ablate.errors import SelectionError, unknown
from ablate.plan.opening import open_suite
from ablate.plan.run_keys import keys
from ablate.records import metrics, ownership, registration
from ablate.records.store import Store, open_store
from ablate.registry import scan
from ablate.tables.files import read_table
from ablate.types import Contrast, Suite, Verdict
from ablate.workflows.gate.expectations import Expectation, Outcome

if TYPE_CHECKING:
    import pandas as pd


def of(
    source: str,
    expectations: Sequence[Expectation],
    alpha: float | None = None,
    results: Path = Path("results"),
    **settings: Any,
) -> list[Outcome]:
    """Judge expectations by what somebody names: a suite, a report of one, or a table's file.

    results: the folder of a suite's store. settings: those of `compare`, of a table. Raises
    SelectionError where it is none of them, and what reading it raises.
    """
    path = Path(source)
    if path.suffix == ".md":
        suite = scan().load("report", "verification")().suite(path)
        return _stored(expectations, suite, path.absolute().parent.parent, alpha)
    if path.suffix in (".yaml", ".yml") or not (path.suffix or path.is_file()):
        return _stored(expectations, open_suite(source), results, alpha)
    columns = {key: several(settings.get(key), usual) for key, usual in COLUMNS.items()}
    named = [expectation.metric for expectation in expectations if expectation.metric]
    keys_named = [name for key in columns for name in named_ones(columns[key])]
    table = read_table(path, [*keys_named, settings.get("metric", "accuracy"), *named])
    return of_table(expectations, table, alpha or 0.05, **{**settings, **columns})


def _stored(
    expectations: Sequence[Expectation], suite: Suite, results: Path, alpha: float | None
) -> list[Outcome]:
    with closing(open_store(results, create=False)) as store:
        return of_suite(expectations, ownership.settled(suite, store), store, alpha)


COLUMNS = {"pair": "seed", "arm": "method"}
"""What is looked for in a table where no column is named."""


def several(names: str | Sequence[str] | None, usual: str) -> str | tuple[str, ...]:
    """Give the columns that are named, a lone one by itself."""
    columns = named_ones(names or usual)
    return columns[0] if len(columns) == 1 else columns


def named_ones(names: str | Sequence[str]) -> tuple[str, ...]:
    """Give the columns that are named."""
    return (names,) if isinstance(names, str) else tuple(names)


def of_suite(
    expectations: Sequence[Expectation], suite: Suite, store: Store, alpha: float | None = None
) -> list[Outcome]:
    """Judge expectations by a suite's stored runs, in every setting that both arms have.

    Each is read at the suite's looks; alpha, of the suite unless given, is shared over all of them
    alike (Bonferroni), since they were not declared with the suite. Raises SelectionError for arms
    and metrics that the suite does not have.
    """
    suite = registration.as_registered(suite, registration.registered(suite, store))
    names = keys(suite)
    runs = judge.by_variant(suite, store.load(key for row in names for key in row), names)
    claims = [(expectation, _contrasts(expectation, suite)) for expectation in expectations]
    count = sum(len(contrasts) for _, contrasts in claims)
    level = (alpha or suite.alpha) / max(count, 1)
    outcomes = []
    for expectation, contrasts in claims:
        alone = replace(
            suite, contrasts=tuple(contrasts), effects=(), alpha=level, correction="none"
        )
        for verdict in judge.judge(alone, judge.claims(alone, runs)):
            outcomes.append(Outcome(expectation, verdict, level))
    return outcomes


def _contrasts(expectation: Expectation, suite: Suite) -> list[Contrast]:
    """Give what is expected as contrasts of variants, one a setting."""
    labels = {variant.label: i for i, variant in enumerate(suite.variants)}
    arms = {variant.arm for variant in suite.variants}
    treatment, baseline = expectation.between({*labels, *arms})
    pairs = [
        (i, j)
        for i, a in enumerate(suite.variants)
        for j, b in enumerate(suite.variants)
        if treatment in (a.label, a.arm)
        and baseline in (b.label, b.arm)
        and (a.cell == b.cell or treatment == a.label or baseline == b.label)
    ]
    if not pairs:
        raise SelectionError(f"{expectation.text!r}: these arms have no setting in common")
    metric = expectation.metric or _usual(suite, pairs)
    labels_of = [choice.label() for choice in predictors(scan(), suite.variants)]
    known = [*suite.measures] or metrics.names(labels_of)
    if metric not in known:
        raise SelectionError(f"{expectation.text!r}: {unknown('metric', metric, known)}")
    return [
        Contrast(i, j, metric, expectation.size, claim=expectation.phrase.claim) for i, j in pairs
    ]


def _usual(suite: Suite, pairs: Sequence[tuple[int, int]]) -> str:
    """Give the metric of the first contrast of these arms, else of the suite's first claim."""
    for contrast in suite.contrasts:
        both = (contrast.treatment, contrast.baseline)
        if both in pairs or both[::-1] in pairs:
            return contrast.metric
    claims = [*suite.contrasts, *suite.effects]
    if claims:
        return claims[0].metric
    return next(iter(suite.measures), "all-classes")


def of_table(
    expectations: Sequence[Expectation],
    table: pd.DataFrame,
    alpha: float = 0.05,
    **settings: Any,
) -> list[Outcome]:
    """Judge expectations by a table of scores; settings: those of `compare`.

    alpha is shared over all of them alike (Bonferroni). Raises what `compare` raises, and
    SelectionError for arms that the table does not have.
    """
    level = alpha / max(len(expectations), 1)
    return [
        Outcome(expectation, _verdict(expectation, table, level, settings), level)
        for expectation in expectations
    ]


def _verdict(
    expectation: Expectation, table: pd.DataFrame, level: float, settings: dict[str, Any]
) -> Verdict:
    metric = {"metric": expectation.metric} if expectation.metric else {}
    plainly = {**settings, **metric}
    arms = {mean.arm for mean in compare(table, **plainly).arms}
    treatment, baseline = expectation.between(arms)
    compared = compare(
        table,
        margin=expectation.size,
        claim=expectation.phrase.claim,
        baseline=baseline,
        alpha=level,
        correction="none",
        **plainly,
    )
    return next(v for v in compared.verdicts if v.comparison.treatment == treatment)
