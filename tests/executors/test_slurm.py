"""Batch jobs: a driver that dies finds them again, a node that dies costs no run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ablate import flow
from ablate.errors import WorkerError
from ablate.executors import slurm_bundle, slurm_cluster
from ablate.executors.slurm_bundle import Bundle
from ablate.types import Choice
from tests.executors.same_records import plain, run, tiny
from tests.executors.servers import slurm_cluster as started
from tests.outside.test_outside_suites import SUITE

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("clusters")]

SLOW = """
import json, pathlib, sys, time
with open("made", "a") as made:
    made.write(sys.argv[-1] + "\\n")
time.sleep(2)
print(json.dumps({"accuracy": 0.5, "loss": 0.5, "split": "s"}))
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes with a processor each."""
    with started(2) as there:
        yield there


def command(folder: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start the command in a folder."""
    main = ["-m", "ablate", "run", "mine.yaml", "--results", "r"]
    executor = ["--executor", "slurm: {memory: 1.0}", *more]
    return subprocess.Popen([sys.executable, *main, *executor], cwd=folder)


def test_a_driver_that_was_killed_finds_its_jobs_again(cluster: Any, tmp_path: Path) -> None:
    """Every run was made once, whatever the driver did not live to see."""
    (tmp_path / "train.py").write_text(SLOW)
    text = SUITE.replace("seeds: 10", "seeds: 3").replace("      pairs: [split]\n", "")
    (tmp_path / "mine.yaml").write_text(text)
    first = command(tmp_path)
    made, until = tmp_path / "made", time.monotonic() + 60
    while not (made.exists() and len(made.read_text().splitlines()) > 3):
        assert time.monotonic() < until
        time.sleep(0.1)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert command(tmp_path).wait(200) in (0, 4)
    assert len(made.read_text().splitlines()) == 9 + 1  # the first run is made twice
    assert {path.suffix for path in (tmp_path / "r/slurm").iterdir()} <= {".json", ""}


def test_a_node_that_dies_costs_no_run(cluster: Any, tmp_path: Path) -> None:
    """Its jobs are requeued, and go on where there is room."""
    dead: list[int] = []

    def die(results: Any) -> None:
        if not dead:
            daemon = cluster.daemons[1]
            dead.append(daemon.pid)
            os.kill(daemon.pid, signal.SIGKILL)
            cluster.daemons[1] = cluster.node(1)

    suite = flow.with_seeds(tiny(), 4)
    where = Choice("executor", "slurm", {"memory": 1.0})
    there = run(suite, tmp_path / "there", where, die)
    assert plain(there) == plain(run(suite, tmp_path / "here", None))
    assert len(dead) == 1


def test_a_job_that_can_never_start_is_said(cluster: Any, tmp_path: Path) -> None:
    """And taken out of the queue."""
    where = Choice("executor", "slurm", {"memory": 1.0, "cpus": 64})
    with pytest.raises(WorkerError, match=r"no job can be submitted|never start"):
        run(tiny(), tmp_path, where)
    queued = subprocess.run(["squeue", "-h"], capture_output=True, text=True, check=True).stdout
    assert not queued.strip()


def test_a_silent_batch_system_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as is said; its jobs count as alive meanwhile."""
    monkeypatch.setattr(slurm_cluster, "SILENT_SECONDS", 0.2)
    monkeypatch.setattr(slurm_cluster, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(slurm_cluster.Crew, "_alive", lambda *_: None)
    monkeypatch.setattr(slurm_cluster.Crew, "_submit", lambda *_: None)
    with pytest.raises(WorkerError, match=r"has not answered for 0\.2 s"):
        run(tiny(), tmp_path, Choice("executor", "slurm", {"cluster": "local"}))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"other": 1}', '{"lost": 3}', "\udcff"])
def test_an_answer_that_is_not_whole_is_none(tmp_path: Path, content: str) -> None:
    """A file of somebody else, or of a disk that was full."""
    bundle = Bundle(tmp_path, ("a",))
    assert slurm_bundle.read(bundle.answer("a")) is None
    bundle.answer("a").write_text(content, "utf-8", "surrogateescape")
    assert slurm_bundle.read(bundle.answer("a")) is None
