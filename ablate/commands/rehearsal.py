"""Plug-ins that end the process: tried in a copy of it first, so that the command can say so."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import entry_points

from ablate.errors import WorkerError
from ablate.registry import GROUP

REHEARSED = 86
"""How a copy ends that nothing has ended: 0 is what a plug-in would choose."""


def rehearse(act: Callable[[], object]) -> None:
    """Let a copy of this process do something that runs plug-ins; nothing where there are none.

    Raises WorkerError where the copy does not come to its end.
    """
    points = entry_points(group=GROUP)
    if not points or not hasattr(os, "fork"):
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
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        names = ", ".join(sorted({f"{point.name} = {point.value}" for point in points}))
        raise WorkerError(
            f"a plug-in ended the process while the suite was read and planned ({how}); nothing "
            f"was run. Plug-ins: {names}"
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
