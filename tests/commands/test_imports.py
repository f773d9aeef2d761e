"""What a command does not load: packages of seconds and hundreds of megabytes that it can spare."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.variants.test_datasets import write_idx

HELD = """
import json, sys
{act}
print(json.dumps(sorted(sys.modules)))
"""
RUN = """
import cli
try:
    cli.main(["run", *{words!r}])
except SystemExit as end:
    assert not end.code, end.code
"""
DEMO = """
import cli
try:
    cli.main(["demo", "--results", {results!r}])
except SystemExit as end:
    assert not end.code, end.code
"""
LOAD = """
from pathlib import Path
from variants.dataset.mnist import MNIST
MNIST().look(Path({root!r})), MNIST().load(Path({root!r}))
"""


def loaded(act: str) -> set[str]:
    """Name the packages, and those in them, that a process of its own has loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", HELD.format(act=act)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(filter(None, sys.path)), "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stderr
    return {*json.loads(done.stdout.splitlines()[-1])}


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return ["smoke", "--workers", "1", "--results", str(tmp_path_factory.mktemp("results"))]


def test_a_plain_run_trains_without_torchvision_and_dynamo(words: list[str]) -> None:
    """In the process that trains: two seconds and a hundred megabytes each."""
    held = loaded(RUN.format(words=words))
    assert "torch" in held
    assert not held & {"torchvision", "torch._dynamo", "torch._inductor", "sympy"}


def test_a_run_with_nothing_to_do_loads_none_of_what_only_work_needs(words: list[str]) -> None:
    """It says again how it ended; the run before it has done the work."""
    loaded(RUN.format(words=words))
    held = loaded(RUN.format(words=words))
    assert "ablate.commands.finished" in held
    heavy = {"torch", "torchvision", "pandas", "scipy", "matplotlib", "numba", "sklearn", "rich"}
    assert not held & {*heavy, "ablate.flow"}


def test_a_report_from_the_store_loads_no_more_than_it_shows(tmp_path: Path) -> None:
    """`demo` is one; each of these takes half a second or more."""
    held = loaded(DEMO.format(results=str(tmp_path)))
    assert {"matplotlib.pyplot", "scipy.special"} <= held
    assert not held & {"torch", "numba", "sklearn", "pandas", "pyarrow", "scipy.stats", "rich"}


def test_idx_files_are_read_without_torch(tmp_path: Path) -> None:
    """By NumPy alone."""
    write_idx(tmp_path)
    held = loaded(LOAD.format(root=str(tmp_path)))
    assert "numpy" in held
    assert not held & {"torchvision", "torch", "PIL"}
