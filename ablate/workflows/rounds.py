"""Rounds of timings, interleaved A B B A, so that whatever the machine does hits all arms alike."""

from __future__ import annotations

import math
import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from ablate.core import malloc
from ablate.stats.student import Mean

Step = Callable[[], object]
LEVEL = 0.95
SIDE = 1024
"""Rows and columns of the product that the peak of matrix multiplication is measured on."""

LARGE = 1 << 22
"""Numbers in each of the two vectors between which `copy_` is timed, where no P is given."""


def interleaved(steps: Mapping[str, Step], rounds: int, seconds: float) -> dict[str, list[float]]:
    """Time functions in turn, forth and back in every round; `seconds` at least on each turn.

    Gives the seconds a call of each round, the geometric mean of its two turns.
    """
    calls = {}
    for name, step in steps.items():
        step()  # it may compile
        started = time.perf_counter()
        step()
        calls[name] = max(1, math.ceil(seconds / (time.perf_counter() - started)))
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        there = {name: _timed(step, calls[name]) for name, step in steps.items()}
        back = {name: _timed(steps[name], calls[name]) for name in reversed([*steps])}
        for name in steps:
            taken[name].append(math.sqrt(there[name] * back[name]))
    return taken


def _timed(step: Step, calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        step()
    return (time.perf_counter() - started) / calls


def product(precision: str = "float32") -> Step:
    """Give one large matrix product, whose operations a second are the peak."""
    a, b = torch.rand(2, SIDE, SIDE, dtype=getattr(torch, precision))
    out = torch.empty_like(a)
    return lambda: torch.mm(a, b, out=out)


def copying(numbers: int = LARGE) -> Step:
    """Give one `copy_` between two vectors of so many numbers."""
    a, b = torch.rand(2, numbers)
    return lambda: a.copy_(b)


def ratio(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float]:
    """Give the ratio a / b of one call's rounds: geometric mean, and the t interval of its logs.

    >>> [round(value, 3) for value in ratio([2.0, 2.0], [1.0, 1.0])]
    [2.0, 2.0, 2.0]
    """
    logs = np.log(a) - np.log(b)
    return _interval(Mean(max(1, len(logs) - 1), float(logs.mean()), _error(logs)))


def between(new: Sequence[float], old: Sequence[float]) -> tuple[float, float, float]:
    """Give the ratio old / new of two calls: Welch's interval of the difference of mean logs."""
    now, then = np.log(new), np.log(old)
    parts = _error(now) ** 2, _error(then) ** 2
    scale = math.sqrt(sum(parts))
    shares = sum(
        part**2 / max(1, len(logs) - 1) for part, logs in zip(parts, (now, then), strict=True)
    )
    df = sum(parts) ** 2 / shares if shares else 1
    return _interval(Mean(max(1, int(df)), float(then.mean() - now.mean()), scale))


def _error(logs: np.ndarray) -> float:
    return float(logs.std(ddof=1) / math.sqrt(len(logs))) if len(logs) > 1 else math.inf


def _interval(mean: Mean) -> tuple[float, float, float]:
    if math.isinf(mean.scale):
        return math.exp(mean.centre), 0.0, math.inf
    low, high = mean.interval(LEVEL)
    return math.exp(mean.centre), math.exp(low), math.exp(high)


def peak_mib(build: Callable[[], Step], calls: int = 2) -> float | None:
    """Give the most memory that building a step and taking it adds to a process, in MiB.

    A forked process does it twice, and counts the second time: the first brings in code, and
    compiles. Its heap has no free pages then that would serve unseen. None where the system has
    no such processes or does not say.
    """
    if sys.platform != "linux":
        return None
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads: none of ours is waited on
        child = os.fork()
    if child == 0:
        try:
            build()()
            malloc.give_back()
            Path("/proc/self/clear_refs").write_text("5", "ascii")  # the peak is now what is held
            before = _memory("VmRSS")
            step = build()
            for _ in range(calls):
                step()
            os.write(write, str(_memory("VmHWM") - before).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as line:
        text = line.read()
    os.waitpid(child, 0)
    return float(text) / 1024 if text else None


def _memory(name: str) -> int:
    """Give a number of `/proc/self/status`, in KiB."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split(f"{name}:")[1].split()[0])
