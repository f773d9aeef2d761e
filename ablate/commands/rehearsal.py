"""Plug-ins that end the process: tried in a copy of it first, so that the command can say so."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import entry_points

from ablate.core.foreign_text import plain
from ablate.errors import WorkerError
from ablate.registry import GROUP

REHEARSED = 86
"""How a copy ends that nothing has ended: 0 is what a plug-in would choose."""


def rehearse(act: Callable[[], object], functions: Sequence[str] = ()) -> None:
    """Let a copy of this process do something that runs other people's code, where there is any.

    functions: those that the suite names, besides the plug-ins that are installed. Raises
    WorkerError where the copy does not come to its end.
    """
    points = entry_points(group=GROUP)
    foreign = [*sorted({f"{point.name} = {point.value}" for point in points}), *functions]
    if not foreign or not hasattr(os, "fork"):
        return
    copy = os.fork()
    if copy == 0:
        _act(act)
    try:
        code = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
    except BaseException:
        with suppress(ProcessLookupError):
            os.kill(copy, signal.SIGKILL)
        raise
    if code != REHEARSED:
        ending = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise WorkerError(
            f"a plug-in or a suite's function ended the process while the suite was read and "
            f"planned ({ending}); nothing was run. It is one of: {', '.join(map(plain, foreign))}"
        )


def _act(act: Callable[[], object]) -> None:
    """Act without a word, and end; what is raised is raised again in the process itself."""
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nowhere, number)
        sys.stdout = sys.stderr = os.fdopen(nowhere, "w")
        with suppress(BaseException):
            act()
    finally:
        os._exit(REHEARSED)
