"""Several settings in one suite or table: pooled verdicts, ranks, importance."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from ablate import flow
from ablate.analysis import importance, judge, pairing
from ablate.api import compare
from ablate.errors import SelectionError, SuiteError
from ablate.stats.across_datasets import across
from ablate.types import Comparison, Design, LostPair, PooledContrast, RunResult, Suite
from ablate.verdicts import collapse, independent_blocks
from tests.conftest import TINY, comparison, record, variant

CROSSED = TINY.replace("seeds: 3", "vary:\n  training.standard.epochs: [1, 2]\nseeds: 5").replace(
    "margin: 2.0 points}",
    "margin: 2.0 points, over: all}\n"
    "  - {treatment: reptile, baseline: balanced, metric: all-classes, margin: 2.0 points}",
)


def crossed(suite_of: Callable[..., Suite], *changes: tuple[str, str]) -> Suite:
    """Read the crossed suite with changes."""
    return suite_of(*changes, text=CROSSED)


def scored(seed: int, points: float) -> RunResult:
    """Make a record of 20 test rows that ends at a final accuracy, in steps of 5 points."""
    rows = round(points / 5)
    return record(seed, ((10, 0), (min(10, rows), max(0, rows - 10))))


def made(suite: Suite, points: Callable[[int, int], float]) -> judge.Runs:
    """Make records of a suite that end at `points(variant, seed)`."""
    return tuple(
        {seed: scored(seed, points(place, seed)) for seed in range(suite.seeds)}
        for place in range(len(suite.variants))
    )


def test_a_contrast_is_pooled_over_the_settings(suite_of: Callable[..., Suite]) -> None:
    """One claim beside those of each cell, all in one family."""
    suite = crossed(suite_of)
    assert len(suite.contrasts) == 2
    (pool,) = suite.effects
    assert (pool.plus, pool.minus, pool.over) == ((0, 2), (1, 3), ("training.standard.epochs",))


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("over: dataset", "unknown"),
        ("over: []", "for over"),
        ("over: [training.standard.epochs, training.standard.epochs]", "for over"),
        ("over: 3", "for over"),
    ],
)
def test_axes_that_are_not_crossed_are_refused(
    suite_of: Callable[..., Suite], said: str, found: str
) -> None:
    """With what there is."""
    with pytest.raises(SuiteError, match=r"training\.standard\.epochs"):
        crossed(suite_of, ("over: all", said))


def test_an_axis_without_vary_is_refused(suite_of: Callable[..., Suite]) -> None:
    """There is nothing to pool over."""
    with pytest.raises(SuiteError, match="there are none"):
        suite_of(("margin: 2.0 points", "margin: 2.0 points, over: all"))


def test_a_seed_is_averaged_over_its_settings() -> None:
    """Equal weights; a seed that a setting lost is lost, with the arm that lost it."""
    arms = [variant(name) for name in ("a", "b", "a", "b")]
    rows = [(80, 70), (60, 60)], [(90, 70), (70, 50)], [(50, 50), (60, 40)]
    runs: list[dict[int, RunResult]] = [{}, {}, {}, {}]
    for seed, cells in enumerate(rows):
        for cell, pairs in enumerate(cells):
            for side, right in enumerate(pairs):
                runs[2 * cell + side][seed] = scored(seed, right)
    effect = PooledContrast("a", "b", (0, 2), (1, 3), ("x",), "all-classes", 2.0)
    found = pairing.halves(effect, arms, runs, range(3))
    assert found.deltas == (5.0, 20.0, 10.0)
    runs[2][1] = record(1, status="diverged")
    lost = pairing.halves(effect, arms, runs, range(4))
    assert lost.seeds == (0, 2)
    assert [one.sides for one in lost.lost] == [("a",), ()]
    assert lost.lost[1].missing


def test_the_report_tells_settings_and_importance(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study]
) -> None:
    """Ranks, shares that add up, levels around the mean, and figures for both."""
    from reports import write

    study = run_suite(crossed(suite_of))
    text = write.text(study, ["ranks.png", "shares.png"])
    for words in (
        "## All settings together",
        "over epochs",
        "## Which component matters",
        "arm × epochs",
        "Nemenyi",
        "](ranks.png)",
    ):
        assert words in text
    (one,) = study.importance
    assert sum(t.share for t in one.shares.terms) + one.shares.residual == pytest.approx(1)
    assert {level.factor for level in one.levels} == {"arm", "epochs"}
    assert sum(level.apart.mean for level in one.levels if level.factor == "arm") == pytest.approx(
        0
    )
    pooled, cells = study.pooled[0][1], study.verdicts
    assert pooled.estimate == pytest.approx(np.mean([one.estimate for one in cells]))


def test_factors_of_a_factorial_are_named_by_level(suite_of: Callable[..., Suite]) -> None:
    """Their importance needs no arms; a suite with one factor has none."""
    suite = crossed(suite_of)
    found = importance.importance(
        suite, made(suite, lambda v, s: 50 + 10 * (v % 2) + 5 * ((3 * s) % 4))
    )
    terms = {term.name: term for term in found[0].shares.terms}
    assert terms["arm"].of_means == pytest.approx(1)
    assert terms["epochs"].share == pytest.approx(0, abs=1e-12)
    assert importance.importance(suite_of(), made(suite_of(), lambda v, s: 50 + 5 * s)) == ()


# --- tables -------------------------------------------------------------------------------------


def table(apart: float = 0.02, shared: bool = True, seeds: int = 6) -> pd.DataFrame:
    """Make scores of three arms in four data sets."""
    rng = np.random.default_rng(2)
    rows = []
    for place, data in enumerate("wxyz"):
        for seed in range(seeds):
            base = 0.6 + 0.05 * place + rng.normal(0, 0.004)
            for step, arm in enumerate(("a", "b", "c")):
                key = seed if shared else f"{data}{seed}"
                score = base + apart * step + rng.normal(0, 0.003)
                rows.append({"seed": key, "method": arm, "accuracy": score, "data": data})
    return pd.DataFrame(rows)


def test_a_table_with_blocks_is_ranked() -> None:
    """The best first; every pair over the data sets."""
    found = compare(table(), margin=0.01, block="data")
    together = found.settings
    assert together is not None
    assert together.test.ranks == (3.0, 2.0, 1.0)
    assert together.shared
    assert together.across[0].improvement.value > 0.9
    assert together.across[0].sides.above > 0.9
    assert compare(table(), margin=0.01, block="data", lower=True).settings.test.ranks == (1, 2, 3)
    with pytest.raises(SelectionError, match="two things"):
        compare(table(), margin=0.01, block="method")


def test_settings_without_a_pair_are_none() -> None:
    """One arm or one setting has no ranks."""
    assert across({"a": {"x": {0: 1.0}}}, [], "m") is None
    assert across({"a": {"x": {0: 1.0}}, "b": {"x": {0: 1.0}}}, [], "m") is None


def test_blocks_that_share_no_key_bring_their_own_errors() -> None:
    """As Welch and Satterthwaite have it, in one family."""
    found = compare(table(shared=False), margin=0.01, block="data")
    one = found.verdicts[0]
    assert (one.decision, one.rule, one.n) == ("MATTERS", "Welch-Satterthwaite", 24)
    assert one.low < one.estimate < one.high
    assert one.p_adjusted >= one.p
    same = compare(table(apart=0.0, shared=False), margin=0.05, block="data").verdicts
    assert {verdict.decision for verdict in same} == {"NEGLIGIBLE"}
    assert compare(table(shared=False), margin=None, block="data").verdicts[0].why.startswith("no")


@pytest.mark.parametrize(
    ("blocks", "decision", "why"),
    [
        ([[5.0], [5.0, 6.0, 5.5]], "UNTESTABLE", "fewer than 2 pairs"),
        ([[5.0, 6.0], [5.5, 6.0]], "INCONCLUSIVE", "too few"),
        ([[5.0, 6.0, 5.5], [5.5, 6.0, 5.2]], "MATTERS", "beyond"),
        ([[0.0] * 3, [0.0] * 3], "INCONCLUSIVE", "6 of 6 seeds tie exactly"),
        ([[0.1, -0.1, 0.1], [0.1, -0.1, -0.1]], "NEGLIGIBLE", "inside"),
        ([[0.0, 9.0, -5.0], [3.0, -2.0, 1.0]], "INCONCLUSIVE", "crosses"),
    ],
)
def test_what_cannot_be_pooled_is_said(blocks: list[list[float]], decision: str, why: str) -> None:
    """No MATTERS without pairs."""
    design = Design(0.05, "holm", (5,), 5)
    (found,) = independent_blocks.judge([[comparison(block) for block in blocks]], design)
    assert found.decision == decision
    assert why in found.why


def test_lost_runs_of_one_arm_block_a_pooled_verdict() -> None:
    """As they block any other."""
    whole = comparison([5.0, 6.0, 5.5])
    thin = replace(whole, lost=(LostPair(9, "a: failed", ("a",)),))
    (found,) = independent_blocks.judge([[whole, thin]], Design(0.05, "holm", (5,), 5))
    assert found.decision == "UNTESTABLE"
    assert math.isnan(found.p)


def test_blocks_side_by_side_keep_what_is_said_of_the_metric() -> None:
    """Its direction, its range, its grid: whatever describes a metric and not a block's pairs."""
    own = {
        "seeds",
        "treatment_values",
        "baseline_values",
        "lost",
        "identical",
        "alike",
        "standing",
        "refusal",
    }
    first = replace(
        comparison([0.1, 0.2, 9.0, 0.1, 0.2, 0.1]),
        lower=True,
        chance=0.9,
        worst=7.0,
        span=8.0,
        lower_margin=2.0,
        side=-1,
        claim="helps",
        unit="rows",
        blocks=3,
    )
    whole = independent_blocks.joined([first, replace(first, seeds=tuple(range(10, 16)))])
    assert len(whole.deltas) == 12
    for field in fields(Comparison):
        if field.name not in own:
            assert getattr(whole, field.name) == getattr(first, field.name), field.name


def test_a_collapse_is_looked_for_where_the_metric_is_bad() -> None:
    """A loss of 9 among losses near 1 is one, over blocks as over seeds."""
    loss = Comparison(
        "a",
        "b",
        "loss",
        0.1,
        tuple(range(6)),
        (1.0, 1.1, 9.0, 1.05, 0.95, 1.02),
        (1.0, 1.1, 0.9, 1.05, 0.95, 1.02),
        (),
        0.01,
        lower=True,
    )
    other = replace(loss, seeds=tuple(range(10, 16)), treatment_values=loss.baseline_values)
    found = collapse.of(independent_blocks.joined([loss, other]))
    assert found is not None
    assert (found.treatment.count, found.baseline.count) == (1, 0)


def test_a_column_that_groups_the_keys_is_named() -> None:
    """As a batch would; and other figures in the table."""
    grouped = table().assign(gpu=lambda t: t["seed"] // 2, loss=0.5)
    said = compare(grouped, margin=0.01, block="data").warnings
    assert any("fall into 3 of gpu" in warning for warning in said)
    assert any("other figures (loss)" in warning for warning in said)


def test_every_order_of_rows_gives_the_same(tmp_path: object) -> None:
    """Rows are joined by key, never by place."""
    straight = compare(table(), margin=0.01, block="data").to_dict()
    mixed = table().sample(frac=1, random_state=1).sort_values("method", kind="stable")
    again = compare(mixed, margin=0.01, block="data").to_dict()
    for one, other in itertools.zip_longest(straight["contrasts"], again["contrasts"]):
        assert one["p"] == pytest.approx(other["p"])
        assert one["verdict"] == other["verdict"]
