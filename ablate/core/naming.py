"""Names of folders and of settings, whatever a file or a path is called."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence

MAX_LETTERS = 60
MAX_BYTES = 120
"""Of one part; file systems allow 255 in all, and reports stand in such folders."""
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_SEVERAL = 4
"""More changes than this are told apart by a digest alone."""


def folder_name(stem: str, changes: Sequence[str] = ()) -> str:
    """Give the name of a suite's folder from its file's name and what the command line changes.

    Different stems and changes have different names: where letters are replaced or cut, a digest
    stands in their place.

    >>> folder_name("protocol", ["--quick", "--set dataset=digits"])
    'protocol-quick-dataset=digits'
    >>> folder_name("..")
    'suite-5ec1f7e7'
    """
    parts = [part(stem)]
    parts += [part(_bare(change)) for change in changes[:_SEVERAL]]
    if rest := changes[_SEVERAL:]:
        parts.append(short_digest("\n".join(rest)))
    name = "-".join(parts)
    return name if len(name.encode()) <= 200 else f"{parts[0]}-{short_digest(name)}"


def part(text: str) -> str:
    """Give text as a part of a file's name; with a digest where it is not that text itself."""
    plain = unicodedata.normalize("NFC", text)
    name = re.sub(r"[^\w.=+-]+", "_", plain)[:MAX_LETTERS].strip("._-") or "suite"
    while len(name.encode()) > MAX_BYTES:
        name = name[:-1]
    if name == text and not _RESERVED.fullmatch(name):
        return name
    return f"{name}-{short_digest(text)}"


def short_digest(text: str) -> str:
    """Give eight letters that stand for a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def _bare(change: str) -> str:
    return change.removeprefix("--set ").removeprefix("--")


def cell_words(cell: Mapping[str, str]) -> list[str]:
    """Say a cell in words, one per axis; axes of one name by their whole paths.

    >>> cell_words({"method.meta.inner_steps": "4", "memory.*": "random"})
    ['inner_steps = 4', 'memory = random']
    """
    names = [axis_name(path) for path in cell]
    return [
        f"{path if names.count(name) > 1 else name} = {value}"
        for (path, value), name in zip(cell.items(), names, strict=True)
    ]


def axis_name(path: str) -> str:
    """Give the last word of a path that names something.

    >>> axis_name("method.meta.inner_steps"), axis_name("memory.*")
    ('inner_steps', 'memory')
    """
    return next((word for word in reversed(path.split(".")) if word != "*"), path)
