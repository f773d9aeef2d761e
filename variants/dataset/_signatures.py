"""What a file that is no `.npz` of four arrays seems to be, and how it becomes one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ablate.errors import nearest

from . import _files

NAMES = ("x_train", "y_train", "x_test", "y_test")
"""The four arrays, in this order."""

TAKEN = 'np.savez("data.npz", x_train=..., y_train=..., x_test=..., y_test=...)'

STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\x93NUMPY", "a single array (.npy)"),
    (b"MATLAB 5.0", "a MATLAB file (scipy.io.loadmat reads it)"),
    (b"\x89HDF", "an HDF5 file, such as MATLAB's v7.3 (h5py reads it)"),
    (b"\x80", "a pickle"),
    (b"PAR1", "a Parquet table"),
    (b"ARROW1", "an Arrow table"),
    (b"\x1f\x8b", "packed by gzip"),
    (b"7z\xbc\xaf", "packed by 7-Zip"),
    (b"BZh", "packed by bzip2"),
    (b"\xfd7zXZ", "packed by xz"),
    (b"Rar!", "packed by RAR"),
    (b"version https://git-lfs", "a pointer of Git LFS (git lfs pull fetches the file itself)"),
    (b"<", "a web page, as a failed download leaves it"),
)
"""How files of other kinds begin."""


def seems(path: Path) -> str:
    """Say what a file that cannot be read seems to be, and what to do; '' where that is unknown."""
    if not _files.is_file(path):
        return ""
    with path.open("rb") as file:
        start = file.read(64)
    if not start:
        return "; it is empty"
    if start.startswith(b"PK"):
        return "; it seems to be cut off or damaged: copy or download it again"
    kind = next((kind for mark, kind in STARTS if start.startswith(mark)), "")
    if not kind and not set(start) - {*b"\t\r\n", *range(32, 127)}:
        kind = "a text, such as a table"
    return f"; it seems to be {kind}: {TAKEN} writes what is needed" if kind else ""


def other_names(missing: Sequence[str], held: Sequence[str]) -> str:
    """Say how to save arrays that an archive has under other names, or has not at all."""
    if any(name.endswith("/data.pkl") or name == "data.pkl" for name in held):
        return f"It seems to be written by torch.save: {TAKEN} writes what is needed."
    taken = set(NAMES) - set(missing)
    folded = {name.casefold().replace("-", "_"): name for name in held if name not in taken}
    alike = {name: folded.get(nearest(name, folded), "") for name in missing}
    alike |= {name: folded[name] for name in missing if name in folded}
    if all(alike.values()) and len({*alike.values()}) == len(missing):
        pairs = ", ".join(f"{theirs} as {name}" for name, theirs in alike.items())
        return f"Save {pairs}."
    return f"{TAKEN} writes what is needed."
