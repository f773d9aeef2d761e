"""Many runs in few words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ablate.core.foreign_text import plain

MOST = 8
"""Arms that are named before the rest are counted."""


def spans(runs: Iterable[tuple[str, int]]) -> str:
    """Name runs, given as (label, seed): arms of the same seeds together.

    >>> spans([("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 1), ("b", 2), ("c", 7)])
    'a, b: seeds 0 to 2; c: seed 7'
    """
    by_label: dict[str, set[int]] = {}
    for label, seed in runs:
        by_label.setdefault(label, set()).add(seed)
    by_seeds: dict[tuple[int, ...], list[str]] = {}
    for label, numbers in by_label.items():
        by_seeds.setdefault(tuple(sorted(numbers)), []).append(plain(label))
    return "; ".join(f"{_listed(labels)}: {seeds(numbers)}" for numbers, labels in by_seeds.items())


def seeds(numbers: Sequence[int]) -> str:
    """Name sorted seeds by their unbroken stretches.

    >>> seeds([3]), seeds([0, 1, 2, 5, 8, 9])
    ('seed 3', 'seeds 0 to 2, 5, 8 to 9')
    """
    stretches: list[list[int]] = []
    for number in numbers:
        if stretches and number == stretches[-1][-1] + 1:
            stretches[-1].append(number)
        else:
            stretches.append([number])
    parts = [f"{s[0]} to {s[-1]}" if len(s) > 1 else f"{s[0]}" for s in stretches]
    return f"seed{'s' if len(numbers) > 1 else ''} {', '.join(parts)}"


def _listed(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - MOST} more arms" if len(labels) > MOST else ""
    return f"{', '.join(labels[:MOST])}{more}"
