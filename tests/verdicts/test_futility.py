"""A stop for futility: the chance of a verdict, when it is said, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ablate import flow
from ablate.records import registration
from ablate.records.store import open_store
from ablate.types import Comparison, Design, LostPair, Suite, Verdict
from ablate.verdicts import futility
from ablate.verdicts.family import FUTILE, battery, conclude
from ablate.verdicts.sequential import Looks, constants
from tests.conftest import comparison
from tests.verdicts.test_family import LOOKING, by_look

LOOKS = (5, 8, 13, 20, 32, 50)


def at(mean: float, sd: float, n: int, bounds: tuple[float, float], side: int = 0) -> float:
    """Give the chance of a study of one declared look to come, at 50."""
    outer, calm = (
        np.array(constants((n, 50), "flat", level, (n, 50))[1:]) for level in (0.025, 0.05)
    )
    reach = (calm if side else outer, calm)
    error, ahead = np.array(sd / math.sqrt(n)), np.array([50])
    found = futility.chances(np.array(mean), error, n, ahead, reach, bounds, side, draws=20_000)
    return float(found)


def open_one(deltas: list[float], looks: tuple[int, ...] = LOOKS, **said: object) -> Verdict:
    """Judge a study whose seeds after these are still to be run."""
    some = replace(comparison(deltas, margin=1.0), **said)  # type: ignore[arg-type]
    lost = tuple(
        LostPair(seed, "not run", (), missing=True) for seed in range(len(deltas), looks[-1])
    )
    (verdict,) = conclude(
        [replace(some, lost=lost)],
        battery(("minimal-effect", "equivalence", "paired-t")),
        Design(0.05, "holm", looks, looks[-1]),
    )
    return verdict


def test_the_chance_is_the_power_of_what_is_left_at_the_favourable_truth() -> None:
    """With a spread known from many pairs and many more to come, that of a normal mean."""
    n, total, sd, margin = 5000, 10_000, 1.0, 0.02
    error = sd / math.sqrt(n)
    far = np.array([3.0])  # standard errors, for each claim
    found = futility.chances(
        np.array(0.05), np.array(error), n, np.array([total]), (far, far), (-margin, margin)
    )
    favourable = 0.05 + float(stats.t.ppf(0.9, n - 1)) * error
    mean, spread = (0.05 + favourable) / 2, sd * math.sqrt(total - n) / total
    needed = margin + 3.0 * sd / math.sqrt(total)
    assert float(found) == pytest.approx(stats.norm.sf((needed - mean) / spread), abs=0.03)


def test_who_stands_inside_has_a_chance_and_who_stands_on_the_margin_has_little() -> None:
    """Of a spread that 50 seeds can resolve."""
    assert at(0.0, 1.0, 20, (-0.5, 0.5)) > 0.5
    assert at(1.5, 1.0, 20, (-0.5, 0.5)) > 0.99
    assert at(0.5, 1.0, 49, (-0.5, 0.5)) < futility.SLIM
    assert at(0.0, 9.0, 20, (-0.5, 0.5)) < 0.5


@pytest.mark.parametrize("mean", [0.1, 0.4, 0.7])
def test_the_other_side_has_the_same_chance(mean: float) -> None:
    """With margins of two sizes, and of a declared side."""
    mirrored = at(-mean, 1.0, 20, (-0.5, 0.8)), at(mean, 1.0, 20, (-0.8, 0.5))
    assert mirrored[0] == pytest.approx(mirrored[1], abs=0.02)
    sided = at(-mean, 1.0, 20, (-0.5, -0.5), -1), at(mean, 1.0, 20, (0.5, 0.5), 1)
    assert sided[0] == pytest.approx(sided[1], abs=0.02)


def test_a_futile_contrast_says_so_and_stays_open() -> None:
    """With its chance; one that has a good one names its next look, and the last look neither."""
    noise = list(np.random.default_rng(1).normal(0, 1, 32))
    on_margin = [1.0 + 3.0 * float(x - np.mean(noise)) for x in noise]
    futile = open_one(on_margin)
    assert futile.decision == "INCONCLUSIVE"
    assert FUTILE in futile.flags
    assert futile.chance < futility.SLIM
    assert "seeds left up to 50 bring a verdict in fewer than 5 %" in futile.why
    hopeful = open_one([0.1 + 2.5 * x for x in noise[:8]])
    assert FUTILE not in hopeful.flags
    assert hopeful.chance > futility.SLIM
    assert "the next look is at 13" in hopeful.why
    assert math.isnan(open_one(on_margin, (5, 8, 13, 20, 32)).chance)


@pytest.mark.parametrize("deltas", [[1.0] * 8, [0.0] * 6 + [1.0, 0.5], [0.0] * 8])
def test_what_ties_is_never_futile(deltas: list[float]) -> None:
    """Its spread says nothing of the seeds to come."""
    assert FUTILE not in open_one(deltas, worst=9.0).flags


def test_at_the_margin_seeds_are_saved_and_elsewhere_a_point_of_power_at_most() -> None:
    """400 studies whose seeds come look by look."""
    spared, lost, rng = 0, 0, np.random.default_rng(2)
    for truth, margin in ((1.0, 1.0), (0.0, 1.0), (2.0, 1.0)):
        for deltas in rng.normal(truth, 2.0, (130, 50)):
            whole = decided(deltas, margin)
            stops = any(FUTILE in open_one(list(deltas[:n])).flags for n in (13, 20, 32))
            spared += stops and truth == 1.0
            lost += stops and whole and truth != 1.0
    assert spared > 40
    assert lost <= 5


def decided(deltas: np.ndarray, margin: float) -> bool:
    """Say whether all of the seeds decide a study."""
    (verdict,) = conclude(
        [comparison(list(map(float, deltas)), margin=margin)],
        battery(("minimal-effect", "equivalence", "paired-t")),
        Design(0.05, "holm", LOOKS, LOOKS[-1]),
    )
    return verdict.decided


def test_runs_end_where_they_are_futile_and_go_on_when_asked(
    suite_of: Callable[..., Suite], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it is decided no seed is added; the whole study is one command away."""
    suite = suite_of(("2.0 points", "14.0 points"), text=LOOKING)
    monkeypatch.setattr(futility, "SLIM", 1.1)
    study, counts = by_look(suite, tmp_path / "results")
    assert counts == [10]
    assert FUTILE in study.verdicts[0].flags
    store = open_store(tmp_path / "results")
    registration.freeze(suite, store, 0)
    left = flow.prepare(suite, Path("data"), store)
    assert sum(len(stack.runs) for stack in left.stacks) == 6
    store.close()


def test_lost_pairs_leave_their_degrees_of_freedom() -> None:
    """What is asked of a study is its pairs, not its seeds."""
    noise = list(np.random.default_rng(1).normal(0, 1, 20))
    some: Comparison = comparison([1.0 + 0.5 * x for x in noise], margin=1.0)
    lost = tuple(LostPair(seed, "x", ("a", "b")) for seed in (20, 21))
    from ablate.verdicts.interim import started

    interim = started(some, Looks((22, 30), "flat", 0))
    design = Design(0.05, "holm", (22, 30), 30)
    with_lost = futility.of(replace(some, lost=lost), interim, design, 1)
    assert 0 <= with_lost <= 1
