"""Data sets in MNIST's four IDX files, downloaded by torchvision."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ablate.errors import DataError
from ablate.streams.dataset_checks import count_classes, first_of_each
from ablate.streams.row_warnings import duplicates
from ablate.types import Data, Facts

from . import _files

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)

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
    """Check the four files of `<root>/<name>/raw` and give what their headers say.

    train, test: the most rows of each class that are used.
    Raises DataError naming what is missing or damaged, and the remedy.
    """
    folder = root / name / "raw"
    if missing := [file for file in FILES if not _files.is_file(folder / file)]:
        zipped = [file for file in missing if (folder / f"{file}.gz").is_file()]
        remedy = f"unzip {', '.join(zipped)} there (gunzip)" if zipped else "put them there"
        raise DataError(
            f"{name} is not in the data root: {folder.absolute()} lacks {', '.join(missing)}. "
            f"Either {remedy} as uncompressed IDX files, name another data root with --data-root "
            "or ABLATE_DATA, or run where the network allows the download."
        )
    shapes = [_shape(folder / file) for file in FILES]
    (rows, *inputs), (labels,), (tested, *test_inputs), (test_labels,) = shapes
    agree = (rows, tested, inputs) == (labels, test_labels, test_inputs)
    if not agree or not math.prod((rows, tested, *inputs)):
        raise DataError(
            f"{folder}: the files do not belong together: {rows} images and {labels} labels "
            f"to train, {tested} and {test_labels} to test, of sizes {inputs} and {test_inputs}. "
            "Replace them with one data set's four."
        )
    _files.fits(4 * (rows + tested) * math.prod(inputs), str(folder))
    y, y_test = (_values(folder / FILES[i], shapes[i]).astype(np.int64) for i in (1, 3))
    classes = count_classes(y, y_test, str(folder))
    used = first_of_each(y, train), first_of_each(y_test, test)
    images = (
        _values(folder / FILES[i], shapes[i])[rows] for i, rows in zip((0, 2), used, strict=True)
    )
    digest, mark = _files.mark(folder, MD5[name])
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
    folder = root / name / "raw"
    if all((folder / file).is_file() for file in FILES):
        return
    import torchvision.datasets

    reader = getattr(torchvision.datasets, name)
    _files.attempt(folder, lambda: look(root, name), reader, root, download=True)


def load(root: Path, name: str, mean: float, sd: float) -> Data:
    """Read the rows as (pixel / 255 - mean) / sd, `[N, 1, H, W]`.

    torchvision's reader would open a folder of pickles beside the files, where there is one.
    """
    folder = root / name / "raw"
    images, labels, tests, test_labels = (
        _values(path, _shape(path)) for path in (folder / file for file in FILES)
    )
    x, x_test = (_files.normalised(part[:, None], (mean,), (sd,)) for part in (images, tests))
    return Data(x, labels.astype(np.int64), x_test, test_labels.astype(np.int64))


def _shape(path: Path) -> tuple[int, ...]:
    """Read an IDX header and check it against the file's size."""
    dimensions = 3 if "idx3" in path.name else 1
    head = 4 + 4 * dimensions
    start, size = _start(path, head)
    if len(start) < head or start[:4] != bytes([0, 0, 8, dimensions]):
        raise DataError(f"{path} is no IDX file of {dimensions} dimensions; replace it")
    shape = struct.unpack(f">{dimensions}I", start[4:])
    if math.prod(shape) != size - head:
        raise DataError(
            f"{path} is damaged: its header promises {math.prod(shape):,} bytes of data, "
            f"it holds {size - head:,}; replace it"
        )
    return shape


def _start(path: Path, count: int) -> tuple[bytes, int]:
    """Read a file's first bytes, and its size."""
    try:
        with path.open("rb") as file:
            return file.read(count), path.stat().st_size
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


def _values(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Read what follows an IDX header. Raises DataError where the file has changed since."""
    data = _files.content(path)[4 + 4 * len(shape) :]
    if len(data) != math.prod(shape):
        raise DataError(f"{path} changed while it was read; run again.")
    return np.frombuffer(data, np.uint8).reshape(shape)
