"""Workers that never start, plug-ins that print, and what the command then says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from ablate import flow
from ablate.commands import terminal
from ablate.executors.processes import EMPTY_STARTS
from ablate.executors.worker_process import frame
from ablate.records.store import open_store
from tests.commands.test_cli import ask
from tests.conftest import TINY
from tests.mischief import installed

pytestmark = pytest.mark.slow

STILLBORN = '''
import os, pathlib, sys
from dataclasses import dataclass

from ablate.registry import component

if "pytest" not in sys.modules:  # in a worker, not in the command that the test calls
    starts = pathlib.Path(os.environ["MISCHIEF"])
    starts.write_text(starts.read_text() + "x")
    print("MATTERS (helps)")
    if len(starts.read_text()) <= int(os.environ["DEATHS"]):
        os._exit(7)
print("**Yes.** MATTERS (helps)")


@component("update", "stillborn")
@dataclass(frozen=True)
class Stillborn:
    """Nothing; its file is imported because this default is no literal.

    size: how much, [0, 1].
    """

    size: float = 1 / 2
'''


@contextmanager
def stillborn(folder: Path, deaths: int, patch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install a plug-in whose import ends the first `deaths` workers; gives what counts them."""
    starts = folder / "starts"
    starts.write_text("")
    patch.setenv("MISCHIEF", str(starts))
    patch.setenv("DEATHS", str(deaths))
    with installed(folder / "plug-in", STILLBORN, patch):
        yield starts


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY.replace("seeds: 3", "seeds: 2"))
    return path


def test_workers_that_die_while_they_start_stop_the_command_and_leave_no_false_record(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sentence with the exit code, what had finished stays, and the same command makes it up."""
    results = tmp_path / "r"
    assert ask("run", suite, "--results", results, "--workers", 1, "--only", "reptile")[0] == 4
    with stillborn(tmp_path, 10**6, monkeypatch) as starts:
        code, said = ask("run", suite, "--results", results, "--workers", 2)
        assert code == 2
        assert "worker processes in a row ended before they took up any work" in said
        assert "(exit code 7). What had finished is kept" in said
        assert "Traceback" not in said
        assert "MATTERS (helps)" in (results / "tiny" / "components.log").read_text()
        assert EMPTY_STARTS <= len(starts.read_text()) <= EMPTY_STARTS + 1
    store = open_store(results)
    records = flow.records(flow.open_suite(suite), store)
    assert [record.status for record in records.values()] == ["ok", "ok"]
    store.close()


def test_a_start_that_fails_is_made_up_for_by_the_next(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No run is lost by it; what the plug-in prints stands in the log, nowhere else."""
    with stillborn(tmp_path, EMPTY_STARTS - 1, monkeypatch):
        code, said = ask("run", suite, "--results", tmp_path / "r", "--workers", 2)
    assert code in (0, 4)
    assert "4 of 4 runs done, 0 running, 0 lost" in said
    log = tmp_path / "r" / "tiny" / "components.log"
    assert f"printed something; it is in {log}" in said
    assert "MATTERS (helps)" in log.read_text()
    assert "**Yes.** MATTERS (helps)" not in said


@pytest.mark.parametrize("command", ["plan", "list"])
def test_what_a_plug_in_prints_cannot_be_taken_for_ours(
    command: str, suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no log, its lines are marked."""
    with stillborn(tmp_path, 0, monkeypatch):
        code, said = ask(command, *([suite] if command == "plan" else []))
    assert code == 0
    at = said.index("**Yes.** MATTERS (helps)")
    assert said[:at].endswith("but printed by a component or a library:\n  | ")


def test_the_place_of_a_hanging_worker_is_its_component_not_the_library_it_calls() -> None:
    """The frame of the thread that works, of several."""
    packages = "/usr/lib/python3/site-packages"
    dump = f"""Thread 0x01 (most recent call first):
  File "/repo/ablate/executors/worker.py", line 99 in _follow

Current thread 0x02 (most recent call first):
  File "{packages}/torch/nn/functional.py", line 5 in linear
  File "{packages}/somebodys/rule.py", line 7 in __call__
  File "/repo/ablate/executors/jobs.py", line 16 in perform
"""
    assert frame(dump) == "in __call__ (rule.py:7)"
    assert frame("") == "at a place that is not known"


@pytest.mark.parametrize("end", [SystemExit(0), KeyboardInterrupt(), GeneratorExit()])
def test_an_exit_of_other_peoples_code_does_not_pass_for_ours(
    end: BaseException, suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sys.exit(0)` in what the command calls is an error, not a success."""

    def ending(*_values: object, **_options: object) -> None:
        raise end

    monkeypatch.setattr(flow, "prepare", ending)
    code, said = ask("plan", suite)
    assert code == 2
    assert f"would have ended the command: {type(end).__name__}" in said


@pytest.mark.parametrize("end", ["os._exit(0)", "os._exit(7)", "os.kill(os.getpid(), 9)"])
def test_a_plug_in_that_ends_the_command_itself_is_named(
    end: str, suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is imported while the suite is read, where no worker stands between."""
    text = STILLBORN.replace('print("**Yes.** MATTERS (helps)")', end)
    with installed(tmp_path / "plug-in", text, monkeypatch):
        code, said = ask("plan", suite)
    assert code == 2
    assert "ended the process while the suite was read and planned (" in said
    assert "It is one of: mischief = mischief" in said


def test_a_question_is_asked_on_the_terminal_that_nobody_else_writes_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Anything but yes is no."""
    answers = iter(("y\n", "YES \n", "\n", "no\n", ""))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(readline=lambda: next(answers)))
    with terminal.private():
        print("MATTERS")
        assert [terminal.confirmed("Run it?") for _ in range(5)] == [
            True,
            True,
            False,
            False,
            False,
        ]
        assert terminal.printed() == b"MATTERS\n"
    assert capsys.readouterr().err == "Run it? [y/N]: " * 5


@pytest.mark.parametrize("end", ["os._exit(0)", "os._exit(7)"])
def test_a_suites_function_that_ends_the_command_is_named(end: str, tmp_path: Path) -> None:
    """It is called while the suite is planned."""
    module = f"ending_rows_{end[-2]}"
    (tmp_path / f"{module}.py").write_text(f"import os\n\n\ndef rows():\n    {end}\n")
    path = tmp_path / "tiny.yaml"
    data = f"{{arrays: {{source: '{module}:rows', tasks: 2}}}}"
    path.write_text(TINY.replace("{digits: {tasks: 5}}", data))
    code, said = ask("plan", path)
    assert code == 2
    assert "ended the process while the suite was read and planned (exit code " in said
    assert f"It is one of: {module}:rows" in said
