"""What is global in a process and decides scores: seen, compared, put back.

A component receives and returns; one that changes torch's default type, the current folder or a
function of NumPy would change every stack that the same process runs after it.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import random
import resource
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from types import BuiltinMethodType, MethodType, MethodWrapperType, ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch

WATCHED = ("ablate", "variants", "reports", "torch", "numpy", "builtins", "math", "random", "json")
"""Packages whose functions, classes and settings a component must leave as they are."""

CLASSES = (torch.Tensor, torch.nn.Module, torch.optim.Optimizer, torch.Generator)
"""Classes whose methods every step calls."""

_CLASS_NAMES = frozenset(kind.__name__ for kind in CLASSES)
_BOUND = (BuiltinMethodType, MethodWrapperType, MethodType)
"""What attribute access makes anew each time, so that its identity says nothing."""


@dataclass(frozen=True)
class Setting:
    """One global setting: how it is read, and how it is put back where that is possible."""

    read: Callable[[], Any]
    write: Callable[[Any], object] | None = None


def _environment() -> dict[str, str]:
    """Read the environment without what torch's compiler and threadpoolctl write there."""
    theirs = ("TORCHINDUCTOR_", "TRITON_", "KMP_DUPLICATE_LIB_OK")
    return {name: value for name, value in os.environ.items() if not name.startswith(theirs)}


def _set_environment(before: Mapping[str, str]) -> None:
    for name in _environment().keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


def _folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return ""


def _handlers() -> dict[int, Any]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGSEGV, signal.SIGALRM)
    return {number: signal.getsignal(number) for number in numbers}


def _precisions() -> tuple[bool, bool, str]:
    matmul, conv = torch.backends.cuda.matmul, torch.backends.cudnn
    return matmul.allow_tf32, conv.allow_tf32, torch.get_float32_matmul_precision()


@cache
def settings() -> dict[str, Setting]:
    """Give what is watched, by the words that a report has for it."""
    return {
        "torch's default type": Setting(torch.get_default_dtype, torch.set_default_dtype),
        # put back to "none", which is not the same as the processor: that is a mode with a cost
        "torch's default device": Setting(
            torch.get_default_device, lambda _device: torch.set_default_device(None)
        ),
        "torch's threads": Setting(torch.get_num_threads, torch.set_num_threads),
        "torch's gradient mode": Setting(torch.is_grad_enabled, torch.set_grad_enabled),
        "torch's deterministic mode": Setting(
            torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms
        ),
        "torch's matrix precision": Setting(_precisions),
        "torch's anomaly mode": Setting(
            torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly
        ),
        "torch's denormal mode": Setting(_flushes_denormals, torch.set_flush_denormal),
        "NumPy's handling of errors": Setting(np.geterr, lambda modes: np.seterr(**modes)),
        "the current folder": Setting(_folder, lambda path: os.chdir(path) if path else None),
        VARIABLES: Setting(_environment, _set_environment),
        "the import path": Setting(
            lambda: list(sys.path), lambda paths: sys.path.__setitem__(slice(None), paths)
        ),
        "the recursion limit": Setting(sys.getrecursionlimit, sys.setrecursionlimit),
        "garbage collection": Setting(gc.isenabled, lambda on: gc.enable() if on else gc.disable()),
        "tracing": Setting(sys.gettrace, sys.settrace),
        "signal handlers": Setting(_handlers),
        "limits of memory and files": Setting(_limits, _set_limits),
        "the standard streams": Setting(lambda: (sys.stdout, sys.stderr), _set_streams),
        "fault handling": Setting(faulthandler.is_enabled),
        "umask": Setting(_umask, os.umask),
    }


def _limits() -> dict[int, tuple[int, int]]:
    kinds = (resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_NOFILE, resource.RLIMIT_CPU)
    return {kind: resource.getrlimit(kind) for kind in kinds}


def _set_limits(before: Mapping[int, tuple[int, int]]) -> None:
    for kind, limits in before.items():
        resource.setrlimit(kind, limits)


def _set_streams(before: tuple[Any, Any]) -> None:
    sys.stdout, sys.stderr = before


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _flushes_denormals() -> bool:
    """Ask the processor by an example: torch cannot be asked."""
    smallest = float("5e-324")
    return smallest * 1.0 == 0


class Function(NamedTuple):
    """A function or class, and its code: `f.__code__ = ...` changes f as well."""

    value: Any
    code: Any


VARIABLES = "the environment"


@dataclass(frozen=True)
class State:
    """What a process was like: its settings, its watched functions, its threads; modules: how many
    were loaded.
    """

    values: Mapping[str, Any]
    functions: Mapping[tuple[str, str], Function]
    threads: frozenset[int]
    modules: int

    @cached_property
    def by_owner(self) -> Mapping[str, Sequence[tuple[str, Function]]]:
        """Sort the functions by the module or class that holds them."""
        sorted_: dict[str, list[tuple[str, Function]]] = {}
        for (owner, name), function in self.functions.items():
            sorted_.setdefault(owner, []).append((name, function))
        return sorted_


def snapshot() -> State:
    """Look at all that is watched in this process: some 30 ms."""
    alive = frozenset(thread.ident or 0 for thread in threading.enumerate())
    return State(values(), dict(_functions()), alive, len(sys.modules))


def values() -> dict[str, Any]:
    """Read the settings alone, which takes no time."""
    return {name: _read(setting) for name, setting in settings().items()}


def _read(setting: Setting) -> Any:
    try:
        return setting.read()
    except Exception as error:  # a component may have replaced what is asked
        return f"cannot be read: {type(error).__name__}"


def is_as_it_was(before: State) -> bool:
    """Say whether nothing at all differs: a tenth of the time of another snapshot."""
    alive = {thread.ident or 0 for thread in threading.enumerate()}
    if len(sys.modules) != before.modules or alive != before.threads or values() != before.values:
        return False
    kinds = {kind.__name__: kind for kind in CLASSES}
    for owner, functions in before.by_owner.items():
        if (holder := sys.modules.get(owner, kinds.get(owner))) is None:
            return False
        find = partial(getattr, holder) if owner in kinds else vars(holder).get
        for name, (value, code) in functions:
            if find(name, None) is not value or (
                code is not None and getattr(value, "__code__", None) is not code
            ):
                return False
    return True


def changes(before: State, now: State) -> list[str]:
    """Name what is not as it was; nothing in a process that was left as it was found.

    Names that are new do not count: libraries import parts of themselves when they need them.
    """
    names = [name for name, value in before.values.items() if now.values[name] != value]
    if now.modules > before.modules and _only_more(before.values[VARIABLES], now.values[VARIABLES]):
        names = [name for name in names if name != VARIABLES]  # a library set them as it was loaded
    names += [
        f"{owner}.{name}"
        for (owner, name), was in before.functions.items()
        if _replaced(owner, was, now.functions.get((owner, name)))
    ]
    if left := len(now.threads - before.threads):
        names.append(f"{left} threads left behind")
    return names


def _only_more(before: Any, now: Any) -> bool:
    """Say whether variables were added to an environment, and none was changed or taken."""
    mappings = isinstance(before, Mapping) and isinstance(now, Mapping)
    return mappings and all(now.get(name) == value for name, value in before.items())


def _replaced(owner: str, was: Function, now: Function | None) -> bool:
    """Say whether a function is another, or has other code, by no doing of its own library's.

    torch wraps some of its functions when they are first used: such a wrapper stands in torch's
    files and has the function's name.
    """
    if now is None:
        return True
    if now.value is was.value and now.code is was.code:
        return False
    library = getattr(sys.modules.get(owner.partition(".")[0]), "__file__", None) or "no file"
    inside = getattr(now.code, "co_filename", "").startswith(library.removesuffix("__init__.py"))
    named = getattr(now.value, "__name__", None) == getattr(was.value, "__name__", "")
    return not (inside and named)


@contextmanager
def held(number: int) -> Iterator[list[str]]:
    """Keep a process's settings and random streams through what a component may do to them.

    number: what the global random streams are seeded with meanwhile: the engine draws nothing from
    them, and a component that does gives the same scores each time. The list names, afterwards,
    what had changed.
    """
    before, changed = values(), list[str]()
    with warnings.catch_warnings(), seeded(number):
        try:
            yield changed
        finally:
            changed += [name for name, value in values().items() if value != before[name]]
            for name in changed:
                if write := settings()[name].write:
                    with suppress(Exception):  # what cannot be put back costs a worker its process
                        write(before[name])


@contextmanager
def seeded(number: int) -> Iterator[None]:
    """Fix the global random streams for a while: the engine draws nothing from them.

    A component that does gives the same scores each time a stack is run.
    """
    state, drawn = random.getstate(), np.random.get_state()
    with torch.random.fork_rng():
        random.seed(number)
        np.random.seed(number % 2**32)
        torch.manual_seed(number)
        try:
            yield
        finally:
            random.setstate(state)
            np.random.set_state(drawn)


def _holders() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        deep = name.count(".") > 2 or "._" in name
        if top in WATCHED and not deep and isinstance(module, ModuleType):
            yield name, dict(vars(module))
    for kind in CLASSES:
        # also what is inherited: a new attribute of Tensor hides that of its base
        yield kind.__name__, {name: getattr(kind, name, None) for name in dir(kind)}


def _functions() -> Iterator[tuple[tuple[str, str], Function]]:
    for owner, members in _holders():
        for name, value in members.items():
            if callable(value) and not (owner in _CLASS_NAMES and isinstance(value, _BOUND)):
                yield (owner, name), Function(value, getattr(value, "__code__", None))
