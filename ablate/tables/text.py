"""A table's file -> its text: unpacked and decoded, whatever wrote it."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import sys
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from ablate.errors import DataError

STDIN = Path("-")
"""Stands for standard input, as everywhere."""

MOST_BYTES = 100_000_000
"""A table that unpacks to more is refused: in memory its cells take forty times as much."""

THINNER = (
    "keep the columns that are asked for (pair, arm, score), and of a run's history the last row"
)

PACKED: dict[bytes, Callable[[BytesIO], Any]] = {
    b"\x1f\x8b": lambda raw: gzip.GzipFile(fileobj=raw),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ": lzma.LZMAFile,
}
"""How a packed file begins, and what opens it."""

FOREIGN = {
    b"PK\x03\x04": "an Excel workbook or a zip archive: save the sheet as CSV, or unpack it",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save the sheet as CSV",
    b"\x93NUMPY": "a NumPy array, which names neither arms nor seeds: write a table",
    b"<": "HTML or XML: write the table as CSV",
    b"%PDF": "a PDF: write the figures as CSV",
    b"SQLite format 3": "an SQLite database: export the table as CSV",
    b"\x89HDF": "an HDF5 file: write the table as CSV or Parquet",
}
"""How files begin that people take for tables, and what to do with them."""

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def named(path: Path) -> Path:
    """Give the name of a file in sentences; standard input has none of its own."""
    return Path("standard input") if path == STDIN else path


def _opened(path: Path) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if path == STDIN else path.open("rb")


def content(path: Path) -> bytes:
    """Give the bytes of a file or, of `-`, of standard input; unpacked.

    Raises DataError with what is wrong.
    """
    try:
        with _opened(path) as stream:  # a pipe has no size, and may never end
            raw = stream.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{named(path)} cannot be read: {reason}") from error
    path = named(path)
    if len(raw) > MOST_BYTES:
        raise DataError(f"{path} is larger than {MOST_BYTES / 1e6:,.0f} MB: {THINNER}")
    opener = next((PACKED[start] for start in PACKED if raw.startswith(start)), None)
    return _unpacked(path, raw, opener) if opener else raw


def _unpacked(path: Path, raw: bytes, opener: Callable[[BytesIO], Any]) -> bytes:
    try:
        with opener(BytesIO(raw)) as stream:
            inside: bytes = stream.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"{path} cannot be unpacked: {error}") from error
    if len(inside) > MOST_BYTES:
        raise DataError(f"{path} unpacks to more than {MOST_BYTES / 1e6:,.0f} MB: {THINNER}")
    return inside


def decoded(path: Path, raw: bytes) -> str:
    """Give bytes as text: by their mark, as UTF-8, else as a European Windows or Excel wrote them.

    Raises DataError for what is no text.
    """
    for start, name in FOREIGN.items():
        if raw.startswith(start):
            raise DataError(f"{path} is {name}")
    encoding = next((MARKS[mark] for mark in MARKS if raw.startswith(mark)), _unmarked(raw))
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise DataError(f"{path} begins like {encoding} and is not") from None
        text = raw.decode("cp1252", errors="replace")
    if "\x00" in text:
        raise DataError(
            f"{path} is no text: it holds zero bytes; read are CSV and the like, JSON and Parquet"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")


def _unmarked(raw: bytes) -> str:
    """Guess the encoding of text without a mark: Latin letters in UTF-16 are every other one 0."""
    start = raw[:1000]
    zeros = start[0::2].count(0), start[1::2].count(0)
    if len(start) < 4 or max(zeros) < 0.4 * len(start) / 2:
        return "utf-8"
    return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
