"""Anybody's own data: four arrays in a file, or from a function."""

from __future__ import annotations

import importlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ablate.errors import DataError
from ablate.registry import component
from ablate.rows import facts_of
from ablate.types import Data, Facts

NAMES = ("x_train", "y_train", "x_test", "y_test")


@component("dataset", "arrays", paper="a user's own data")
@dataclass(frozen=True)
class Arrays:
    """x_train `[N, ...]` and y_train `[N]` of classes 0, 1, 2 ..., and the same for test.

    Values are taken as they are, in single precision; scale them beforehand.

    source: an `.npz` file with the four arrays, its path taken from the data root; or
        `module:function`, a function without arguments that returns them.
    tasks: T, a divisor of the number of classes, [1, 100000].
    class_order: `seeded` draws the order of the classes for each seed, `natural` keeps it.
    """

    source: str = "arrays.npz"
    tasks: int = 5
    class_order: Literal["seeded", "natural"] = "seeded"

    def look(self, root: Path) -> Facts:
        """Read and check the arrays. Raises DataError naming what is wrong with them."""
        return facts_of(self.load(root), self.source)._replace(mark="custom data")

    def load(self, root: Path) -> Data:
        """Read the four arrays."""
        is_file = self.source.endswith(".npz")
        found = _from_file(root / self.source) if is_file else _from_function(self.source)
        try:
            x, y, x_test, y_test = (np.asarray(part) for part in found)
            labels = [_whole(part, self.source) for part in (y, y_test)]
            rows = [part.astype(np.float32) for part in (x, x_test)]
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{self.source}: {error}; four arrays of numbers are needed: {', '.join(NAMES)}."
            ) from error
        return Data(rows[0], labels[0], rows[1], labels[1])


def _whole(labels: Any, where: str) -> Any:
    whole = labels.astype(np.int64)
    if labels.ndim != 1 or not np.array_equal(whole, labels):
        raise DataError(f"{where}: labels must be one whole number a row, shape [N].")
    return whole


def _from_file(path: Path) -> list[Any]:
    if not path.is_file():
        raise DataError(
            f"There is no {path.absolute()}. Put an .npz file with {', '.join(NAMES)} there, or "
            "name another data root with --data-root or ABLATE_DATA."
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [name for name in NAMES if name not in archive]
            if missing:
                raise DataError(f"{path} lacks {', '.join(missing)}; it has {list(archive)}.")
            return [archive[name] for name in NAMES]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read as .npz of plain arrays: {error}.") from error


def _from_function(source: str) -> Any:
    module, _, name = source.partition(":")
    if not name:
        raise DataError(f"{source!r} is neither an .npz file nor module:function.")
    try:
        return getattr(importlib.import_module(module), name)()
    except Exception as error:  # a stranger's function may raise anything
        raise DataError(f"{source}: {type(error).__name__}: {error}.") from error
