"""Files of strangers, read within bounds: every fault names the file and the place in it."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, NoReturn

import yaml

from ablate.core.foreign_text import of_error, plain
from ablate.errors import DataError

MOST_BYTES = 200_000_000
"""Of one file; a larger one is refused before it is read."""

MOST_FILES = 200_000
"""Of a folder and those in it: beyond, it is somebody's whole disk."""

MOST_PARAMS, DEEPEST = 2000, 12
"""Settings of one run, and how deep they lie in one another."""

LONGEST = 500
"""Letters of a setting; longer ones are cut, since no arm is called so."""

NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")


def fault(path: Path, at: str, words: str) -> NoReturn:
    """Refuse a file. at: the line, byte or key, '' for the whole. Raises DataError."""
    raise DataError(f"{plain(path)}{f', {plain(at)}' if at else ''}: {plain(words)}")


def content(path: Path) -> bytes:
    """Give the bytes of a file. Raises DataError where it is not there, or too large."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            fault(path, "", f"{size:,} bytes; at most {MOST_BYTES:,} are read")
        with path.open("rb") as file:
            return file.read(MOST_BYTES)
    except OSError as error:
        fault(path, "", f"cannot be read: {error.strerror}")


def text(path: Path) -> str:
    """Give the text of a file of UTF-8. Raises DataError with the byte that is none."""
    return decoded(path, content(path))


def decoded(path: Path, raw: bytes) -> str:
    """Give bytes as text. path: of the file they are from. Raises DataError."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        fault(path, f"line {line}, byte {error.start}", "no UTF-8")


def json_value(path: Path, raw: str, line: int = 0) -> Any:
    """Read JSON. line: where the text stands, of a file with one value a line. Raises DataError."""
    try:
        return json.loads(raw)
    except json.JSONDecodeError as error:
        at = f"line {line or error.lineno}, column {error.colno}"
        fault(path, at, f"no JSON: {error.msg}")
    except (
        RecursionError,
        ValueError,
    ) as error:  # nested too deeply, or a number of a million digits
        fault(path, f"line {line or 1}", f"no JSON that can be read: {of_error(error)}")


def json_object(path: Path, raw: str, line: int = 0) -> dict[str, Any]:
    """Read a JSON object. Raises DataError for any other value."""
    value = json_value(path, raw, line)
    if not isinstance(value, dict):
        fault(path, f"line {line or 1}", f"no object but {type(value).__name__}")
    return value


def json_lines(path: Path, raw: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read one JSON object a line, with the lines' numbers. Raises DataError."""
    for number, line in enumerate(raw.splitlines(), 1):
        if line.strip():
            yield number, json_object(path, line, number)


def csv_rows(path: Path, raw: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Read the rows of a CSV file under its header, with the lines' numbers. Raises DataError."""
    if not raw.strip():
        fault(path, "", "it is empty")
    if "\0" in raw:
        fault(path, f"line {raw.count(chr(10), 0, raw.index(chr(0))) + 1}", "a zero byte")
    reader = csv.reader(StringIO(raw), strict=True)
    try:
        header = next(reader)
        if len({*header}) < len(header):
            twice = next(name for name in header if header.count(name) > 1)
            fault(path, "line 1", f"two columns are called {twice!r}")
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                fault(
                    path,
                    f"line {reader.line_num}",
                    f"{len(cells)} cells under {len(header)} columns: the file may be cut",
                )
            yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        fault(path, f"line {reader.line_num}", f"no CSV: {error}")


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, to which a tag for a Python object is the text under it."""


def _as_text(_loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else node.tag


_Loader.add_multi_constructor("tag:yaml.org,2002:python/", _as_text)
_Loader.add_multi_constructor("!", _as_text)


def yaml_value(path: Path) -> Any:
    """Read YAML; no object of Python is ever made. Raises DataError with line and column."""
    try:
        return yaml.load(text(path), Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        at = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        fault(path, at, f"no YAML: {error.problem or error.context}")
    except yaml.reader.ReaderError as error:
        fault(path, f"character {error.position}", f"no YAML: {error.reason}")
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        fault(path, "", f"no YAML: {of_error(error)}")


def yaml_mapping(path: Path) -> dict[str, Any]:
    """Read a mapping of YAML; an empty file has none. Raises DataError for any other value."""
    value = yaml_value(path)
    if value is not None and not isinstance(value, dict):
        fault(path, "line 1", f"no mapping but {type(value).__name__}")
    return {str(key): entry for key, entry in (value or {}).items()}


def flat(path: Path, params: Mapping[Any, Any]) -> dict[str, Any]:
    """Give settings by dotted name, each a scalar or text. Raises DataError for too many."""
    flattened: dict[str, Any] = {}
    for name, value in _leaves(params, "", 0):
        flattened[name] = value
        if len(flattened) > MOST_PARAMS:
            fault(path, name, f"more than {MOST_PARAMS:,} settings of one run")
    return flattened


def _leaves(value: Any, name: str, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value and depth < DEEPEST:
        for key, entry in value.items():
            yield from _leaves(entry, f"{name}.{key}" if name else str(key), depth + 1)
    else:
        yield name, scalar(value)


def scalar(value: Any) -> Any:
    """Give a setting as plain data: a number, a truth value, None, or text of bounded length.

    Text that is a number is that number, as trackers keep all settings as text.

    >>> scalar("0.1"), scalar("1e-3"), scalar("True"), scalar("adam"), scalar([1, 2]), scalar("nan")
    (0.1, 0.001, True, 'adam', '[1, 2]', 'nan')
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 10**18 else str(value)[:LONGEST]
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    words = value.strip() if isinstance(value, str) else _shown(value)
    if words.casefold() in ("true", "false"):
        return words.casefold() == "true"
    if words in ("None", "null", ""):
        return None
    if len(words) < 40 and NUMBER.fullmatch(words):
        number = float(words)
        if re.fullmatch(r"-?(0|[1-9]\d{0,17})", words):
            return int(words)
        if math.isfinite(number) and not re.fullmatch(r"[-+]?0\d+", words):
            return number
    return words[:LONGEST]


def _shown(value: Any) -> str:
    try:
        return json.dumps(value, default=str, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return type(value).__name__


def number(value: Any) -> float | None:
    """Give a value as a number, nan and infinite ones too; None where it is none.

    >>> number("0.5"), number("NaN"), number("abc"), number(True), number(None)
    (0.5, nan, None, None, None)
    """
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def walk(folder: Path, names: Iterable[str]) -> list[Path]:
    """Give the files below a folder that fit any of some patterns, sorted; links are not followed.

    Raises DataError for a folder of too many files.
    """
    patterns = [*names]
    matched, count = [], 0
    stack = [folder]
    while stack:
        try:
            entries = sorted(stack.pop().iterdir())
        except OSError:
            continue
        for entry in entries:
            count += 1
            if count > MOST_FILES:
                fault(folder, "", f"more than {MOST_FILES:,} files: name the folder of the runs")
            if entry.is_symlink():
                continue
            if entry.is_dir():
                stack.append(entry)
            elif any(entry.match(pattern) for pattern in patterns):
                matched.append(entry)
    return sorted(matched)


def start(path: Path, size: int = 4096) -> bytes:
    """Give the first bytes of a file, b'' where there are none to be had."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""
