"""Other people's distributions that own the import name, and our own earlier one."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from ablate import __main__ as entry

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("owners", "refused"),
    [
        ({}, []),
        ({"ablate": ["ablate-study"]}, []),
        ({"ablate": ["ablate_study", "Ablate.Study"]}, []),
        ({"ablate": ["ablate"]}, ["ablate"]),
        ({"ablate": ["ablate-cli", "ablate-study"]}, ["ablate-cli"]),
        ({"ablate": ["ablate-study", "ablate-cli", "ablate"]}, ["ablate", "ablate-cli"]),
        ({"variants": ["somebody-elses"]}, []),
    ],
)
def test_only_our_distribution_may_own_the_import_name(
    monkeypatch: pytest.MonkeyPatch, owners: dict[str, list[str]], refused: list[str]
) -> None:
    """None is fine, too: an editable install may not be listed."""
    monkeypatch.setattr(metadata, "packages_distributions", lambda: owners)
    assert entry.strangers() == refused


def dummy(folder: Path, name: str, summary: str) -> None:
    """Leave what pip leaves of a distribution that ships `ablate/registry.py`."""
    about = folder / f"{name}-0.1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\nSummary: {summary}\n"
    )
    (about / "RECORD").write_text(f"ablate/registry.py,,\n{name}-0.1.0.dist-info/RECORD,,\n")
    (folder / "ablate").mkdir(exist_ok=True)
    (folder / "ablate" / "registry.py").touch()


@pytest.mark.parametrize(
    ("name", "summary", "why"),
    [
        ("ablate", "Experiment reports from logs", "has the import name 'ablate', too"),
        ("ablate-cli", "Configurations of agents", "has the import name 'ablate', too"),
        ("ablate", "Ablation studies with verdicts: does it matter?", "an earlier version of"),
    ],
)
@pytest.mark.parametrize("command", [[str(ROOT / "cli.py")], ["-m", "ablate"]])
def test_beside_another_distribution_every_command_refuses_to_start(
    tmp_path: Path, command: list[str], name: str, summary: str, why: str
) -> None:
    """In one sentence that names it, before anything of its files is imported."""
    dummy(tmp_path, name, summary)
    done = subprocess.run(
        [sys.executable, *command, "--version"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env={"PYTHONPATH": f"{ROOT}:{tmp_path}", "PATH": ""},
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr
    assert f"pip uninstall {name}`" in done.stderr or f"pip uninstall {name} " in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
