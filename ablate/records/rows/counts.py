"""Counts of right rows by protocol: one array for all of a record's tables, and its bytes.

As lists of numbers, the tables of 10^5 records fill a gigabyte, and take longer to read from text
than all else in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from sys import intern
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ablate.types import Floats

Counts = NDArray[np.unsignedinteger[Any]]

Nested = Mapping[str, Sequence[Sequence[int]]]
"""Tables `[t][k]` by protocol, in whatever form."""

WIDTHS = (1, 2, 4, 8)
"""Bytes that a count may take."""


class Tables(Mapping[str, list[list[int]]]):
    """Tables by protocol, as nested lists to those who ask for one.

    labels: of the protocols, in order. counts: `[protocol, T, T]`.
    """

    __slots__ = ("counts", "labels")

    def __init__(self, labels: Iterable[str], counts: Counts) -> None:
        """Label an array."""
        self.labels = tuple(map(intern, labels))
        self.counts = counts

    def __getitem__(self, label: str) -> list[list[int]]:
        """Give a table as lists of numbers. Raises KeyError."""
        if label not in self.labels:
            raise KeyError(label)
        lists: list[list[int]] = self.counts[self.labels.index(label)].tolist()
        return lists

    def __iter__(self) -> Iterator[str]:
        """Go through the labels."""
        return iter(self.labels)

    def __len__(self) -> int:
        """Count the protocols."""
        return len(self.labels)

    def __contains__(self, label: object) -> bool:
        """Say whether there is a table of a protocol."""
        return label in self.labels

    def __eq__(self, other: object) -> bool:
        """Compare labels and counts; with other mappings as with a dictionary of lists."""
        if isinstance(other, Tables) and self.labels == other.labels:
            return np.array_equal(self.counts, other.counts)
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show the tables as what they stand for."""
        return repr(dict(self))


def stacked(tables: Sequence[Nested], protocol: str) -> Floats:
    """Give a protocol's table in each of several, `[n, T, T]`. Raises KeyError where one lacks it.

    Raises ValueError where they are not all of as many tasks.
    """
    labels = {t.labels if isinstance(t, Tables) else None for t in tables}
    if len(labels) == 1 and (shared := labels.pop()) and protocol in shared:
        place = shared.index(protocol)
        return np.array([t.counts[place] for t in tables if isinstance(t, Tables)], np.float64)
    return np.array([t[protocol] for t in tables], dtype=np.float64)


def packed(right: Nested, task_right: Nested) -> tuple[list[str], bytes]:
    """Give the protocols of a record, and its counts `[2, protocol, T, T]` as bytes.

    Each takes as few as the largest of them needs, the lowest first.
    """
    labels = sorted(right)
    counts = np.array([[t[label] for label in labels] for t in (right, task_right)], np.uint64)
    least = np.min_scalar_type(int(counts.max(initial=0)))
    return labels, counts.astype(least.newbyteorder("<")).tobytes()


def unpacked(protocols: int, tasks: int, content: object) -> Counts | None:
    """Read `packed`'s bytes, `[2, protocol, T, T]`; None where they are not."""
    if not isinstance(content, bytes):
        return None
    cells = 2 * protocols * tasks * tasks
    width = next((width for width in WIDTHS if width * cells == len(content)), None)
    if width is None:
        return None
    return np.frombuffer(content, f"<u{width}").reshape(2, protocols, tasks, tasks)
