"""Readers over files of trackers that are not installed for tests: number for number.

They are hundreds of megabytes, so that this runs where `ABLATE_TRACKERS` is set, as in CI.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        "ABLATE_TRACKERS" not in os.environ, reason="installs trackers: set ABLATE_TRACKERS"
    ),
]

SCRIPT = Path(__file__).with_name("log_with_libraries.py")
ROOT = Path(__file__).parents[3]
# 0.19 is the last of wandb with a reader of its own files in Python
TRACKERS = ["mlflow-skinny", "sqlalchemy", "alembic", "wandb==0.19.11", "inspect-ai"]
LIGHTNING = ["lightning", "pytorch-lightning", "lightning-utilities", "torchmetrics", "fsspec"]


def start(python: str | Path, *words: str | Path, path: str = "") -> str:
    """Start Python with some folders to import from; gives what it prints."""
    environment = {**os.environ, "PYTHONPATH": path, "WANDB_SILENT": "true"}
    command = [str(python), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_what_other_libraries_logged_is_read(tmp_path: Path) -> None:
    """MLflow's two stores, W&B offline, Inspect's two formats, Lightning, Hydra."""
    quiet = ("-m", "pip", "install", "-q")
    start(sys.executable, "-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv/bin/python"
    start(python, *quiet, *TRACKERS)
    target = tmp_path / "lightning"  # beside the torch that is here
    start(sys.executable, *quiet, "--no-deps", "--target", target, *LIGHTNING)
    (site,) = (tmp_path / "venv/lib").glob("python*/site-packages")
    logged = set()
    for name, interpreter, beside in (
        ("trackers", python, ""),
        ("lightning-runs", sys.executable, str(target)),
    ):
        folder = tmp_path / name
        folder.mkdir()
        start(interpreter, SCRIPT, "write", folder, path=beside)
        logged |= {*json.loads((folder / "logged.json").read_text())}
        assert start(sys.executable, SCRIPT, "read", folder, path=f"{ROOT}:{site}") == ""
    assert logged == {"mlflow", "mlflow-database", "wandb", "inspect", "lightning", "hydra"}
