"""What a table holds beside its scores that can make a verdict misleading."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ablate.tables.columns.header import Columns
from ablate.tables.compared import PAIRED, UNPAIRED, Kind
from ablate.tables.names import listed, plain, tokens, words
from ablate.tables.score_table import Scores
from ablate.types import ENOUGH_PAIRS

if TYPE_CHECKING:
    import pandas as pd

BOUNDS = frozenset({0.0, 1.0, 100.0})
ABSENT = 0.1
"""Beyond this share of rows that one arm lacks, crashes are suspected."""

STATES = words("state status outcome exit")
"""Names of columns that say how a run ended."""

UNFINISHED = words(
    "crashed crash failed fail failure killed running pending aborted cancelled canceled preempted "
    "timeout oom diverged error scheduled queued"
)
"""What such a column says of a run that has no result, in small letters."""

FOLDS = words("fold folds split splits cv kfold repeat repeats repetition rep")
"""Names of key columns whose values share training rows."""


def warnings(
    table: pd.DataFrame, columns: Columns, scores: Scores, kind: Kind = PAIRED
) -> Iterator[str]:
    """Warn of what a shaped table holds beside the scores that were compared.

    kind: what the errors rest on already, which needs no warning.
    """
    used = {*columns.names, columns.metric}
    rest = [name for name in table.columns if name not in used]
    figures = [str(name) for name in rest if _is_figure(table[name])]
    if figures and not columns.wide:
        yield (
            f"The table holds other figures ({', '.join(figures[:5])}): if verdicts on these were "
            "looked at, they belong to the family, and alpha is shared with them."
        )
    yield from _crashed(table, [name for name in rest if str(name) not in figures])
    yield from _frozen(scores)
    if kind.name != UNPAIRED:
        yield from _absent(scores)
    names = [name for name in rest if str(name) not in (*figures, kind.cluster)]
    yield from _groups(table, columns, names)
    folds = [name for name in columns.pair if {*tokens(name)} & FOLDS]
    if folds and kind.test_train is None:
        yield (
            f"Pairs by {' and '.join(folds)}: folds of one data set share training rows, so that "
            "their differences are not independent and the intervals too short (Nadeau & Bengio "
            "2003): --test-train with the ratio of rows tested to rows trained on corrects them. "
            "Seeds that draw their own rows are independent."
        )


def _crashed(table: pd.DataFrame, names: list[Any]) -> Iterator[str]:
    """Name the columns of a run's state that say of rows with a score that the run did not end."""
    for name in names:
        if not {*tokens(str(name))} & STATES:
            continue
        broken = [plain(cell) for cell in table[name] if plain(cell).casefold() in UNFINISHED]
        if broken:
            yield (
                f"{plain(name)} is {listed(list(dict.fromkeys(broken)), 3)} in {len(broken)} rows, "
                "whose scores count as they stand: what is no score of a finished run has to go "
                "(an empty cell, not a missing row)."
            )


def _is_figure(values: Any) -> bool:
    """Say whether a column holds figures with decimals, as floats or as text."""
    if values.dtype.kind == "f":
        return True
    cells = [cell for cell in values if cell is not None and str(cell).strip()]
    try:
        return any("." in str(cell) for cell in cells) and [*map(float, cells)] != []
    except (TypeError, ValueError):
        return False


def _groups(table: pd.DataFrame, columns: Columns, names: list[Any]) -> Iterator[str]:
    """Name the columns that put several pair keys into one group."""
    keys = table[columns.pair[0]].astype(str)
    for name in columns.pair[1:]:
        keys = keys + "\n" + table[name].astype(str)
    count = keys.nunique()
    for name in names:
        if any(isinstance(cell, (list, dict)) for cell in table[name]):
            continue
        inside = table[name].astype(str).groupby(keys).nunique()
        groups = table[name].astype(str).nunique()
        if (inside <= 1).all() and 1 < groups <= count / 2:
            yield (
                f"{count} values of {columns.key} fall into {groups} of {name}: if these share "
                "anything that moves the scores, they are not independent, and the intervals too "
                f"short. Say --cluster {name}, or compare by --block {name}."
            )


def _frozen(scores: Scores) -> Iterator[str]:
    """Name an arm whose score is the same for every key: one run under several names, perhaps.

    Scores of 0 and 1 may all be right, or all wrong.
    """
    for arm, blocks in scores.values.items():
        for block, part in blocks.items():
            values = {value for value in part.values() if math.isfinite(value)}
            if len(part) >= ENOUGH_PAIRS and len(values) == 1 and not values & BOUNDS:
                where = f" in {plain(block)}" if block else ""
                yield (
                    f"{plain(arm)} has one score, {next(iter(values)):g}, for all {len(part)} "
                    f"values of {scores.pair}{where}: if they change nothing, it was run once, and "
                    "is one pair."
                )


def _absent(scores: Scores) -> Iterator[str]:
    """Name the arms that have no row where others do: a trainer that dies writes none.

    An arm that shares no key with any other was not run there, which is no crash; nor is it where
    two arms each have keys that the other lacks, as of two ranges of seeds.
    """
    cells = {
        arm: {(block, key) for block, part in blocks.items() for key in part}
        for arm, blocks in scores.values.items()
    }
    for arm, here in cells.items():
        near = [other for other in cells.values() if other & here]
        everywhere = set().union(*near)
        gone = len(everywhere) - len(here)
        if gone <= ABSENT * len(everywhere):
            continue
        if all(other <= here or here - other for other in near):
            yield (
                f"{plain(arm)} was run on other values of {scores.pair} than its neighbours: of "
                f"{len(everywhere)} it has {len(here)}, and only those count that both arms of a "
                "pair have. If runs crashed, give them a row without a score."
            )
        else:
            yield (
                f"{plain(arm)} has no row for {gone} of {len(everywhere)} that others have: if "
                "these runs crashed, the pairs left are a selection; give them a row without a "
                "score, and no verdict will rest on them."
            )
