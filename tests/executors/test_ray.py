"""A Ray cluster of two nodes computes what this process does, and loses no run to a death."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from ablate import flow
from ablate.design.reader import parse_suite
from ablate.registry import scan
from ablate.types import Choice
from tests.commands.test_cli import ask
from tests.conftest import TINY
from tests.executors.same_records import plain, run, tiny
from tests.executors.servers import ray_cluster

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ray")]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes with a processor each."""
    system = {"health_check_initial_delay_ms": 500, "health_check_period_ms": 500}
    with ray_cluster(2, _system_config={**system, "health_check_failure_threshold": 2}) as started:
        yield started


def where(cluster: Any, **settings: Any) -> Choice:
    return Choice("executor", "ray", {"address": cluster.address, **settings})


def test_the_death_of_actors_costs_no_run(cluster: Any, tmp_path: Path) -> None:
    """Each is killed as its first results come; what it was at is tried again."""
    killed: list[int] = []

    def kill(results: Any) -> None:
        for process in psutil.process_iter(["cmdline"]):
            at_work = "Actor.perform" in " ".join(process.info["cmdline"] or [])
            if len(killed) < 2 and at_work:
                os.kill(process.pid, signal.SIGKILL)
                killed.append(process.pid)

    suite = parse_suite(
        TINY.replace("epochs: 1", "epochs: 200").encode(), "tiny", "tiny.yaml", scan()
    )
    suite = flow.with_seeds(suite, 8)
    there = run(suite, tmp_path / "there", where(cluster), kill)
    assert {record.status for record in there.values()} == {"ok"}
    assert plain(there) == plain(run(suite, tmp_path / "here", None))


def test_a_node_that_goes_away_costs_no_run(cluster: Any, tmp_path: Path) -> None:
    """The other does its work, until another node comes."""
    gone: list[Any] = []

    def leave(results: Any) -> None:
        if not gone:
            gone.append(cluster.worker_nodes.copy().pop())
            cluster.remove_node(gone[0], allow_graceful=False)
            cluster.add_node(num_cpus=1)

    suite = flow.with_seeds(tiny(), 8)
    there = run(suite, tmp_path / "there", where(cluster), leave)
    assert len(gone) == 1
    assert plain(there) == plain(run(suite, tmp_path / "here", None))


def test_no_cluster_is_said_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is run."""
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    at = "ray: {address: '127.0.0.1:1'}"
    results = str(tmp_path / "r")
    code, said = ask("run", "smoke", "--results", results, "--executor", at, "--device", "cpu")
    assert code == 2, said
    assert said.splitlines()[-1].startswith("no Ray cluster at 127.0.0.1:1: ")
