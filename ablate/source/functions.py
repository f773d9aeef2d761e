"""Functions as arms: named by module, or of a notebook, and what the scores of either rest on.

A function that no import finds (of a notebook, of the script itself, a lambda, a closure) is known
to this process alone, by a name with a digest of what it does, so that an edited one is another.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from ablate.errors import SelectionError, SourceError
from ablate.source import closure
from ablate.source.locating import OURS, is_installed, locate

NOTEBOOK = "__notebook__"
"""Stands for a module in the names of functions that are known to one process alone."""

_FUNCTIONS: dict[str, tuple[Callable[..., Any], Basis]] = {}


@dataclass(frozen=True)
class Basis:
    """What a function's scores rest on: digests by name, and top-level names of packages."""

    digests: Mapping[str, str]
    packages: frozenset[str]


def named(function: FunctionType) -> str:
    """Give a function's name for a suite: `module:name`, or that of a function of this process."""
    if is_importable(function):
        return f"{function.__module__}:{function.__name__}"
    pieces = sorted(_pieces(function, set()))
    digest = _short("\n".join(text for text, _ in pieces))
    packages = frozenset(package for _, package in pieces if package)
    name = function.__name__ if function.__name__.isidentifier() else "lambda_function"
    text = f"{NOTEBOOK}:{name}_{digest}"
    _FUNCTIONS[text] = function, Basis({text: digest}, packages)
    return text


def is_importable(function: FunctionType) -> bool:
    """Say whether a worker that imports the function's module finds this very function."""
    module, name = function.__module__, function.__name__
    locate.cache_clear()  # a notebook lives long, and folders come to its path
    path = locate(module) if module != "__main__" else None
    if path is None or function.__qualname__ != name or not name.isidentifier():
        return False
    return getattr(sys.modules.get(module), name, None) is function


def is_of_notebook(text: str) -> bool:
    """Say whether a function's name is that of a function of one process."""
    return text.startswith(f"{NOTEBOOK}:")


def resolve(text: str) -> Callable[..., Any]:
    """Give the function of a name, imported where it has a module. Raises SelectionError."""
    module, _, name = text.partition(":")
    if not is_of_notebook(text):
        function: Callable[..., Any] = getattr(import_module(module), name)
        return function
    if text not in _FUNCTIONS:
        raise SelectionError(
            f"{name} is a function of a notebook or a script, known there alone: run its study "
            "there, or put the function into a module and name it as module:function"
        )
    return _FUNCTIONS[text][0]


def basis(text: str) -> Basis:
    """Give what a function of that name rests on, as its files are now; nothing where it is not."""
    if is_of_notebook(text):
        return _FUNCTIONS[text][1] if text in _FUNCTIONS else Basis({}, frozenset())
    try:
        brought = closure.closure(text.partition(":")[0])
    except (SourceError, ValueError):
        return Basis({}, frozenset())
    files = {name: path for name, path in brought.files.items() if name.split(".")[0] not in OURS}
    return Basis({name: _code(name, path) for name, path in files.items()}, brought.packages)


def reread(text: str) -> None:
    """Forget the files of a function's module: a worker will load them as, and where, they are."""
    locate.cache_clear()
    with suppress(SourceError):
        closure.renew(*closure.closure(text.partition(":")[0]).files)


def _code(name: str, path: Path) -> str:
    return closure.source(path, name).code


def _pieces(function: FunctionType, seen: set[int]) -> Iterator[tuple[str, str]]:
    """Give what a function does in texts, each with a package that it needs or ''.

    Its source, its defaults, the values that it closes over, and what it reads of its module:
    plain values, arrays, functions and classes; modules by their code or their package.
    """
    if id(function) in seen:
        return
    seen.add(id(function))
    yield f"{function.__qualname__} {_source(function)}", ""
    names = _names(function.__code__)
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    values = {name: function.__globals__[name] for name in names if name in function.__globals__}
    for name, cell in cells:
        with suppress(ValueError):  # not bound yet
            values[name] = cell.cell_contents
    for place, default in enumerate(function.__defaults__ or ()):
        values[f"default {place}"] = default
    values |= {f"default {name}": value for name, value in (function.__kwdefaults__ or {}).items()}
    for name, value in values.items():
        yield from _piece(name, value, seen)


def _piece(name: str, value: Any, seen: set[int]) -> Iterator[tuple[str, str]]:
    if isinstance(value, ModuleType):
        yield from _of_module(name, value.__name__)
    elif isinstance(value, FunctionType) and not is_importable(value):
        yield from _pieces(value, seen)
    elif isinstance(value, type) and value.__module__ == "__main__":
        with suppress(OSError, TypeError):
            yield f"{name} {_digest(inspect.getsource(value))}", ""
    elif isinstance(value, (FunctionType, type)):
        yield from _of_module(name, value.__module__)
    elif hasattr(value, "tobytes") and hasattr(value, "shape"):  # an array, of NumPy or like it
        yield f"{name} {value.shape} {_digest(value.tobytes())}", ""
    else:
        with suppress(TypeError, ValueError, RecursionError):
            yield f"{name} = {json.dumps(value, sort_keys=True)}", ""


def _of_module(name: str, module: str) -> Iterator[tuple[str, str]]:
    """Give a module by the code of its files, or by its package where it is an installed one."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or top in OURS:
        yield f"{name} is {module}", ""
    elif is_installed(top):
        yield f"{name} is {module}", top
    else:
        with suppress(SourceError):
            reread(module)
            yield f"{name} is {module} {closure.digest(closure.closure(module).files)}", ""


def _names(code: CodeType) -> set[str]:
    """Give every name that code looks up, that of functions inside it included."""
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return {*code.co_names}.union(*map(_names, inner))


def _source(function: FunctionType) -> str:
    """Give a digest of a function's source; of a lambda, which shares its line, of its code."""
    if function.__name__.isidentifier():
        with suppress(OSError, TypeError):
            return _digest(inspect.getsource(function))
    return _short("\n".join(_compiled(function.__code__)))


def _compiled(code: CodeType) -> Iterator[str]:
    yield f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {code.co_freevars}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _compiled(constant)
        else:
            yield repr(constant)


def _digest(source: str | bytes) -> str:
    if isinstance(source, str):
        return closure.code_digest(textwrap.dedent(source).encode())
    return hashlib.sha256(source).hexdigest()


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
