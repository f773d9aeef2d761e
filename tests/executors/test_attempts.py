"""What the system took is tried again, what a component did itself is not: in one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from hypothesis import given, strategies as st

from ablate.executors.attempts import MOST_LOSSES, attempts
from ablate.types import Json, Lost, RunSpec, Stack

TAKEN = Lost("killed", by_system=True)
RAISED = Lost("ValueError")


def stack(*seeds: int) -> Stack:
    return Stack(tuple(RunSpec(str(seed), seed, {}, "float32") for seed in seeds), ())


@dataclass
class Crew:
    """Answers by a rule, and keeps what was asked of it."""

    rule: Callable[[Sequence[int]], list[Json] | Lost]
    asked: list[tuple[int, ...]] = field(default_factory=list)

    def map(self, payloads: Sequence[Any]) -> Iterator[tuple[int, list[Json] | Lost]]:
        for index, seeds in enumerate(payloads):
            self.asked.append(seeds)
            yield index, self.rule(seeds)


def job(packed: Stack) -> tuple[int, ...]:
    return tuple(run.seed for run in packed.runs)


def came(crew: Crew, *stacks: Stack) -> dict[tuple[int, ...], tuple[Any, int]]:
    return {job(tried.stack): (tried.answer, tried.losses) for tried in attempts(stacks, crew, job)}


def test_what_a_component_did_is_not_tried_again() -> None:
    """Its stack comes as it is, once."""
    crew = Crew(lambda seeds: RAISED)
    assert came(crew, stack(0, 1), stack(2)) == {(0, 1): (RAISED, 0), (2,): (RAISED, 0)}
    assert crew.asked == [(0, 1), (2,)]


def test_a_lone_run_has_three_tries() -> None:
    """And says how often it was lost."""
    crew = Crew(lambda seeds: TAKEN)
    assert came(crew, stack(7)) == {(7,): (TAKEN, MOST_LOSSES)}
    assert crew.asked == [(7,)] * MOST_LOSSES


def test_a_node_that_died_once_costs_a_try() -> None:
    """The second time, cut in two, ends well."""
    deaths = iter([TAKEN])
    crew = Crew(lambda seeds: next(deaths, list(seeds)))
    assert came(crew, stack(0, 1, 2)) == {(0,): ([0], 1), (1, 2): ([1, 2], 1)}


def test_a_stack_that_takes_too_much_memory_is_cut_until_it_fits() -> None:
    """Twelve seeds where three fit."""
    crew = Crew(lambda seeds: TAKEN if len(seeds) > 3 else list(seeds))
    ended = came(crew, stack(*range(12)))
    assert [*ended] == [(0, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, 11)]
    assert {losses for _, losses in ended.values()} == {2}


@given(st.sets(st.integers(0, 15)), st.lists(st.integers(1, 6), min_size=1, max_size=5))
def test_every_run_comes_once_and_only_poison_is_lost(poison: set[int], sizes: list[int]) -> None:
    """Whatever kills its process takes no neighbour with it in the end."""
    ends = [sum(sizes[:i]) for i in range(len(sizes) + 1)]
    stacks = [stack(*range(a, b)) for a, b in pairwise(ends)]
    crew = Crew(lambda seeds: TAKEN if poison & {*seeds} else list(seeds))
    ended = came(crew, *stacks)
    assert Counter(seed for seeds in ended for seed in seeds) == Counter(range(ends[-1]))
    lost = {seed for seeds, (answer, _) in ended.items() if answer is TAKEN for seed in seeds}
    assert lost == poison & {*range(ends[-1])}
