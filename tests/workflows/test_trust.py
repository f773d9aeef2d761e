"""A suite can run code: where it may come from, who is asked, and how it may end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from ablate.design.reader import read_suite
from ablate.errors import DataError, ExitCode, TrustError
from ablate.registry import Catalogue
from ablate.source.foreign_code import contained
from ablate.workflows import trust
from tests.conftest import TINY

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ROWS = """
import numpy as np

def rows():
    y = np.repeat(np.arange(4), 10)
    x = np.random.default_rng(0).normal(size=(40, 6)) + y[:, None]
    return x, y, x, y
"""


def suite_in(folder: Path, source: str) -> Path:
    """Write a suite of two tasks whose data a function gives."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "suite.yaml"
    data = f"{{arrays: {{source: '{source}', tasks: 2}}}}"
    text = TINY.replace("{digits: {tasks: 5}}", data).replace("seeds: 3", "seeds: 2")
    path.write_text(text, "utf-8")
    return path


def ask(*words: object) -> tuple[int, str]:
    """Run a command in this process, where nobody sits at a terminal."""
    done = CliRunner().invoke(cli.main, [str(word) for word in words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("start", "inside"),
    [(["-m", "ablate"], True), ([str(ROOT / "cli.py")], False)],
    ids=["the console script, from there", "the file, from elsewhere"],
)
def test_a_function_beside_the_suite_is_found(
    start: list[str], inside: bool, tmp_path: Path
) -> None:
    """Wherever the command is started, and in workers that are spawned."""
    path = suite_in(tmp_path / "study", "beside_the_suite:rows")
    (path.parent / "beside_the_suite.py").write_text(ROWS, "utf-8")
    (tmp_path / "empty").mkdir()
    # -P: nothing is importable only because it stands in the current folder
    command = [sys.executable, "-P", *start, "run", path, "--results", tmp_path / "r"]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {
        "PYTHONPATH": str(ROOT)
    }
    done = subprocess.run(
        [*map(str, command), "--workers", "2"],
        cwd=path.parent if inside else tmp_path / "empty",
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode in (ExitCode.DONE, ExitCode.NOTHING_TESTED), done.stdout + done.stderr
    assert "4 of 4 runs done" in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["run", "plan", "power"])
@pytest.mark.parametrize(
    "source", ["elsewhere_of_all:rows", "sys:exit", "os:getcwd", "antigravity:x"]
)
def test_a_function_from_elsewhere_is_asked_for(
    command: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal it is refused, before it is imported, with the way to allow it."""
    (tmp_path / "lib").mkdir()
    mark = tmp_path / "was-run"
    code = f"import pathlib; pathlib.Path({str(mark)!r}).touch()\n"
    (tmp_path / "lib" / "elsewhere_of_all.py").write_text(code + ROWS, "utf-8")
    monkeypatch.syspath_prepend(tmp_path / "lib")
    path = suite_in(tmp_path / "study", source)
    code_, said = ask(command, path, "--results", tmp_path / "r")
    assert code_ == ExitCode.REFUSED
    assert "A suite can run code" in said
    assert "--trust" in said
    assert source in said
    assert not mark.exists()
    assert not (tmp_path / "r" / "suite").exists()


def test_somebody_who_says_yes_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, catalogue: Catalogue
) -> None:
    """By `--trust`, or at the terminal, once for a function."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "elsewhere_by_name.py").write_text(ROWS, "utf-8")
    monkeypatch.syspath_prepend(tmp_path / "lib")
    path = suite_in(tmp_path / "study", "elsewhere_by_name:rows")
    code, said = ask("plan", path, "--results", tmp_path / "r", "--trust")
    assert code == 0, said
    asked: list[str] = []

    def answer(question: str) -> bool:
        asked.append(question)
        return len(asked) == 1

    suite = read_suite(path, catalogue)
    trust.admit(suite, catalogue, trusted=False, ask=answer)
    assert len(asked) == 1
    with pytest.raises(TrustError):
        trust.admit(suite, catalogue, trusted=False, ask=answer)


def test_a_file_beside_the_suite_shadows_nothing(tmp_path: Path) -> None:
    """An installed module of its name goes first; the standard library is asked for."""
    (tmp_path / "numpy.py").write_text("", "utf-8")
    (tmp_path / "json.py").write_text("", "utf-8")
    assert trust.located("numpy:load", tmp_path).installed
    assert trust.located("json:loads", tmp_path).foreign
    assert trust.located("builtins:exit", tmp_path).foreign
    assert not trust.located("no_such_module:x", tmp_path).foreign


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import sys; sys.exit()", "ended Python"),
        ("import sys; sys.exit(0)", "ended Python"),
        ("raise SystemExit('bye')", "ended Python"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt by itself"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_code_that_ends_python_ends_in_an_error(body: str, said: str, tmp_path: Path) -> None:
    """Never in our exit code, nor in the words of a Ctrl-C that nobody pressed."""
    for where, text in (("import", body), ("call", f"def rows():\n    {body}")):
        name = f"ends_python_{where}_{abs(hash(body))}"
        path = suite_in(tmp_path / where, f"{name}:rows")
        (path.parent / f"{name}.py").write_text(text, "utf-8")
        code, told = ask("plan", path, "--results", tmp_path / "r")
        assert code == ExitCode.REFUSED
        assert said in told
        assert "Stopped" not in told


@pytest.mark.parametrize("body", ["os.fork()", "[os.fork() for _ in range(3)]"])
def test_a_copy_that_code_makes_of_the_command_does_not_go_on_as_the_command(
    body: str, tmp_path: Path
) -> None:
    """Every line is said once, by one process, and no other is left behind."""
    path = suite_in(tmp_path / "study", "forks:rows")
    (path.parent / "forks.py").write_text(
        ROWS.replace("def rows():", f"import os\n\ndef rows():\n    {body}")
    )
    done = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), "plan", str(path), "--results", str(tmp_path / "r")],
        capture_output=True,
        text=True,
        timeout=60,  # a copy that lives on holds the pipes open
        check=False,
    )
    assert done.returncode == ExitCode.DONE, done.stderr
    assert done.stdout.count("to run") == 1


STRANGE = {
    "two lines": 'raise ValueError("a\\nMATTERS (helps)\\x1b[2J")',
    "no end": 'raise ValueError("x" * 3_000_000)',
    "no text": 'raise type("E", (Exception,), {"__str__": lambda self: 1 / 0})',
    "nothing": "raise StopIteration",
    "half a letter": 'raise ValueError("\\ud800")',
    "an exit of two lines": 'raise SystemExit("a\\nMATTERS")',
}


@pytest.mark.parametrize("case", STRANGE)
def test_what_code_raises_is_one_line_of_bounded_length(case: str, tmp_path: Path) -> None:
    """It names the function."""
    path = suite_in(tmp_path, f"strange_{abs(hash(case))}:rows")
    (tmp_path / f"strange_{abs(hash(case))}.py").write_text(f"def rows():\n    {STRANGE[case]}\n")
    code, told = ask("plan", path, "--results", tmp_path / "r")
    assert code == ExitCode.REFUSED
    assert told.count("\n") == 1
    assert ":rows" in told
    assert len(told) < 2500


def test_a_real_interrupt_passes() -> None:
    """It is the user's."""
    with pytest.raises(KeyboardInterrupt), contained("a function"):
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(DataError), contained("a function"):
        raise KeyboardInterrupt
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("command", ["run", "plan", "tune"])
def test_help_says_that_a_suite_can_run_code(command: str) -> None:
    """Where people read it."""
    code, said = ask(command, "--help")
    assert (code, "suite can run code" in " ".join(said.split())) == (0, True)
