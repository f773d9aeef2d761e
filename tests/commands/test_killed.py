"""kill -9 of the command and its workers at random moments; the same command then makes it up."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest

from ablate import flow
from ablate.records.store import open_store
from tests.commands.test_cli import ROOT
from tests.conftest import TINY

pytestmark = pytest.mark.slow

SUITE = TINY.replace("  balanced: {", "  itaml: {method.meta.update: itaml}\n  balanced: {")


def records(path: Path, results: Path) -> dict[str, dict[str, Any]]:
    """Give what a store has of a suite's runs, without their seconds."""
    store = open_store(results, create=False)
    found = flow.records(flow.open_suite(path), store)
    store.close()
    return {key: {**asdict(record), "seconds": 0} for key, record in found.items()}


def begin(path: Path, results: Path) -> subprocess.Popen[bytes]:
    words = [sys.executable, ROOT / "cli.py", "run", path, "--results", results, "--workers", "2"]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def family(running: subprocess.Popen[bytes]) -> list[psutil.Process]:
    with suppress(psutil.Error):
        root = psutil.Process(running.pid)
        return [root, *root.children(recursive=True)]
    return []


def kill_somebody(running: subprocess.Popen[bytes], rng: random.Random, longest: float) -> None:
    """Kill the command or one of its workers after a random time."""
    time.sleep(rng.uniform(0, longest))
    if members := family(running):
        with suppress(psutil.Error):
            rng.choice(members).send_signal(signal.SIGKILL)


def rounds(folder: Path, count: int, seed: int, longest: float = 4.0) -> int:
    """Kill in `count` rounds, each from an empty store or from what the last kill left.

    Gives how often a whole study was made up and compared with one that nobody disturbed.
    """
    path, rng, whole = folder / "tiny.yaml", random.Random(seed), 0
    path.write_text(SUITE)
    calm = begin(path, folder / "calm")
    assert calm.communicate()[1].count(b"Traceback") == 0
    expected = records(path, folder / "calm")
    assert len(expected) == 9
    killed, number = 0, 0
    while killed < count:
        results = folder / f"r{number}"
        for _ in range(rng.randrange(1, 4)):
            running = begin(path, results)
            kill_somebody(running, rng, longest)
            killed += 1
            members = family(running)
            if members and not psutil.pid_exists(running.pid):
                assert psutil.wait_procs(members, timeout=20)[1] == []
            said = running.communicate(timeout=120)[1]
            assert b"Traceback" not in said, said.decode()
            assert running.returncode in (0, 2, 3, -signal.SIGKILL), said.decode()
        for _ in range(2):  # a lost run is made up by the same command
            if begin(path, results).wait(timeout=120) == 0:
                break
        assert records(path, results) == expected
        number, whole = number + 1, whole + 1
    return whole


def test_a_run_that_is_killed_again_and_again_ends_with_the_records_of_a_calm_one(
    tmp_path: Path,
) -> None:
    """Exactly once each, bit for bit; six kills here, sixty by hand: `python -m
    tests.commands.test_killed 60`."""
    assert rounds(tmp_path, 6, seed=1) >= 2


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        done = rounds(Path(folder), int(sys.argv[1]), seed=int(os.environ.get("SEED", "0")))
    print(f"{sys.argv[1]} kills, {done} studies made up, each equal to a calm one")
