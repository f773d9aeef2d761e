"""What a program printed or wrote -> its scores by metric, each a curve of steps and values."""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ablate.source.program import STDOUT, Metric

STEPS = ("step", "epoch", "iteration")
"""What a step is called where nobody says."""

Curve = list[tuple[float, float]]
"""Steps and values, in the order of the steps."""


class Unread(Exception):
    """A score that cannot be read: why, in a line."""


def scores(metrics: Sequence[Metric], printed: Sequence[str], folder: Path) -> dict[str, Curve]:
    """Read every metric of a run. printed: lines of standard output. Raises Unread."""
    sources: dict[str, Any] = {}
    curves = {}
    for metric in metrics:
        if metric.pattern:
            text = printed if metric.source == STDOUT else _lines(folder / metric.source)
            curves[metric.name] = _matched(metric, text)
            continue
        if metric.source not in sources:
            sources[metric.source] = list(
                _printed(printed) if metric.source == STDOUT else _file(folder / metric.source)
            )
        curves[metric.name] = _curve(metric, sources[metric.source])
    return curves


def digests(names: Sequence[str], printed: Sequence[str]) -> dict[str, str]:
    """Give the digests that a program printed of what it drew. Raises Unread for one it did not."""
    entries = list(_printed(printed))
    drawn: dict[str, str] = {}
    for name in names:
        values = [value for entry in entries for value in [_at(entry, name)] if value is not None]
        if not values:
            raise Unread(f"no digest {name!r} on a JSON line of its output, which `pairs` names")
        drawn[name] = str(values[-1])
    return drawn


def _printed(lines: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    """Give the JSON objects among lines, each on a line of its own."""
    for line in lines:
        if line.lstrip().startswith("{"):
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(entry, dict):
                yield entry


def _lines(path: Path) -> list[str]:
    return _text(path).splitlines()


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise Unread(f"no file {path.name} in the run's folder: {error.strerror}") from error


def _file(path: Path) -> list[Mapping[str, Any]]:
    """Read a file of results: an object, a list of objects, a line each, or a table."""
    if path.suffix == ".parquet":
        return _parquet(path)
    text = _text(path)
    if path.suffix in (".csv", ".tsv"):
        return list(
            csv.DictReader(text.splitlines(), delimiter="\t" if path.suffix == ".tsv" else ",")
        )
    if path.suffix in (".jsonl", ".ndjson"):
        return list(_printed(text.splitlines()))
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unread(f"{path.name} is not JSON: {error}") from error
    entries = content if isinstance(content, list) else [content]
    return [entry for entry in entries if isinstance(entry, dict)]


def _parquet(path: Path) -> list[Mapping[str, Any]]:
    import pandas as pd

    if not path.is_file():
        raise Unread(f"no file {path.name} in the run's folder")
    try:
        rows = pd.read_parquet(path).to_dict("records")
    except Exception as error:  # of pyarrow's many, all say that it is no such file
        raise Unread(f"{path.name} is not Parquet: {error}") from error
    return [{str(key): value for key, value in row.items()} for row in rows]


def _at(entry: Mapping[str, Any], key: str) -> Any:
    """Give what stands at a key, or at a dotted path of keys; None where nothing does."""
    if key in entry:
        return entry[key]
    here: Any = entry
    for word in key.split("."):
        if not isinstance(here, dict) or word not in here:
            return None
        here = here[word]
    return here


def _curve(metric: Metric, entries: Sequence[Mapping[str, Any]]) -> Curve:
    """Give a metric's values by step. Raises Unread where there is none, or no telling which."""
    key, source = metric.key or metric.name, _called(metric)
    values = [
        (entry, value) for entry in entries for value in [_at(entry, key)] if value is not None
    ]
    if not values:
        have = sorted({name for entry in entries for name in entry})[:8]
        others = f"; it has {', '.join(map(str, have))}" if have else ""
        raise Unread(f"no {key!r} in {source}{others}")
    names = [metric.step] if metric.step else STEPS
    curve: Curve = []
    for entry, value in values:
        step = next((at for name in names for at in [_at(entry, name)] if at is not None), None)
        if step is None and len(values) > 1:
            raise Unread(
                f"{len(values)} values of {key!r} in {source} and no step to tell which is the "
                f"last: print it once, or with {' or '.join(map(repr, names))}"
            )
        curve.append((_number(step if step is not None else 0, "step"), _number(value, key)))
    return _rising(curve, key, source)


def _matched(metric: Metric, lines: Sequence[str]) -> Curve:
    """Give what a pattern finds, one value a line; the order of lines is that of steps."""
    texts = [match[1] for line in lines for match in re.finditer(metric.pattern, line)]
    if not texts:
        raise Unread(f"nothing in {_called(metric)} matches {metric.pattern!r} of {metric.name!r}")
    return [(float(i), _number(text, metric.name)) for i, text in enumerate(texts)]


def _called(metric: Metric) -> str:
    return "a JSON line of its output" if metric.source == STDOUT else metric.source


def _rising(curve: Curve, key: str, source: str) -> Curve:
    """Put a curve in the order of its steps. Raises Unread where a step has two values."""
    ordered = sorted(curve, key=lambda point: point[0])
    for (step, first), (again, second) in itertools.pairwise(ordered):
        if step == again and first != second:
            raise Unread(
                f"two values of {key!r} at step {step:g} in {source}: {first:g}, {second:g}"
            )
    return list(dict(ordered).items())


def _number(value: Any, key: str) -> float:
    """Read a number, also from text. Raises Unread for anything else."""
    try:
        if isinstance(value, bool):
            raise ValueError
        return float(value)
    except (TypeError, ValueError):
        raise Unread(f"{str(value)[:40]!r} for {key!r}, which is no number") from None
