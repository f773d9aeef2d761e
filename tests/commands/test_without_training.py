"""The core alone: what works where nothing of the extra `train` is installed, and what does not."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ablate.source.extras import REMEDY, TRAIN
from tests.commands.test_cli import ROOT
from tests.conftest import TINY
from tests.variants.test_datasets import write_idx

ABSENT = {*TRAIN} - {"PIL", "fontTools"}
"""Matplotlib brings those two, whatever else is installed."""

OWN = """
question: Does a program of one's own need torch?
base:
  method:
    external:
      command: [python, train.py, "{seed}", "{lr}"]
      params: {lr: 1}
      metrics: {score: {}}
arms: {a: {}, b: {lr: 2}}
seeds: 5
contrasts: [{treatment: b, baseline: a, metric: score, margin: 1.0}]
"""

ALONE = """
import json, sys, traceback

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
import cli
from click.testing import CliRunner

def answer(words):
    done = CliRunner().invoke(cli.main, words)
    fault = done.exception if not isinstance(done.exception, SystemExit) else None
    return done.exit_code, done.output, "".join(traceback.format_exception(fault)) if fault else ""

print(json.dumps([answer(words) for words in {commands!r}]))
"""

WORK = (
    "--help",
    "--version",
    "list",
    "show update.itaml",
    "schema",
    "demo",
    "verify demo/memory/report.md",
    "report memory --results demo",
    "report memory --results demo --style summary",
    "compare scores.csv --margin 1",
    "init mine --question Why? --arms herding,random --margin '2 points'",
    "power spread.yaml",
    "plan idx.yaml",
    "run own.yaml --results o --workers 1",
)
REFUSED = (
    "run smoke --results r",
    "run idx.yaml --results r",
    "run memory --results demo",
    "plan smoke",
    "power idx.yaml --pilot 3 --results r",
    "tune tuned_update_rule --results r",
    "bench",
    "bench --suite idx.yaml",
    "run idx.yaml --device cuda --results r",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a table, a suite with its spread, and one whose data are there."""
    folder = tmp_path_factory.mktemp("alone")
    rows = [f"{seed},{arm},{seed + 5 * (arm == 'b')}" for seed in range(6) for arm in "ab"]
    (folder / "scores.csv").write_text("\n".join(["seed,method,accuracy", *rows]))
    (folder / "spread.yaml").write_text(f"{TINY}spread: 1.0 points\n")
    (folder / "idx.yaml").write_text(TINY.replace("digits: {tasks: 5}", "mnist: {tasks: 5}"))
    (folder / "own.yaml").write_text(OWN)
    (folder / "train.py").write_text("import sys; print('{\"score\": %s}' % sys.argv[1])")
    write_idx(folder / "data", train=200, test=100)
    return folder


@pytest.fixture(scope="module")
def answers(folder: Path) -> dict[str, tuple[int, str, str]]:
    """Run all commands in one process that finds no package of the extra."""
    commands = [shlex.split(words) for words in (*WORK, *REFUSED)]
    done = subprocess.run(
        [sys.executable, "-c", ALONE.format(names=ABSENT, commands=commands)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip((*WORK, *REFUSED), json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize("command", WORK)
def test_what_trains_nothing_works(command: str, answers: dict[str, tuple[int, str, str]]) -> None:
    """All of it, with its own exit code."""
    code, output, fault = answers[command]
    assert (code, fault) == (0, ""), output


@pytest.mark.parametrize("command", REFUSED)
def test_what_trains_says_in_a_line_how_to_install_the_extra(
    command: str, answers: dict[str, tuple[int, str, str]]
) -> None:
    """Exit code 2, no traceback."""
    code, output, fault = answers[command]
    assert (code, fault) == (2, ""), output
    assert len(output.strip().splitlines()) == 1, output
    assert output.endswith(f"not installed: {REMEDY}\n")


def test_nothing_is_written_by_what_is_refused(
    folder: Path, answers: dict[str, tuple[int, str, str]]
) -> None:
    """No store, and no name taken."""
    assert answers["run idx.yaml --results r"][0] == 2
    assert not (folder / "r").exists()
