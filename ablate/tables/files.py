"""A file -> a table of cells as they stand: CSV and the like, JSON, JSON lines, Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.errors import DataError
from ablate.tables import json_table
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
        return _json(path, text, wanted)
    return _framed(grid(text, wanted))


def _parquet(path: Path, raw: bytes) -> pd.DataFrame:
    import pandas as pd

    try:
        return json_table.flat(pd.read_parquet(BytesIO(raw)))  # a pipe cannot be read again
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


def _json(path: Path, text: str, wanted: Sequence[str]) -> pd.DataFrame:
    """Read a list of rows, lines of rows, or one of pandas' forms of a whole table."""
    import pandas as pd

    try:
        table, notes = json_table.table(text, wanted)
    except RecursionError:
        raise DataError(f"{path} cannot be read as JSON: it is nested too deeply") from None
    except (ValueError, TypeError, AttributeError, KeyError, pd.errors.ParserError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{path} cannot be read as JSON, a list or lines of rows: {reason}"
        ) from error
    table.attrs = {NOTES: tuple(notes)}
    return table
