"""What makes two scores a pair: keys that compare as they are meant, and how they are named."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from ablate.tables.names import plain

Key = Hashable


def joined(parts: Sequence[Key]) -> Key:
    """Make one key of the parts in several columns."""
    return parts[0] if len(parts) == 1 else tuple(parts)


def parts_of(key: Key) -> tuple[Key, ...]:
    """Give the parts of a key, column by column."""
    return key if isinstance(key, tuple) else (key,)


def key_of(value: Any) -> Key:
    """Give a pair key that compares as it is meant: 1, 1.0, "1" and np.int64(1) are one seed."""
    if isinstance(value, str):
        if value.isascii() and value.isdecimal() and value[0] != "0" and len(value) < 18:
            return int(value)  # nearly all keys of a long table
        value = plain(value)
        if re.fullmatch(r"-?(0|[1-9]\d{0,17})(\.\d+)?", value):
            whole, _, part = value.partition(".")
            value = float(value) if part.strip("0") else int(whole)
    if isinstance(value, (int, np.integer)):
        return int(value) if abs(int(value)) < 10**18 else str(value)
    if isinstance(value, np.floating):
        value = float(value)
    if isinstance(value, float) and value.is_integer():
        return int(value) if abs(value) < 1e18 else str(value)
    return value if isinstance(value, (str, float)) else str(value)


def label(key: Key) -> str:
    """Name a pair key.

    >>> label((0, "a")), label(3)
    ('0, a', '3')
    """
    return ", ".join(map(str, parts_of(key)))


def order(key: Key) -> tuple[Any, ...]:
    """Give what sorts pair keys: numbers first, then words in their natural order."""
    return tuple(_place(part) for part in parts_of(key))


def _place(part: Key) -> tuple[bool, float, tuple[tuple[bool, str], ...]]:
    if isinstance(part, (int, float)):
        return False, float(part), ()
    parts = re.split(r"(\d+)", str(part))  # s2 comes before s10
    return True, 0.0, tuple((piece.isdecimal(), piece.zfill(20)) for piece in parts)
