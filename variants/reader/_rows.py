"""Rows of a history -> curves; and what the names of folders say of a run."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any

from ._files import fault, number, scalar

STEPS = ("step", "_step", "global_step", "trainer/global_step", "iteration", "epoch")
"""What the step of a row is called, the first of them that it has."""

BESIDE = ("_timestamp", "_runtime", "_wandb", "timestamp", "time", "wall_time")
"""Columns of a history that are no scores."""

Curves = dict[str, list[tuple[float, float]]]

_SEED = re.compile(r"(?:^|(?<=[_\-./, ]))(?:seed|s)[_=\-]?(\d{1,18})(?=$|[_\-./, ])", re.IGNORECASE)
_PAIR = re.compile(r"([A-Za-z_][\w.]*)=([^,;/_ ]+)")


def curves(path: Path, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> Curves:
    """Give the numbers of a history's rows by name, each with its step.

    rows: with the number of their line. A row without a step stands at its place. Raises DataError
    for a step that is no number.
    """
    logged: Curves = {}
    for count, (line, row) in enumerate(rows):
        step = next((name for name in STEPS if row.get(name) not in (None, "")), "")
        at = number(row[step]) if step else float(count)
        if at is None or not math.isfinite(at):
            fault(path, f"line {line}", f"{row[step]!r} for {step} is no number")
        for name, value in row.items():
            if name in STEPS or name in BESIDE or value in (None, ""):
                continue
            if (score := number(value)) is not None:
                logged.setdefault(str(name), []).append((at, score))
    return logged


def from_names(relative: PurePath | str) -> dict[str, Any]:
    """Give what the names of a run's folders say: its seed, `name=value`, and the rest.

    >>> from_names("adam/lr=0.1/seed_3"), from_names("big-s2")
    ({'seed': 3, 'lr': 0.1, 'folder': 'adam'}, {'seed': 2, 'folder': 'big'})
    """
    text = PurePath(relative).as_posix() if isinstance(relative, PurePath) else relative
    params: dict[str, Any] = {}
    if matches := _SEED.findall(text):
        params["seed"] = int(matches[-1])
        text = _SEED.sub("", text)
    for name, value in _PAIR.findall(text):
        params.setdefault(name, scalar(value))
    rest = re.sub(r"[_\-, ]*/+[_\-, /]*", "/", _PAIR.sub("", text)).strip("/_-,. ")
    if rest:
        params["folder"] = rest
    return params


def relative(path: Path, root: Path) -> str:
    """Name a run by its folder below the one that was named; by its own name if it is that."""
    return path.relative_to(root).as_posix() if path != root else path.resolve().name
