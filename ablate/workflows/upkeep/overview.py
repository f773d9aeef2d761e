"""How far a suite has come: by arm and seed, what was lost and why, where it ran, what is at work.

Only columns of the store are read, and no record but those of lost runs: a million take seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ablate.plan.run_keys import run_names
from ablate.records import underway
from ablate.records.store import Store
from ablate.records.underway import Underway
from ablate.types import RunResult, Status, Suite

UNKNOWN = "not stated"


@dataclass(frozen=True)
class ArmRuns:
    """The runs of an arm. done, left: seeds. lost: records by seed."""

    label: str
    done: tuple[int, ...]
    lost: Mapping[int, RunResult]
    left: tuple[int, ...]


@dataclass(frozen=True)
class Host:
    """A machine that has run some of it. runs: how many; seconds: of one worker, together."""

    name: str
    runs: int
    seconds: float


@dataclass(frozen=True)
class Overview:
    """How far a suite has come.

    total, done, lost: distinct runs, which arms may share. hosts: by runs. drivers: commands at
    work on it. seconds: that a run of it takes, on average; nan before the first.
    """

    suite: Suite
    arms: tuple[ArmRuns, ...]
    total: int
    done: int
    lost: int
    hosts: tuple[Host, ...]
    drivers: tuple[Underway, ...] = field(default=())

    @property
    def left(self) -> int:
        """Runs that have no record."""
        return self.total - self.done - self.lost

    @property
    def seconds(self) -> float:
        """Give the mean seconds of a run that is there."""
        runs = sum(host.runs for host in self.hosts)
        return sum(host.seconds for host in self.hosts) / runs if runs else float("nan")


def overview(suite: Suite, store: Store, folder: Path) -> Overview:
    """Read how far a suite has come. folder: of its reports, where commands at work are told of."""
    there = store.standing()
    names = [list(run_names(variant, suite)) for variant in suite.variants]
    every = {key for row in names for key, _ in row}
    bad = {key for key in every if key in there and there[key].status != Status.OK}
    records = store.load(bad) if bad else {}
    arms = tuple(
        ArmRuns(
            label=variant.label,
            done=tuple(seed for key, seed in row if key in there and key not in bad),
            lost={seed: records[key] for key, seed in row if key in records},
            left=tuple(seed for key, seed in row if key not in there),
        )
        for variant, row in zip(suite.variants, names, strict=True)
    )
    hosts: dict[str, list[float]] = {}
    machines = store.hosts()
    done = 0
    for key in every:
        if (run := there.get(key)) is not None:
            done += key not in bad
            hosts.setdefault(machines.get(run.rests_on, UNKNOWN), []).append(run.seconds)
    return Overview(
        suite=suite,
        arms=arms,
        total=len(every),
        done=done,
        lost=len(bad),
        hosts=tuple(
            Host(name, len(seconds), sum(seconds))
            for name, seconds in sorted(hosts.items(), key=lambda host: -len(host[1]))
        ),
        drivers=tuple(driver for driver in underway.read(folder) if driver.alive),
    )


def reasons(arms: Sequence[ArmRuns]) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """Give each reason of lost runs, the commonest first, with the runs that it took."""
    by_reason: dict[str, list[tuple[str, int]]] = {}
    for arm in arms:
        for seed, record in arm.lost.items():
            by_reason.setdefault(f"{record.status}: {record.reason}", []).append((arm.label, seed))
    yield from sorted(by_reason.items(), key=lambda reason: -len(reason[1]))
