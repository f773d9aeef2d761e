"""`.npz` archives of plain arrays: checked by their headers before anything is unpacked."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy

from ablate.core.foreign_text import plain
from ablate.errors import DataError

from . import _files, _signatures

MOST_HEADER = 100_000
"""Letters of an array's header; a structured type may have a long one."""

BOMB_BYTES, BOMB_RATIO = 1 << 28, 200
"""An array of more bytes than this that was packed more tightly than that is no data."""


class Header(NamedTuple):
    """What a member of an archive says that it holds."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def read(path: Path, names: Sequence[str]) -> list[Any]:
    """Read arrays by their names. Raises DataError for whatever is missing, damaged or too large.

    Pickles are never opened. Headers are held against the members' sizes, and sizes against the
    machine's memory, before the first array is read.
    """
    try:
        before = path.stat()
        with zipfile.ZipFile(path) as archive:
            members = _members(archive, path, names)
            _files.fits(sum(info.file_size for info in members), str(path))
            for info in members:
                _check(archive, info)
            arrays = [_array(archive, info) for info in members]
        if _files.stamp(before) != _files.stamp(path.stat()):
            raise DataError(f"{path} changed while it was read; run again.")
    except DataError:
        raise
    except Exception as error:  # a damaged archive raises what its decoder does
        reason = plain(error) or type(error).__name__
        if isinstance(error, zipfile.BadZipFile):
            reason += _signatures.seems(path)
        raise DataError(f"{path} cannot be read as .npz of plain arrays: {reason}.") from error
    return arrays


def _members(archive: zipfile.ZipFile, path: Path, names: Sequence[str]) -> list[zipfile.ZipInfo]:
    """Find the arrays' members: `name.npy`, or `name` as other writers have it."""
    there = archive.namelist()
    twice = [n for n in names if sum(m.removesuffix(".npy") == n for m in there) > 1]
    if twice:
        raise DataError(f"{path} holds {', '.join(twice)} more than once; save it anew.")
    members = {name: [f"{name}.npy", name] for name in names}
    missing = [name for name, either in members.items() if not set(either) & set(there)]
    if missing:
        held = [name.removesuffix(".npy") for name in there]
        more = f" and {len(held) - 10} more" if len(held) > 10 else ""
        hint = _signatures.other_names(missing, held)
        raise DataError(f"{path} lacks {', '.join(missing)}; it has {held[:10]}{more}. {hint}")
    return [archive.getinfo(next(n for n in either if n in there)) for either in members.values()]


def _check(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Header:
    """Hold a member's header against its size, before its data are unpacked."""
    if info.file_size > BOMB_BYTES and info.file_size > BOMB_RATIO * info.compress_size:
        raise ValueError(
            f"{info.filename} unpacks {info.compress_size:,} bytes to {info.file_size:,}, which "
            f"hardly any data do (at most {BOMB_RATIO} times, beyond {BOMB_BYTES:,}); save them "
            "with np.savez, unpacked"
        )
    with archive.open(info) as member:
        version = npy.read_magic(member)
        reader = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
        if version not in reader:
            raise ValueError(f"{info.filename} is of the .npy version {version}, known: 1.0, 2.0")
        shape, _, dtype = reader[version](member, max_header_size=MOST_HEADER)
        head = member.tell()
    if dtype.hasobject:
        raise ValueError(f"{info.filename} holds Python objects (a pickle), which run code")
    promised, held = math.prod(shape) * dtype.itemsize, info.file_size - head
    if promised != held or min(shape, default=0) < 0:
        raise ValueError(
            f"{info.filename} is damaged: its header promises {promised:,} bytes of data, the "
            f"archive {held:,}"
        )
    return Header(tuple(shape), dtype)


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Any:
    with archive.open(info) as member:
        array = npy.read_array(member, allow_pickle=False, max_header_size=MOST_HEADER)
        member.read(1)  # at its end the archive's checksum is held against what was read
    return array
