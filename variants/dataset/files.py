"""What the readers of data files share: digests, marks, normalisation, and errors with a remedy."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ablate.errors import DataError

CUSTOM = "custom data"
"""The mark of plain files that are not the published ones."""

MOST_BYTES = 1_000_000_000
"""Folders beyond this are digested by names and sizes alone."""


def missing(name: str, folder: Path, files: Iterable[str], remedy: str) -> DataError:
    """Give the error for files that are not there."""
    lacking = ", ".join(files)
    return DataError(
        f"{name} is not in the data root: {folder.absolute()} lacks {lacking}. {remedy}, or name "
        "another data root with --data-root or ABLATE_DATA."
    )


def attempt(folder: Path, look: Callable[[], Any], reader: Any, *args: Any, **more: Any) -> None:
    """Let a torchvision reader download what is missing, quietly.

    folder: what it fills; taken away again if nothing came. Raises DataError, as `look` does, with
    the reason that the network gave.
    """
    existed = [path for path in (folder, *folder.parents) if path.exists()]
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            reader(*args, **more)
    except Exception as error:  # whatever the network raises
        for path in (folder, *folder.parents):
            if path not in existed and path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        try:
            look()
        except DataError as lacking:
            said = (str(error).splitlines() or [type(error).__name__])[0]
            raise DataError(f"{lacking} (the download failed: {said})") from None


def md5(path: Path) -> str:
    """Give a file's MD5, the digest that data sets are published with."""
    whole = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            whole.update(block)
    return whole.hexdigest()


def mark(folder: Path, published: Mapping[str, str]) -> tuple[str, str]:
    """Give a digest of a data set's files, and `custom data` unless they are the published ones."""
    found = {name: md5(folder / name) for name in published}
    together = hashlib.sha256("".join(found[name] for name in sorted(found)).encode())
    return together.hexdigest(), "" if found == dict(published) else CUSTOM


def digest_tree(folder: Path, files: Iterable[Path]) -> str:
    """Give a digest of many small files: names, sizes and, up to 1 GB in all, contents."""
    whole, read = hashlib.sha256(), 0
    for path in sorted(files):
        size = path.stat().st_size
        whole.update(f"{path.relative_to(folder).as_posix()}:{size}\n".encode())
        read += size
        if read <= MOST_BYTES:
            whole.update(path.read_bytes())
    return whole.hexdigest()


def normalised(
    pixels: NDArray[np.uint8], mean: tuple[float, ...], sd: tuple[float, ...]
) -> NDArray[np.float32]:
    """Give (pixel / 255 - mean) / sd by channel, for pixels `[N, channels, H, W]`.

    Raises DataError unless there is one mean and one sd, or one a channel.
    """
    channels = pixels.shape[1]
    shape = (1, -1, 1, 1)
    if not {len(mean), len(sd)} <= {1, channels} or not all(value > 0 for value in sd):
        raise DataError(
            f"mean {list(mean)} and sd {list(sd)} do not fit {channels} channel(s): one number, or "
            "one a channel, sd above 0."
        )
    rows = pixels.astype(np.float32)
    rows /= 255
    rows -= np.array(mean, dtype=np.float32).reshape(shape)
    rows /= np.array(sd, dtype=np.float32).reshape(shape)
    return rows


def picture(image: Any, side: int, path: str) -> NDArray[np.uint8]:
    """Give an image `[channels, side, side]`: shorter side scaled, the middle cut out.

    Raises DataError naming a file that cannot be read.
    """
    try:
        width, height = image.size
        if (width, height) != (side, side):
            scale = side / min(width, height)
            size = (max(side, round(width * scale)), max(side, round(height * scale)))
            image = image.resize(size, resample=2)  # bilinear
            left, top = (size[0] - side) // 2, (size[1] - side) // 2
            image = image.crop((left, top, left + side, top + side))
        pixels = np.asarray(image, dtype=np.uint8)
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{path} is damaged: {error}. Replace it.") from error
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
