"""Scalars of TensorBoard's event files."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablate.errors import ExtraError
from ablate.registry import component
from ablate.types import TrackedRun

from ._files import content, fault, scalar, walk
from ._rows import from_names, relative

EVENTS = "*tfevents*"
FRAME = 12
"""Bytes before a record: its length in eight, their checksum in four; as many checksum behind."""

SESSION = "_hparams_/session_start_info"


@component(
    "reader", "tensorboard", paper="TensorBoard documentation: event files, EventAccumulator"
)
@dataclass(frozen=True)
class TensorBoard:
    """Every folder with event files is a run: its scalars, also as tensors, and its hparams.

    Needs the package tensorboard. What hparams do not say is read off the folders' names
    (`adam/seed_3`). The folder that `add_hparams` made below a run belongs to it. A run whose file
    is cut is a lost one.
    """

    def recognises(self, path: Path) -> bool:
        """Say whether it is an event file, or a folder with some in it."""
        return bool(walk(path, [EVENTS]) if path.is_dir() else _is_event_file(path))

    def read(self, path: Path) -> Sequence[TrackedRun]:
        """Read every run. Raises DataError; ExtraError where tensorboard is not installed."""
        files = walk(path, [EVENTS]) if path.is_dir() else [path]
        root = path if path.is_dir() else path.parent
        if not files:
            fault(path, "", "no event file is in it")
        lost = {file.parent: reason for file in files if (reason := _cut(file))}
        folders = dict.fromkeys(file.parent for file in files)
        runs = {folder: _run(folder, relative(folder, root), lost) for folder in folders}
        return [*_joined(runs)]


def _is_event_file(path: Path) -> bool:
    return path.is_file() and path.match(EVENTS)


def _cut(file: Path) -> str:
    """Say where an event file is cut, '' for a whole one. Raises DataError for no event file."""
    raw, at = content(file), 0
    if not raw and _is_event_file(file):
        return f"{file.name} is empty"
    if len(raw) < FRAME:
        fault(file, "", "no event file: not one record is in it")
    while at < len(raw):
        if at + FRAME > len(raw):
            return f"{file.name} is cut at byte {at}"
        (size,) = struct.unpack_from("<Q", raw, at)
        if size > len(raw) and at == 0:
            fault(file, f"byte {at}", "no event file: its first record is longer than it")
        if at + FRAME + size + 4 > len(raw):
            return f"{file.name} is cut in the record at byte {at}"
        at += FRAME + size + 4
    return ""


def _run(folder: Path, name: str, lost: dict[Path, str]) -> TrackedRun:
    events = _events(folder)
    curves, params = {}, from_names(name)
    tags = events.Tags()
    for tag in tags["scalars"]:
        curves[tag] = [(float(e.step), float(e.value)) for e in events.Scalars(tag)]
    for tag in tags["tensors"]:
        if points := [*_numbers(events.Tensors(tag))]:
            curves[tag] = points
    try:
        plugin = events.SummaryMetadata(SESSION).plugin_data.content
    except KeyError:
        plugin = b""
    return TrackedRun(name, {**params, **_settings(folder, plugin)}, curves, lost.get(folder, ""))


def _events(folder: Path) -> Any:
    """Load the events of a folder. Raises ExtraError where the package is missing."""
    try:
        from tensorboard.backend.event_processing import event_accumulator as events
    except ImportError as error:
        raise ExtraError(
            "event files are read by tensorboard, which is not installed: pip install tensorboard"
        ) from error
    everything = {events.SCALARS: 0, events.TENSORS: 0, events.IMAGES: 1, events.AUDIO: 1}
    everything |= {events.HISTOGRAMS: 1, events.COMPRESSED_HISTOGRAMS: 1}
    loaded = events.EventAccumulator(
        str(folder), size_guidance=everything, purge_orphaned_data=False
    )
    try:
        loaded.Reload()
    except Exception as error:  # protobuf and its like raise many kinds
        fault(folder, "", f"its event files cannot be read: {type(error).__name__}: {error}")
    return loaded


def _numbers(events: Sequence[Any]) -> Iterator[tuple[float, float]]:
    """Give the tensors that hold one number each; nothing of pictures and texts."""
    from tensorboard.util import tensor_util

    for event in events:
        array = tensor_util.make_ndarray(event.tensor_proto)
        if array.size != 1 or array.dtype.kind not in "fiub":
            return
        yield float(event.step), float(array.reshape(())[()])


def _settings(folder: Path, content: bytes) -> dict[str, Any]:
    """Read what a run says of its hyper-parameters, as the plugin hparams keeps it."""
    if not content:
        return {}
    from google.protobuf.message import DecodeError
    from tensorboard.plugins.hparams import plugin_data_pb2

    try:
        session = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
    except DecodeError as error:
        fault(folder, SESSION, f"its hparams cannot be read: {error}")
    params = {}
    for name, value in session.hparams.items():
        kind = value.WhichOneof("kind")
        params[name] = scalar(getattr(value, kind)) if kind in KINDS else None
    return params


KINDS = ("number_value", "string_value", "bool_value")


def _joined(runs: dict[Path, TrackedRun]) -> Iterator[TrackedRun]:
    """Join a run with the folder that `add_hparams` made below it, if there is one alone."""
    below: dict[Path, list[Path]] = {}
    for folder in runs:
        if folder.parent in runs and folder.name.replace(".", "").isdigit():
            below.setdefault(folder.parent, []).append(folder)
    gone = {children[0]: parent for parent, children in below.items() if len(children) == 1}
    for folder, run in runs.items():
        if folder in gone:
            continue
        child = next((runs[c] for c, parent in gone.items() if parent == folder), None)
        if child is None:
            yield run
            continue
        stated = _stated(child)
        yield TrackedRun(
            run=run.run,
            params={**run.params, **{k: v for k, v in child.params.items() if k in stated}},
            curves={**child.curves, **run.curves},
            lost=run.lost or child.lost,
            seconds=math.nan,
        )


def _stated(run: TrackedRun) -> set[str]:
    """Name the parameters of a run that are not from its folders' names."""
    guessed = from_names(run.run)
    return {name for name, value in run.params.items() if guessed.get(name) != value}
