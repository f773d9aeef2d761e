"""Parts of a variance are recovered, and intervals hold as often as they say: by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t

from ablate.stats.variance import crossed
from ablate.stats.variance.scored_rows import RowSpread, for_new_rows, row_spread
from ablate.streams.crossed_squares import LEVELS
from ablate.types import Floats

STUDIES = 20_000
STREAMS = {name: LEVELS[name] for name in ("init", "class order", "batch order", "exemplars")}
PARTS = {"init": 0.3, "class order": 0.2, "batch order": 0.0, "exemplars": 0.1}
REST = 0.4


def squares(studies: int, count: int, draws: np.random.Generator) -> Floats:
    """Draw scores of crossed runs, `[studies, squares, 25]`, with the parts above."""
    values = draws.normal(0, math.sqrt(REST), (studies, count, 25))
    for name, part in PARTS.items():
        values += draws.normal(0, math.sqrt(part), (studies, count, 5))[:, :, STREAMS[name]]
    return values


def within(rate: float, wanted: float, studies: int) -> bool:
    """Say whether a simulated rate is at least the wanted one, by three Monte-Carlo errors."""
    return rate >= wanted - 3 * math.sqrt(wanted * (1 - wanted) / studies)


def test_the_parts_of_a_variance_are_recovered_on_average() -> None:
    """20,000 pilots of two squares, as one table of many columns; a part of 0, too."""
    values = squares(STUDIES, 2, np.random.default_rng(1)).transpose(1, 2, 0)
    between, left = crossed.mean_squares(values, STREAMS)
    for name, part in PARTS.items():
        found = (between[name] - left) / 5
        assert found.mean() == pytest.approx(part, abs=3 * found.std() / math.sqrt(STUDIES))
    assert left.mean() == pytest.approx(REST, abs=3 * left.std() / math.sqrt(STUDIES))
    whole = crossed.variance(values, STREAMS)
    assert whole.mean() == pytest.approx(1.0, abs=3 * whole.std() / math.sqrt(STUDIES))
    assert (whole >= 0).all()


def test_interactions_of_streams_are_no_part_of_a_stream() -> None:
    """A product of two streams' effects is all rest, however many runs share a level."""
    draws, studies = np.random.default_rng(2), 5000
    init, order = (draws.normal(size=(1, 5, studies)) for _ in range(2))
    values = init[:, STREAMS["init"]] * order[:, STREAMS["class order"]]
    between, left = crossed.mean_squares(values, STREAMS)
    for name in STREAMS:
        found = (between[name] - left) / 5
        assert abs(found.mean()) < 4 * found.std() / math.sqrt(studies)
    assert left.mean() == pytest.approx(1.0, abs=4 * left.std() / math.sqrt(studies))


def test_intervals_of_shares_hold_as_often_as_they_say() -> None:
    """90 %, of each stream, of the rest and of the whole; in 300 pilots."""
    studies = 300
    pilots = [
        crossed.sources(pilot, STREAMS) for pilot in squares(studies, 2, np.random.default_rng(3))
    ]
    for i, part in enumerate(PARTS.values()):
        held = np.mean([p.parts[i].low <= part <= p.parts[i].high for p in pilots])
        assert within(float(held), 0.9, studies)
    assert within(float(np.mean([p.rest.low <= REST <= p.rest.high for p in pilots])), 0.9, studies)
    assert within(float(np.mean([p.low <= 1.0 <= p.high for p in pilots])), 0.9, studies)


def test_a_square_that_one_stream_decides_is_that_streams() -> None:
    """By hand: five inits of 0, 1, 2, 3, 4 have a variance of 2.5, and nothing is left."""
    found = crossed.sources(np.array([LEVELS["init"]], float), STREAMS)
    assert [part.share for part in found.parts] == [1.0, 0.0, 0.0, 0.0]
    assert found.variance == pytest.approx(2.5)
    assert found.rest.variance == pytest.approx(0.0, abs=1e-12)
    assert found.worth == pytest.approx(5)  # 25 runs of five inits


def test_without_variance_there_are_no_shares_and_without_freedom_no_rest() -> None:
    """Neither is a number."""
    nothing = crossed.sources(0.1 + np.full((2, 25), 0.2) * np.resize([1, 1 + 1e-15], 25), STREAMS)
    assert nothing.variance == nothing.high == 0
    assert math.isnan(nothing.rest.share)
    assert math.isnan(nothing.worth)
    with pytest.raises(ValueError, match="6 streams leave nothing of 25 runs"):
        crossed.sources(np.ones((1, 25)), {**LEVELS, "more": LEVELS["init"]})


def world(kind: str, draws: np.random.Generator, shape: tuple[int, int, int]) -> tuple[Floats, ...]:
    """Draw differences `[studies, n, m]`, their mean over all seeds on these rows, and on all rows.

    `graded`: normal parts of seeds, rows and cells. `rows`: two arms' right and wrong, -1, 0, 1, of
    rows that are hard or easy, a fifth of which favour one arm.
    """
    studies, n, m = shape
    if kind == "graded":
        rows = draws.normal(0, 1, (studies, 1, m))
        values = rows + draws.normal(0, 0.1, (studies, n, 1)) + draws.normal(0, 1, shape)
        return values, rows.mean((1, 2)), np.zeros(studies)
    easy = np.clip(draws.beta(8, 1.5, (studies, 1, m)), 0.2, 0.8)
    favours = draws.choice([0, 0.3, -0.3], (studies, 1, m), p=[0.8, 0.14, 0.06])
    shift = draws.normal(0, 0.01, (studies, n, 1))
    treatment = draws.random(shape) < easy + favours / 2 + shift
    values = treatment.astype(float) - (draws.random(shape) < easy - favours / 2)
    return values, favours.mean((1, 2)), np.full(studies, 0.3 * 0.08)


@pytest.mark.parametrize("kind", ["graded", "rows"])
@pytest.mark.parametrize(("n", "m"), [(6, 60), (20, 60)])
def test_intervals_hold_for_these_rows_and_wider_ones_for_rows_drawn_anew(
    kind: str, n: int, m: int
) -> None:
    """At least .95 of 20,000 studies; the narrow one does not hold for new rows."""
    draws, parts = np.random.default_rng(4), []
    for _ in range(10):
        values, fixed, anew = world(kind, draws, (STUDIES // 10, n, m))
        means = values.mean(2)
        middle, reach = means.mean(1), float(t.isf(0.025, n - 1))
        half = reach * means.std(1, ddof=1) / math.sqrt(n)
        error = np.sqrt(values.mean(1).var(1, ddof=1) / m)
        wide = np.hypot(half, t.isf(0.025, m - 1) * error)
        for s in range(3):  # these are the figures that the functions give
            spread = row_spread([values[s, :, :20], values[s, :, 20:]])
            assert spread.error == pytest.approx(error[s])
            ends = for_new_rows(
                middle[s], (middle[s] - half[s], middle[s] + half[s]), spread, 0.025
            )
            assert ends == pytest.approx((middle[s] - wide[s], middle[s] + wide[s]))
        off = np.abs(middle - fixed), np.abs(middle - anew)
        parts.append([(off[0] <= half).mean(), (off[1] <= wide).mean(), (off[1] <= half).mean()])
    these, new, narrow = np.mean(parts, 0)
    assert within(these, 0.95, STUDIES)
    assert within(new, 0.95, STUDIES)
    assert narrow < 0.93


def test_the_noise_of_single_rows_is_recovered_whatever_seeds_do_to_classes() -> None:
    """A seed that favours a class, as a class order does, is no noise of rows."""
    draws, found = np.random.default_rng(5), []
    for _ in range(400):
        sizes, n = (10, 30, 20), 8
        classes = [
            draws.normal(0, 2, (n, 1)) + draws.normal(0, 3, size) + draws.normal(0, 1.5, (n, size))
            for size in sizes
        ]
        found.append(row_spread(classes).noise)
    assert np.mean(found) == pytest.approx(1.5**2 / 60, rel=0.05)


def test_one_row_of_a_class_tells_no_noise() -> None:
    """Nor do arms that never differ have a share of it."""
    assert math.isnan(row_spread([np.eye(3), np.ones((3, 1))]).noise)
    calm = row_spread([np.zeros((3, 4)), np.zeros((3, 5))])
    assert (calm.rows, calm.error, calm.noise) == (9, 0.0, 0.0)
    assert math.isnan(calm.share)


def test_an_interval_is_widened_on_both_sides_by_hand() -> None:
    """3 and 4 make 5, around an estimate of 1; t of many rows at a tail of 2.5 % is 1.96."""
    spread = RowSpread(10**6, 4 / 1.959966, 0.0, 0.0)
    assert for_new_rows(1.0, (-2.0, 4.0), spread, 0.025) == pytest.approx((-4.0, 6.0), abs=1e-4)
