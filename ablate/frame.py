"""A table that this toolkit did not make -> Comparisons, joined on the pair key."""

from __future__ import annotations

import itertools
import math
import re
import warnings
from collections.abc import Hashable, Iterator, Mapping, Sequence
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

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    ".csv": {"low_memory": False, "index_col": False, "keep_default_na": False, "na_values": [""]},
    ".jsonl": {"lines": True, "convert_dates": False, "dtype": False},
}
"""Nothing is guessed: an arm may be called None, and a time is no date."""

MISSING = ("", "na", "n/a", "nan", "none", "null", "<na>", "-")
"""What a score may say, in small letters, where there is none."""

LARGEST, SMALLEST = 1e75, 1e-75
"""The fourth powers of scores outside have no floating-point number, and variances need them."""


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
    resolution: float | None

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
    options = dict(OPTIONS.get(ending, {}))
    if path.suffix.lower() == ".tsv":
        options |= {"sep": "\t"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header
            table: pd.DataFrame = getattr(pd, ENDINGS[ending])(path, **options)
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file") from error
    except Exception as error:  # pandas and its readers raise many kinds
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} cannot be read as {ending[1:]}: {said}") from error
    return table


def scores(table: pd.DataFrame, columns: Columns, resolution: float | None = None) -> Scores:
    """Sort a table's scores by arm, block and pair key.

    resolution: what one test row is worth; without it, the smallest step between two scores of the
    two arms that are compared.
    Raises SelectionError for a column that is not there, DataError for a key that stands twice.
    """
    block = [columns.block] if columns.block else []
    needed = [columns.pair, *columns.arm, *block, *([] if columns.wide else [columns.metric])]
    for name in needed:
        if name not in table.columns:
            raise SelectionError(unknown("column", str(name), map(str, table.columns)))
    if doubled := [name for name in needed if needed.count(name) > 1]:
        raise SelectionError(f"column {doubled[0]!r} is asked to be two things at once")
    if len(table) == 0:
        raise DataError("the table has no rows")
    if not table.columns.is_unique:
        raise SelectionError("two columns of one name")
    long = _long(table, columns)
    values: dict[str, dict[str, dict[Hashable, float]]] = {}
    for row, key, arm, *where, said in long:
        mine = values.setdefault(str(arm), {}).setdefault(str(where[0]) if where else "", {})
        if _key(key) in mine:
            place = f", {columns.block} {where[0]!r}" if where else ""
            raise DataError(
                f"row {row}: {columns.pair} {_key(key)!r} of arm {str(arm)!r}{place} a second time"
            )
        mine[_key(key)] = _number(said, row, columns.metric)
    keys = {key for arm in values.values() for one in arm.values() for key in one}
    every = (v for arm in values.values() for one in arm.values() for v in one.values())
    most = max((abs(v) for v in every if math.isfinite(v)), default=0.0)
    if 0 < most < SMALLEST:
        raise DataError(f"no score is beyond {most:g}: too small to compute with; change the unit")
    places = dict.fromkeys(block for arm in values.values() for block in arm)
    return Scores(values, tuple(sorted(keys, key=_order)), tuple(places), resolution)


def _long(table: pd.DataFrame, columns: Columns) -> Iterator[tuple[Any, ...]]:
    """Give (row, key, arm, block if there is one, score), row by row; a wide row is several.

    Raises DataError for a row without a key, an arm or a block.
    """
    block = [columns.block] if columns.block else []
    named = [columns.pair, *([] if columns.wide else columns.arm), *block]
    for name in named:
        if any(isinstance(one, (list, dict, set)) for one in table[name]):
            raise DataError(f"{name!r} holds lists, which name nothing")
        if table[name].isna().any():
            row = int(np.flatnonzero(table[name].isna())[0]) + 1
            raise DataError(f"row {row} has no {name!r}")
    keys = list(table[columns.pair])
    blocks = [(one,) for one in table[columns.block]] if columns.block else [()] * len(keys)
    arms = columns.arm if columns.wide else (columns.metric,)
    for score in arms:
        names = [score] * len(keys) if columns.wide else list(table[columns.arm[0]])
        told = zip(keys, names, blocks, table[score], strict=True)
        for row, (key, arm, place, said) in enumerate(told, 1):
            yield (row, key, arm, *place, said)


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
    resolution = (found.resolution or _step([found.values[arm] for arm in pair])) / len(blocks)
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
    if said is None or type(said).__name__ in ("NAType", "NaTType"):
        return math.nan
    if isinstance(said, str) and said.strip().lower() in MISSING:
        return math.nan
    try:
        found = float(said)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"row {row}: {str(said)[:40]!r} for {metric} is no number") from None
    if math.isfinite(found) and abs(found) > LARGEST:
        raise DataError(f"row {row}: {found:g} for {metric} is beyond {LARGEST:g}")
    return found


def _key(said: Any) -> Hashable:
    """Give a pair key that compares as it is meant: 1, 1.0, "1" and np.int64(1) are one seed."""
    if isinstance(said, str) and re.fullmatch(r"-?(0|[1-9]\d{0,17})", said):
        return int(said)
    if isinstance(said, (int, np.integer)):
        return int(said) if abs(int(said)) < 10**18 else str(said)
    if isinstance(said, np.floating):
        said = float(said)
    if isinstance(said, float) and said.is_integer():
        return int(said) if abs(said) < 1e18 else str(said)
    return said if isinstance(said, (str, float)) else str(said)


def _order(key: Hashable) -> tuple[bool, float, tuple[tuple[bool, str], ...]]:
    if isinstance(key, (int, float)):
        return False, float(key), ()
    parts = re.split(r"(\d+)", str(key))  # s2 comes before s10
    return True, 0.0, tuple((part.isdecimal(), part.zfill(20)) for part in parts)


def _step(arms: Sequence[Mapping[str, Mapping[Hashable, float]]]) -> float:
    """Give the smallest step between two scores; of equal ones, a unit of their last decimal."""
    every = [v for arm in arms for block in arm.values() for v in block.values()]
    finite = np.array([v for v in every if math.isfinite(v)])
    most = float(np.abs(finite).max(initial=0.0))
    steps = np.diff(np.unique(np.round(finite / most, 12))) if most > 0 else np.zeros(0)
    if len(steps):
        span = float(finite.max() - finite.min())
        return span / round(span / (float(steps.min()) * most))  # as exact as the scores are
    decimals = len(f"{finite[0]:.12f}".rstrip("0").split(".")[1]) if len(finite) else 0
    return float(10.0**-decimals)
