"""House numbers, from a data root."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ablate.errors import DataError
from ablate.registry import component
from ablate.streams.dataset_checks import count_classes, fewer, first_of_each
from ablate.types import Data, Facts, Ints

from . import _files

MD5 = {
    "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
    "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
}

PIXELS = 3 * 32 * 32
MOST_RATIO = 1100
"""Deflate, which MAT files are packed with, makes nothing smaller than by about a thousandth."""


@component("dataset", "svhn", paper="Netzer et al. 2011, NIPS workshop, cropped digits")
@dataclass(frozen=True)
class SVHN:
    """House numbers in colour, 32 x 32, 10 classes; 73,257 + 26,032 rows in full.

    The files `train_32x32.mat` and `test_32x32.mat` stand in `<data root>/SVHN`; any part of the
    rows in that format works too, and is marked as custom data.

    tasks: T, a divisor of the number of classes, [1, 1000]; or a list, the classes of each task
        in order.
    class_order: `seeded` draws the order of the classes for each seed, `natural` keeps it.
    mean: subtracted from pixels of 0 to 1: one number, or one a channel, each in [-1e6, 1e6]; the
        default is what iTAML's released code takes.
    sd: what they are then divided by, one number or one a channel, each in (0, 1e6].
    train_per_class: at most this many rows of each class to train, [1, 1e9]; null takes all.
    test_per_class: the same to test, [1, 1e9].
    """

    tasks: int | tuple[int, ...] = 5
    class_order: Literal["seeded", "natural"] = "seeded"
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    sd: tuple[float, ...] = (0.229, 0.224, 0.225)
    train_per_class: int | None = None
    test_per_class: int | None = None

    def look(self, root: Path) -> Facts:
        """Check the files without torch. Raises DataError naming those missing or damaged."""
        folder = root / "SVHN"
        lacking = [name for name in MD5 if not _files.is_file(folder / name)]
        if lacking:
            raise _files.missing("SVHN", folder, lacking, "Put them there")
        y, y_test = (_labels(folder / name) for name in MD5)
        classes = count_classes(y, y_test, str(folder))
        _files.fits(4 * (len(y) + len(y_test)) * PIXELS, str(folder))
        digest, mark = _files.mark(folder, MD5)
        if mark:  # the published files are known to be whole
            for name in MD5:
                _images(folder / name)
        used = (
            len(first_of_each(y, self.train_per_class)),
            len(first_of_each(y_test, self.test_per_class)),
        )
        return Facts((3, 32, 32), classes, *used, digest, mark)

    def fetch(self, root: Path) -> None:
        """Download missing files through torchvision; where that fails, `look` says what to do."""
        folder = root / "SVHN"
        if not all((folder / name).is_file() for name in MD5):
            import torchvision.datasets

            for part in ("train", "test"):
                _files.attempt(
                    folder,
                    lambda: self.look(root),
                    torchvision.datasets.SVHN,
                    folder,
                    split=part,
                    download=True,
                )

    def load(self, root: Path) -> Data:
        """Read the rows."""
        parts: list[Any] = []
        for name in MD5:
            path = root / "SVHN" / name
            parts += [_files.normalised(_images(path), self.mean, self.sd), _labels(path)]
        return fewer(Data(*parts), self.train_per_class, self.test_per_class)


def _labels(path: Path) -> Ints:
    """Read a file's labels, 10 standing for the digit 0, and check the shape of its images."""
    shapes = _sizes(path)
    shape, kind = shapes.get("X", ((), "nothing"))
    rows = shape[-1] if len(shape) == 4 else 0
    labelled = math.prod(shapes.get("y", ((0,), ""))[0])
    if shape != (32, 32, 3, labelled) or kind != "uint8" or not rows:
        raise DataError(
            f"{path}: X has the shape {shape} for {labelled} labels; (32, 32, 3, rows) of "
            f"uint8 is needed, it is of {kind}. Replace it."
        )
    if rows * PIXELS > MOST_RATIO * path.stat().st_size:
        raise DataError(f"{path} is damaged: it is too small for {rows:,} images. Replace it.")
    y = np.asarray(_variable(path, "y")).reshape(-1)
    if y.dtype.kind not in "iuf" or not np.isin(y, np.arange(11)).all():
        raise DataError(f"{path}: labels must be 1 to 10, 10 for the digit 0. Replace it.")
    return y.astype(np.int64) % 10


def _images(path: Path) -> NDArray[np.uint8]:
    """Read a file's images as `[N, 3, 32, 32]`."""
    return np.ascontiguousarray(np.asarray(_variable(path, "X"), np.uint8).transpose(3, 2, 0, 1))


def _sizes(path: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """Read the shape and type of every variable of a MAT file."""
    from scipy.io import whosmat

    return {name: (tuple(shape), kind) for name, shape, kind in _tried(path, whosmat, path)}


def _variable(path: Path, name: str) -> Any:
    from scipy.io import loadmat

    return _tried(path, lambda: loadmat(path, variable_names=[name])[name])


def _tried(path: Path, reader: Callable[..., Any], *args: Any) -> Any:
    try:
        return reader(*args)
    except Exception as error:  # a damaged MAT file may raise anything
        reason = str(error) or type(error).__name__
        raise DataError(f"{path} is damaged: {reason}. Replace it.") from error
