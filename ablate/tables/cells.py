"""Cells of a score's column -> numbers, as people write them; what is none is named."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ablate.errors import DataError
from ablate.tables.names import plain

LARGEST, SMALLEST = 1e75, 1e-75
"""The fourth powers of scores outside have no floating-point number, and variances need them."""

MISSING = frozenset(
    re.split(
        r"\|",
        "|na|n/a|nan|none|null|nil|<na>|nat|-|--|---|–|—|?|.|..|...|…|✗|✘|#n/a|#na|#div/0!|"
        "#value!|#ref!|#num!|#name?|oom|diverged|div|failed|fail|failure|crashed|crash|error|err|"
        "timeout|timed out|time out|killed|missing|empty|tbd|todo|pending|running|cancelled|"
        "canceled|aborted|out of memory|not run|no result|did not converge|dnf|dnc|n.a.|n. a.|"
        "n/r|nr|void|∅",
    )
)
"""What a cell may say, in small letters, where there is no score."""

_SIMPLE = re.compile(r"-?\d+(\.\d+)?(e[-+]?\d+)?")
_NUMBER = r"[-+]?(?:\d[\d.,' ]*|[.,]\d+)(?:e[-+]?\d+)?"
_SPREAD = re.compile(
    rf"({_NUMBER})\s*%?\s*"
    rf"(?:(?:±|\+/-|\+-|-\+|\\pm|&plusmn;|\+\s+-)\s*[\d.,]*.*|[(\[{{].*[)\]}}]|_\{{?.*|\^\{{?.*"
    rf"|\s\+/?-?\s?{_NUMBER})",
    re.IGNORECASE,
)
_DECIMAL = re.compile(r"[-+]?(?:\d{1,3}(?:\.\d{3})+|\d*),\d+(?:e[-+]?\d+)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?(?:e[-+]?\d+)?", re.IGNORECASE)
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(?:[ '’_]\d{3})+(?:[.,]\d*)?")


@dataclass(frozen=True)
class Cell:
    """A cell's number; words: what stood there instead of one. percent: it bears a percent sign."""

    value: float
    words: str = ""
    percent: bool = False


def cells(values: Sequence[tuple[int, Any]], metric: str, decimal: str = "") -> list[Cell]:
    """Read a column's cells, each given with its row. decimal: what a lone comma is taken for.

    Raises DataError for a cell that is no number, a mean with its spread, or a number that can be
    read in two ways.
    """
    texts = [(row, _bare(value) if isinstance(value, str) else "") for row, value in values]
    comma = _comma(
        [(row, text.rstrip("% ")) for row, text in texts if "," in text],
        [text for _, text in texts],
        decimal,
    )
    known: dict[str, Cell] = {}  # scores of a long table are few different ones
    read = []
    for (row, value), (_, text) in zip(values, texts, strict=True):
        cell = known.get(value) if type(value) is str else None
        if cell is None:
            cell = _cell(value, text, row, metric, comma)
            if type(value) is str:
                known[value] = cell
        read.append(cell)
    return read


def _cell(value: Any, text: str, row: int, metric: str, comma: str) -> Cell:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return Cell(math.nan)
    if not isinstance(value, str):
        return Cell(_finite(value, row, metric))
    if _SIMPLE.fullmatch(text):
        return Cell(_finite(text, row, metric))
    if text.casefold() in MISSING or plain(value).casefold() in MISSING:
        return Cell(math.nan, plain(value))
    percent = bool(re.search(r"\d\s*\\?%$", text))
    number = re.sub(r"\s*\\?%$", "", text)
    if _GROUPED.fullmatch(number):
        number = re.sub(r"[ '’_]", "", number)
    if comma == ",":
        number = number.replace(".", "").replace(",", ".") if "," in number else number
    elif comma:
        number = number.replace(",", "")
    if number.casefold() in ("true", "false"):
        return Cell(float(number.casefold() == "true"))
    if _SPREAD.fullmatch(number):
        raise DataError(
            f"row {row}: {plain(value)[:40]!r} for {metric} is a mean and its spread (or two "
            "figures), no single run: verdicts need the score of every run, one a row"
        )
    if number.casefold().startswith(("nan", "diverged", "oom", "failed", "crash")):
        return Cell(math.nan, plain(value))
    return Cell(_finite(number, row, metric, plain(value)), percent=percent)


def _finite(value: Any, row: int, metric: str, shown: str = "") -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise DataError(
            f"row {row}: {(shown or str(value))[:40]!r} for {metric} is no number"
        ) from None
    if math.isfinite(number) and abs(number) > LARGEST:
        raise DataError(f"row {row}: {number:g} for {metric} is beyond {LARGEST:g}")
    return number


def _bare(text: str) -> str:
    """Take off what only dresses a number: quotes, bold, LaTeX, foot notes, a real minus sign.

    >>> _bare("**82.1**"), _bare("$\\\\mathbf{82.1}$"), _bare("−0,5†")
    ('82.1', '82.1', '-0,5')
    """
    if _SIMPLE.fullmatch(text):
        return text
    bare = plain(text.replace("~", " ")).replace("−", "-").strip("\"'$` ")
    before = ""
    while bare != before:
        before = bare
        bare = re.sub(
            r"\\(?:mathbf|textbf|bf|bm|boldsymbol|underline|emph|textit|text|mathrm|num)"
            r"\s*\{([^{}]*)\}",
            r"\1",
            bare,
        )
        bare = re.sub(r"^<(\w+)>(.*)</\1>$", r"\2", bare)
        bare = re.sub(r"\$|\*\*|__|~~", "", re.sub(r"^([*_])(.+)\1$", r"\2", bare)).strip()
        bare = re.sub(r"(?:\^\{?[*†‡a-z]+\}?|[*†‡§¶]+)$", "", bare).strip("\"'$` ")
    return bare


def _comma(commas: Sequence[tuple[int, str]], texts: Sequence[str], decimal: str) -> str:
    """Say what a comma in this column is: ',' the decimal point, 'thousands', '' where none stands.

    What can be both (1,234) is settled by the other cells, then by the file's separator.
    """
    if not commas:
        return ""
    both = [
        (row, text)
        for row, text in commas
        if _DECIMAL.fullmatch(text) and _THOUSANDS.fullmatch(text)
    ]
    points = [cell for cell in commas if _DECIMAL.fullmatch(cell[1]) and cell not in both]
    groups = [cell for cell in commas if _THOUSANDS.fullmatch(cell[1]) and cell not in both]
    if points and groups:
        raise DataError(
            f"row {points[0][0]}: the comma in {points[0][1]!r} is a decimal point, that in "
            f"{groups[0][1]!r} of row {groups[0][0]} parts thousands: write one of them"
        )
    if points or groups or not both:
        return "thousands" if groups else ","
    others = [text for text in texts if re.fullmatch(r"[-+]?\d+(\.\d+)?%?", text)]
    if others:
        return "thousands"
    if decimal == ",":
        return ","
    row, text = both[0]
    raise DataError(
        f"row {row}: {text!r} may be {text.replace(',', '')} or "
        f"{text.replace(',', '.')}: write it without a comma"
    )


def is_missing(value: Any) -> bool:
    """Say whether a cell of a name's column is empty."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or type(value).__name__ in ("NAType", "NaTType") or _is_nan(value)


def _is_nan(value: Any) -> bool:
    return isinstance(value, (float, np.floating)) and math.isnan(value)
