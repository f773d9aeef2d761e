"""Anybody's own data: four arrays in a file, or from a function."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ablate.core.foreign_text import of_error
from ablate.errors import DataError
from ablate.registry import component
from ablate.source.foreign_code import contained
from ablate.streams.dataset_checks import content_digest, facts_of
from ablate.types import Data, Facts

from . import _files, _npz, _plain_arrays
from ._signatures import NAMES as NAMES

_digests: dict[str, str] = {}
"""By function, the digest of the rows that it was last seen to give twice in this process."""


@component("dataset", "arrays", paper="a user's own data")
@dataclass(frozen=True)
class Arrays:
    """x_train `[N, ...]` and y_train `[N]` of classes 0, 1, 2 ..., and the same for test.

    Values are taken as they are, in single precision; scale them beforehand: pixels of 0 to 255
    and other values far from 1 are warned of.

    source: an `.npz` file with the four arrays, its path taken from the data root; or
        `module:function`, a function without arguments that returns them, the same every time.
    tasks: T, a divisor of the number of classes, [1, 100000]; or a list, the classes of each task
        in order.
    class_order: `seeded` draws the order of the classes for each seed, `natural` keeps it.
    """

    source: str = "arrays.npz"
    tasks: int | tuple[int, ...] = 5
    class_order: Literal["seeded", "natural"] = "seeded"

    calls = ("source",)

    def look(self, root: Path) -> Facts:
        """Read and check the arrays. Raises DataError naming what is wrong with them."""
        facts = facts_of(self.load(root), self.source)
        if not self._is_file and _digests.get(self.source) != facts.digest:
            _digests[self.source] = content_digest(self.load(root))
            if _digests[self.source] != facts.digest:
                raise DataError(
                    f"{self.source} gives other rows each time it is called, so that no two runs "
                    "have the same data: seed what it draws, as in np.random.default_rng(0)."
                )
        return facts._replace(mark=_files.CUSTOM)

    def load(self, root: Path) -> Data:
        """Read the four arrays."""
        if self._is_file:
            parts = _from_file(root / self.source)
        else:
            parts = _four(_from_function(self.source), self.source)
        return _plain_arrays.data_of(dict(zip(NAMES, parts, strict=True)), self.source)

    @property
    def _is_file(self) -> bool:
        return self.source.lower().endswith(".npz")


def _from_file(path: Path) -> list[Any]:
    if not _files.is_file(path):
        raise DataError(
            f"There is no file {path.absolute()}. Put an .npz file with {', '.join(NAMES)} there, "
            "or name another data root with --data-root or ABLATE_DATA."
        )
    return _npz.read(path, NAMES)


def _four(answer: Any, source: str) -> list[Any]:
    """Take four arrays from what a function returned: in a row, or by their names."""
    if isinstance(answer, Mapping):
        if missing := [name for name in NAMES if name not in answer]:
            keys = list(map(str, answer))[:10]
            raise DataError(f"{source} returned no {', '.join(missing)}; it returned {keys}.")
        return [answer[name] for name in NAMES]
    if not isinstance(answer, tuple | list) or len(answer) != len(NAMES):
        size = f" of {len(answer)}" if isinstance(answer, tuple | list) else ""
        raise DataError(
            f"{source} returned a {type(answer).__name__}{size}; four arrays are needed, in this "
            f"order or by these names: {', '.join(NAMES)}."
        )
    return list(answer)


def _from_function(source: str) -> Any:
    module, _, name = source.partition(":")
    if not name:
        raise DataError(f"{source!r} is neither an .npz file nor module:function.")
    try:
        with contained(source):
            return getattr(importlib.import_module(module), name)()
    except DataError:
        raise
    except Exception as error:  # a stranger's function may raise anything
        raise DataError(f"{source}: {of_error(error)}.") from error
