"""The seeds that all arms have run: arms that looks closed early are compared on no others."""

from __future__ import annotations

from collections.abc import Mapping

from ablate.analysis.judge import Runs
from ablate.types import RunResult, Suite

ENOUGH = 2
"""Fewer seeds in common than this leave the arms with those that each has."""


def shared_seeds(suite: Suite, runs: Runs) -> Runs:
    """Give each arm's records at the seeds that all arms with records have run, lost ones too.

    Arms that wait for no claim run no further (`--until-decided`), while others go on to seeds
    that may be harder or easier. A claim keeps the seeds of its own look; means, ranks and shares,
    which put all arms side by side, have these alone. An A/A twin has seeds of its own.
    """
    twins = {twin for _, twin in suite.twins}
    begun = [by_seed.keys() for index, by_seed in enumerate(runs) if by_seed and index not in twins]
    shared = frozenset.intersection(*map(frozenset, begun)) if begun else frozenset()
    if len(shared) < ENOUGH:
        return runs
    return tuple(
        by_seed if index in twins else _at(by_seed, shared) for index, by_seed in enumerate(runs)
    )


def _at(by_seed: Mapping[int, RunResult], seeds: frozenset[int]) -> Mapping[int, RunResult]:
    if by_seed.keys() <= seeds:
        return by_seed
    return {seed: record for seed, record in by_seed.items() if seed in seeds}
