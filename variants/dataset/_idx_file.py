"""One IDX file, plain or gzipped: what its header says, held against what is there, then its data.

The format (LeCun, "The MNIST database"): two zero bytes, one for the type (8 is a byte), one for
the number of dimensions, each dimension as a big-endian integer of 32 bits, then the values.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ablate.errors import DataError

from . import _files

if TYPE_CHECKING:
    from collections.abc import Iterator

ZIPPED = ".gz"
MOST_RATIO = 1100
"""Deflate, which gzip packs with, makes nothing smaller than by about a thousandth."""

Shape = tuple[int, ...]


def find(folder: Path, name: str) -> Path | None:
    """Give a file of a folder, the plain one before the gzipped; None where there is neither."""
    either = (folder / name, folder / f"{name}{ZIPPED}")
    return next((path for path in either if _files.is_file(path)), None)


def shape(path: Path) -> Shape:
    """Read a file's dimensions: `[N, H, W]` of images, `[N]` of labels.

    Raises DataError naming the file where it is none of such images or labels, or where its size
    cannot be what its header promises; of a gzipped one `content` counts.
    """
    dimensions = 3 if "idx3" in path.name else 1
    magic, head = bytes([0, 0, 8, dimensions]), _head(dimensions)
    with _opened(path) as file:
        start = file.read(head)
    if len(start) < head or not start.startswith(magic):
        begins = f"begins with {start[:4].hex(' ') or 'nothing'}, not with {magic.hex(' ')}"
        cut = "ends within its header" if start.startswith(magic) else begins
        raise DataError(f"{path} is no IDX file of {dimensions} dimensions: it {cut}; replace it")
    sizes = struct.unpack(f">{dimensions}I", start[4:])
    size, promised = path.stat().st_size, math.prod(sizes)
    if path.suffix != ZIPPED and promised != size - head:
        raise _damaged(path, promised, f"{size - head:,}")
    if path.suffix == ZIPPED and promised > MOST_RATIO * size:
        raise _damaged(path, promised, f"less, in {size:,} gzipped")
    return sizes


def content(path: Path, sizes: Sequence[int]) -> bytes:
    """Read a file whole, unzipped. Raises DataError where it does not end where its header says."""
    head, promised = _head(len(sizes)), math.prod(sizes)
    with _opened(path) as file:
        data = file.read(head + promised)
        beyond = file.read(1)  # of a gzipped one, its checksum is looked at here
    if path.suffix != ZIPPED and (beyond or len(data) != head + promised):
        raise DataError(f"{path} changed while it was read; run again.")
    if beyond or len(data) != head + promised:
        held = "more" if beyond else f"{max(0, len(data) - head):,}"
        raise _damaged(path, promised, held)
    return data


def values(data: bytes, sizes: Shape) -> NDArray[np.uint8]:
    """Give what follows the header of a file's content, in the shape that the header says."""
    return np.frombuffer(data, np.uint8, offset=_head(len(sizes))).reshape(sizes)


def _head(dimensions: int) -> int:
    return 4 + 4 * dimensions


def _damaged(path: Path, promised: int, held: str) -> DataError:
    return DataError(
        f"{path} is damaged: its header promises {promised:,} bytes of data, it holds {held}; "
        "replace it"
    )


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, through gzip where its name says so, with errors that name it."""
    try:
        with path.open("rb") as raw:
            if path.suffix == ZIPPED:
                with gzip.GzipFile(fileobj=raw) as unzipped:
                    yield unzipped  # type: ignore[misc]
            else:
                yield raw
    except EOFError as error:
        raise DataError(f"{path} is damaged: its gzip stream is cut short; replace it") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is damaged as a gzip file: {error}; replace it") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
