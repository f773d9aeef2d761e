"""Other people's programs: what they are given, what is read of them, and how they misbehave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ablate.executors.programs import process, readings
from ablate.executors.programs.attempt import attempt
from ablate.source import program
from ablate.source.program import Metric
from ablate.types import Choice, RunResult, RunSpec, Site

PYTHON = sys.executable
KEY = "0123456789abcdef0123456789abcdef"


def tried(folder: Path, code: str, **settings: Any) -> RunResult:
    """Run a script of this code once, with seed 7 and a parameter lr of 0.5."""
    (folder / "train.py").write_text(textwrap.dedent(code))
    whole = {
        "command": [PYTHON, "train.py", "--lr", "{lr}", "--seed", "{seed}"],
        "params": {"lr": 0.5},
        "metrics": {"accuracy": {}},
        "folder": str(folder),
        **settings,
    }
    run = RunSpec(KEY, 7, "float32", {"method": Choice("method", "external", whole)})
    return attempt(run, Site("data", folder=str(folder / "results")))


SOUND = """
    import argparse, json
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float)
    parser.add_argument("--seed", type=int)
    given = parser.parse_args()
    print("epoch 1 of 1, loss 0.3")
    print(json.dumps({"accuracy": given.lr + given.seed / 8}))
"""


def test_a_command_gets_its_parameters_and_seed_and_is_read(tmp_path: Path) -> None:
    """Its score, its command line, its files and its packages are in the record; its log stays."""
    result = tried(tmp_path, SOUND)
    assert (result.status, dict(result.scores)) == ("ok", {"accuracy": [(0.0, 1.375)]})
    assert result.provenance["components"].keys() == {"train.py"}
    assert "numpy" in {name.lower() for name in result.provenance["packages"]}
    assert "{lr}" in result.provenance["command"]
    log = tmp_path / "results/runs" / KEY / "log.txt"
    assert "epoch 1 of 1" in log.read_text()


@pytest.mark.parametrize("config", ["given.json", "given.yaml", "given.toml"])
def test_parameters_reach_it_by_a_file_or_a_variable(config: str, tmp_path: Path) -> None:
    """Whatever the file's language, with the types that they have."""
    loader = {
        "given.json": "import json; given = json.load(open(path))",
        "given.yaml": "import yaml; given = yaml.safe_load(open(path))",
        "given.toml": "import tomllib; given = tomllib.load(open(path, 'rb'))",
    }[config]
    code = f"""
    import json, os, sys
    path = sys.argv[1]
    {loader}
    given["net"]["deep"] is True or sys.exit("no")
    print(json.dumps({{"accuracy": given["lr"] * given["seed"] + float(os.environ["RATE"])}}))
    """
    result = tried(
        tmp_path,
        code,
        command=[PYTHON, "train.py", "{config}"],
        config=config,
        params={"lr": 0.5, "name": 'a "b" é', "net": {"deep": True}},
        environment={"RATE": "{lr}"},
    )
    assert (result.reason, dict(result.scores)) == ("", {"accuracy": [(0.0, 4.0)]})


def test_arguments_are_typed_as_on_a_command_line() -> None:
    """Text as it is, all else as JSON; nothing goes through a shell."""
    told = program.read(
        {
            "command": ["run", "x={a}", "{b}", "{c}{{d}}", "{seed}"],
            "params": {"a": "$(rm -rf /)", "b": None, "c": True},
            "metrics": {"m": {}},
        }
    )
    found = program.arguments(told, 3, Path("/runs"))
    assert found == ["run", "x=$(rm -rf /)", "null", "true{d}", "3"]


@pytest.mark.parametrize(
    ("metric", "printed", "files", "expected"),
    [
        ({}, ['{"m": 1}'], {}, [(0, 1.0)]),
        ({}, ["noise", '{"m": "2.5"}', '{"other": 3}'], {}, [(0, 2.5)]),
        ({"key": "eval.m"}, ['{"eval": {"m": 3}}'], {}, [(0, 3.0)]),
        ({"key": "eval.m"}, ['{"eval.m": 3}'], {}, [(0, 3.0)]),
        ({}, ['{"m": 1, "epoch": 1}', '{"m": 2, "epoch": 2}'], {}, [(1, 1.0), (2, 2.0)]),
        ({"step": "k"}, ['{"m": 2, "k": 2}', '{"m": 1, "k": 1}'], {}, [(1, 1.0), (2, 2.0)]),
        ({"pattern": r"acc=([\d.]+)"}, ["acc=0.1", "acc=0.2 done"], {}, [(0, 0.1), (1, 0.2)]),
        ({"source": "r.json"}, [], {"r.json": '{"m": 4}'}, [(0, 4.0)]),
        ({"source": "r.json"}, [], {"r.json": '[{"m": 4, "step": 1}]'}, [(1, 4.0)]),
        ({"source": "r.jsonl"}, [], {"r.jsonl": '{"m": 4}\n'}, [(0, 4.0)]),
        ({"source": "r.csv"}, [], {"r.csv": "epoch,m\n1,5\n2,6\n"}, [(1, 5.0), (2, 6.0)]),
        ({"source": "o.txt", "pattern": "m (.*)"}, [], {"o.txt": "m 7"}, [(0, 7.0)]),
    ],
)
def test_scores_are_read_from_wherever_they_are(
    metric: Mapping[str, Any],
    printed: list[str],
    files: Mapping[str, str],
    expected: list[tuple[float, float]],
    tmp_path: Path,
) -> None:
    """A line of JSON, a file, a table or a pattern; one value or a curve."""
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    assert readings.scores([Metric("m", **metric)], printed, tmp_path) == {"m": expected}


def test_a_parquet_file_is_read(tmp_path: Path) -> None:
    """As its library writes it."""
    pandas = pytest.importorskip("pandas")
    pandas.DataFrame({"epoch": [1, 2], "m": [0.5, 0.75]}).to_parquet(tmp_path / "r.parquet")
    found = readings.scores([Metric("m", source="r.parquet")], [], tmp_path)
    assert found == {"m": [(1.0, 0.5), (2.0, 0.75)]}


MISBEHAVIOURS = {
    "no output": ("", "no 'accuracy' in a JSON line"),
    "another name": ("print('{\"acc\": 1}')", "it has acc"),
    "two outputs": ('print(\'{"accuracy": 1}\\n{"accuracy": 2}\')', "2 values of 'accuracy'"),
    "one step twice": (
        'print(\'{"accuracy": 1, "step": 3}\\n{"accuracy": 2, "step": 3}\')',
        "two values of 'accuracy' at step 3",
    ),
    "nan": ("print('{\"accuracy\": NaN}')", "accuracy is nan"),
    "infinite": ("print('{\"accuracy\": -Infinity}')", "accuracy is -inf"),
    "text for a number": ('print(\'{"accuracy": "high"}\')', "'high' for 'accuracy'"),
    "a truth value": ("print('{\"accuracy\": true}')", "'True' for 'accuracy'"),
    "null": ("print('{\"accuracy\": null}')", "no 'accuracy'"),
    "a list": ("print('{\"accuracy\": [1, 2]}')", "which is no number"),
    "half a line": ("print('{\"accuracy\": 1')", "no 'accuracy'"),
    "exit code": ("import sys; sys.exit(3)", "exit code 3"),
    "exit with a word": ("import sys; sys.exit('out of memory')", "exit code 1: out of memory"),
    "an exception": ("raise ValueError('no data')", "exit code 1: ValueError: no data"),
    "kills itself": ("import os; os.kill(os.getpid(), 9)", "signal 9 (SIGKILL)"),
    "segmentation fault": ("import os; os.kill(os.getpid(), 11)", "signal 11 (SIGSEGV)"),
    "needs a terminal": ("input()", "EOFError"),
    "hangs": ("import time; print('on', flush=True); time.sleep(60)", "timed out after 2 s"),
    "ignores signals": (
        "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)",
        "timed out after 2 s",
    ),
    "closes its output and hangs": (
        "import os, time; os.close(1); os.close(2); time.sleep(60)",
        "timed out after 2 s",
    ),
    "unknown option": ("import argparse; argparse.ArgumentParser().parse_args()", "exit code 2"),
    "removes its folder": ("import shutil, os; shutil.rmtree('gone')", "exit code 1"),
}
HARMLESS = {
    "progress bars": (
        "for i in range(999): print(f'\\r{i} %', end='')\nprint('\\n{\"accuracy\": 1}')"
    ),
    "not UTF-8": "import sys; sys.stdout.buffer.write(b'\\xff\\xfe\\n{\"accuracy\": 1}\\n')",
    "no last newline": "print('{\"accuracy\": 1}', end='')",
    "colours": "print('\\x1b[31mred\\x1b[0m'); print('{\"accuracy\": 1}')",
    "much output": "print('x' * 100 * 1024 * 1024); print('{\"accuracy\": 1}')",
    "much on standard error": (
        "import sys; sys.stderr.write('e' * 10**7); print('{\"accuracy\": 1}')"
    ),
    "children left": (
        "import subprocess, sys; subprocess.Popen(['sleep', '987']); print('{\"accuracy\": 1}')"
    ),
    "children in a session of their own": (
        "import subprocess; subprocess.Popen(['sleep', '987'], start_new_session=True);"
        "print('{\"accuracy\": 1}')"
    ),
    "writes in its folder": "open('left.txt', 'w').write('x'); print('{\"accuracy\": 1}')",
    "other lines in braces": "print('{not json}'); print('{\"accuracy\": 1}')",
}


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_what_a_program_does_wrong_is_said_in_a_line(name: str, tmp_path: Path) -> None:
    """The run is lost with a reason, and nothing is left running."""
    code, reason = MISBEHAVIOURS[name]
    started = time.monotonic()
    limit = 2.0 if "timed out" in reason else 60.0
    result = tried(tmp_path, code, limit_seconds=limit)
    assert result.status in ("failed", "diverged")
    assert reason in result.reason
    assert "\n" not in result.reason
    assert not result.scores
    assert list(process.marked(str(tmp_path / "results/runs" / KEY))) == []
    assert time.monotonic() - started < 50


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_no_harm_is_no_fault(name: str, tmp_path: Path) -> None:
    """The score is read, the log is bounded, nothing is left running."""
    result = tried(tmp_path, HARMLESS[name])
    assert (result.reason, dict(result.scores)) == ("", {"accuracy": [(0.0, 1.0)]})
    assert (tmp_path / "results/runs" / KEY / "log.txt").stat().st_size < 16 << 20
    assert list(process.marked(str(tmp_path / "results/runs" / KEY))) == []


def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    """By its name."""
    result = tried(tmp_path, "", command=["no-such-program", "{lr}"])
    assert result.reason == "no-such-program cannot be started: No such file or directory"


def test_a_run_is_tried_again_as_often_as_said(tmp_path: Path) -> None:
    """And the tries are counted."""
    code = """
    import os, sys
    os.path.exists("once") or (open("once", "w").close(), sys.exit("not yet"))
    print('{"accuracy": 1}')
    """
    result = tried(tmp_path, code, retries=2)
    assert (result.status, result.provenance["tries"]) == ("ok", 2)
    (tmp_path / "once").unlink()
    assert tried(tmp_path, code).reason == "exit code 1: not yet"


def test_digests_of_what_it_drew_are_kept(tmp_path: Path) -> None:
    """Those that `pairs` names, and a run without one is lost."""
    code = 'print(\'{"accuracy": 1, "split": "ab12"}\')'
    assert tried(tmp_path, code, pairs=["split"]).provenance["streams"] == {"split": "ab12"}
    assert "no digest 'order'" in tried(tmp_path, code, pairs=["order"]).reason


def test_a_function_is_called_with_parameters_and_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It returns a number or a mapping, of any library's numbers; what it raises is a reason."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "mine.py").write_text(
        textwrap.dedent(
            """
            import numpy
            def plain(lr, seed): return lr + seed
            def mapping(lr, seed): return {"accuracy": numpy.float32(lr), "loss": [3, 2, 1]}
            def wrong(lr, seed): raise RuntimeError("no\\nmemory")
            def ends(lr, seed): raise SystemExit(3)
            def nothing(lr, seed): return None
            """
        )
    )

    def called(name: str, metrics: Mapping[str, Any]) -> RunResult:
        return tried(tmp_path, "", command=[], function=f"mine:{name}", metrics=metrics)

    two: dict[str, Any] = {"accuracy": {}, "loss": {}}
    assert dict(called("plain", {"accuracy": {}}).scores) == {"accuracy": [(0.0, 7.5)]}
    found = called("mapping", two).scores
    assert found["loss"] == [(0.0, 3.0), (1.0, 2.0), (2.0, 1.0)]
    assert found["accuracy"] == [(0.0, 0.5)]
    assert "one value for 2 metrics" in called("plain", two).reason
    assert "RuntimeError: no" in called("wrong", two).reason
    assert "SystemExit" in called("ends", two).reason
    assert "None" in called("nothing", {"accuracy": {}}).reason
    assert "mine:absent" in called("absent", two).reason


def test_the_working_environment_is_the_users_own(tmp_path: Path) -> None:
    """Beside what the suite adds, and the mark by which its processes are found."""
    code = "import json, os; print(json.dumps({'accuracy': len(os.environ['ABLATE_RUN'])}))"
    assert dict(tried(tmp_path, code).scores) == {
        "accuracy": [(0.0, float(len(str(tmp_path / "results/runs" / KEY))))]
    }
    assert process.MARK not in os.environ
    assert json.dumps(1) == "1"


def test_the_same_run_in_another_folder_is_left_alone(tmp_path: Path) -> None:
    """Two studies of one suite, at once: neither ends the other's program as a leftover."""
    code = "import json, time; time.sleep({}); print(json.dumps({{'accuracy': 1}}))"
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with ThreadPoolExecutor(1) as beside:
        long = beside.submit(tried, tmp_path / "a", code.format(3))
        time.sleep(1)
        short = tried(tmp_path / "b", code.format(0))
        assert (long.result().status, short.status) == ("ok", "ok")


def test_a_program_ends_with_the_command_that_is_killed(tmp_path: Path) -> None:
    """And what it had started is ended by the next run of the same key."""
    code = (
        "from pathlib import Path\n"
        "from ablate.executors.programs import process\n"
        f"process.run('sleep 61 & exec sleep 62', Path('.'), {{}}, 90, Path('log'), {KEY!r})"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([PYTHON, "-c", code], cwd=tmp_path, env=environment)
    deadline = time.monotonic() + 60
    while len(names := sleeping()) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert names == ["61", "62"]
    parent.kill()
    parent.wait()
    while "62" in sleeping() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "62" not in sleeping()
    process.run(["true"], tmp_path, {}, 60, tmp_path / "log", KEY)
    assert sleeping() == []


def sleeping() -> list[str]:
    """Give how long each process of the run sleeps that does."""
    lines = [running.cmdline() for running in process.marked(KEY)]
    return sorted(line[-1] for line in lines if line and line[0] == "sleep")
