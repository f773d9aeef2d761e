"""Where a suite's seeds begin, and how many there are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ablate.analysis import judge
from ablate.design.common_sections import TWIN_SEEDS
from ablate.design.reader import parse_suite
from ablate.errors import SelectionError, SuiteError
from ablate.plan.opening import with_seeds
from ablate.plan.pending import select
from ablate.plan.run_keys import keys
from ablate.records import registration
from ablate.registry import scan
from ablate.types import Suite

Parse = Callable[..., Suite]


def said(seeds: str) -> tuple[str, str]:
    return ("seeds: 3", f"seeds: {seeds}")


def test_seeds_that_begin_later_are_the_same_runs_as_in_a_longer_suite(suite_of: Parse) -> None:
    """A seed is its number, whatever suite asks for it."""
    late, whole = suite_of(said("{first: 2, count: 3}")), suite_of(said("5"))
    assert [row[2:] for row in keys(whole)] == list(keys(late))
    assert list(late.seed_numbers) == [2, 3, 4]
    assert late.seeds == late.declared_seeds == 3


def test_reports_and_selectors_name_seeds_by_their_numbers(suite_of: Parse) -> None:
    """Seed 100 is called 100, not 0."""
    suite = suite_of(said("{first: 100, count: 3}"))
    lost = judge.comparisons(suite, tuple({} for _ in suite.variants))[0].lost
    assert [pair.seed for pair in lost] == [100, 101, 102]
    assert select(suite, ["seed=101"]) == {(0, 1), (1, 1)}


def test_an_arm_and_its_twin_share_no_seed(suite_of: Parse) -> None:
    """The twin of later seeds is not the twin of earlier ones."""
    suite = suite_of(("seeds: 3", "same: reptile\nseeds: {first: 100, count: 3}"))
    assert [variant.first_seed for variant in suite.variants] == [100, 100, TWIN_SEEDS + 100]


def test_other_seeds_than_those_registered_are_a_deviation(suite_of: Parse) -> None:
    """Choosing the seeds after the runs is choosing the verdict."""
    suite = suite_of(said("{first: 100, count: 3}"))
    content = registration.declared(suite)
    entry = {"declared": content, "digest": registration.digest(content), "runs_present": 0}
    assert list(registration.deviations(suite, entry)) == []
    moved = registration.deviations(suite_of(said("{first: 200, count: 3}")), entry)
    assert list(moved) == ["first_seed: registered 100, now 200."]


def test_the_quick_block_may_say_fewer_seeds_or_others(suite_of: Parse) -> None:
    """A count alone keeps where they begin."""
    text = suite_of(said("{first: 100, count: 9}\nquick: {seeds: 5}")).text
    assert "quick" in text
    quick = parse_suite(text.encode(), "tiny", "tiny.yaml", scan(), quick=True)
    assert list(quick.seed_numbers) == [100, 101, 102, 103, 104]


@pytest.mark.parametrize(
    ("seeds", "fault"),
    [
        ("{first: 100}", "seeds without 'count'"),
        ("{first: -1, count: 3}", "-1 for first, which is out of range"),
        ("{first: 900000, count: 3}", "900000 for first, which is out of range"),
        ("{first: 1.0, count: 3}", "1.0 for first"),
        ("{first: 0, count: 0}", "0 for count, which is out of range"),
        ("{frist: 0, count: 3}", "seeds has no 'frist'"),
        ("true", "true for seeds"),
        ("{}", "seeds without 'count'"),
    ],
)
def test_what_no_seeds_are_is_refused_with_what_would_be(
    suite_of: Parse, seeds: str, fault: str
) -> None:
    """Each at its place, once."""
    with pytest.raises(SuiteError) as caught:
        suite_of(said(seeds))
    assert [problem.found for problem in caught.value.problems] == [fault]
    assert caught.value.problems[0].allowed


def test_named_seeds_are_the_runs_of_these_numbers(suite_of: Parse) -> None:
    """In the order in which they stand."""
    named, whole = suite_of(said("[1994, 3, 7]")), suite_of(said("8"))
    assert named.seed_numbers == (1994, 3, 7)
    assert named.seeds == named.declared_seeds == 3
    assert [row[1] for row in keys(named)] == [row[3] for row in keys(whole)]
    assert select(named, ["seed=1994"]) == {(0, 0), (1, 0)}
    with pytest.raises(SelectionError, match="seeds 3, 7, 1994"):
        select(named, ["seed=5"])


def test_named_seeds_are_registered_each(suite_of: Parse) -> None:
    """Another seed in the list is a deviation, though it begins alike and is as long."""
    suite = suite_of(said("[1993, 1994, 1995]"))
    content = registration.declared(suite)
    entry = {"declared": content, "digest": registration.digest(content), "runs_present": 0}
    assert list(registration.deviations(suite, entry)) == []
    moved = registration.deviations(suite_of(said("[1993, 1994, 1996]")), entry)
    assert list(moved) == ["seed_numbers: registered 1993, 1994, 1995, now 1993, 1994, 1996."]


def test_fewer_of_named_seeds_are_the_first_and_more_are_refused(suite_of: Parse) -> None:
    """Nobody knows which the sixth would be."""
    suite = suite_of(said("[1993, 1994, 1995]"))
    assert with_seeds(suite, 2).seed_numbers == (1993, 1994)
    with pytest.raises(SelectionError, match="4 seeds: tiny names 3"):
        with_seeds(suite, 4)


@pytest.mark.parametrize(
    ("block", "numbers"),
    [
        ("{training.standard.epochs: 1}", (1993, 5, 1995)),
        ("{seeds: 2}", (1993, 5)),
        ("{seeds: [8, 9]}", (8, 9)),
        ("{seeds: {first: 40, count: 2}}", (40, 41)),
    ],
)
def test_a_quick_block_of_named_seeds(
    suite_of: Parse, block: str, numbers: tuple[int, ...]
) -> None:
    """The first of them, or others that it names."""
    text = suite_of(said("[1993, 5, 1995]"), ("arms:", f"quick: {block}\narms:")).text
    assert parse_suite(text.encode(), "t", "t", scan(), quick=True).seed_numbers == numbers


def test_a_twin_of_named_seeds_has_others(suite_of: Parse) -> None:
    """They begin where no suite's can."""
    suite = suite_of(("seeds: 3", "same: reptile\nseeds: [7, 1993]"))
    assert [variant.seed(1) for variant in suite.variants] == [1993, 1993, TWIN_SEEDS + 1]


@pytest.mark.parametrize(
    ("seeds", "fault"),
    [
        ("[]", "[] for seeds"),
        ("[1, 1]", "[1, 1] for seeds"),
        ("[1, -2]", "[1, -2] for seeds"),
        ("[1, 1.5]", "[1, 1.5] for seeds"),
        ("[1, true]", "[1, True] for seeds"),
        ("[1, 900000]", "[1, 900000] for seeds"),
        ("[1, x]", "[1, 'x'] for seeds"),
        ("[[1]]", "[[1]] for seeds"),
        ("[1, 2]\nquick: {seeds: 3}", "3 seeds"),
    ],
)
def test_faults_of_named_seeds(suite_of: Parse, seeds: str, fault: str) -> None:
    """Whole numbers, each once, below those of twins and searches."""
    with pytest.raises(SuiteError) as caught:
        suite_of(said(seeds))
    assert [fault in problem.found for problem in caught.value.problems] == [True]
