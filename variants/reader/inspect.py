"""Logs of Inspect AI, as JSON or in its own zipped form."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ablate.registry import component
from ablate.types import TrackedRun

from ._files import MOST_BYTES, decoded, fault, flat, json_object, number, start, text, walk
from ._rows import relative

HEADER, BEGUN = "header.json", "_journal/start.json"
"""Members of a zipped log: what a finished evaluation says, and what one said when it began."""

ZSTANDARD = 93
LOCAL_SIZES = 26
"""The number of a compression, and where a member's local header has two lengths: APPNOTE 4.3.7."""


@component(
    "reader", "inspect", paper="UK AI Security Institute 2024, Inspect AI, documentation: Log Files"
)
@dataclass(frozen=True)
class Inspect:
    """`*.json` and `*.eval`: a log is a run, `scorer/metric` a metric.

    Settings are the task and its arguments, the model and its arguments, and how it generated. A
    log that says anything but success is a lost run.
    """

    def recognises(self, path: Path) -> bool:
        """Say whether it is a log, or a folder with some in it."""
        files = walk(path, ["*.eval", "*.json"])[:50] if path.is_dir() else [path]
        return any(_is_log(file) for file in files)

    def read(self, path: Path) -> Sequence[TrackedRun]:
        """Read every log. Raises DataError."""
        files = [path]
        if path.is_dir():
            files = [file for file in walk(path, ["*.eval", "*.json"]) if _is_log(file)]
        root = path if path.is_dir() else path.parent
        return [_run(file, root) for file in files] or fault(path, "", "no log is in it")


def _is_log(file: Path) -> bool:
    head = start(file, 1 << 14)
    if file.suffix == ".eval":
        return head[:2] == b"PK"
    return file.suffix == ".json" and b'"eval"' in head and b'"status"' in head


def _run(file: Path, root: Path) -> TrackedRun:
    document = _zipped(file) if file.suffix == ".eval" else json_object(file, text(file))
    about = _part(file, document, "eval")
    results = document.get("results") or {}
    if not isinstance(results, dict):
        fault(file, "key results", f"no object but {type(results).__name__}")
    scores = results.get("scores") or []
    if not isinstance(scores, list):
        fault(file, "key results.scores", f"no list but {type(scores).__name__}")
    curves = {
        name: [(0.0, value)]
        for count, score in enumerate(scores)
        for name, value in _metrics(file, f"results.scores.{count}", score)
    }
    return TrackedRun(
        run=relative(file, root),
        params=_settings(file, document, about),
        curves=curves,
        lost=_lost(document),
        seconds=_seconds(document.get("stats")),
    )


def _zipped(file: Path) -> dict[str, Any]:
    """Read what a zipped log says of itself. Raises DataError, also for members of any size."""
    try:
        with zipfile.ZipFile(file) as members:
            names = {*members.namelist()}
            name = next((name for name in (HEADER, BEGUN) if name in names), "")
            if not name:
                fault(file, HEADER, "it is missing: no log of Inspect")
            size = members.getinfo(name).file_size
            if size > MOST_BYTES:
                fault(file, name, f"{size:,} bytes; at most {MOST_BYTES:,} are read")
            raw = _unpacked(file, members, name)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError) as error:
        fault(file, "", f"no zip file that can be read, it may be cut: {error}")
    except (NotImplementedError, RuntimeError) as error:  # another compression, a password
        fault(file, "", f"cannot be unpacked here ({error}): `inspect log convert --to json`")
    place = file / name
    return {"status": "started"} | json_object(place, decoded(place, raw))


def _unpacked(file: Path, members: zipfile.ZipFile, name: str) -> bytes:
    """Unpack a member; Zstandard, which newer logs are packed by, is known to Python from 3.14."""
    about = members.getinfo(name)
    if about.compress_type != ZSTANDARD:
        with members.open(name) as member:
            return member.read(MOST_BYTES + 1)
    import pyarrow

    with file.open("rb") as whole:  # a local header: 30 bytes, the name, and what is beside it
        whole.seek(about.header_offset + LOCAL_SIZES)
        lengths = [int.from_bytes(whole.read(2), "little") for _ in range(2)]
        whole.seek(sum(lengths), 1)
        packed = whole.read(about.compress_size)
    with pyarrow.CompressedInputStream(pyarrow.BufferReader(packed), "zstd") as stream:
        unpacked: bytes = stream.read(MOST_BYTES + 1)
    if zlib.crc32(unpacked) != about.CRC:
        fault(file, name, "its check sum is not the one that is stated: it is damaged")
    return unpacked


def _part(file: Path, document: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    if not isinstance(value, dict):
        fault(file, f"key {name}", "it is missing, or no object")
    return value


def _metrics(file: Path, at: str, score: Any) -> Iterator[tuple[str, float]]:
    metrics = score.get("metrics") if isinstance(score, dict) else None
    if not isinstance(metrics, dict):
        fault(file, f"key {at}.metrics", "it is missing, or no object")
    for name, metric in metrics.items():
        value = metric.get("value") if isinstance(metric, dict) else metric
        number_read = number(value)
        if number_read is None:
            fault(file, f"key {at}.metrics.{name}", f"{str(value)[:40]!r} is no number")
        yield f"{score.get('name') or score.get('scorer')}/{name}", number_read


def _settings(file: Path, document: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, Any]:
    """Give what was evaluated and how; what is not said is left out."""
    plan = document.get("plan")
    generated = plan.get("config") if isinstance(plan, dict) else None
    given = {
        "task": about.get("task"),
        "model": about.get("model"),
        "task_args": about.get("task_args"),
        "model_args": about.get("model_args"),
        "dataset": (about.get("dataset") or {}).get("name")
        if isinstance(about.get("dataset"), dict)
        else None,
        "config": about.get("config"),
        "generate": generated,
    }
    params = flat(file, {name: value for name, value in given.items() if value not in (None, {})})
    seed = params.get("generate.seed", params.get("task_args.seed"))
    return {**params, **({"seed": seed} if seed is not None else {})}


def _lost(document: Mapping[str, Any]) -> str:
    status, error = str(document.get("status", "")), document.get("error")
    if status == "success":
        return ""
    message = str(error.get("message", ""))[:200] if isinstance(error, dict) else ""
    return f"{status or 'without a status'}{': ' + message if message else ''}"


def _seconds(stats: Any) -> float:
    try:
        began, ended = (datetime.fromisoformat(stats[k]) for k in ("started_at", "completed_at"))
        return max(0.0, (ended - began).total_seconds())
    except (TypeError, KeyError, ValueError):
        return math.nan
