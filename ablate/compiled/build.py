"""The kernels with a set of components' functions in them, compiled by Numba and kept on disk.

What is compiled is written as a module of its own, named by a digest of all that it is made from:
the kernels' text, the components' files, the versions of Numba and NumPy. So edited code compiles
anew, and Numba's own cache, which does not look into what a function calls, cannot be stale.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from ablate.compiled import kernels

MARK = "# --- kernel"
"""Where the text that is compiled begins in `kernels`."""

# nan and inf keep their meaning, so that a run that has diverged shows it
OPTIONS = 'cache=True, fastmath={"contract", "reassoc", "nsz", "arcp"}, error_model="numpy"'
COMPILED = ("load", "forward", "backward", "outward", "over_tasks", "over_rows")

Parts = Mapping[str, Callable[..., Any]]
"""The components' functions, by the names that the kernels call them by."""


def available() -> bool:
    """Say whether Numba is installed."""
    return importlib.util.find_spec("numba") is not None


def one_thread() -> None:
    """Keep the BLAS that kernels call to one thread: runs share the cores as processes.

    Numba takes SciPy's, which comes with the first kernel: a limit set before misses it.
    """
    import_module("scipy.linalg.cython_blas")
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, "blas")


def folder() -> Path:
    """Give where compiled kernels are kept: `$ABLATE_CACHE`, or `ablate` in the user's cache."""
    named = os.environ.get("ABLATE_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ablate"


def text(parts: Parts) -> str:
    """Write the module that is compiled for these parts."""
    source = inspect.getsource(kernels)
    body = source[source.index(MARK) :]
    for name in COMPILED:
        body = body.replace(f"def {name}(", f"@njit({OPTIONS})\ndef {name}(")
    lines = [
        "import math",
        "from typing import Any",
        "",
        "import numpy as np",
        "from numba import njit",
    ]
    for name, function in sorted(parts.items()):
        lines.append(f"from {function.__module__} import {function.__qualname__} as _{name}")
    lines += [f"{name} = njit({OPTIONS})(_{name})" for name in sorted(parts)]
    files = {
        function.__module__: inspect.getsource(sys.modules[function.__module__])
        for function in parts.values()
    }
    stamp = [
        f"# numba {version('numba')}, numpy {version('numpy')}, Python {sys.version.split()[0]}"
    ]
    stamp += [f"# {name}: {_digest(source)}" for name, source in sorted(files.items())]
    return "\n".join([*stamp, *lines, "", "", body])


def call(source: str, name: str, *arguments: Any) -> None:
    """Call a kernel of a module's text; one whose cached code cannot be read is compiled anew."""
    try:
        getattr(_imported(source), name)(*arguments)
    except Exception as error:
        if not _is_of_the_cache(error):
            raise
        forget(source)
        getattr(_imported(source), name)(*arguments)


def forget(source: str) -> None:
    """Remove what is kept of a module's kernels."""
    name = _name(source)
    for path in (folder() / "__pycache__").glob(f"{name}.*"):
        path.unlink(missing_ok=True)
    _imported.cache_clear()
    sys.modules.pop(name, None)


def _is_of_the_cache(error: BaseException) -> bool:
    """Say whether an exception was raised where Numba reads its cache, before a kernel began."""
    frames = traceback.extract_tb(error.__traceback__)
    return any(Path(frame.filename).name == "caching.py" for frame in frames)


@lru_cache(maxsize=64)
def _imported(source: str) -> ModuleType:
    name = _name(source)
    path = _written(folder(), name, source)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Numba looks a function's module up when it unpickles its cache
    spec.loader.exec_module(module)
    return module


def _written(where: Path, name: str, source: str) -> Path:
    """Write a module once; where the cache cannot be written to, for this process alone."""
    path = where / f"{name}.py"
    try:
        where.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_bytes() != source.encode():
            # beside it and then renamed: another process may read it now
            with tempfile.NamedTemporaryFile(
                "w", dir=where, delete=False, encoding="utf-8"
            ) as file:
                file.write(source)
            Path(file.name).replace(path)
    except OSError:
        path = Path(tempfile.mkdtemp(prefix="ablate-")) / f"{name}.py"
        path.write_text(source, "utf-8")
    return path


def _name(source: str) -> str:
    return f"kernel_{_digest(source)}"


def _digest(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()[:16]
