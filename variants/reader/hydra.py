"""Jobs of a Hydra sweep, with the scores that they left in their folders."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablate.registry import component
from ablate.types import TrackedRun

from ._files import (
    csv_rows,
    fault,
    flat,
    json_lines,
    json_value,
    scalar,
    text,
    walk,
    yaml_mapping,
    yaml_value,
)
from ._rows import Curves, curves, relative

OVERRIDES = ".hydra/overrides.yaml"
ENDINGS = (".json", ".jsonl", ".csv")
RESULTS = ("result", "metric", "score", "eval", "test", "history", "log")
"""How files of scores are called, the first ones before the others, where there are several."""


@component("reader", "hydra", paper="Yadan 2019, Hydra, documentation: Multi-run, Configuring")
@dataclass(frozen=True)
class Hydra:
    """`multirun/<date>/<time>/<job>` or `outputs/...`: `.hydra/{config,overrides}.yaml` and scores.

    Scores are in one JSON, JSON-lines or CSV file of the job's folder, by preference one that is
    called results or metrics. A job without any is a lost run.
    """

    def recognises(self, path: Path) -> bool:
        """Say whether a folder has jobs in it."""
        return path.is_dir() and bool(walk(path, [OVERRIDES]))

    def read(self, path: Path) -> Sequence[TrackedRun]:
        """Read every job. Raises DataError."""
        folders = [file.parent.parent for file in walk(path, [OVERRIDES])] if path.is_dir() else []
        runs = [_job(folder, relative(folder, path)) for folder in folders]
        return runs or fault(path, "", "no job with .hydra/overrides.yaml is in it")


def _job(folder: Path, name: str) -> TrackedRun:
    params = {**_overrides(folder / OVERRIDES)}
    config = folder / ".hydra" / "config.yaml"
    if config.is_file():
        params = {**params, **flat(config, yaml_mapping(config))}
    file = _results(folder)
    if file is None:
        return TrackedRun(name, params, {}, "no file of scores in its folder")
    return TrackedRun(name, params, _scores(file))


def _overrides(file: Path) -> dict[str, Any]:
    """Read what a job's command line set: `lr=0.1`, `+a.b=1`, `~c`."""
    entries = yaml_value(file) or []
    if not isinstance(entries, list):
        fault(file, "line 1", f"no list of overrides but {type(entries).__name__}")
    params = {}
    for count, entry in enumerate(entries, 1):
        name, sign, value = str(entry).partition("=")
        if not sign and not name.startswith("~"):
            fault(file, f"entry {count}", f"{str(entry)[:60]!r} is no name=value")
        params[name.lstrip("+~")] = scalar(value.strip("'\"")) if sign else None
    return params


def _results(folder: Path) -> Path | None:
    """Give the file of a job's scores. Raises DataError where it cannot be told which it is."""
    files = sorted(p for p in folder.iterdir() if p.suffix in ENDINGS and p.is_file())
    for word in RESULTS:
        if len(files) > 1 and (named := [p for p in files if word in p.stem.casefold()]):
            files = named
            break
    if len(files) > 1:
        names = ", ".join(file.name for file in files[:5])
        fault(folder, "", f"which file has the scores cannot be told: {names}")
    return files[0] if files else None


def _scores(file: Path) -> Curves:
    raw = text(file)
    if file.suffix == ".csv":
        return curves(file, csv_rows(file, raw))
    lines = [line for line in raw.splitlines() if line.strip()]
    if file.suffix == ".jsonl" or (len(lines) > 1 and re.fullmatch(r"\{.*\}\s*", lines[0])):
        return curves(file, json_lines(file, raw))
    return curves(file, _rows(file, json_value(file, raw)))


def _rows(file: Path, value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Give the rows of a JSON value: an object is one row, a list of objects several."""
    rows = value if isinstance(value, list) else [value]
    for count, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            fault(file, f"entry {count}", f"no object but {type(row).__name__}")
        yield count, flat(file, row)
