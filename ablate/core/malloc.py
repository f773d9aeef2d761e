"""Keeps freed memory in the process: wide models free and ask for megabytes in every operation."""

from __future__ import annotations

import ctypes
from functools import cache

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # mallopt(3)
LARGEST = 32 << 20
"""The largest size that glibc lets be taken from its heap instead of mapped for itself."""


@cache
def keep() -> bool:
    """Tell the C library not to hand freed memory back to the system; say whether it listens.

    Memory that comes back has to be cleared page by page: that was a third of the time of a step
    of Adam on two million parameters. Other C libraries than glibc do as they do.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return bool(mallopt(MMAP_THRESHOLD, LARGEST) and mallopt(TRIM_THRESHOLD, 2**31 - 1))


def give_back() -> None:
    """Hand the pages of the heap that are free back to the system, where the C library can."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError, TypeError):
        return
