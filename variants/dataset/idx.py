"""Data sets in MNIST's four IDX files, read and downloaded by torchvision."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np

from ablate.errors import DataError
from ablate.rows import count_classes, first_of_each
from ablate.types import Data, Facts

from . import files

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
    if missing := [file for file in FILES if not (folder / file).is_file()]:
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
            f"to train, {tested} and {test_labels} to test. Replace them with one data set's four."
        )
    y, y_test = (
        np.frombuffer((folder / file).read_bytes()[8:], np.uint8).astype(np.int64)
        for file in (FILES[1], FILES[3])
    )
    classes = count_classes(y, y_test, str(folder))
    used = (len(first_of_each(y, train)), len(first_of_each(y_test, test)))
    return Facts((1, *inputs), classes, *used, *files.mark(folder, MD5[name]))


def fetch(root: Path, name: str) -> None:
    """Download the files through torchvision where they are missing.

    Raises DataError as `look` does where the network does not allow it.
    """
    folder = root / name / "raw"
    if all((folder / file).is_file() for file in FILES):
        return
    import torchvision.datasets

    reader = getattr(torchvision.datasets, name)
    files.attempt(folder, lambda: look(root, name), reader, root, download=True)


def load(root: Path, name: str, mean: float, sd: float) -> Data:
    """Read the rows through torchvision, as (pixel / 255 - mean) / sd, `[N, 1, H, W]`."""
    import torchvision.datasets

    kind = getattr(torchvision.datasets, name)
    parts = []
    for train in (True, False):
        try:
            rows = kind(root, train=train, download=False)
        except (RuntimeError, ValueError, AssertionError, OSError) as error:
            raise DataError(
                f"{root / name / 'raw'}: torchvision cannot read it: {error}"
            ) from error
        pixels = rows.data.numpy().astype(np.float32)[:, None] / 255
        parts += [(pixels - np.float32(mean)) / np.float32(sd), rows.targets.numpy()]
    return Data(*parts)


def _shape(path: Path) -> tuple[int, ...]:
    """Read an IDX header and check it against the file's size."""
    content = path.read_bytes()
    dimensions = 3 if "idx3" in path.name else 1
    head = 4 + 4 * dimensions
    if len(content) < head or content[:4] != bytes([0, 0, 8, dimensions]):
        raise DataError(f"{path} is no IDX file of {dimensions} dimensions; replace it")
    shape = struct.unpack(f">{dimensions}I", content[4:head])
    if math.prod(shape) != len(content) - head:
        raise DataError(
            f"{path} is damaged: its header promises {math.prod(shape):,} bytes of data, "
            f"it holds {len(content) - head:,}; replace it"
        )
    return shape
