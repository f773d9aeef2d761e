"""JSON as programs write it -> a table: rows, lines of rows, rows under a key, rows by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ablate.tables.names import bare, listed

if TYPE_CHECKING:
    import pandas as pd

DEEPEST = 8
"""Keys under which rows are looked for."""

Row = dict[Any, Any]


def table(text: str, wanted: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """Give the table that a text of JSON holds, and what is to be said of where it stood.

    Objects inside a row become columns with dots in their names. wanted: the columns that are asked
    for, by which rows are known. Raises ValueError and its like for what holds no rows.
    """
    document = _parsed(text)
    if isinstance(document, list):
        return _framed(document), []
    if not isinstance(document, dict):
        raise ValueError("it holds no list of rows")
    if isinstance(document.get("data"), list) and "columns" in document:
        rows = [dict(zip(document["columns"], row, strict=True)) for row in document["data"]]
        return _framed(rows), []
    if lists := dict(_lists(document)):
        key = _chosen(lists, wanted)
        note = [f"the rows stand under the key {key!r}"] if len(lists) > 1 or "." in key else []
        return _framed(lists[key]), note
    return _by_name(document, wanted), []


def flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Give a frame whose columns of objects are columns with dots in their names."""
    first = (next((cell for cell in frame[name] if cell is not None), None) for name in frame)
    return _flat(frame.to_dict("records")) if any(isinstance(c, dict) for c in first) else frame


def _parsed(text: str) -> Any:
    """Read one value, or one a line. Raises ValueError that names the line."""
    try:
        return json.loads(text)
    except ValueError:
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) < 2 or not lines[0].rstrip(", \t\r").endswith("}"):
            raise
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append(json.loads(line.rstrip(", \t\r")))
        except ValueError as error:
            raise ValueError(f"line {number} is no object: {error}") from None
    return rows


def _lists(document: Row, path: tuple[str, ...] = ()) -> Iterator[tuple[str, list[Row]]]:
    """Give every list of objects in a document, by the keys that it stands under."""
    for key, value in document.items():
        here = (*path, str(key))
        if isinstance(value, dict) and len(here) < DEEPEST:
            yield from _lists(value, here)
        elif isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            yield ".".join(here), value


def _chosen(lists: dict[str, list[Row]], wanted: Sequence[str]) -> str:
    """Give the key of the list that has most of the wanted columns, of these the one least deep.

    Raises ValueError where several are as good.
    """
    hits = {key: (_hits(rows[0], wanted), -key.count(".")) for key, rows in lists.items()}
    best = [key for key, count in hits.items() if count == max(hits.values())]
    if len(best) > 1:
        raise ValueError(f"lists of rows stand under {listed(best)}: write the one that counts")
    return best[0]


def _hits(row: Row, wanted: Sequence[str]) -> int:
    """Count the wanted columns that a row has, whatever they stand under."""
    names = {bare(name) for name in _flat([row]).columns}
    return sum(bare(name) in names for name in wanted)


def _by_name(document: Row, wanted: Sequence[str]) -> pd.DataFrame:
    """Read rows that each stand under a name, or a column under each."""
    import pandas as pd

    parts = list(document.values())
    if not parts or not all(isinstance(part, (list, dict)) for part in parts):
        raise ValueError("it holds no list of rows")
    objects = [part for part in parts if isinstance(part, dict)]
    if len(objects) < len(parts):
        return pd.DataFrame(document).astype(object)
    if all(map(_is_row, objects)) or min(_hits(part, wanted) for part in objects) > 1:
        return _framed(objects)
    return pd.DataFrame(document).astype(object).reset_index(names="Unnamed: 0")


def _is_row(part: Row) -> bool:
    """Say whether an object holds words beside numbers, as a row does and a column does not."""
    words = [isinstance(value, str) for value in part.values()]
    return any(words) and not all(words)


def _framed(rows: list[Any]) -> pd.DataFrame:
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("a row is no object with names")
    return _flat(rows)


def _flat(rows: list[Row]) -> pd.DataFrame:
    import pandas as pd

    nested = any(isinstance(value, dict) for row in rows for value in row.values())
    return pd.json_normalize(rows) if nested else pd.DataFrame(rows, dtype=object)
