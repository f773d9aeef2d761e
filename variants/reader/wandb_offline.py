"""Offline runs of Weights & Biases, as far as the library's own reader goes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablate.core.foreign_text import of_error
from ablate.errors import DataError, ExtraError
from ablate.registry import component
from ablate.types import TrackedRun

from ._files import fault, flat, start, walk
from ._rows import curves

RUNS = "run-*.wandb"
MARK = b":W&B"
REMEDY = "export them instead: `wandb sync`, then the runs' table as CSV or the API's JSON"


@component("reader", "wandb-offline", paper="Weights & Biases documentation: wandb offline, sync")
@dataclass(frozen=True)
class WandbOffline:
    """`wandb/offline-run-*/run-*.wandb`. Needs the package wandb, and one that still reads them.

    A run without an exit record, or with another code than 0, is a lost one.
    """

    def recognises(self, path: Path) -> bool:
        """Say whether it is the file of a run, or a folder with some in it."""
        return bool(walk(path, [RUNS])) if path.is_dir() else start(path, 4) == MARK

    def read(self, path: Path) -> Sequence[TrackedRun]:
        """Read every run. Raises DataError; ExtraError where wandb is not installed."""
        files = walk(path, [RUNS]) if path.is_dir() else [path]
        for file in files:
            if start(file, 4) != MARK:
                fault(file, "byte 0", "no offline run of Weights & Biases")
        if not files:
            fault(path, "", f"no {RUNS} is in it")
        return [_run(file) for file in files]


def _records(file: Path) -> Iterator[Any]:
    """Give the records of a run. Raises ExtraError where the library cannot read them."""
    try:
        from wandb.proto.wandb_internal_pb2 import Record
        from wandb.sdk.internal.datastore import DataStore
    except Exception as error:  # not installed, or a version that has it elsewhere
        raise ExtraError(
            "offline runs are read by wandb's own reader, which is not there (0.19 has one, "
            f"0.31 none): {REMEDY}"
        ) from error
    store = DataStore()
    try:
        store.open_for_scan(str(file))
        while (data := store.scan_data()) is not None:
            record = Record()
            record.ParseFromString(data)
            yield record
    except (DataError, ExtraError):
        raise
    except Exception as error:  # asserts, and what protobuf raises
        at = f"byte {getattr(store, '_index', 0)}"
        fault(file, at, f"wandb cannot read it ({of_error(error)}); {REMEDY}")


def _run(file: Path) -> TrackedRun:
    config: dict[str, Any] = {}
    rows: list[tuple[int, dict[str, Any]]] = []
    name, lost, seconds = (
        file.stem.removeprefix("run-"),
        "it has no end: it may be running",
        math.nan,
    )
    for count, record in enumerate(_records(file), 1):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            name = record.run.run_id or name
            config |= _items(file, count, record.run.config.update)
        elif kind == "config":
            config |= _items(file, count, record.config.update)
        elif kind == "history":
            row = _items(file, count, record.history.item)
            rows.append((count, {"_step": record.history.step.num, **row}))
        elif kind == "exit":
            code = record.exit.exit_code
            lost, seconds = (
                f"exit code {code}" if code else "",
                float(record.exit.runtime) or math.nan,
            )
    plain = {key: value for key, value in config.items() if not key.startswith("_")}
    return TrackedRun(
        run=name, params=flat(file, plain), curves=curves(file, rows), lost=lost, seconds=seconds
    )


def _items(file: Path, count: int, items: Any) -> dict[str, Any]:
    """Read entries of a record: each a key, or several inside one another, and JSON."""
    read = {}
    for item in items:
        key = item.key or ".".join(item.nested_key)
        try:
            read[key] = json.loads(item.value_json)
        except ValueError:
            fault(file, f"record {count}, key {key}", "no JSON")
    return read
