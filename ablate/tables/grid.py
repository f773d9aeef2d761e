"""A table's text -> its header and its rows, however the columns are separated and headed."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ablate.errors import DataError
from ablate.tables.names import bare, plain, words

ON_ITS_SIDE = 10_000
"""A table of more rows has its columns beside one another."""
LOOKED_AT = 60
"""So many lines at the top show how a table is written."""

BARS = "│┃║┆┊╎"
"""Drawn in place of | by programs that print tables."""

TYPES = words(
    "--- i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 str bool cat date <chr> <dbl> <int> <fct> <lgl>"
)
"""What stands below a header where Polars or a tibble prints the columns' types."""

Cells = list[str]


@dataclass(frozen=True)
class Grid:
    """A table of text. header: one row of names, or several that stand above one another.

    separator: what parts the columns. notes: what was left out or put right, in sentences.
    """

    header: list[Cells]
    rows: list[Cells]
    separator: str
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Style:
    """A way to write rows: its name, and how lines become cells."""

    name: str
    parse: Callable[[Sequence[str]], list[Cells]]


def _by(delimiter: str) -> Style:
    def parse(lines: Sequence[str]) -> list[Cells]:
        reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
        if not any(" " in line or not line.isascii() or line.strip() != line for line in lines):
            return list(reader)  # a long table, most often
        return [[cell.strip() for cell in row] for row in reader]

    return Style(delimiter, parse)


def _by_spaces(pattern: str) -> Style:
    return Style(" ", lambda lines: [re.split(pattern, line.strip()) for line in lines])


def _markdown(lines: Sequence[str]) -> list[Cells]:
    rows = [line.strip().removeprefix("|").removesuffix("|") for line in lines if "|" in line]
    rows = [row for row in rows if not re.fullmatch(r"[-:|\s=+]+", row)]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)] for row in rows]


def _latex(lines: Sequence[str]) -> list[Cells]:
    rows = [
        re.sub(r"\\\\.*$", "", re.sub(r"\\(top|mid|bottom)rule|\\hline", "", line)).strip()
        for line in lines
    ]
    return [[cell.strip() for cell in re.split(r"(?<!\\)&", row)] for row in rows if "&" in row]


BARRED = Style("|", _markdown)

STYLES = (
    _by(","),
    _by("\t"),
    _by(";"),
    BARRED,
    Style("&", _latex),
    _by_spaces(r"\s{2,}"),
    _by_spaces(r"\s+"),
)


def grid(text: str, wanted: Sequence[str]) -> Grid:
    """Read a table's text. wanted: the columns that are asked for, by which its header is known.

    Raises DataError for rows that do not fit under the header.
    """
    names = {plain(name).casefold() for name in wanted}
    notes: list[str] = []
    lines = [line for line in text.split("\n") if line.strip()]
    drawn = _is_drawn(lines)
    lines = _unboxed(lines) if drawn else lines
    separator = re.fullmatch(r'"?sep=(.)"?', lines[0].strip()) if lines else None
    lines = _uncommented(lines[1:] if separator else lines, names, notes)
    styles = [_by(separator[1])] if separator else [BARRED] if drawn else STYLES
    try:
        style = max(styles, key=lambda style: _fit(style, lines[:LOOKED_AT], names))
        rows = [row for row in style.parse(lines) if any(row)]
        _refuse_open_quotes(lines, style)
    except csv.Error as error:
        raise DataError(f"the rows cannot be parted into columns: {error}") from None
    if not rows:
        raise DataError("the table has no rows")
    if _lies_on_its_side(rows, names):
        notes.append("the table lies on its side, its names in the first column: it was turned")
        width = max(map(len, rows))
        rows = [list(column) for column in zip(*(_padded(row, width) for row in rows), strict=True)]
    start, stop = _header(rows, names)
    if start and any(any(row) for row in rows[:start]):
        title = " ".join(" ".join(row).strip() for row in rows[:start])
        notes.append(f"above the header stands {title[:60]!r}: left out")
    header, body = rows[start:stop], rows[stop:]
    return _even(Grid(header, _bodied(header, body, notes), style.name, notes))


def _is_drawn(lines: Sequence[str]) -> bool:
    """Say whether half of the lines and more have bars of Unicode in them."""
    drawn = sum(not line.isascii() and any(bar in line for bar in BARS) for line in lines)
    return 2 * drawn >= len(lines) > 0


def _unboxed(lines: Sequence[str]) -> list[str]:
    """Write a table that is drawn with lines of Unicode as one that is drawn with bars."""
    bars = str.maketrans(BARS, "|" * len(BARS))
    return [line.translate(bars) for line in lines if _written(line)]


def _written(line: str) -> bool:
    """Say whether anything but a drawn line stands in it."""
    return any(not "\u2500" <= letter <= "\u257f" and not letter.isspace() for letter in line)


def _refuse_open_quotes(lines: Sequence[str], style: Style) -> None:
    """Raise DataError where a quote is never closed, so that the rest of the file is one cell."""
    if len(style.name) > 1 or style.name in "|& ":
        return
    try:
        for _ in csv.reader(lines, delimiter=style.name, skipinitialspace=True, strict=True):
            pass
    except csv.Error as error:
        if "end of data" in str(error):
            raise DataError("a quote is opened and never closed") from None


def hits(row: Sequence[str], names: set[str]) -> int:
    """Count the wanted names among a row's cells, with or without a unit behind them."""
    cells = {plain(cell).casefold() for cell in row} | {bare(cell) for cell in row}
    return len(names & cells)


def _uncommented(lines: list[str], names: set[str], notes: list[str]) -> list[str]:
    """Leave out lines that begin with #; a header that does (NumPy writes such) is kept."""
    rest = [line for line in lines if not line.lstrip().startswith("#")]
    if not any(hits(row, names) for style in STYLES for row in _tried(style, rest[:LOOKED_AT])):
        for number, line in enumerate(lines[:LOOKED_AT]):
            bare = line.lstrip("# \t\ufeff")
            if bare != line and any(
                hits(row, names) > 1 for style in STYLES for row in _tried(style, [bare])
            ):
                behind = [line for line in lines[number + 1 :] if not line.lstrip().startswith("#")]
                return [bare, *behind]
    if len(rest) == 1 and len(lines) > 2:  # every row begins so: its key does
        return lines
    if len(rest) < len(lines):
        notes.append(f"{len(lines) - len(rest)} lines that begin with # are left out")
    return rest


def _tried(style: Style, lines: Sequence[str]) -> list[Cells]:
    try:
        return style.parse(lines)
    except csv.Error:
        return []


def _fit(style: Style, lines: Sequence[str], names: set[str]) -> tuple[int, float]:
    """Say how well a style fits: the wanted names that it finds, then how even its rows are."""
    rows = [row for row in _tried(style, lines) if any(row)]
    if not rows or max(map(len, rows)) < 2:
        return 0, 0.0
    firsts = [row[0] for row in rows[:ON_ITS_SIDE]]
    best = max(max(hits(row, names) for row in rows), hits(firsts, names))
    width, count = Counter(map(len, rows)).most_common(1)[0]
    return best, count / len(lines) if width > 1 else 0.0


def _lies_on_its_side(rows: Sequence[Cells], names: set[str]) -> bool:
    """Say whether the wanted names stand below one another, each with a row of values."""
    rows = rows[:ON_ITS_SIDE]
    named = [row for row in rows if row and plain(row[0]).casefold() in names]
    across = max((hits(row, names) for row in rows[:LOOKED_AT]), default=0)
    filled = all(len(row) > 2 and sum(map(bool, row)) > 2 for row in named)
    return hits([row[0] for row in rows if row], names) > 1 and across < 2 and filled


def _header(rows: Sequence[Cells], names: set[str]) -> tuple[int, int]:
    """Give where the header begins and ends.

    Several rows are one header where pandas wrote the index's name below them, alone in its row,
    or where a name stands twice in the row and others stand above it.
    """
    top = rows[:LOOKED_AT]
    for number, row in enumerate(top[:5]):
        alone = bool(row and row[0]) and not any(row[1:])
        if alone and number and len(row) > 2 and sum(map(bool, top[number - 1])) > 1:
            start = number
            while start and sum(map(bool, top[start - 1])) > 1:
                start -= 1
            return start, number + 1
    counts = [hits(row, names) for row in top]
    best = max(counts, default=0)
    if best:
        number = counts.index(best)
    else:
        width = Counter(map(len, top)).most_common(1)[0][0] if top else 0
        number = next((i for i, row in enumerate(top) if len(row) == width), 0)
    repeated = [cell for cell in top[number] if cell] if top else []
    above = top[number - 1] if number else []
    if len(set(repeated)) < len(repeated) and sum(map(bool, above)) > 1:
        return number - 1, number + 1
    return number, number + 1


def _bodied(header: list[Cells], body: list[Cells], notes: list[str]) -> list[Cells]:
    """Leave out headers that stand again among the rows, and lines without columns."""
    body = [row for row in body if not TYPES.issuperset(filter(None, row))]
    again = [row for row in body if row in header]
    if again:
        notes.append(f"the header stands again among the rows ({len(again)} times): left out")
    loose = [row for row in body if len(row) == 1 and max(map(len, header), default=0) > 1]
    if loose:
        notes.append(
            f"left out, as no row: {loose[0][0][:60]!r}"
            + (f" and {len(loose) - 1} more lines" if len(loose) > 1 else "")
        )
    return [row for row in body if row not in header and row not in loose]


def _even(table: Grid) -> Grid:
    """Give all rows the header's length: cells that are missing are empty, empty ones beyond cut.

    Raises DataError for a row with more.
    """
    header, rows = table.header, table.rows
    width = max(map(len, header), default=0)
    if table.separator == " " and rows and all(len(row) == width + 1 for row in rows):
        header, width = [["", *names] for names in header], width + 1  # pandas prints its index so
    for number, row in enumerate(rows, 1):
        if any(row[width:]):
            decimal = (
                "; are commas meant as decimal points? Part the columns by ;"
                if table.separator == ","
                else ""
            )
            raise DataError(f"row {number} has {len(row)} cells, the header {width}{decimal}")
    table = Grid(
        [_padded(names, width) for names in header],
        [_padded(row, width) for row in rows],
        table.separator,
        table.notes,
    )
    filled = [
        i
        for i in range(width)
        if any(names[i] for names in table.header) or any(row[i] for row in table.rows)
    ]
    if len(filled) == width:
        return table
    return Grid(
        [[names[i] for i in filled] for names in table.header],
        [[row[i] for i in filled] for row in table.rows],
        table.separator,
        table.notes,
    )


def _padded(row: Cells, width: int) -> Cells:
    return row if len(row) == width else [*row[:width], *[""] * (width - len(row))]
