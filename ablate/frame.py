"""A table that this toolkit did not make -> Comparisons, joined on the pair key."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.errors import DataError, SelectionError, unknown
from ablate.types import Comparison, LostPair

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = {".csv": "read_csv", ".parquet": "read_parquet", ".jsonl": "read_json"}
"""By a file's ending, how pandas reads it; `.tsv` and `.ndjson` count as their twins."""


@dataclass(frozen=True)
class Columns:
    """Which columns say what.

    pair: what two scores must share to be a pair. arm: one column that names the arm (a long
    table), or several that each hold an arm's scores (a wide one). metric: the score's column; of a
    wide table, only its name. block: data set or setting, if there are several.
    """

    pair: str
    arm: tuple[str, ...]
    metric: str
    block: str | None = None

    @property
    def wide(self) -> bool:
        """Say whether each arm has a column of its own."""
        return len(self.arm) > 1


@dataclass(frozen=True)
class Scores:
    """A table's scores. values: by arm, by block, by pair key. keys: every pair key, in order."""

    values: Mapping[str, Mapping[str, Mapping[Hashable, float]]]
    keys: tuple[Hashable, ...]
    blocks: tuple[str, ...]
    resolution: float

    @property
    def arms(self) -> tuple[str, ...]:
        """Name the arms, in the order in which the table names them."""
        return tuple(self.values)


def read_table(path: Path) -> pd.DataFrame:
    """Read CSV, TSV, Parquet or JSON lines. Raises DataError with what is wrong."""
    import pandas as pd

    ending = {".tsv": ".csv", ".ndjson": ".jsonl"}.get(path.suffix.lower(), path.suffix.lower())
    if ending not in ENDINGS:
        raise DataError(f"{path} ends in {path.suffix!r}; read are {', '.join(ENDINGS)}")
    options: dict[str, Any] = {".jsonl": {"lines": True}}.get(ending, {})
    if path.suffix.lower() == ".tsv":
        options = {"sep": "\t"}
    try:
        table: pd.DataFrame = getattr(pd, ENDINGS[ending])(path, **options)
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file") from error
    except Exception as error:  # pandas and its readers raise many kinds
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} cannot be read as {ending[1:]}: {said}") from error
    return table


def scores(table: pd.DataFrame, columns: Columns, resolution: float | None = None) -> Scores:
    """Sort a table's scores by arm, block and pair key.

    resolution: what one test row is worth; without it, the smallest step between two scores.
    Raises SelectionError for a column that is not there, DataError for a key that stands twice.
    """
    block = [columns.block] if columns.block else []
    needed = [columns.pair, *columns.arm, *block, *([] if columns.wide else [columns.metric])]
    for name in needed:
        if name not in table.columns:
            raise SelectionError(unknown("column", name, map(str, table.columns)))
    if doubled := [name for name in needed if needed.count(name) > 1]:
        raise SelectionError(f"column {doubled[0]!r} is asked to be two things at once")
    if len(table) == 0:
        raise DataError("the table has no rows")
    if columns.wide:
        table = table.melt([columns.pair, *block], list(columns.arm), "arm", columns.metric)
        columns = Columns(columns.pair, ("arm",), columns.metric, columns.block)
    values: dict[str, dict[str, dict[Hashable, float]]] = {}
    key_columns = [columns.pair, columns.arm[0], *block]
    for name in key_columns:
        if table[name].isna().any():
            row = int(np.flatnonzero(table[name].isna())[0]) + 1
            raise DataError(f"row {row} has no {name!r}")
    for row, (key, arm, *where, said) in enumerate(
        zip(*(table[name] for name in [*key_columns, columns.metric]), strict=True), 1
    ):
        mine = values.setdefault(str(arm), {}).setdefault(str(where[0]) if where else "", {})
        if _key(key) in mine:
            place = f", {columns.block} {where[0]!r}" if where else ""
            raise DataError(
                f"row {row}: {columns.pair} {_key(key)!r} of arm {str(arm)!r}{place} a second time"
            )
        mine[_key(key)] = _number(said, row, columns.metric)
    keys = {key for arm in values.values() for one in arm.values() for key in one}
    places = dict.fromkeys(block for arm in values.values() for block in arm)
    return Scores(
        values, tuple(sorted(keys, key=_order)), tuple(places), resolution or _step(values)
    )


def pairs(found: Scores, baseline: str | None = None) -> list[tuple[str, str]]:
    """Give (treatment, baseline): every arm against one, or every arm against those before it.

    Raises SelectionError for a baseline that is no arm, or fewer than two arms.
    """
    if len(found.arms) < 2:
        raise SelectionError(f"one arm only, {', '.join(found.arms)}: nothing to compare it with")
    if baseline is None:
        return [(b, a) for a, b in itertools.combinations(found.arms, 2)]
    if baseline not in found.arms:
        raise SelectionError(unknown("arm", baseline, found.arms))
    return [(arm, baseline) for arm in found.arms if arm != baseline]


def shares_keys(found: Scores) -> bool:
    """Say whether any pair key occurs in two blocks."""
    seen: dict[str, set[Hashable]] = {}
    for arm in found.values.values():
        for block, scores in arm.items():
            seen.setdefault(block, set()).update(scores)
    return any(one & other for one, other in itertools.combinations(seen.values(), 2))


def compare_in(
    found: Scores, pair: tuple[str, str], block: str, metric: str, margin: float
) -> Comparison:
    """Pair two arms inside one block."""
    return _joined(found, pair, (block,), metric, margin)


def compare_over(found: Scores, pair: tuple[str, str], metric: str, margin: float) -> Comparison:
    """Pair two arms' means over all blocks, equal weights; a key needs every block.

    Scores of one key in several blocks are not independent, so the key is the unit.
    """
    return _joined(found, pair, found.blocks, metric, margin)


def _joined(
    found: Scores, pair: tuple[str, str], blocks: Sequence[str], metric: str, margin: float
) -> Comparison:
    kept: dict[int, tuple[float, float]] = {}
    lost = []
    here = [
        key for key in found.keys
        if any(key in found.values[arm].get(block, {}) for arm in pair for block in blocks)
    ]  # fmt: skip
    for key in here:
        place, faults, sides = found.keys.index(key), [], []
        means = []
        for arm in pair:
            mine = [found.values[arm].get(block, {}).get(key) for block in blocks]
            where = [f" in {b}" if b else "" for b in blocks]
            faults += [
                f"{arm}: no row{w}" for one, w in zip(mine, where, strict=True) if one is None
            ]
            bad = [(one, w) for one, w in zip(mine, where, strict=True)
                   if one is not None and not math.isfinite(one)]  # fmt: skip
            faults += [f"{arm}: {metric} is {one}{w}" for one, w in bad]
            sides += [arm] if bad else []
            means.append(math.fsum(one or 0.0 for one in mine) / len(mine))
        if faults:
            lost.append(LostPair(place, f"{key}: {'; '.join(faults)}", tuple(sides)))
        else:
            kept[place] = means[0], means[1]
    resolution = found.resolution / len(blocks)
    treatment, baseline = (tuple(values[i] for values in kept.values()) for i in (0, 1))
    one, other = (found.values[arm] for arm in pair)
    same = bool(kept) and all(
        one.get(block, {}).get(found.keys[place]) == other.get(block, {}).get(found.keys[place])
        for place in kept
        for block in blocks
    )
    return Comparison(
        treatment=pair[0],
        baseline=pair[1],
        metric=metric,
        margin=margin,
        seeds=tuple(kept),
        treatment_values=treatment,
        baseline_values=baseline,
        lost=tuple(lost),
        resolution=resolution,
        identical=same,
    )


def _number(said: Any, row: int, metric: str) -> float:
    try:
        return math.nan if said is None else float(said)
    except (TypeError, ValueError):
        raise DataError(f"row {row}: {said!r} for {metric} is no number") from None


def _key(said: Any) -> Hashable:
    """Give a pair key that compares as it is meant: 1, 1.0 and np.int64(1) are one seed."""
    if isinstance(said, (int, float, np.integer, np.floating)) and float(said).is_integer():
        return int(said)
    return said if isinstance(said, (str, float)) else str(said)


def _order(key: Hashable) -> tuple[bool, float, tuple[tuple[bool, str], ...]]:
    if isinstance(key, (int, float)):
        return False, float(key), ()
    parts = re.split(r"(\d+)", str(key))  # s2 comes before s10
    return True, 0.0, tuple((part.isdecimal(), part.zfill(20)) for part in parts)


def _step(values: Mapping[str, Mapping[str, Mapping[Hashable, float]]]) -> float:
    """Give the smallest step between two scores; of equal ones, a unit of their last decimal."""
    every = [v for arm in values.values() for block in arm.values() for v in block.values()]
    finite = np.unique(np.round([v for v in every if math.isfinite(v)], 12))
    if len(finite) > 1:
        return float(np.diff(finite).min())
    decimals = len(f"{finite[0]:.12f}".rstrip("0").split(".")[1]) if len(finite) else 0
    return float(10.0**-decimals)
