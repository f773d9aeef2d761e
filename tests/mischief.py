"""A plug-in whose components misbehave, each in its own way, and how it is installed for a test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ablate import registry

PLUG_IN = '''
import atexit, builtins, ctypes, gc, os, random, resource, signal, subprocess, sys, threading, time
from dataclasses import dataclass

import numpy as np
import torch
from torch.func import vmap

from ablate.registry import component


def forked(then):
    if os.fork() == 0:
        then()


def loop(what):
    while True:
        what()


class Unnamed(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def limit_and_allocate():
    resource.setrlimit(resource.RLIMIT_AS, (40 << 30, resource.RLIM_INFINITY))
    return np.ones(50 << 30, np.uint8)


def descend(n=0):
    return descend(n + 1)


def thrown(error):
    raise error


def later():
    while True:
        time.sleep(0.01)
        torch.set_default_dtype(torch.float64)


SCORING, STREAMS = "ablate.training.scoring", "ablate.core.random_streams"


def patch(module, name, value):
    setattr(__import__(module, fromlist=["x"]), name, value)


KINDS = {
    "exit-0": lambda: os._exit(0),
    "exit-7": lambda: os._exit(7),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "segv": lambda: ctypes.string_at(0),
    "term": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "abort": os.abort,
    "stop": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "sleep": lambda: time.sleep(1e6),
    "spin": lambda: loop(int),
    "sys-exit": sys.exit,
    "base-exception": lambda: thrown(BaseException("base")),
    "keyboard-interrupt": lambda: thrown(KeyboardInterrupt()),
    "generator-exit": lambda: thrown(GeneratorExit()),
    "stop-iteration": lambda: thrown(StopIteration()),
    "memory-error": lambda: thrown(MemoryError()),
    "allocate": limit_and_allocate,
    "recursion": descend,
    "unnamed": lambda: thrown(Unnamed()),
    "long-text": lambda: thrown(ValueError("MATTERS \\x1b[2J" * 100_000)),
    "print": lambda: print("**Yes.** MATTERS (helps)"),
    "print-error": lambda: print("MATTERS to stderr", file=sys.stderr),
    "print-fd": lambda: os.write(1, b"MATTERS by number\\n"),
    "print-flood": lambda: print("MATTERS " * 2_000_000),
    "write-everywhere": lambda: [write_to(n) for n in range(3, 900)],
    "close-everything": lambda: os.closerange(3, 900),
    "close-standard": lambda: os.closerange(0, 3),
    "fork": lambda: forked(int),
    "fork-and-sleep": lambda: forked(lambda: time.sleep(1e6)),
    "child": lambda: subprocess.Popen(["sleep", "1000"]),
    "daemon-thread": lambda: threading.Thread(target=time.sleep, args=(1e6,), daemon=True).start(),
    "thread": lambda: threading.Thread(target=time.sleep, args=(1e6,)).start(),
    "meddling-thread": lambda: threading.Thread(target=later, daemon=True).start(),
    "at-exit": lambda: atexit.register(lambda: time.sleep(1e6)),
    "default-type": lambda: torch.set_default_dtype(torch.float64),
    "default-device": lambda: torch.set_default_device("meta"),
    "threads": lambda: torch.set_num_threads(3),
    "no-gradients": lambda: torch.set_grad_enabled(False),
    "folder": lambda: os.chdir("/"),
    "environment": lambda: os.environ.update(ABLATE_DATA="/nowhere", OMP_NUM_THREADS="9"),
    "import-path": lambda: sys.path.clear(),
    "modules": lambda: [sys.modules.pop(m) for m in list(sys.modules) if m == SCORING],
    "global-draws": lambda: (torch.rand(3), np.random.rand(3), random.random()),
    "global-seeds": lambda: (torch.manual_seed(0), np.random.seed(0), random.seed(0)),
    "patch-torch": lambda: patch("torch.nn.functional", "cross_entropy", lambda *a, **k: 0.0),
    "patch-tensor": lambda: setattr(torch.Tensor, "softmax", lambda *a, **k: 0.0),
    "patch-engine": lambda: patch(SCORING, "count", lambda *a, **k: {}),
    "patch-streams": lambda: patch(STREAMS, "stream", lambda *a: np.random.default_rng(0)),
    "patch-builtins": lambda: patch("builtins", "sorted", lambda *a, **k: []),
    "recursion-limit": lambda: sys.setrecursionlimit(300),
    "no-collection": gc.disable,
    "numpy-errors": lambda: np.seterr(all="raise"),
    "signals": lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    "streams": lambda: setattr(sys, "stdout", None),
    "own-file": lambda: os.unlink(__file__) if os.path.exists(__file__) else None,
    "store": lambda: open(os.environ["MISCHIEF"] + "/runs.sqlite-journal", "wb").write(b"x" * 99),
}


def write_to(n):
    try:
        os.write(n, b"{MATTERS}\\n")
    except OSError:
        pass


@component("update", "mischief")
@dataclass(frozen=True)
class Mischief:
    """Do something that no component should, then take the mean of the solutions.

    kind: what.
    """

    kind: str = "none"

    def __call__(self, theta, tasks, fit, clock):
        phi = vmap(fit, in_dims=(None, 0))(theta, tasks).mean(0)
        if self.kind == "nan":
            return phi * float("nan")
        if self.kind == "shape":
            return phi[:-1]
        if self.kind == "none-at-all":
            return None
        if self.kind == "in-place":
            tasks.x.mul_(0)
        elif clock.t == 1 and clock.step == 0:
            for kind in self.kind.split("+"):
                KINDS.get(kind, int)()
        return phi
'''


@contextmanager
def installed(folder: Path, text: str, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a plug-in `mischief` under an entry point, for this process and its workers."""
    about = folder / "mischief-0.1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mischief\nVersion: 0.1\n")
    (about / "entry_points.txt").write_text("[ablate.components]\nmischief = mischief\n")
    (folder / "mischief.py").write_text(text)
    patch.syspath_prepend(folder)
    registry.scan.cache_clear()
    try:
        yield
    finally:
        registry.scan.cache_clear()
        sys.modules.pop("mischief", None)
