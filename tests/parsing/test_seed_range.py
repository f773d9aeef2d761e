"""Where a suite's seeds begin, and how many there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ablate.analysis import judge
from ablate.design.common_sections import TWIN_SEEDS
from ablate.errors import SuiteError
from ablate.plan.pending import select
from ablate.plan.run_keys import keys
from ablate.records import registration
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
    moved = registration.deviations(replace(suite, first_seed=200), entry)
    assert list(moved) == ["first_seed: registered 100, now 200."]


def test_the_quick_block_may_say_fewer_seeds_or_others(suite_of: Parse) -> None:
    """A count alone keeps where they begin."""
    text = suite_of(said("{first: 100, count: 9}\nquick: {seeds: 5}")).text
    assert "quick" in text
    from ablate.design.reader import parse_suite
    from ablate.registry import scan

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
        ("[1, 2, 3]", "[1, 2, 3] for seeds"),
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
