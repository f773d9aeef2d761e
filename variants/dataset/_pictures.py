"""Folders of pictures: one listing for `look` and `load`, and how a picture's file is read."""

from __future__ import annotations

import contextlib
import os
import stat
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ablate.errors import DataError

from . import _files

ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""What is tried, whatever a file's ending: other readers of Pillow's start other programs."""

MOST_PIXELS = 89_478_485
"""Pillow's own bound; a larger picture is a decompression bomb, or needs scaling beforehand."""

SIXTEEN = ("I;16", "I;16B", "I;16L", "I;16N", "I")
"""Pillow's modes of grey pictures of 16 bits; `I` is how it gives some of them."""

ROTATED = 0x0112
"""The EXIF tag of a picture's orientation; 1 is upright."""


class Listing(NamedTuple):
    """The pictures of a folder by class, in the order of their names, and what was passed over.

    bad: pictures that are no files, with the reason. skipped: files by other endings, counted.
    empty: folders of no picture. loose: pictures beside the classes' folders.
    """

    classes: dict[str, list[Path]]
    bad: tuple[str, ...]
    skipped: Counter[str]
    empty: tuple[str, ...]
    loose: int


def listing(folder: Path) -> Listing:
    """List the pictures below each class's folder, links followed, hidden files passed over.

    A folder is entered once a class, so that links in a circle end.
    """
    classes: dict[str, list[Path]] = {}
    bad: list[str] = []
    empty: list[str] = []
    skipped: Counter[str] = Counter()
    entries = _entries(folder)
    for entry in entries:
        if _is_folder(entry):
            inside: list[Path] = []
            for path in _walk(Path(entry.path), set()):
                if not path.name.lower().endswith(ENDINGS):
                    skipped[path.suffix.lower()] += 1
                elif reason := _no_file(path):
                    bad.append(f"{path} ({reason})")
                else:
                    inside.append(path)
            if inside:
                # torchvision's order: a folder's own files before those of the folders in it
                classes[entry.name] = sorted(inside, key=lambda p: (str(p.parent), p.name))
            else:
                empty.append(entry.name)
    loose = sum(e.name.lower().endswith(ENDINGS) and not _is_folder(e) for e in entries)
    return Listing(
        classes=classes, bad=tuple(bad), skipped=skipped, empty=tuple(empty), loose=loose
    )


def holds(folder: Path) -> str:
    """Name the folders that there are instead of those looked for; '' where there are none."""
    if not folder.is_dir():
        return ""
    names = [entry.name for entry in _entries(folder) if _is_folder(entry)]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f" (it holds {', '.join(map(repr, names[:5]))}{more})" if names else ""


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Give what a folder holds by name, without hidden files and a Mac's archive folders."""
    try:
        with os.scandir(folder) as entries:
            seen = [e for e in entries if not e.name.startswith(".") and e.name != "__MACOSX"]
    except OSError as error:
        raise DataError(f"{folder} cannot be listed: {error.strerror}.") from error
    return sorted(seen, key=lambda entry: entry.name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _walk(folder: Path, entered: set[tuple[int, int]]) -> Iterator[Path]:
    held = folder.stat()
    if (held.st_dev, held.st_ino) in entered:
        return
    entered.add((held.st_dev, held.st_ino))
    for entry in _entries(folder):
        if _is_folder(entry):
            yield from _walk(Path(entry.path), entered)
        else:
            yield Path(entry.path)


def _no_file(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return "a broken link" if path.is_symlink() else str(error.strerror)
    return "" if stat.S_ISREG(mode) else "no plain file"


def read(path: Path, side: int, colour: bool) -> NDArray[np.uint8]:
    """Read a picture as `[channels, side, side]`: shorter side scaled, the middle cut out.

    Grey pictures of 16 bits are scaled by their range; of several frames the first is taken.
    Raises DataError naming a file that cannot be read.
    """
    with _opened(path, side) as image:
        return _squared(_eight_bits(image).convert("RGB" if colour else "L"), side)


@contextlib.contextmanager
def _opened(path: Path, side: int) -> Iterator[Any]:
    """Open a picture and check its size. Raises DataError for whatever goes wrong with it."""
    from PIL import Image

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=FORMATS) as image:
            _check_size(image.size, side)
            yield image
    except Exception as error:  # a damaged picture raises what its decoder does
        reason = str(error) or type(error).__name__
        reason = reason.replace(f" {str(path)!r}", "").replace(f" PosixPath({str(path)!r})", "")
        raise DataError(
            f"{path} is damaged or no picture: {reason.rstrip('.')}. Replace it."
        ) from error


def _check_size(size: tuple[int, int], side: int) -> None:
    width, height = size
    scaled = side * side * max(size) // max(1, min(size))
    if width * height > MOST_PIXELS or scaled > MOST_PIXELS:
        raise ValueError(
            f"{width} x {height} pixels, of which at most {MOST_PIXELS:,} are read, scaled or not"
        )


def _eight_bits(image: Any) -> Any:
    """Scale a picture of more than eight bits by the range of its type; others stay as they are."""
    from PIL import Image

    if image.mode == "F":
        raise ValueError("floating-point values have no agreed white; save it with 8 or 16 bits")
    if image.mode not in SIXTEEN:
        return image
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError("32-bit values have no agreed white; save it with 8 or 16 bits")
    return Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))


def _squared(image: Any, side: int) -> NDArray[np.uint8]:
    width, height = image.size
    if (width, height) != (side, side):
        scale = side / min(width, height)
        size = (max(side, round(width * scale)), max(side, round(height * scale)))
        image = image.resize(size, resample=2)  # bilinear
        left, top = (size[0] - side) // 2, (size[1] - side) // 2
        image = image.crop((left, top, left + side, top + side))
    pixels = np.asarray(image, dtype=np.uint8)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


MOST_DECODED = 100_000
"""So many pictures are decoded before any run, in minutes; of more the headers are read."""

_oddities: dict[int, tuple[str, ...]] = {}
"""By path, side and state, what is odd in a picture that can be read: decoded once a process."""


def check(
    paths: Sequence[Path], folder: Path, side: int, bad: Sequence[str] = ()
) -> tuple[str, ...]:
    """Decode the pictures before any run, and say what is odd in some of them.

    bad: those that were found to be no files. Raises DataError that counts all that cannot be read
    and names the first of them.
    """
    reasons, odd = list(bad), list[tuple[str, ...]]()
    for index, path in enumerate(paths):
        try:
            odd.append(_odd(path, side, decode=index < MOST_DECODED))
        except DataError as error:
            reasons.append(str(error).removesuffix(". Replace it."))
    if reasons:
        more = f" ... and {len(reasons) - 3} more" if len(reasons) > 3 else ""
        some = "1 picture" if len(reasons) == 1 else f"{len(reasons)} pictures"
        raise DataError(
            f"{folder}: {some} of {len(paths) + len(bad)} cannot be read: "
            f"{'; '.join(reasons[:3])}{more}. Replace or remove them."
        )
    tallied = Counter(what for oddities in odd for what in oddities)
    return tuple(f"{count} of {len(paths)} pictures {what}." for what, count in tallied.items())


def _odd(path: Path, side: int, *, decode: bool) -> tuple[str, ...]:
    try:
        key = hash((str(path), side, _files.stamp(path.stat())))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    if key not in _oddities:
        if not decode:
            with _opened(path, side):
                return ("were not decoded before the runs, for there are too many",)
        read(path, side, colour=False)
        _oddities[key] = tuple(_seen(path))
    return _oddities[key]


def _seen(path: Path) -> Iterator[str]:
    from PIL import Image

    # the pixels have been read; what a damaged tag raises says nothing of them
    with (
        contextlib.suppress(Exception),
        warnings.catch_warnings(action="ignore"),
        Image.open(path, formats=FORMATS) as image,
    ):
        if getattr(image, "n_frames", 1) > 1:
            yield "have several frames, of which the first is read"
        if image.has_transparency_data:
            yield "are partly transparent, which is dropped: hidden colours are read as they stand"
        if image.getexif().get(ROTATED, 1) != 1:
            yield "are turned by their EXIF tag, which is not followed: rows are read as stored"
