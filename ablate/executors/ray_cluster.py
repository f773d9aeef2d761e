"""Runs jobs on a Ray cluster: an actor for each job at a time, on whatever node has room for it."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from ablate.core.foreign_text import STORED, of_error, plain
from ablate.errors import SelectionError, WorkerError
from ablate.executors.ray_actor import Actor
from ablate.registry import component
from ablate.source import closure
from ablate.types import Json, Lost

LOOK_SECONDS = 0.5
EMPTY_STARTS = 3
"""Actors in a row that end before they took up a job, before no more are started."""

HERE = "local"
"""The address that starts a cluster of this machine alone, which ends with the command."""

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@component("executor", "ray")
@dataclass(frozen=True)
class RayCluster:
    """Runs jobs in actors of a Ray cluster; what an actor or its node suffers costs its jobs only.

    Every node has this package, in this version, and sees the data root and the results folder by
    the same paths. What components print goes to Ray's own logs.

    workers: jobs at a time, >= 0; 0 for as many as the cluster holds now.
    address: `auto` for the cluster that this machine belongs to, `host:6379` for the one with that
    head, `ray://host:10001` for one that is reached from outside, `local` for one that is started
    here.
    cpus: processors that a job takes, > 0.
    gpus: graphics cards that a job takes, >= 0; 0.5 lets two jobs share one.
    """

    workers: int = 0
    address: str = "auto"
    cpus: float = 1.0
    gpus: float = 0.0

    @contextmanager
    def crew(self, sink: Callable[[bytes], object] = len) -> Iterator[Crew]:
        """Join the cluster, and leave it at the end; one that was joined before is kept.

        Raises ExtraError without Ray, SelectionError where there is no cluster at the address.
        """
        ray = joined(self.address)
        free = ray.cluster_resources()
        holds = int(free.get("CPU", 0) / self.cpus) if self.cpus > 0 else 1
        if self.gpus > 0:
            holds = min(holds, int(free.get("GPU", 0) / self.gpus))
        if not holds and not self.workers:
            raise SelectionError(
                f"the cluster at {plain(self.address)} has {free.get('CPU', 0):g} processors and "
                f"{free.get('GPU', 0):g} graphics cards, which hold no job of {self.cpus:g} and "
                f"{self.gpus:g}; `workers` says how many to wait for"
            )
        crew = Crew(ray, self, self.workers or holds)
        try:
            yield crew
        finally:
            crew.dismiss_all()


def joined(address: str) -> Any:
    """Join a cluster, unless this process is of one already, and give the library."""
    try:
        # on one machine, and only there: its own address has to be the loopback one
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        import ray
    except ImportError as error:
        raise SelectionError(
            "the executor ray takes Ray, which is not installed: pip install 'ablate-study[ray]'"
        ) from error
    if ray.is_initialized():
        return ray
    held = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        ray.init(
            address=None if address == HERE else address,
            include_dashboard=False if address == HERE else None,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except Exception as error:  # of many kinds: no cluster, another version, an address misspelt
        raise SelectionError(
            f"no Ray cluster at {plain(address)}: {plain(of_error(error), STORED)}"
        ) from error
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)  # what a signal means is the command's to say
    return ray


@dataclass
class Hired:
    """An actor, its last call, and the job that it is at; `index` -1 while it starts."""

    actor: Any
    call: Any
    index: int = -1
    payload: Json = None
    since: float = 0.0
    foreign: tuple[str, ...] = ()
    fruitful: bool = False

    @property
    def idle(self) -> bool:
        """Say whether it waits for a job."""
        return self.call is None

    def may_do(self, payload: Json) -> bool:
        """Say whether a job may run there: what other people's code left stays theirs."""
        return not self.foreign or self.foreign == tuple(payload.get("foreign", ()))

    def give(self, index: int, payload: Json) -> None:
        """Send a job."""
        self.index, self.payload, self.since = index, payload, time.monotonic()
        self.foreign = self.foreign or tuple(payload.get("foreign", ()))
        self.call, self.fruitful = self.actor.perform.remote(payload), True


@dataclass
class Crew:
    """Actors and what they are at; no more are started than there are jobs.

    empty: actors in a row that ended before they took up a job.
    """

    ray: Any
    settings: RayCluster
    size: int
    hired: list[Hired] = field(default_factory=list)
    empty: int = 0

    def map(self, payloads: Sequence[Json]) -> Iterator[tuple[int, list[Json] | Lost]]:
        """Give each payload's place and its results, or why it has none, as they finish.

        A payload's `seconds` is how long it may take. Raises WorkerError where actors end before
        they take up anything, or run other code than this process has.
        """
        waiting = deque(enumerate(payloads))
        try:
            while waiting or any(hired.payload is not None for hired in self.hired):
                self._hand_out(waiting)
                yield from self._look(waiting)
        finally:
            for hired in [hired for hired in self.hired if hired.payload is not None]:
                self._dismiss(hired)

    def dismiss_all(self) -> None:
        """End every actor."""
        for hired in list(self.hired):
            self._dismiss(hired)

    def _hand_out(self, waiting: deque[tuple[int, Json]]) -> None:
        for hired in [hired for hired in self.hired if hired.idle]:
            fitting = next((job for job in waiting if hired.may_do(job[1])), None)
            if fitting is not None:
                waiting.remove(fitting)
                hired.give(*fitting)
            elif waiting:
                self._dismiss(hired)
        starting = sum(hired.payload is None and not hired.idle for hired in self.hired)
        for _ in range(min(self.size - len(self.hired), len(waiting) - starting)):
            self.hired.append(self._hire())

    def _hire(self) -> Hired:
        kind = self.ray.remote(Actor).options(
            num_cpus=self.settings.cpus,
            num_gpus=self.settings.gpus,
            max_restarts=0,  # tries are counted by `attempts`
            scheduling_strategy="SPREAD",
        )
        actor = kind.remote([path or os.getcwd() for path in sys.path])  # noqa: PTH109
        return Hired(actor, actor.code.remote())

    def _look(self, waiting: deque[tuple[int, Json]]) -> Iterator[tuple[int, list[Json] | Lost]]:
        calls = {hired.call: hired for hired in self.hired if not hired.idle}
        ended, _ = self.ray.wait([*calls], num_returns=1, timeout=LOOK_SECONDS)
        for reference in ended:
            hired = calls[reference]
            try:
                answer = self.ray.get(reference)
            except Exception as error:
                yield from self._lost(hired, waiting, error)
                continue
            hired.call = None
            if hired.payload is None:
                self._admit(answer)
                continue
            index, message = hired.index, json.loads(answer)
            hired.index, hired.payload, self.empty = -1, None, 0
            if message["changed"]:
                self._dismiss(hired)
            words = message["answer"]
            yield index, Lost(words) if isinstance(words, str) else words
        for hired in list(self.hired):
            if hired.payload is None or hired.idle:
                continue
            limit = hired.payload.get("seconds", float("inf"))
            if time.monotonic() - hired.since > limit:
                index = hired.index
                self._dismiss(hired)
                yield index, Lost(f"timed out after {limit:g} s")

    def _admit(self, code: str) -> None:
        """Make sure that a new actor has this process's code. Raises WorkerError otherwise."""
        from ablate.records import fingerprints

        if code != closure.digest(fingerprints.engine()):
            raise WorkerError(
                "a node of the cluster has another version of this package: install the same one "
                "on every node. What had finished is kept"
            )

    def _lost(
        self, hired: Hired, waiting: deque[tuple[int, Json]], error: Exception
    ) -> Iterator[tuple[int, Lost]]:
        """Take an actor away that died, or could not start; its job may be tried elsewhere."""
        index, at_work, fruitful = hired.index, hired.payload is not None, hired.fruitful
        self._dismiss(hired)
        reason = plain(of_error(error), STORED)
        if not fruitful:
            self.empty += 1
            if self.empty >= EMPTY_STARTS and waiting:
                raise WorkerError(
                    f"{self.empty} actors in a row ended before they took up any work: {reason}. "
                    "What had finished is kept"
                )
        if at_work:
            died = isinstance(error, self.ray.exceptions.RayActorError)
            yield index, Lost(f"its actor died: {reason}" if died else reason, by_system=died)

    def _dismiss(self, hired: Hired) -> None:
        with suppress(Exception):
            self.ray.kill(hired.actor, no_restart=True)
        self.hired.remove(hired)
