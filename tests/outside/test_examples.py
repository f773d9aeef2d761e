"""The examples run as their page says, and reach the verdicts of the reports beside them."""

from __future__ import annotations

import json
import linecache
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ablate.errors import ExitCode
from tests.commands.test_cli import ask

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "examples"
PAGE = (FOLDER / "README.md").read_text("utf-8")
COMMANDS = {
    command.split("/")[0].split()[-1]: shlex.split(command)
    for command in re.findall(r"`ablate-study ([^`]+)`", PAGE)
}
ROW = re.compile(r"^\| (.+? − .+?) \| (.+?) \|.*?\*\*([A-Z ]+)\*\*", re.MULTILINE)
NEEDED = {"sklearn_function": "sklearn", "hydra_app": "hydra", "torch_script": "torch"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stand in a copy of the examples, without their reports."""
    shutil.copytree(FOLDER, tmp_path / "examples")
    for report in (tmp_path / "examples").glob("*/report.md"):
        report.unlink()
    monkeypatch.chdir(tmp_path / "examples")
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path / "examples"
    sys.modules.pop("pipeline", None)


def verdicts(report: Path) -> dict[tuple[str, str], str]:
    """Give the verdict of each contrast in each metric."""
    text = report.read_text("utf-8")
    found = {(arms, metric): word for arms, metric, word in ROW.findall(text)}
    assert found
    return found


def agrees(reached: Path, committed: Path) -> None:
    """Hold the claims that were decided; other versions and machines move numbers a little."""
    now, then = verdicts(reached), verdicts(committed)
    assert {*now} == {*then}
    decided = {claim: word for claim, word in then.items() if word != "INCONCLUSIVE"}
    assert decided
    assert {claim: now[claim] for claim in decided} == decided
    assert not re.search(r"/(root|home|tmp)/", committed.read_text("utf-8"))


@pytest.mark.parametrize("name", COMMANDS)
def test_an_example_reaches_the_verdicts_of_its_report(here: Path, name: str) -> None:
    """By the command that stands on their page."""
    if name in NEEDED:
        pytest.importorskip(NEEDED[name])
    trust = ["--trust", "--workers", "2"] if COMMANDS[name][0] == "run" else []
    code, said = ask(*COMMANDS[name], *trust, "--results", "r")
    assert code in (ExitCode.DONE, ExitCode.RUNS_LOST), said
    (report,) = (here / "r").glob("*/report.md")
    agrees(report, FOLDER / name / "report.md")
    assert ask("verify", str(report))[0] == 0


def test_the_notebook_reaches_the_verdicts_of_its_report(here: Path) -> None:
    """Cell by cell, in one notebook; no output is committed."""
    cells = json.loads((here / "notebook/momentum.ipynb").read_text("utf-8"))["cells"]
    names = {"__name__": "__main__"}
    for number, cell in enumerate(cells):
        if cell["cell_type"] == "code":
            assert not cell["outputs"]
            source, file = "".join(cell["source"]), f"<cell {number}>"
            linecache.cache[file] = (len(source), None, source.splitlines(True), file)
            exec(compile(source, file, "exec"), names)
    (report,) = (here / "results").glob("*/report.md")
    agrees(report, FOLDER / "notebook/report.md")


def test_every_folder_is_on_the_page_and_has_its_report() -> None:
    """Nothing stands there that nobody runs."""
    folders = {path.parent.name for path in FOLDER.glob("*/report.md")}
    assert folders == {path.name for path in FOLDER.iterdir() if path.is_dir()}
    assert folders == {*COMMANDS, "notebook"}
    assert all(f"| `{name}` |" in PAGE for name in folders)
