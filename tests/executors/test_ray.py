"""A Ray cluster of two nodes computes what this process does, and loses no run to a death."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest

from ablate import flow
from ablate.design.reader import parse_suite
from ablate.records.store import open_store
from ablate.registry import scan
from ablate.types import Choice, RunResult, Site, Suite
from tests.commands.test_cli import ask
from tests.conftest import TINY
from tests.executors.servers import ray_cluster
from tests.outside.test_outside_suites import SUITE, TRAIN

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ray")]

FACTS = ("losses", "again", "stack_width")
"""What a record's provenance says of how a run came about, and not of what it rests on."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes with a processor each."""
    system = {"health_check_initial_delay_ms": 500, "health_check_period_ms": 500}
    with ray_cluster(2, _system_config={**system, "health_check_failure_threshold": 2}) as started:
        yield started


def where(cluster: Any, **settings: Any) -> Choice:
    return Choice("executor", "ray", {"address": cluster.address, **settings})


def run(suite: Suite, folder: Path, at: Choice | None, event: Any = len) -> dict[str, RunResult]:
    """Run a suite somewhere, and give its records by key."""
    site = Site("data", "cpu", folder=str(folder / "programs"))
    store = open_store(folder)
    work = flow.prepare(suite, Path("data"), store)
    with flow.crew(0 if at else 1, inline=at is None, where=at) as crew:
        for done in flow.run(work, store, site, crew):
            event(done.results)
    return store.load(work.plan.runs)


def plain(records: dict[str, RunResult]) -> dict[str, Any]:
    """Give records without wall time and what tells of their coming about."""
    left = {}
    for key, record in records.items():
        kept = {name: v for name, v in record.provenance.items() if name not in FACTS}
        left[key] = {**asdict(record), "seconds": 0, "provenance": kept}
    return left


def tiny(**changes: Any) -> Suite:
    return parse_suite(TINY.encode(), "tiny", "tiny.yaml", scan(), **changes)


def test_two_nodes_score_what_this_process_scores(cluster: Any, tmp_path: Path) -> None:
    """Record by record, wall times aside; and both nodes worked."""
    there = run(tiny(), tmp_path / "there", where(cluster))
    assert plain(there) == plain(run(tiny(), tmp_path / "here", None))
    assert {record.status for record in there.values()} == {"ok"}


def test_programs_run_there_too(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command of somebody's own, chosen by the command line."""
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "mine.yaml").write_text(SUITE.replace("seeds: 10", "seeds: 5"))
    monkeypatch.chdir(tmp_path)
    at = f"ray: {{address: '{cluster.address}'}}"
    code, said = ask("run", "mine.yaml", "--results", "there", "--executor", at)
    assert (code, "MATTERS (hurts)        no-aug" in said) == (0, True), said
    assert ask("run", "mine.yaml", "--results", "here", "--workers", "1")[0] == 0
    suite = flow.open_suite("mine.yaml")
    there, here = (flow.records(suite, open_store(Path(name))) for name in ("there", "here"))
    assert {k: r.scores for k, r in there.items()} == {k: r.scores for k, r in here.items()}


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
