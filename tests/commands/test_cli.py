"""The command line as a user meets it: exit codes, messages, what is written, what is imported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

import cli
from ablate import flow
from ablate.commands import progress
from ablate.core import resources
from tests.conftest import TINY

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


def ask(*words: object) -> tuple[int, str]:
    """Run a command in this process. Gives its exit code and all of its output."""
    done = CliRunner().invoke(cli.main, [str(word) for word in words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def python(code: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
        check=False,
    )


def test_run_plan_and_report_tell_one_story(suite: Path, tmp_path: Path) -> None:
    """Six runs, then none; the report again from the store."""
    results = tmp_path / "r"
    code, said = ask("plan", suite, "--results", results)
    assert (code, results.exists()) == (0, False)
    assert "2 arms x 3 seeds: 6 runs in 2 stacks" in said
    code, said = ask("run", suite, "--results", results, "--workers", 1)
    assert code == 0
    assert "6 to run" in said
    assert "6 of 6 runs done" in said
    report = results / "tiny" / "report.md"
    before = report.read_bytes()
    code, said = ask("run", suite, "--results", results)
    assert "0 to run" in said
    report.unlink()
    code, said = ask("report", suite, "--results", results)
    assert code == 0
    assert report.read_bytes() == before
    assert "INCONCLUSIVE" in said


def test_lost_runs_show_in_the_exit_code(suite: Path, tmp_path: Path) -> None:
    """3: the work was done, but not all of it counts."""
    suite.write_text(
        TINY.replace("{method.meta.update: balanced}", "{method.meta.optimizer.sgd.lr: 1e30}")
    )
    code, said = ask("run", suite, "--results", tmp_path / "r", "--workers", 1)
    assert code == 3
    assert "3 runs were lost" in said
    assert ask("report", suite, "--results", tmp_path / "r")[0] == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "tiny.yaml:1:1: an empty file"),
        (b"\x00\xff\xfe", "tiny.yaml:1:"),
        (b"a: !!python/object/apply:os.system ['true']\n", "tiny.yaml:1:4: the tag"),
        (TINY.replace("reptile: {epsilon", "reptle: {epsilon").encode(), "did you mean 'reptile'?"),
        (TINY.replace("seeds: 3", "seeds: 3\nseeds: 4").encode(), "a second time"),
    ],
)
def test_a_bad_suite_exits_with_2_and_writes_nothing(
    suite: Path, tmp_path: Path, content: bytes, said: str
) -> None:
    """In run, plan and report alike; never a traceback."""
    suite.write_bytes(content)
    for command in ("run", "plan", "report"):
        code, output = ask(command, suite, "--results", tmp_path / "r")
        assert code == 2
        assert said in output
        assert "Traceback" not in output
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "smok"), "There is no suite 'smok'. Did you mean 'smoke'?"),
        (("report", "smoke", "--results", "/nonexistent/x"), "nothing has been run"),
        (("list", "updates"), "Did you mean 'update'?"),
        (("show", "update.reptil"), "Did you mean 'reptile'?"),
        (("show", "nothing"), "There is no kind of component"),
        (("run", "smoke", "--only", "bogus", "--results", "/nonexistent/x"), "fits no run"),
        (
            ("run", "smoke", "--device", "abacus", "--results", "/nonexistent/x"),
            "'abacus' cannot be used",
        ),
        (("run", "smoke", "--seeds", "0"), "0 is not in the range"),
    ],
)
def test_wrong_words_exit_with_2(words: tuple[str, ...], said: str) -> None:
    """With the nearest right ones."""
    code, output = ask(*words)
    assert code == 2
    assert said in output


def test_missing_data_exit_with_2_and_write_nothing(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Naming the files and the places to put them."""
    import torchvision.datasets

    def offline(self: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(torchvision.datasets.MNIST, "download", offline)
    suite.write_text(TINY.replace("digits", "mnist"))
    code, output = ask("run", suite, "--results", tmp_path / "r", "--data-root", tmp_path / "d")
    assert code == 2
    assert "lacks train-images-idx3-ubyte" in output
    assert not (tmp_path / "r").exists()


def test_list_names_every_component_and_suite() -> None:
    """By kind."""
    code, output = ask("list")
    assert code == 0
    for name in (
        "itaml-released",
        "herding",
        "digits",
        "task-bce",
        "sign-flip",
        "processes",
        "smoke",
    ):
        assert f"  {name}" in output
    assert "herding" not in ask("list", "update")[1]


def test_show_gives_formula_fields_ranges_and_source() -> None:
    """From the docstring, which is the schema."""
    _, output = ask("show", "update.itaml")
    for words in (
        "eta_t = exp(-beta",
        "beta: a number in [0, inf) (default 1.0)",
        "one of 0, 1",
        "2003.11652",
    ):
        assert words in output
    assert "a component: adam, radam, sgd (required)" in ask("show", "method.meta")[1]


def test_the_schema_describes_what_suites_accept() -> None:
    """Every kind, its components, and their ranges."""
    schema = json.loads(ask("schema")[1])
    named = schema["$defs"]["update"]["anyOf"][1]["properties"]["reptile"]
    assert named == {"$ref": "#/$defs/update.reptile"}
    epsilon = schema["$defs"]["update.reptile"]["properties"]["epsilon"]
    assert (epsilon["exclusiveMinimum"], epsilon["maximum"]) == (0, 1)
    assert schema["else"]["properties"]["base"]["$ref"] == "#/$defs/base"
    assert schema["$defs"]["base"]["required"] == ["dataset", "model", "memory", "method"]


def test_bench_times_alone_and_stacked_in_one_call(
    suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row an arm, the whole grid's ratio, and what augmentation takes; of a few images here."""
    monkeypatch.setattr("ablate.workflows.benchmark.IMAGES", (2, 3, 16, 16))
    code, output = ask("bench", "--suite", suite, "--seconds", "0.01")
    assert code == 0
    assert output.count("%\n") == 2
    assert "Whole grid: stacked is" in output
    assert "Augmenting 2 x 3 x 16 x 16" in output
    assert output.count("of a gradient of") == 2


@pytest.mark.parametrize(
    "command",
    [
        "'--help'",
        "'list'",
        "'show', 'update.itaml'",
        "'plan', 'smoke'",
        "'schema'",
        "'report', 'tiny.yaml', '--results', 'r'",
    ],
)
def test_commands_that_train_nothing_do_not_load_torch(
    command: str, suite: Path, tmp_path: Path
) -> None:
    """Nor torchvision, nor scikit-learn."""
    if "report" in command:
        assert ask("run", suite, "--results", tmp_path / "r", "--workers", 1)[0] == 0
    code = (
        "import sys, cli\n"
        f"try: cli.main([{command}])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "bad = {'torch', 'torchvision', 'sklearn'} & set(sys.modules)\n"
        "assert not bad, bad\n"
    )
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr


def test_help_loads_neither_rich_nor_pandas_nor_pydantic() -> None:
    """It is asked for more often than anything else."""
    heavy = "{'rich', 'pandas', 'pydantic', 'numpy', 'scipy', 'matplotlib', 'sqlalchemy'}"
    code = (
        "import sys, cli\ntry: cli.main(['--help'])\nexcept SystemExit: pass\n"
        f"bad = {heavy} & set(sys.modules); assert not bad, bad\n"
    )
    assert python(code).returncode == 0, python(code).stderr


def test_output_into_a_closed_pipe_is_no_error() -> None:
    """As in `ablate list | head -1`."""
    done = subprocess.run(
        f"{sys.executable} {ROOT / 'cli.py'} list | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_a_run_that_is_stopped_goes_on_where_it_was(
    number: signal.Signals, code: int, suite: Path, tmp_path: Path
) -> None:
    """What had finished is kept, no worker stays behind, and the next call runs the rest."""
    slow = "balanced: {method.meta.update: balanced, training.standard.epochs: 100}"
    suite.write_text(TINY.replace("balanced: {method.meta.update: balanced}", slow))
    words = [sys.executable, ROOT / "cli.py", "run", suite, "--results", tmp_path / "r"]
    running = subprocess.Popen(
        [*words, "--workers", "2"],
        stderr=subprocess.PIPE,
        text=True,
        stdout=subprocess.DEVNULL,
        # a job in the background inherits a deaf ear to Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert running.stderr
    assert "3 of 6 runs done" in running.stderr.readline()
    workers = psutil.Process(running.pid).children(recursive=True)
    running.send_signal(number)
    assert running.wait(30) == code
    running.stderr.close()
    assert psutil.wait_procs(workers, timeout=20)[1] == []
    assert "3 done or not asked for, 3 to run" in ask("plan", suite, "--results", tmp_path / "r")[1]
    code, output = ask("run", suite, "--results", tmp_path / "r", "--workers", 1)
    assert code == 0
    assert "3 of 3 runs done" in output


def test_work_goes_on_when_the_reader_leaves(suite: Path, tmp_path: Path) -> None:
    """As in `ablate run x | head -c 0`: the report is written all the same."""
    command = (
        f"{sys.executable} {ROOT / 'cli.py'} run {suite} --results {tmp_path / 'r'} --workers 1"
    )
    subprocess.run(f"{command} 2>/dev/null | true", shell=True, check=False)
    assert (tmp_path / "r" / "tiny" / "report.md").is_file()


def test_a_console_without_our_letters_gets_others(suite: Path, tmp_path: Path) -> None:
    """Instead of an error after the answer."""
    done = subprocess.run(
        [sys.executable, ROOT / "cli.py", "run", suite, "--results", tmp_path / "r"],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0, done.stderr
    assert b"Report: " in done.stdout


def test_a_report_folder_that_cannot_be_made_stops_the_run_before_training(
    suite: Path, tmp_path: Path
) -> None:
    """A file stands in its place."""
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "tiny").write_text("")
    code, output = ask("run", suite, "--results", tmp_path / "r")
    assert code == 2
    assert "tiny cannot be made" in output
    assert "runs done" not in output


def test_the_version_is_told_or_that_there_is_none() -> None:
    """In a checkout as after an install."""
    code, output = ask("--version")
    assert code == 0
    assert output.startswith("ablate-study ")


def test_a_dropped_in_component_appears_everywhere(tmp_path: Path, suite: Path) -> None:
    """One file in a copy of the checkout: in `list`, in suites, in the schema, and it runs."""
    import shutil

    from tests.faces.test_registry import ELASTIC

    copy = tmp_path / "copy"
    for name in ("ablate", "variants", "reports", "suites", "cli.py"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    (copy / "variants" / "update" / "elastic.py").write_text(ELASTIC)
    suite.write_text(
        TINY.replace(
            "method.meta.update: balanced", "method.meta.update: {elastic: {stiffness: 0}}"
        )
    )

    def there(*words: object) -> str:
        done = subprocess.run(
            [sys.executable, copy / "cli.py", *map(str, words)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
            env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "  elastic" in there("list", "update")
    assert '"elastic"' in there("schema")
    assert "stiffness: a number in [0, inf)" in there("show", "update.elastic")
    # with stiffness 0 it is Reptile, whose runs it then equals
    assert "INERT" in there("run", suite, "--workers", 1, "--seeds", 5, "--results", tmp_path / "r")


def test_shipped_suites_are_found_by_name_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With or without the folder and the ending."""
    monkeypatch.chdir(tmp_path)
    for said in ("smoke", "smoke.yaml", "suites/smoke.yaml"):
        assert flow.find_suite(said) == resources.ROOT / "suites" / "smoke.yaml"


def test_the_live_display_shows_counts_and_estimates(suite: Path) -> None:
    """What a terminal shows while runs go on."""
    from rich.console import Console

    from ablate.commands.progress import Progress

    opened = flow.open_suite(suite)
    work = flow.prepare(opened, Path("data"), None)
    console = Console(width=100, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    console.print(progress.panel(Progress(opened, work)))
    shown = console.export_text()
    assert "0 of 6 runs done, 3 running, 0 lost" in shown
    assert "reptile − balanced" in shown
