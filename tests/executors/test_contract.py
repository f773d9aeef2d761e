"""Every executor computes what this process does: the contract that a new one is held to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ablate import flow
from ablate.types import Choice, Suite
from tests.executors.same_records import plain, run, tiny
from tests.executors.servers import ray_cluster, slurm_cluster
from tests.outside.test_outside_suites import SUITE, TRAIN

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("clusters")]

FUNCTION = """
def train(seed, gain):
    if gain == 3 and seed == 1:
        raise ValueError("no such gain")
    return {"score": gain + seed / 10}
"""

OF_A_FUNCTION = """
question: Is two more?
base:
  method: {external: {function: "gains:train", params: {gain: 1}, metrics: {score: {}}}}
arms: {one: {}, two: {gain: 2}, three: {gain: 3}}
seeds: 3
contrasts: [{treatment: two, baseline: one, metric: score, margin: 0.5}]
"""


@contextmanager
def processes() -> Iterator[Choice]:
    """Two processes of this machine."""
    yield Choice("executor", "processes", {"workers": 2})


@contextmanager
def ray() -> Iterator[Choice]:
    """Two nodes of a Ray cluster."""
    with ray_cluster(2) as cluster:
        yield Choice("executor", "ray", {"address": cluster.address})


@contextmanager
def batch_jobs_of_this_machine() -> Iterator[Choice]:
    """What submitit starts where there is no Slurm."""
    yield Choice("executor", "slurm", {"cluster": "local"})


@contextmanager
def slurm() -> Iterator[Choice]:
    """Two nodes of a Slurm cluster."""
    with slurm_cluster(2):
        yield Choice("executor", "slurm", {"memory": 2.0, "stacks": 5})


PLACES: dict[str, Callable[[], object]] = {
    place.__name__: place for place in (processes, ray, batch_jobs_of_this_machine, slurm)
}


@pytest.fixture(scope="module", params=PLACES)
def where(request: pytest.FixtureRequest) -> Iterator[Choice]:
    """Give each executor in turn."""
    with PLACES[request.param]() as choice:  # type: ignore[attr-defined]
        yield choice


@pytest.fixture
def suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Suite]:
    """Learners of ours, a command and a function of somebody else, one of whose runs fails."""
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "gains.py").write_text(FUNCTION)
    (tmp_path / "mine.yaml").write_text(SUITE.replace("seeds: 10", "seeds: 3"))
    (tmp_path / "gains.yaml").write_text(OF_A_FUNCTION)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return {"tiny": tiny(), **{name: flow.open_suite(f"{name}.yaml") for name in ("mine", "gains")}}


def test_records_are_those_of_this_process(
    where: Choice, suites: dict[str, Suite], tmp_path: Path
) -> None:
    """Each of them, wall times aside; what failed failed for the same reason."""
    for name, suite in suites.items():
        there = plain(run(suite, tmp_path / "there" / name, where))
        assert there == plain(run(suite, tmp_path / "here" / name, None)), name
        failed = [record for record in there.values() if record["status"] != "ok"]
        assert len(failed) == (name == "gains")


def test_a_component_that_ends_its_process_costs_its_own_run(
    where: Choice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function that exits; the other arm's runs stand."""
    ends = FUNCTION.replace('raise ValueError("no such gain")', "__import__('os')._exit(7)")
    (tmp_path / "exits.py").write_text(ends)
    text = OF_A_FUNCTION.replace("gains:", "exits:")
    (tmp_path / "exits.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    suite = flow.open_suite("exits.yaml")
    records = run(suite, tmp_path / "there", where)
    lost = [record for record in records.values() if record.status != "ok"]
    assert len(records) == 9
    assert [(record.seed, record.status) for record in lost] == [(1, "failed")]
