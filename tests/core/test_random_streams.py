"""Crossed seeds: two runs of a square share one stream at most, and the engine draws from them."""

from __future__ import annotations

import itertools
from collections import Counter

from ablate.core.random_streams import (
    CROSSED,
    CROSSED_SEEDS,
    SQUARE,
    SQUARES,
    drawn_from,
    level,
    stream,
)
from ablate.streams.crossed_squares import whole_squares
from ablate.training.execute import STREAMS

PURPOSES = {purpose for purposes in CROSSED.values() for purpose in purposes}


def test_two_runs_of_a_square_share_the_seed_of_one_stream_at_most() -> None:
    """And each seed of a stream meets each of another once."""
    runs = [tuple(level(CROSSED_SEEDS + run, name) for name in CROSSED) for run in range(SQUARE)]
    for a, b in itertools.combinations(runs, 2):
        assert sum(x == y for x, y in zip(a, b, strict=True)) <= 1
    for i, j in itertools.combinations(range(len(CROSSED)), 2):
        assert {*Counter((run[i], run[j]) for run in runs).values()} == {1}


def test_every_purpose_that_training_draws_for_is_of_a_stream() -> None:
    """A purpose that is none of them would vary with every run and be taken for an interaction."""
    assert {*STREAMS, "init"} == PURPOSES


def test_equal_levels_are_equal_draws() -> None:
    """Runs 0 and 7 of a square have other inits; 5 and 7 the same one, and no other stream's."""
    a, b = CROSSED_SEEDS + 5, CROSSED_SEEDS + 7
    for purpose in (*PURPOSES, "adapt 3"):
        same = stream(a, purpose, 1).random() == stream(b, purpose, 1).random()
        assert same == (purpose == "init"), purpose
    assert stream(CROSSED_SEEDS, "init").random() != stream(b, "init").random()


def test_squares_share_nothing_and_other_seeds_are_themselves() -> None:
    """Seeds of a suite, and purposes of a data set's own, draw as they always did."""
    squares = [
        {drawn_from(CROSSED_SEEDS + SQUARE * square + run, "init") for run in range(SQUARE)}
        for square in (0, 1, SQUARES - 1)
    ]
    assert [*map(len, squares)] == [5, 5, 5]
    assert not squares[0] & squares[1] | squares[1] & squares[2]
    for seed in (0, 7, CROSSED_SEEDS - 1, CROSSED_SEEDS + SQUARES * SQUARE):
        assert drawn_from(seed, "init") == seed
    assert drawn_from(CROSSED_SEEDS + 9, "domain rows") == CROSSED_SEEDS + 9


def test_a_square_that_lacks_a_run_is_left_out() -> None:
    """Without it the array is not orthogonal; places are those of the pairs."""
    seeds = [CROSSED_SEEDS + run for run in range(3 * SQUARE) if run != 30]
    assert whole_squares(seeds).tolist() == [[*range(25)], [*range(49, 74)]]
    assert whole_squares([0, 1, 2]).shape == whole_squares([]).shape == (0, SQUARE)
