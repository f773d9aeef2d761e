"""A file -> a table of cells as they stand: CSV and the like, JSON, JSON lines, Parquet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.errors import DataError
from ablate.tables.grid import Grid, grid
from ablate.tables.text import content, decoded, named

if TYPE_CHECKING:
    import pandas as pd

NOTES, DECIMAL = "notes", "decimal"
"""Keys of a table's `attrs`: what was put right in its file, and the decimal comma it hints at."""


def read_table(path: Path, wanted: Sequence[str] = (), raw: bytes | None = None) -> pd.DataFrame:
    """Read a table. wanted: the columns that are asked for, by which a header is known.

    raw: the file's bytes, unpacked, where they were read before: a pipe can be read once. Cells of
    text files stay text: what is a number is settled where it is used. Raises DataError with what
    is wrong.
    """
    raw = content(path) if raw is None else raw
    path = named(path)
    if not raw.strip():
        raise DataError(f"{path} is empty")
    if raw.startswith(b"PAR1"):
        return _parquet(path, raw)
    text = decoded(path, raw)
    if not text.strip():
        raise DataError(f"{path} is empty")
    if text.lstrip()[:1] in ("[", "{"):
        return _json(path, text)
    return _framed(grid(text, wanted))


def _parquet(path: Path, raw: bytes) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_parquet(BytesIO(raw))  # a pipe cannot be read again
    except Exception as error:  # pyarrow raises many kinds
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} cannot be read as Parquet: {reason}") from error


def _framed(table: Grid) -> pd.DataFrame:
    import pandas as pd

    if len(table.header) == 1:
        names: Any = [name or f"Unnamed: {i}" for i, name in enumerate(table.header[0])]
    else:
        names = pd.MultiIndex.from_arrays([_filled(row) for row in table.header])
    frame = pd.DataFrame(table.rows, columns=names, dtype=object)
    frame.attrs = {NOTES: tuple(table.notes)}
    if table.separator == ";":  # where the comma is the decimal point, ; parts the columns
        frame.attrs[DECIMAL] = ","
    return frame


def _filled(row: Sequence[str]) -> list[str]:
    """Carry names to the right over merged cells; the first column is the key's."""
    filled = list(row[:1])
    for name in row[1:]:
        filled.append(name or (filled[-1] if len(filled) > 1 else ""))
    return filled


def _json(path: Path, text: str) -> pd.DataFrame:
    """Read a list of rows, lines of rows, or one of pandas' forms of a whole table."""
    import pandas as pd

    try:
        document = _parsed(text)
        return _table(document)
    except RecursionError:
        raise DataError(f"{path} cannot be read as JSON: it is nested too deeply") from None
    except (ValueError, TypeError, AttributeError, KeyError, pd.errors.ParserError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{path} cannot be read as JSON, a list or lines of rows: {reason}"
        ) from error


def _parsed(text: str) -> Any:
    """Read one value, or one a line. Raises ValueError that names the line."""
    try:
        return json.loads(text)
    except ValueError:
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) < 2 or not lines[0].rstrip().endswith("}"):
            raise
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise ValueError(f"line {number} is no object: {error}") from None
    return rows


def _is_row(part: dict[str, Any]) -> bool:
    """Say whether an object holds words beside numbers, as a row does and a column does not."""
    words = [isinstance(value, str) for value in part.values()]
    return any(words) and not all(words)


def _table(document: Any) -> pd.DataFrame:
    import pandas as pd

    if (
        isinstance(document, dict)
        and isinstance(document.get("data"), list)
        and "columns" in document
    ):
        document = [dict(zip(document["columns"], row, strict=True)) for row in document["data"]]
    if isinstance(document, dict):
        rows = [
            v for v in document.values() if isinstance(v, list) and v and isinstance(v[0], dict)
        ]
        document = rows[0] if len(rows) == 1 else document
    if isinstance(document, dict):
        parts = list(document.values())
        if not parts or not all(isinstance(part, (list, dict)) for part in parts):
            raise ValueError("it holds no list of rows")
        if all(isinstance(part, dict) and _is_row(part) for part in parts):
            return pd.DataFrame(parts, dtype=object)
        table = pd.DataFrame(document).astype(object)
        keyed = all(isinstance(part, dict) for part in parts)
        return table.reset_index(names="Unnamed: 0") if keyed else table
    if not isinstance(document, list) or not all(isinstance(row, dict) for row in document):
        raise ValueError("a row is no object with names")
    nested = any(isinstance(value, dict) for row in document for value in row.values())
    return pd.json_normalize(document) if nested else pd.DataFrame(document, dtype=object)
