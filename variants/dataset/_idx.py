"""Data sets in MNIST's four IDX files, read by NumPy; torchvision is for downloads alone."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ablate.errors import DataError
from ablate.streams.dataset_checks import count_classes, first_of_each
from ablate.streams.row_warnings import duplicates
from ablate.types import Data, Facts

from . import _files, _idx_file

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)

LABELS = {"MNIST": "mnist", "FashionMNIST": "fashion-mnist"}
"""The components by torchvision's names; folders are called either way."""

MD5 = {
    "MNIST": dict(
        zip(
            FILES,
            (
                "6bbc9ace898e44ae57da46a324031adb",
                "a25bea736e30d166cdddb491f175f624",
                "2646ac647ad5339dbf082846283269ea",
                "27ae3e4e09519cfbb04c329615203637",
            ),
            strict=True,
        )
    ),
    "FashionMNIST": dict(
        zip(
            FILES,
            (
                "f4a8712d7a061bf5bd6d2ca38dc4d50a",
                "9018921c3c673c538a1fc5bad174d6f9",
                "8181f5470baa50b63fa0f6fddb340f0a",
                "15d484375f8d13e6eb1aabb0c3f46965",
            ),
            strict=True,
        )
    ),
}
"""Digests of the published files, unzipped."""


def look(root: Path, name: str, train: int | None = None, test: int | None = None) -> Facts:
    """Check the four files, plain or gzipped, and give what their headers say.

    train, test: the most rows of each class that are used.
    Raises DataError naming what is missing or damaged, and the remedy.
    """
    paths = _paths(root, name)
    folder = paths[0].parent
    shapes = [_idx_file.shape(path) for path in paths]
    (rows, *inputs), (labels,), (tested, *test_inputs), (test_labels,) = shapes
    agree = (rows, tested, inputs) == (labels, test_labels, test_inputs)
    if not agree or not math.prod((rows, tested, *inputs)):
        raise DataError(
            f"{folder}: the files do not belong together: {rows} images and {labels} labels to "
            f"train ({_names(paths[:2])}), {tested} and {test_labels} to test "
            f"({_names(paths[2:])}), of sizes {inputs} and {test_inputs}. "
            "Replace them with one data set's four."
        )
    _files.fits(4 * (rows + tested) * math.prod(inputs), str(folder))
    held = [_idx_file.content(*file) for file in zip(paths, shapes, strict=True)]
    arrays = [_idx_file.values(*file) for file in zip(held, shapes, strict=True)]
    y, y_test = (arrays[i].astype(np.int64) for i in (1, 3))
    classes = count_classes(y, y_test, str(folder))
    used = first_of_each(y, train), first_of_each(y_test, test)
    images = (arrays[i][rows] for i, rows in zip((0, 2), used, strict=True))
    digests = {file: _files.md5_of(data) for file, data in zip(FILES, held, strict=True)}
    digest, mark = _files.marked(digests, MD5[name])
    return Facts(
        inputs=(1, *inputs),
        classes=classes,
        train_rows=len(used[0]),
        test_rows=len(used[1]),
        digest=digest,
        mark=mark,
        warnings=tuple(duplicates(*images)),
    )


def fetch(root: Path, name: str) -> None:
    """Download the files through torchvision where they are missing.

    Raises DataError as `look` does where the network does not allow it.
    """
    if any(all(_found(folder)) for folder in _folders(root, name)):
        return
    import torchvision.datasets

    reader = getattr(torchvision.datasets, name)
    folder = root / name / "raw"
    _files.attempt(folder, lambda: look(root, name), reader, root, download=True)


def load(root: Path, name: str, mean: float, sd: float) -> Data:
    """Read the rows as (pixel / 255 - mean) / sd, `[N, 1, H, W]`.

    torchvision's reader would open a folder of pickles beside the files, where there is one.
    """
    images, labels, tests, test_labels = (_values(path) for path in _paths(root, name))
    x, x_test = (_files.normalised(part[:, None], (mean,), (sd,)) for part in (images, tests))
    return Data(x, labels.astype(np.int64), x_test, test_labels.astype(np.int64))


def _folders(root: Path, name: str) -> tuple[Path, ...]:
    """Name the folders that are looked into: torchvision's, the one around it, the component's."""
    return root / name / "raw", root / name, root / LABELS[name]


def _found(folder: Path) -> list[Path | None]:
    return [_idx_file.find(folder, file) for file in FILES]


def _paths(root: Path, name: str) -> list[Path]:
    """Give the four files of the first folder that holds them all, or raise DataError."""
    folders = _folders(root, name)
    for folder in folders:
        whole = [path for path in _found(folder) if path]
        if len(whole) == len(FILES):
            return whole
    nearest = max(folders, key=lambda folder: sum(map(bool, _found(folder))))
    there = zip(FILES, _found(nearest), strict=True)
    missing = [file for file, path in there if path is None]
    raise DataError(
        f"{name} is not in the data root: {nearest.absolute()} lacks {', '.join(missing)}. "
        "Either put them there, as IDX files or gzipped (.gz), name another data root with "
        "--data-root or ABLATE_DATA, or run where the network allows the download."
    )


def _names(paths: Iterable[Path]) -> str:
    return ", ".join(path.name for path in paths)


def _values(path: Path) -> NDArray[np.uint8]:
    sizes = _idx_file.shape(path)
    return _idx_file.values(_idx_file.content(path, sizes), sizes)
