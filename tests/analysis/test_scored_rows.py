"""Intervals for test rows drawn anew, from the rows that the runs got right."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t

from ablate import flow
from ablate.analysis.scored_rows import for_rows_anew, spreads
from ablate.records.rows import row_scores
from ablate.types import Suite
from reports import write

SIX = (
    ("seeds: 3", "seeds: 6"),
    (
        "margin: 2.0 points}",
        "margin: 2.0 points}\n  - {treatment: reptile, baseline: balanced, "
        "metric: 'continuum(5)', margin: 2.0 points}\n  - {treatment: reptile, baseline: balanced, "
        "metric: forgetting, margin: 2.0 points}",
    ),
)


@pytest.fixture
def study(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study], tmp_path: Path
) -> flow.Study:
    """Run a tiny suite of three claims."""
    return run_suite(suite_of(*SIX), tmp_path)


def test_the_interval_for_new_rows_is_the_verdicts_own_widened(study: flow.Study) -> None:
    """By hand from the records; where rows vote, or no mean is over rows, there is none."""
    assert len(study.verdicts) == 3
    (wide,) = study.new_rows
    verdict = study.verdicts[0]
    assert wide.verdict is verdict

    def rows(arm: int) -> np.ndarray:
        runs = (study.runs[arm][seed] for seed in range(6))
        return np.stack([np.concatenate(row_scores.unpack(r, "all-classes") or []) for r in runs])

    deltas = 100 * (rows(0) - rows(1))
    assert deltas.mean(1) == pytest.approx(verdict.comparison.deltas)
    error = deltas.mean(0).std(ddof=1) / math.sqrt(355)
    assert wide.spread.error == pytest.approx(error)
    assert 0 <= wide.spread.share <= 1
    more = t.isf((1 - verdict.confidence) / 2, 354) * error
    assert wide.high - verdict.estimate == pytest.approx(
        math.hypot(verdict.high - verdict.estimate, more)
    )
    assert wide.low < verdict.low < verdict.high < wide.high


def test_rows_that_nobody_kept_change_no_verdict(study: flow.Study) -> None:
    """Records of an earlier version have none; the report then says nothing of other rows."""
    runs = tuple(
        {seed: replace(run, row_right={}) for seed, run in by_seed.items()}
        for by_seed in study.runs
    )
    assert list(for_rows_anew(study.suite, runs, study.verdicts)) == []
    text = write.text(study)
    assert "### On other test rows" in text
    assert "### On other test rows" not in write.text(replace(study, new_rows=()))


def test_runs_of_other_data_share_no_rows(study: flow.Study) -> None:
    """Nothing is said where one arm was scored on another data set."""
    other = {
        seed: replace(run, provenance={**run.provenance, "data": "other"})
        for seed, run in study.runs[1].items()
    }
    compared = [verdict.comparison for verdict in study.verdicts]
    assert spreads(study.suite, (study.runs[0], other), compared) == [None] * 3
