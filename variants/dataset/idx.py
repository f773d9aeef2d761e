"""Data sets in MNIST's four IDX files, read and downloaded by torchvision."""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import struct
from pathlib import Path

import numpy as np

from ablate.errors import DataError
from ablate.rows import count_classes, first_of_each
from ablate.types import Data, Facts

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


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
    digest = hashlib.sha256()
    shapes = [_shape(folder / file, digest) for file in FILES]
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
    return Facts((1, *inputs), classes, *used, digest.hexdigest())


def fetch(root: Path, name: str) -> None:
    """Download the files through torchvision where they are missing.

    Raises DataError as `look` does where the network does not allow it.
    """
    folder = root / name / "raw"
    if all((folder / file).is_file() for file in FILES):
        return
    import torchvision.datasets

    existed = [path for path in (root, root / name, folder) if path.exists()]
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            getattr(torchvision.datasets, name)(root, download=True)
    except Exception as error:  # whatever the network raises
        for path in (folder, root / name, root):
            if path not in existed and path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        try:
            look(root, name)
        except DataError as lacking:
            raise DataError(
                f"{lacking} (the download failed: {str(error).splitlines()[0]})"
            ) from None


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


def _shape(path: Path, digest: hashlib._Hash) -> tuple[int, ...]:
    """Read an IDX header, check it against the file's size, and add the content to a digest."""
    content = path.read_bytes()
    digest.update(content)
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
