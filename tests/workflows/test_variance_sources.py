"""Which streams the variance is from, on a tiny suite, and what an hour is best spent on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import cli
from ablate import flow
from ablate.core.random_streams import CROSSED_SEEDS, SQUARE, level
from ablate.errors import SelectionError
from ablate.records.store import open_store
from ablate.registry import Catalogue, scan
from ablate.stats.variance.scored_rows import RowSpread
from ablate.streams.crossed_squares import LEVELS
from ablate.types import Choice, RunResult, Site, Status, Suite
from ablate.workflows import drawn_streams, power_forecast, variance_sources
from ablate.workflows.variance_sources import ClaimSources
from reports.variance import VarianceLines
from tests.conftest import TINY

ALL = ("init", "class order", "batch order", "exemplars")


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> tuple[Suite, Mapping[str, RunResult]]:
    """Run a square of crossed seeds, once for all tests."""
    from ablate.design.reader import parse_suite

    suite = parse_suite(TINY.encode(), "tiny", "tiny.yaml", scan())
    small = power_forecast.pilot(suite, SQUARE, CROSSED_SEEDS)
    store = open_store(tmp_path_factory.mktemp("pilot"))
    work = flow.prepare(small, Path("data"), store)
    for _ in flow.run(work, store, Site("data", "cpu")):
        pass
    records = store.load(work.plan.runs)
    store.close()
    return small, records


def test_runs_that_share_a_streams_seed_drew_the_same(
    pilot: tuple[Suite, Mapping[str, RunResult]],
) -> None:
    """By the digests that records state; arms stay paired in every stream."""
    small, records = pilot
    names = {"init": "init", "class order": "order", "batch order": "batch", "exemplars": "memory"}
    runs = flow.judge.by_variant(small, records)
    for stream, purpose in names.items():
        digests = [runs[0][seed].provenance["streams"][purpose] for seed in small.seed_numbers]
        levels = [level(seed, stream) for seed in small.seed_numbers]
        assert len({*digests}) == len({*zip(digests, levels, strict=True)}) == 5
    for seed in small.seed_numbers:
        assert runs[0][seed].provenance["streams"] == runs[1][seed].provenance["streams"]


def test_a_claims_variance_is_parted_by_the_streams_it_draws_from(
    pilot: tuple[Suite, Mapping[str, RunResult]], catalogue: Catalogue
) -> None:
    """Shares add up to 1; the forecast takes its spread from the same figure."""
    small, records = pilot
    drawn = drawn_streams.by_claim(small, catalogue)
    (claim,) = variance_sources.by_claim(small, records, drawn)
    parts = [*claim.sources.parts, claim.sources.rest]
    assert [part.name for part in parts] == [*ALL, "their interactions"]
    assert sum(part.share for part in parts) == pytest.approx(1)
    assert all(0 <= part.low <= part.high <= 1 for part in parts)
    assert claim.rows is not None
    assert (claim.rows.rows, claim.lost) == (355, 0)
    (forecast,) = power_forecast.forecasts(small, records, "runs", [claim.spread])
    assert forecast.sd == pytest.approx(math.sqrt(claim.sources.variance))


def test_a_square_that_lost_a_pair_says_nothing(
    pilot: tuple[Suite, Mapping[str, RunResult]],
) -> None:
    """Here it is the only one."""
    small, records = pilot
    key = next(iter(records))
    lost = {**records, key: replace(records[key], status=Status.DIVERGED, right={}, task_right={})}
    with pytest.raises(SelectionError, match="every square of the pilot lost a pair"):
        variance_sources.by_claim(small, lost, [frozenset(ALL)])


@pytest.mark.parametrize(
    ("memory", "draws"),
    [
        (Choice("memory", "none", {}), False),
        (Choice("memory", "everything", {}), False),
        (Choice("memory", "first", {"budget_rows": 9}), False),
        (Choice("memory", "herding", {"budget_rows": 9}), False),
        (Choice("memory", "random", {"budget_rows": 9}), True),
        (Choice("memory", "random", {"budget_rows": 0}), False),
        (Choice("memory", "reservoir", {"budget_rows": 9}), True),
    ],
)
def test_a_memory_that_draws_nothing_has_no_share(
    memory: Choice, draws: bool, catalogue: Catalogue
) -> None:
    """Told by trying it, so that other people's memories need not state it."""
    assert drawn_streams.draws_exemplars(memory, catalogue) is draws


def test_streams_that_a_suite_does_not_use_are_left_out(
    suite_of: Callable[..., Suite], catalogue: Catalogue
) -> None:
    """A natural class order, no memory; chunks only where rows vote."""
    assert drawn_streams.by_claim(suite_of(), catalogue) == [frozenset(ALL)]
    fixed = suite_of(
        ("{tasks: 5}", "{tasks: 5, class_order: natural}"),
        ("{random: {budget_rows: 50}}", "none"),
        ("metric: all-classes", "metric: continuum(20)"),
    )
    assert drawn_streams.by_claim(fixed, catalogue) == [{"init", "batch order", "chunks"}]


def test_rows_that_the_data_set_leaves_out_are_counted(
    suite_of: Callable[..., Suite], catalogue: Catalogue
) -> None:
    """355 in all, 20 of each class are taken."""
    some = suite_of(("{tasks: 5}", "{tasks: 5, test_per_class: 20}"))
    assert variance_sources.unused_rows(some, catalogue, Path("data")) == 155
    assert variance_sources.unused_rows(suite_of(), catalogue, Path("data")) == 0


def claim_of(noise: float) -> ClaimSources:
    """Make a claim of variance 4 about, all of it interactions, on 100 rows of some noise."""
    values = np.random.default_rng(0).normal(0, 2, (8, SQUARE))
    levels = {name: LEVELS[name] for name in ALL}
    return ClaimSources(
        label="a − b",
        metric="all-classes",
        margin=1.0,
        sources=variance_sources.crossed.sources(values, levels),
        lost=0,
        rows=RowSpread(100, 0.5, noise, noise / 4),
    )


def test_the_next_hour_goes_where_the_error_falls_most(suite_of: Callable[..., Suite]) -> None:
    """Seeds where they are cheap; rows where a seed takes an hour and rows are left unused."""
    suite, claim = suite_of(("seeds: 3", "seeds: 16")), claim_of(3.0)
    variance = claim.sources.variance
    cheap = variance_sources.advice([claim], suite, seconds=75.0, unused_rows=300)
    assert (cheap.seeds, cheap.more_seeds) == (16, 48)
    assert cheap.error == pytest.approx(math.sqrt(variance / 16))
    assert cheap.with_seeds == pytest.approx(math.sqrt(variance / 64))
    assert cheap.with_rows == pytest.approx(math.sqrt((variance - 3.0 * 3 / 4) / 16))
    assert not cheap.rows_first
    dear = variance_sources.advice([claim], suite, seconds=5000.0, unused_rows=300)
    assert dear.more_seeds == 0
    assert dear.rows_first
    none = variance_sources.advice([claim], suite, seconds=5000.0, unused_rows=0)
    assert not none.rows_first
    assert [text.splitlines()[-1].split(":")[1] for text in map(last, (cheap, dear, none))] == [
        " more seeds",
        " score more test rows",
        " more seeds",
    ]


def last(advice: variance_sources.Advice) -> str:
    """Give the sentence that advice ends in."""
    *_, sentence = VarianceLines().lines([advice.claim], advice)
    return sentence


def test_power_says_where_the_variance_is(tmp_path: Path) -> None:
    """The suite itself is as unrun afterwards as before; a second call trains nothing."""
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)

    def ask(*words: object) -> tuple[int, str]:
        place = ["--results", str(tmp_path / "r")]
        done = CliRunner().invoke(cli.main, [*map(str, words), str(path), *place])
        return done.exit_code, done.output

    words = ("power", "--streams", "--pilot", 3, "--workers", 1)
    code, text = ask(*words)
    assert code == 0
    assert "25 crossed pilot runs" in text
    for part in ("init", "class order", "batch order", "exemplars", "their interactions"):
        assert f"\n  {part} " in text
    assert "chunks" not in text
    assert "355 test rows: " in text
    assert "Next hour: more seeds: " in text
    assert "no test row is left unused" in text
    again = ask(*words)[1]
    assert "runs done" not in again
    assert again[again.index("\nWhere the variance") :] in text
    assert "6 of 6 to run" in ask("plan")[1] or "6 runs" in ask("plan")[1]
