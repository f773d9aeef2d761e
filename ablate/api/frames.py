"""A study as data frames: its verdicts, and every score of its runs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from ablate.records import metrics
from ablate.types import RunResult, Status, Variant, Verdict

if TYPE_CHECKING:
    from ablate.flow import Study

VERDICTS = (
    *("treatment", "baseline", "metric", "estimate", "low", "high", "confidence", "margin"),
    *("verdict", "p", "p_adjusted", "n", "why"),
)
"""Columns of verdicts, named as in the JSON of `compare`."""

RECORDS = ("run", "arm", "seed", "metric", "step", "value")


def verdicts(study: Study) -> pd.DataFrame:
    """Give a row a claim: contrasts first, then effects, in the order of the suite."""
    rows = [_row(verdict) for verdict in (*study.verdicts, *study.effects)]
    return pd.DataFrame(rows, columns=[*VERDICTS])


def _row(verdict: Verdict) -> tuple[Any, ...]:
    comparison = verdict.comparison
    return (
        comparison.treatment,
        comparison.baseline,
        comparison.metric,
        verdict.estimate,
        verdict.low,
        verdict.high,
        verdict.confidence,
        comparison.margin,
        str(verdict.decision),
        verdict.p,
        verdict.p_adjusted,
        verdict.n,
        verdict.why,
    )


def records(study: Study) -> pd.DataFrame:
    """Give a row a run, metric and step; of a run that was lost one a metric, without a value.

    Steps are those of the program's curves; of our learners the tasks learnt so far, from 1.
    """
    rows = [
        (run.key, variant.label, run.seed, *score)
        for variant, by_seed in zip(study.suite.variants, study.runs, strict=True)
        for run in by_seed.values()
        for score in _scores(study, variant, run)
    ]
    return pd.DataFrame(rows, columns=[*RECORDS]).astype({"step": float, "value": float})


def _scores(study: Study, variant: Variant, run: RunResult) -> Iterator[tuple[str, float, float]]:
    claimed = [claim.metric for claim in (*study.suite.contrasts, *study.suite.effects)]
    names = dict.fromkeys([*study.suite.measures, *study.protocols, *claimed])
    if run.status != Status.OK:
        yield from ((name, math.nan, math.nan) for name in names)
    elif variant.outside:
        for name in study.suite.measures:
            yield from ((name, step, value) for step, value in run.scores[name])
    else:
        yield from _of_learner(variant, run, [*names])


def _of_learner(
    variant: Variant, run: RunResult, names: list[str]
) -> Iterator[tuple[str, float, float]]:
    """Give a protocol's accuracy after each task, and any other metric after the last."""
    predictor = variant.choices["predict"].label()
    for name in names:
        if name in run.right:
            points = metrics.curve(metrics.Scores([run], name))[0]
            yield from ((name, step, float(value)) for step, value in enumerate(points, start=1))
        elif metrics.has(run, name, predictor):
            yield name, float(len(run.rows)), metrics.value(run, name, predictor)
