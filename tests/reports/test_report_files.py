"""A finished run ends in a report, or in one line that says what stood in its way."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reports import figures, overview_figures
from tests.commands.test_cli import ROOT, ask
from tests.conftest import TINY

pytestmark = pytest.mark.slow

CLI = str(ROOT / "cli.py")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run TINY once; gives the folder of `tiny.yaml` and of its results `r`."""
    folder = tmp_path_factory.mktemp("ran")
    (folder / "tiny.yaml").write_text(TINY)
    assert ask("run", folder / "tiny.yaml", "--results", folder / "r", "--workers", 1)[0] == 0
    return folder


@pytest.fixture
def folder(ran: Path, tmp_path: Path) -> Path:
    """Give a copy of it."""
    import shutil

    return Path(shutil.copytree(ran, tmp_path / "copy"))


def report(folder: Path, *more: object) -> tuple[int, str]:
    return ask("report", folder / "tiny.yaml", "--results", folder / "r", *more)


@pytest.mark.parametrize("name", ["report.md", "report.md.part"])
def test_a_folder_in_the_place_of_the_report_is_named(name: str, folder: Path) -> None:
    """What had been there is left alone."""
    path = folder / "r" / "tiny" / name
    path.unlink(missing_ok=True)
    (path / "inside").mkdir(parents=True)
    code, said = report(folder)
    assert code == 2
    assert f"report.md cannot be written: {os.strerror(errno.EISDIR)}" in said
    assert len(said.splitlines()) == 1
    assert (path / "inside").is_dir()


@pytest.mark.parametrize("style", ["full", "summary"])
def test_a_full_disk_is_named_and_the_old_report_stays(
    style: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No half of a new one, and no leftovers."""
    before = sorted((folder / "r" / "tiny").iterdir())
    stands = (folder / "r" / "tiny" / "report.md").read_bytes()

    def full(self: Path, data: bytes) -> int:
        self.open("wb").write(data[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    code, said = report(folder, "--style", style)
    assert code == 2
    assert "cannot be written: No space left on device. All finished runs are kept" in said
    assert "Traceback" not in said
    assert (folder / "r" / "tiny" / "report.md").read_bytes() == stands
    left = set((folder / "r" / "tiny").iterdir()) - set(before)
    assert left == set()


def test_files_that_may_not_grow_are_named(folder: Path) -> None:
    """As under a quota: the limit of the size of a file."""
    done = subprocess.run(
        [sys.executable, CLI, "report", folder / "tiny.yaml", "--results", folder / "r"],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)),
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "report.md cannot be written: File too large" in done.stderr


@pytest.mark.parametrize("command", ["run", "plan", "report", "verify"])
def test_a_current_folder_that_is_gone_is_one_line(command: str, folder: Path) -> None:
    """And no traceback."""
    gone = folder / "gone"
    gone.mkdir()
    words = "r/tiny/report.md" if command == "verify" else "smoke --results r"
    done = subprocess.run(
        f"cd {gone} && rmdir {gone} && exec {sys.executable} {CLI} {command} {words}",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    told = "no results in r" if command == "report" else "The current folder is gone"
    assert told in done.stderr


@pytest.mark.parametrize("command", ["run", "report", "plan"])
def test_results_that_are_a_file_are_one_line(command: str, folder: Path) -> None:
    """In every command that has them."""
    (folder / "file").write_text("mine")
    code, said = ask(command, folder / "tiny.yaml", "--results", folder / "file")
    assert (code, command) in ((2, command), (0, "plan"))
    assert "Traceback" not in said
    assert (folder / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("module", "maker", "name"),
    [(figures, "forest", "contrasts.png"), (figures, "curves", "curves.png")],
)
@pytest.mark.parametrize("when", ["made", "saved"])
def test_a_picture_that_fails_costs_itself_alone(
    module: Any, maker: str, name: str, when: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report says which, `verify` agrees with it, and an old picture does not stand for it."""

    def failing(_study: object, pyplot: Any) -> Any:
        if when == "made":
            raise ValueError("no font <b>\x1b[2J\nat all")
        figure = pyplot.figure()
        figure.text(0, 0, "$\\frac{$")
        return figure

    monkeypatch.setattr(module, maker, failing)
    code, _ = report(folder)
    text = (folder / "r" / "tiny" / "report.md").read_text()
    assert code == 0
    assert f"> **The picture `{name}` could not be drawn:** ValueError: " in text
    assert f"]({name})" not in text
    assert "\x1b" not in text
    assert not (folder / "r" / "tiny" / name).exists()
    assert ask("verify", folder / "r" / "tiny" / "report.md") == (
        0,
        "Every number agrees with the store.\n",
    )


def test_pictures_of_the_whole_suite_fail_alone_as_well(
    suite_of: Callable[..., Any], run_suite: Callable[..., Any], tmp_path: Path
) -> None:
    """Those of shares and ranks."""
    from ablate import flow
    from reports import write

    grid = ("seeds: 3", "vary: {method.meta.inner_steps: [1, 2]}\nseeds: 3")
    study: flow.Study = run_suite(suite_of(grid), tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overview_figures, "shares", lambda *_: 1 / 0)
        text = write.write(study, tmp_path / "tiny").read_text()
    assert "could not be drawn:** ZeroDivisionError: division by zero" in text


def test_every_command_ends_its_help_with_the_exit_codes() -> None:
    """From one text, which names every code there is."""
    import cli
    from ablate.commands.shared import EXIT_CODES
    from ablate.errors import ExitCode

    for name in cli.main.commands:
        said = " ".join(ask(name, "--help")[1].split())
        assert EXIT_CODES in said, name
    assert all(str(code.value) in EXIT_CODES for code in ExitCode)
    assert signal.SIGHUP.name in EXIT_CODES
