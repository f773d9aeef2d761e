"""Signals that ask a command to end: each ends it the same way, with its own exit code."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ablate.commands.terminal import say, stream
from ablate.errors import ExitCode, Stopped

CODES = {
    name: code
    for name, code in (
        ("SIGHUP", ExitCode.HANGUP),
        ("SIGINT", ExitCode.INTERRUPTED),
        ("SIGTERM", ExitCode.TERMINATED),
    )
    if hasattr(signal, name)
}

TEXT = "Stopped ({name}). Finished runs are kept; the same command goes on."


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into `Stopped`, then into a line and an exit code.

    A second signal waits for nothing: the process ends at once, with the first one's code. A signal
    that was ignored when the command began (`nohup`) stays so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python gives signals to the main thread alone
        return
    first: list[int] = []

    def stop(number: int, _frame: Any) -> None:
        if first:
            with suppress(OSError, ValueError):
                os.write(stream(err=True).fileno(), f"{text(first[0])}\n".encode())
            os._exit(CODES[signal.Signals(first[0]).name])
        first.append(number)
        raise Stopped(number)

    before = {}
    for number in (getattr(signal, name) for name in CODES):
        if signal.getsignal(number) not in (signal.SIG_IGN, None):
            before[number] = signal.signal(number, stop)
    try:
        yield
    except KeyboardInterrupt as error:
        number = error.number if isinstance(error, Stopped) else signal.SIGINT
        if stream(err=True).isatty():
            stream(err=True).write("\x1b[?25h")  # the live display hides the cursor
        say(text(number), err=True)
        sys.exit(CODES[signal.Signals(number).name])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def text(number: int) -> str:
    """Say that a signal has stopped the command."""
    return TEXT.format(name=signal.Signals(number).name)
