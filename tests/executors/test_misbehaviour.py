"""What a component or a worker does may spoil no more than itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ablate import flow
from ablate.design.reader import parse_suite
from ablate.executors import processes
from ablate.executors.worker_process import Worker
from ablate.plan import dispatch
from ablate.records.store import open_store
from ablate.registry import scan
from ablate.types import RunResult, Site, Stack, Suite
from tests.commands.test_cli import ask
from tests.conftest import TINY
from tests.mischief import PLUG_IN, installed

pytestmark = pytest.mark.slow

HERE = Site("data", "cpu")

ITS_END = "own-file"
"""The kind that takes the plug-in's file away: nothing of it can be tried again afterwards."""

LOST = {
    "exit-0": "ended in the middle of its work \\(exit code 0\\)",
    "exit-7": "ended in the middle of its work \\(exit code 7\\)",
    "kill": "was killed \\(signal 9, as the system does where memory runs out\\)",
    "segv": "was killed \\(signal 11\\); in .* \\(mischief.py:\\d+\\)",
    "term": "was killed \\(signal 15\\)",
    "abort": "was killed \\(signal 6\\); in __call__ \\(mischief.py:\\d+\\)",
    "stop": "timed out.*, stopped by a signal",
    "sleep": "timed out.*, in <lambda> \\(mischief.py:\\d+\\)",
    "spin": "timed out after 15 s, in .* \\(.*:\\d+\\)",
    "sys-exit": "SystemExit",
    "base-exception": "BaseException: base \\(mischief.py:\\d+\\)",
    "keyboard-interrupt": "KeyboardInterrupt",
    "generator-exit": "GeneratorExit|RuntimeError",
    "stop-iteration": "StopIteration|RuntimeError",
    "memory-error": "MemoryError",
    "allocate": "MemoryError: Unable to allocate 50",
    "recursion": "RecursionError",
    "unnamed": "Unnamed: its text cannot be had: RuntimeError",
    "long-text": "^ValueError: MATTERS \\\\x1b\\[2JMATTERS .{,500}\\(mischief.py:\\d+\\)$",
    "write-everywhere": "sent what is no answer",
    "close-everything": "ended in the middle of its work|closed its line",
    "shape": "RuntimeError|ValueError",
    "none-at-all": "Error: ",
    "nan": "logits are not finite",
}
"""Kinds whose runs are lost, and the reason that the report must give."""

PUT_BACK = (
    *("default-type", "default-device", "threads", "no-gradients", "folder", "environment"),
    *("import-path", "recursion-limit", "no-collection", "numpy-errors", "streams"),
)
"""Kinds that change what a process can put back."""

NOT_PUT_BACK = (
    *("daemon-thread", "thread", "meddling-thread", "modules", "patch-torch", "patch-tensor"),
    *("patch-engine", "patch-streams", "patch-builtins", "signals"),
)
"""Kinds that cost a worker its process, which is not used again."""

OTHERS = (
    *("print", "print-error", "print-fd", "print-flood", "close-standard", "fork"),
    *("fork-and-sleep", "child", "at-exit", "global-draws", "global-seeds", "own-file", "in-place"),
)
"""Kinds whose own runs end, well or not: what they did must reach nobody else."""

TOGETHER = ("+".join(NOT_PUT_BACK[:3]), "+".join(NOT_PUT_BACK[3:]))
"""Each is told by itself below; a new process for each would take a minute."""

GOOD = tuple(
    f"good-{rule}-{steps}" for rule in ("reptile", "balanced", "itaml") for steps in (1, 2, 3)
)


def suite_of(kinds: tuple[str, ...], seeds: int = 2) -> Suite:
    """Give a suite of misbehaving arms, with a good one after every few."""
    arms = [
        f"  '{kind[:50]}': {{method.meta.update: {{mischief: {{kind: '{kind}'}}}}}}"
        for kind in kinds
    ]
    good = [
        f"  {name}: {{method.meta.update: {name.split('-')[1]}, method.meta.inner_steps: "
        f"{name.split('-')[2]}}}"
        for name in GOOD
    ]
    every = max(1, len(arms) // len(good))
    for place, arm in enumerate(good):
        arms.insert((place + 1) * (every + 1), arm)
    text = TINY[: TINY.index("arms:")] + "arms:\n" + "\n".join(arms) + f"\nseeds: {seeds}\n"
    return parse_suite(text.encode(), "mischief", "mischief.yaml", scan())


def run(suite: Suite, folder: Path, sink: Any = len) -> dict[str, list[RunResult]]:
    """Run a suite with three workers, and give the records by arm."""
    store = open_store(folder)
    work = flow.prepare(suite, Path("data"), store)
    with flow.crew(3, sink) as crew:
        for _ in flow.run(work, store, HERE, crew):
            pass
    records = store.load(work.plan.runs)
    store.close()
    return {
        variant.arm: [records[key] for key in row if key in records]
        for variant, row in zip(suite.variants, work.plan.keys, strict=True)
    }


def plain(records: list[RunResult]) -> list[dict[str, Any]]:
    return [{**asdict(record), "seconds": 0} for record in records]


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MISCHIEF", str(tmp_path))
    # as if it were a file dropped into `variants`: its workers are used again for others' runs
    monkeypatch.setattr(dispatch, "_foreign", lambda *_: False)
    with installed(tmp_path / "plug-in", PLUG_IN, monkeypatch):
        yield


def hurried(stack: Stack, *values: Any, **more: Any) -> Any:
    """Pack a job; one that is going to spin gets a quarter of a minute."""
    update = stack.runs[0].choices["method"].settings["update"]
    spins = update.settings.get("kind") == "spin"
    return {**JOB(stack, *values, **more), **({"seconds": 15.0} if spins else {})}


JOB = dispatch.job


@pytest.mark.usefixtures("plug_in")
def test_misbehaving_components_cost_no_other_run_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every good arm's records equal those of a run without the others; every loss has a reason."""
    monkeypatch.setattr(dispatch, "job", hurried)
    monkeypatch.setattr(processes, "IDLE_SECONDS", 9.0)
    monkeypatch.setattr(processes, "BUSY_SECONDS", 0.05)
    prints: list[bytes] = []
    kinds = (*LOST, *PUT_BACK, *OTHERS, *TOGETHER)
    suite = suite_of(tuple(kind for kind in kinds if kind != ITS_END))
    records = run(suite, tmp_path / "all", prints.append)
    last = run(suite_of((ITS_END,)), tmp_path / "all", prints.append)
    assert {arm: len(of_arm) for arm, of_arm in records.items()} == dict.fromkeys(records, 2)
    for kind, reason in LOST.items():
        for record in records[kind]:
            assert record.status in ("failed", "diverged"), kind
            assert re.search(reason, record.reason, re.DOTALL), (kind, record.reason)
            assert len(record.reason) < 700
    alone = run(suite_of(()), tmp_path / "alone")
    assert [record.status for arm in GOOD for record in last[arm]] == ["ok"] * 2 * len(GOOD)
    for arm in GOOD:
        assert [record.status for record in records[arm]] == ["ok", "ok"], arm
        assert plain(records[arm]) == plain(alone[arm]), arm
    printed = b"".join(prints)
    assert all(
        f"MATTERS {how}".encode() in printed for how in ("(helps)", "to stderr", "by number")
    )


def test_what_a_component_left_changed_is_seen_and_put_back_where_it_can_be(
    tmp_path: Path,
) -> None:
    """Each in a process of its own, as it is after the imports."""
    (tmp_path / "mischief.py").write_text(PLUG_IN)
    code = f"""
import json, os, sys
sys.path[:0] = [{str(tmp_path)!r}, {str(Path.cwd())!r}]
import mischief
from ablate.core import process_state
from ablate.training import execute, scoring

def left(kind):
    with process_state.held(1):
        mischief.KINDS[kind]()
    return process_state.changes(before, process_state.snapshot())

before = process_state.snapshot()
for kind in {[*PUT_BACK, *NOT_PUT_BACK]!r}:
    sys.stdout.flush()
    if os.fork() == 0:
        line = json.dumps([kind, left(kind)]) + chr(10)
        os.write(1, line.encode())
        os._exit(0)
    os.wait()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    left = dict(map(json.loads, done.stdout.splitlines()))
    assert {kind for kind, changed in left.items() if not changed} == set(PUT_BACK)
    assert {kind for kind, changed in left.items() if changed} == set(NOT_PUT_BACK)


def test_what_happens_to_the_comparison_of_first_steps_costs_itself_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs in a worker; the command says what became of it, and prints nothing of the arm's."""
    path = tmp_path / "tiny.yaml"
    arms = (
        "  balanced: {method.meta.update: balanced}\n"
        "  bad: {method.meta.update: {mischief: {kind: 'print+exit-7'}}}\n"
    )
    path.write_text(
        TINY.replace("  balanced: {method.meta.update: balanced}\n", arms).replace(
            "contrasts:\n",
            "contrasts:\n  - {treatment: bad, baseline: balanced, metric: all-classes, "
            "margin: 2.0 points}\n",
        )
    )
    with installed(tmp_path / "plug-in", PLUG_IN, monkeypatch):
        code, said = ask("run", path, "--results", tmp_path / "r", "--workers", 2)
    assert code == 3
    ended = "the worker process ended in the middle of its work (exit code 7)"
    assert f"The first steps of bad and balanced could not be compared: {ended}" in said
    assert "9 of 9 runs done, 0 running, 3 lost" in said
    assert "**Yes.** MATTERS (helps)" not in said
    folder = tmp_path / "r" / "tiny"
    assert "**Yes.** MATTERS (helps)" in (folder / "components.log").read_text()
    assert ended in (folder / "report.md").read_text()


def test_a_process_that_ran_other_peoples_code_runs_nobody_elses() -> None:
    """But more of the same, and anything before."""
    used = SimpleNamespace(foreign=("update.mischief",))
    new = SimpleNamespace(foreign=())
    assert [Worker.may_do(w, {"foreign": ["update.mischief"]}) for w in (used, new)] == [True, True]  # type: ignore[arg-type]
    assert [Worker.may_do(w, {"foreign": []}) for w in (used, new)] == [False, True]  # type: ignore[arg-type]


def test_data_that_a_component_wrote_into_are_read_anew(tmp_path: Path) -> None:
    """The stack that did it is lost, the next has the rows as they are."""
    from ablate.training import assembly, execute

    suite = parse_suite(TINY.encode(), "tiny", "tiny.yaml", scan())
    work = flow.prepare(suite, Path("data"), None)
    first, second = work.stacks[:2]
    right = plain(execute.attempt(second, HERE, scan()))
    data = assembly.assemble(first, HERE, scan()).data
    data.x_train[:100] = 0.5
    assert plain(execute.attempt(second, HERE, scan())) == right
    with pytest.MonkeyPatch.context() as patch:
        train = execute.train

        def writing(ready: assembly.Assembled) -> list[RunResult]:
            ready.data.x_train[:100] = 0.5
            return train(ready)

        patch.setattr(execute, "train", writing)
        (reason,) = {record.reason for record in execute.attempt(first, HERE, scan())}
    assert "a component changed the data in place, which all runs share" in reason
    assert plain(execute.attempt(second, HERE, scan())) == right
