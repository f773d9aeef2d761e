"""The process at the other end: reads jobs, answers in lines of JSON, and minds its parent.

What it prints goes to its standard output and error, which the parent has for a log: answers have
a pipe of their own that no print reaches.
"""

from __future__ import annotations

import ctypes
import faulthandler
import json
import os
import pickle
import signal
import sys
import threading
import time
from base64 import b64decode
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ablate.core.foreign_text import of_error
from ablate.types import Json

PR_SET_PDEATHSIG = 1  # prctl(2)
FOLLOWING_SECONDS = 0.5


def main(parent: int, jobs: int, answers: int, dump: int) -> None:
    """Work until there are no more jobs. jobs, answers, dump: file descriptors."""
    begin(parent, dump)
    say = speaker(answers)
    try:
        from ablate.records import fingerprints
        from ablate.registry import scan

        fingerprints.begin()

        scan()  # first, since it imports plug-ins: one that ends the process does so at once
        watch = watcher()
        from ablate.executors.jobs import perform
    except BaseException as error:
        say({"broken": of_error(error)})
        raise
    say({"ready": True})
    with os.fdopen(jobs, "rb") as lines:
        for line in lines:
            index, payload = pickle.loads(b64decode(line))
            say({"began": index})
            answer = done(perform, payload)
            changed = watch() if payload.get("watched", True) else []
            say({"place": index, "answer": answer, "changed": changed[:20]})


def watcher() -> Callable[[], list[str]]:
    """Give what names the global state that jobs have changed since it was last asked.

    Nothing is watched without torch, where nothing trains but programs of other people.
    """
    from ablate.source.extras import missing

    if missing(["torch"]):
        return list
    import torch

    from ablate.core import process_state

    torch.set_num_threads(1)
    states = [process_state.snapshot()]

    def changed() -> list[str]:
        if process_state.is_as_it_was(states[0]):
            return []
        before, now = states.pop(), process_state.snapshot()
        states.append(now)
        return process_state.changes(before, now)

    return changed


def done(perform: Callable[[Json], list[Json]], payload: Json) -> list[Json] | str:
    """Do a job; what it cannot do, or cannot hand back as plain data, is told in words."""
    try:
        results = perform(payload)
        json.dumps(results)
    except BaseException as error:  # the parent decides when a worker ends, no component does
        from ablate.training.execute import describe

        return describe(error)
    return results


def speaker(answers: int) -> Callable[[Json], None]:
    """Give what sends a message to the parent, from this very process alone.

    A component may fork: its child has the same pipe, and must not answer in our place.
    """
    process = os.getpid()

    def say(message: Json) -> None:
        if os.getpid() != process:
            os._exit(0)
        line = memoryview((json.dumps(message) + "\n").encode())
        while line:
            line = line[os.write(answers, line) :]

    return say


def begin(parent: int, dump: int) -> None:
    """Prepare a worker: the parent decides what Ctrl-C means, and its end is the worker's.

    dump: where a fault, or SIGUSR1, writes the place that the worker stands in.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable(dump)
    faulthandler.register(signal.SIGUSR1, dump, all_threads=True)
    if sys.platform == "linux":
        _on_linux()
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _on_linux() -> None:
    """Let the system end a worker with its parent, and end it first where memory runs out."""
    with suppress(OSError, AttributeError):
        library: Any = ctypes.CDLL(None)
        library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def _follow(parent: int) -> None:
    """End with the parent, also where the system does not see to it."""
    while os.getppid() == parent:
        time.sleep(FOLLOWING_SECONDS)
    os._exit(1)  # the parent was killed: nobody will read the results
