"""What only the extra `train` installs, and what to say where it is missing."""

from __future__ import annotations

from collections.abc import Iterable

from ablate.errors import ExtraError
from ablate.source import locating

TRAIN = {
    "torch": "torch",
    "torchvision": "torchvision",
    "numba": "numba",
    "sklearn": "scikit-learn",
    "threadpoolctl": "threadpoolctl",
    "PIL": "pillow",
    "fontTools": "fonttools",
}
"""Distributions of the extra, by the names that they are imported by."""

REMEDY = "pip install 'ablate-study[train]'"


def missing(names: Iterable[str], why: str = "training") -> ExtraError | None:
    """Give what to raise where packages of the extra are not installed, None where they are.

    names: as they are imported; others than the extra's do not count. why: what takes them.

    >>> missing(["json", "no_such_package"]) is None
    True
    """
    absent = [TRAIN[name] for name in names if name in TRAIN and not locating.folders(name)]
    if not absent:
        return None
    verb = "is" if len(absent) == 1 else "are"
    return ExtraError(f"{why} takes {' and '.join(absent)}, which {verb} not installed: {REMEDY}")


def explained(error: BaseException, why: str = "this command") -> ExtraError | None:
    """Give what to raise instead of a failed import, None where the extra would not mend it."""
    if not isinstance(error, ImportError):
        return None
    top = (error.name or "").partition(".")[0]
    return missing([top], why)
