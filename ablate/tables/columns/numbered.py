"""Columns that stand for runs: which of a table's columns number a key, of one measure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ablate.errors import SelectionError
from ablate.tables.names import is_summary, listed, plain

SEED = "seed"
"""A key that numbers runs: columns that stand for it have numbers in their names."""

Stems = Mapping[str, Mapping[str, str]]
"""Columns by the letters of their names, then by the numbers."""


def numbered(names: Sequence[str], key: str, metric: str) -> Sequence[str]:
    """Give the columns that stand for the values of a key; none where they do not.

    Where some are called after the key (`split0_test_score`), the others are none of its values.
    Where the same numbers stand with several words (`split0_train_score`), the metric's count.
    Raises SelectionError where it cannot be told which do.
    """
    runs = [name for name in names if not is_summary(name)]
    stems = _stems(runs)
    called = {stem: part for stem, part in stems.items() if _letters(key) in stem and "#" in stem}
    if sum(map(len, called.values())) > 1:
        return _of_metric(called, key, metric)
    if key != SEED:
        return names
    if not all(re.search(r"\d", name) for name in runs):
        return ()
    chosen = _of_metric(stems, key, metric)
    return names if len(chosen) == len(runs) else chosen


def _of_metric(stems: Stems, key: str, metric: str) -> Sequence[str]:
    """Give the columns of one measure: all, unless two stems share more than one number."""
    parts = list(stems.values())
    twice = any(len(a.keys() & b.keys()) > 1 for i, a in enumerate(parts) for b in parts[:i])
    if twice:
        parts = [part for stem, part in stems.items() if _letters(metric) in stem]
    if len(parts) != 1 and twice:
        shown = listed([next(iter(part.values())) for part in stems.values()])
        raise SelectionError(
            f"several columns stand for one {key}, as of {shown}: name the measure that counts as "
            "it stands there, with --metric"
        )
    return [name for part in parts for name in part.values()]


def _stems(names: Sequence[str]) -> Stems:
    stems: dict[str, dict[str, str]] = {}
    for name in names:
        stem = "".join(re.findall(r"[^\W\d_]|#", re.sub(r"\d+", "#", name.replace("#", ""))))
        numbers = " ".join(re.findall(r"\d+", name))
        stems.setdefault(stem.casefold(), {})[numbers] = name
    return stems


def _letters(name: str) -> str:
    """Give a name's letters alone, in small ones.

    >>> _letters("test_score")
    'testscore'
    """
    return "".join(re.findall(r"[^\W\d_]", plain(name))).casefold()
