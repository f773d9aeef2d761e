"""Other people's distributions that own the import name, and our own earlier one."""

from __future__ import annotations

import csv
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from ablate import __main__ as entry

ROOT = Path(__file__).parents[2]


RECORD, TOP = "RECORD", "top_level.txt"


@pytest.mark.parametrize(
    ("installed", "refused"),
    [
        ([], []),
        ([("ablate-study", RECORD, "ablate/plan/run_keys.py,,\n")], []),
        (
            [
                ("ablate_study", RECORD, "ablate/plan/run_keys.py,,\n"),
                ("Ablate.Study", TOP, "ablate\n"),
            ],
            [],
        ),
        ([("ablate", RECORD, "ablate/plan/run_keys.py,,\n")], ["ablate"]),
        ([("ablate-cli", TOP, "ablate_cli\nablate\n")], ["ablate-cli"]),
        ([("mine", RECORD, "ablate.py,sha256=0,1\n")], ["mine"]),
        ([("mine", RECORD, 'x.py,,\n"ablate/a,b.py",,\n')], ["mine"]),
        (
            [
                ("ablate-study", RECORD, "ablate/plan/run_keys.py,,\n"),
                ("ablate-cli", RECORD, "ablate/plan/run_keys.py,,\n"),
                ("ablate", RECORD, "ablate/plan/run_keys.py,,\n"),
            ],
            ["ablate", "ablate-cli"],
        ),
        ([("other", RECORD, "other/ablate/x.py,,\n../../bin/ablate,,\nablated/x.py,,\n")], []),
        ([("other", TOP, "ablate_tools\nvariants\n")], []),
    ],
)
def test_only_our_distribution_may_own_the_import_name(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    installed: list[tuple[str, str, str]],
    refused: list[str],
) -> None:
    """None is fine, too: an editable install may not be listed."""
    for number, (name, file, text) in enumerate(installed):
        about = tmp_path / str(number) / f"{name}-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (about / file).write_text(text)
        for listed in csv.reader(text.splitlines()) if file == RECORD else ():
            if ".." not in listed[0]:  # from Python 3.12 on, a file that is missing owns nothing
                path = about.parent / listed[0]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
    found = metadata.distributions(path=[str(path) for path in tmp_path.iterdir()])
    monkeypatch.setattr(metadata, "distributions", lambda: found)
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
