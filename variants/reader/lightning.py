"""Runs that Lightning's CSVLogger has logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ablate.registry import component
from ablate.types import TrackedRun

from ._files import csv_rows, fault, flat, start, text, walk, yaml_mapping
from ._rows import curves, from_names, relative

METRICS, SETTINGS = "metrics.csv", "hparams.yaml"


@component("reader", "lightning", paper="PyTorch Lightning documentation, CSVLogger")
@dataclass(frozen=True)
class Lightning:
    """`lightning_logs/version_*/{metrics.csv,hparams.yaml}`, in any folder.

    What `hparams.yaml` does not say is read off the folders' names (`adam/seed_3`).
    """

    def recognises(self, path: Path) -> bool:
        """Say whether a folder has a `metrics.csv` with epochs or steps in it."""
        return path.is_dir() and any(map(_is_log, walk(path, [METRICS])[:20]))

    def read(self, path: Path) -> Sequence[TrackedRun]:
        """Read every run. Raises DataError."""
        files = walk(path, [METRICS]) if path.is_dir() else [path] if _is_log(path) else []
        return [_run(file, path) for file in files] or fault(path, "", f"no {METRICS} is in it")


def _is_log(file: Path) -> bool:
    head = start(file).partition(b"\n")[0].split(b",")
    return b"epoch" in [cell.strip() for cell in head] or b"step" in [c.strip() for c in head]


def _run(file: Path, root: Path) -> TrackedRun:
    folder = file.parent
    given = folder / SETTINGS
    params = flat(given, yaml_mapping(given)) if given.is_file() else {}
    name = relative(folder, root) if root.is_dir() else folder.name
    return TrackedRun(
        run=name,
        params={**from_names(name), **params},
        curves=curves(file, csv_rows(file, text(file))),
    )
