"""What the readers of data files share: digests, marks, sizes, and errors with a remedy."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
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
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise DataError(f"{lacking} (the download failed: {reason})") from None


def is_file(path: Path) -> bool:
    """Say whether a path is a plain file: no folder, pipe or device, whatever the path's text."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def stamp(entry: os.stat_result) -> tuple[int, ...]:
    """Give what changes with a file's content."""
    return entry.st_ino, entry.st_size, entry.st_mtime_ns


def fits(size: int, where: str) -> None:
    """Refuse data of more bytes than half of what this process may have, before they are read.

    They are held at least twice: as read and in single precision.
    """
    most = memory_bytes() // 2
    if size > most:
        raise DataError(
            f"{where} needs {size:,} bytes of memory, more than half of this machine's "
            f"({2 * most:,}): take fewer rows, or smaller ones."
        )


def memory_bytes() -> int:
    """Give the memory that this process may have: the machine's, or the limit set for it."""
    import psutil

    machine = int(psutil.virtual_memory().total)
    if not hasattr(psutil, "RLIMIT_AS"):  # set on Linux alone
        return machine
    limit, _ = psutil.Process().rlimit(psutil.RLIMIT_AS)
    return machine if limit < 0 else min(machine, int(limit))


def content(path: Path) -> bytes:
    """Read a file whole. Raises DataError where it cannot be."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


def md5(path: Path) -> str:
    """Give a file's MD5, the digest that data sets are published with."""
    whole = hashlib.md5(usedforsecurity=False)
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                whole.update(block)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    return whole.hexdigest()


def md5_of(data: bytes) -> str:
    """Give the MD5 of what a file holds."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def mark(folder: Path, published: Mapping[str, str]) -> tuple[str, str]:
    """Give a digest of a data set's files, and `custom data` unless they are the published ones."""
    return marked({name: md5(folder / name) for name in published}, published)


def marked(digests: Mapping[str, str], published: Mapping[str, str]) -> tuple[str, str]:
    """Give `mark`'s two of files whose MD5 is known, by their published names."""
    together = hashlib.sha256("".join(digests[name] for name in sorted(digests)).encode())
    return together.hexdigest(), "" if digests == dict(published) else CUSTOM


def digest_tree(folder: Path, files: Iterable[Path]) -> str:
    """Give a digest of many small files: names, sizes and, up to 1 GB in all, contents."""
    whole, read = hashlib.sha256(), 0
    for path in sorted(files):
        size = path.stat().st_size
        whole.update(os.fsencode(f"{path.relative_to(folder).as_posix()}:{size}\n"))
        read += size
        if read <= MOST_BYTES:
            whole.update(content(path))
    return whole.hexdigest()


def copies(files: Iterable[Path], others: Iterable[Path]) -> int:
    """Count the `others` that are copies of files, byte for byte; only equal sizes are read."""
    sizes = [(path, path.stat().st_size) for path in files]
    alike = [(path, path.stat().st_size) for path in others]
    common = {size for _, size in sizes} & {size for _, size in alike}
    held = {hash(content(path)) for path, size in sizes if size in common}
    return sum(hash(content(path)) in held for path, size in alike if size in common)


def under_two(files: Sequence[Path], labels: NDArray[np.int64]) -> int:
    """Count the files of which a copy, byte for byte, has another label; equal sizes are read."""
    sizes = Counter(path.stat().st_size for path in files)
    classes: dict[int, list[int]] = {}
    for path, label in zip(files, labels.tolist(), strict=True):
        if sizes[path.stat().st_size] > 1:
            classes.setdefault(hash(content(path)), []).append(label)
    return sum(len(group) for group in classes.values() if len(set(group)) > 1)


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
