"""Mistakes that strangers make in a component: each is refused, or the conformance kit names it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
GOOD = '''
from dataclasses import dataclass
from typing import NamedTuple
import torch
from torch import Tensor
from ablate.components import classify, descend, flat_rows
from ablate.registry import component
from ablate.types import Batch, Clock, Inner, Net, Optimizer, Training

class State(NamedTuple):
    theta: Tensor
    inner: Inner

@component("method", "NAME", paper="Somebody 2026, Eq. 1")
@dataclass(frozen=True)
class Mine:
    """theta <- one step on strength times the cross-entropy.

    optimizer: of every step.
    training: batches, epochs or steps.
    strength: of the loss, (0, 10]; 1 is the plain one.
    """

    optimizer: Optimizer
    training: Training
    strength: float = 1.0

    def start(self, theta: Tensor, net: Net) -> State:
        """Give the state before the first batch."""
        return State(theta, self.optimizer.init(theta))

    def step(self, state: State, batch: Batch, net: Net) -> State:
        """Take one step."""
        rows = flat_rows(batch, self.training.weights)

        def loss(at):
            value, moved = classify(net, at, rows)
            return self.strength * value, moved

        return State(*descend(loss, *state[:2], self, batch.clock))
'''
FINISH = """
    def finish(self, state: State, clock: Clock, net: Net) -> State:
        return state
"""
MISTAKES = {
    "misspelt-hook": (FINISH.replace("finish", "finsh"), "nearest: 'finish'"),
    "misspelt-fact": ("\n    stackabel = False\n", "nearest: 'stackable'"),
    "old-signature": (
        (
            "(self, state: State, batch: Batch, net: Net)",
            "(self, state, tasks, clock, net)",
        ),
        "called as step(state, batch, net)",
    ),
    "parameter-name": (FINISH.replace("clock", "time"), "finish('state', 'clock', 'net')"),
    "no-step": (("def step(", "def _step("), "has no method 'step'"),
    "no-training": (("    training: Training\n", ""), "has no field or attribute 'training'"),
    "no-field-doc": (
        ("strength: of the loss, ", "Strength in "),
        "its line in",
    ),
    "no-range": (("(0, 10]; ", ""), "its range in the docstring"),
    "default-out-of-range": (("(0, 10]", "(1, 10]"), "a default that it accepts"),
    "default-no-literal": (("float = 1.0", "float = float(torch.ones(()))"), "is no literal"),
    "no-default": (("strength: float = 1.0", "strength: float"), "a default; only slots have none"),
    "state-no-tensors": (
        ("    inner: Inner\n", "    inner: Inner\n    name: str = 'mine'\n"),
        "state of tensors alone",
    ),
    "not-frozen": (("frozen=True", "frozen=False"), "frozen=True: a component is a value"),
    "no-paper": ((', paper="Somebody 2026, Eq. 1"', ""), "paper= in the label"),
    "in-place": (("rows = flat_rows", "state.theta.mul_(0.9); rows = flat_rows"), "new tensors"),
    "ambient-draw": (
        ("return self.strength * value", "return self.strength * value * torch.rand(())"),
        "the same batch from the same state twice",
    ),
    "wrong-folder": (("", ""), "in the folder 'memory'"),
    "no-kind": (('component("method"', 'component("methods"'), "kind 'methods'"),
    "raises-on-import": (("class State(", "raise OSError('no disk')\nclass State("), "no disk"),
}
"""What is put at the end, or in the place of what; and a part of what is said of it."""


def package(folder: Path, name: str, change: object) -> str:
    """Write one package with one component and its entry point; give the component's name."""
    inside = folder / f"pack_{name.replace('-', '_')}"
    where = inside / ("memory" if name == "wrong-folder" else "method")
    where.mkdir(parents=True)
    (inside / "__init__.py").touch()
    (where / "__init__.py").touch()
    text = GOOD.replace("NAME", name)
    text = text + change if isinstance(change, str) else text.replace(*change)  # type: ignore[misc]
    (where / "mine.py").write_text(text)
    info = folder / f"{inside.name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {inside.name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[ablate.components]\n{name} = {inside.name}\n")
    return name


def kit(folder: Path) -> str:
    """Run the conformance kit where those packages are installed."""
    (folder / "test_kit.py").write_text("from ablate.testing.contracts import *\n")
    words = " or ".join(["refused", "good", *MISTAKES])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_kit.py"]
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "COLUMNS": "200"}
    done = subprocess.run(
        [*command, "-k", words, "-o", "addopts="],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give what the kit says of all of them together, and of a good one."""
    folder = tmp_path_factory.mktemp("strangers")
    package(folder, "good", "")
    for name, (change, _) in MISTAKES.items():
        package(folder, name, change)
    return kit(folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES)
def test_a_strangers_mistake_is_named(name: str, said: str) -> None:
    """With the component that has it, in one line."""
    _, words = MISTAKES[name]
    about = [line for line in said.splitlines() if words in line]
    assert about, said[-3000:]
    refused = any(f"entry point {name} " in line for line in about)
    assert refused or any(
        (line.startswith("FAILED") and f"method.{name}]" in line)
        or any(case in line for case in (f"[{name}]", f"[equal-{name}]"))
        for line in said.splitlines()
    )


@pytest.mark.slow
def test_a_good_one_passes(said: str) -> None:
    """No contract fails for it."""
    assert "passed" in said
    assert not [
        line for line in said.splitlines() if line.startswith("FAILED") and "good]" in line
    ], said
