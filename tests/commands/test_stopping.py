"""Signals end every command alike: a line, an exit code, no traceback, nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ablate.commands.stopping import stoppable
from ablate.source.foreign_code import contained

ROOT = Path(__file__).parents[2]

HELD_UP = """
import sys, time
import cli
from ablate{package} import {module}

def held_up(*_values, **_options):
    from ablate.commands.terminal import say
    try:
        say("ready", err=True)
        time.sleep(600)
    finally:
        {finally_}

{module}.{function} = held_up
cli.main(sys.argv[1:])
"""


def stopped(
    words: tuple[str, ...], where: str, *numbers: signal.Signals, finally_: str = "pass"
) -> tuple[int, str, str]:
    """Run a command that is held up in a function of ours, and send it signals, one after another.

    Gives its exit code and what it wrote.
    """
    *rooms, module, function = where.split(".")
    package = "".join(f".{room}" for room in rooms)
    code = HELD_UP.format(package=package, module=module, function=function, finally_=finally_)
    running = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        # a job in the background inherits a deaf ear to Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert running.stderr is not None
    assert running.stderr.readline() == "ready\n"
    for left in range(len(numbers), 0, -1):
        running.send_signal(numbers[-left])
        if left > 1:
            assert running.stderr.readline() == "again\n"
    out, err = running.communicate(timeout=60)
    return running.returncode, out, err


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
@pytest.mark.parametrize(
    ("words", "where"),
    [
        (("plan", "smoke"), "flow.prepare"),
        (("compare", "table.csv", "--margin", "1"), "tables.text.content"),
    ],
)
def test_each_signal_has_its_line_and_its_exit_code(
    number: signal.Signals, code: int, words: tuple[str, ...], where: str
) -> None:
    """Whatever the command is at."""
    ended, out, err = stopped(words, where, number)
    assert (ended, out) == (code, "")
    assert err == f"Stopped ({number.name}). Finished runs are kept; the same command goes on.\n"


def test_a_second_signal_waits_for_nothing() -> None:
    """The first is still being seen to; the code is the first one's."""
    finally_ = 'say("again", err=True); time.sleep(600)'
    ended, _, err = stopped(
        ("plan", "smoke"), "flow.prepare", signal.SIGINT, signal.SIGINT, finally_=finally_
    )
    assert ended == 130
    assert err == "Stopped (SIGINT). Finished runs are kept; the same command goes on.\n"


def test_a_command_under_nohup_outlives_its_terminal() -> None:
    """A signal that was ignored when it began stays so."""
    code = (
        "import os, signal, cli\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from ablate import flow\n"
        "def gone(*_, **__): os.kill(os.getpid(), signal.SIGHUP); raise OSError(28, 'No space')\n"
        "flow.prepare = gone\n"
        "cli.main(['plan', 'smoke'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stderr) == (2, "The system refused: No space\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_middle_of_other_peoples_code_is_ours(number: signal.Signals) -> None:
    """It stops the command; the code that ran is not blamed for it."""
    if number == signal.SIGINT:  # which a job in the background inherits as ignored
        signal.signal(number, signal.default_int_handler)

    def running() -> None:
        with stoppable(), contained("a plug-in"):
            os.kill(os.getpid(), number)
            signal.sigtimedwait([], 10)

    with pytest.raises(SystemExit) as ended:
        running()
    assert ended.value.code == 128 + number
