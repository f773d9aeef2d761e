"""Whether all that a run needs is in order: installation, data, threads, device, store, disk."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ablate.core.foreign_text import of_error
from ablate.errors import AblateError, DataError
from ablate.records import provenance
from ablate.records.store import is_there, open_store
from ablate.registry import scan
from ablate.source import extras

LEAST_FREE = 1_000_000_000
"""Bytes of free disk below which a long study may end before its time."""

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Variables that give every worker threads of its own."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. what: its name. says: how it is. advice: what to do, where it
    is not in order; '' where it is.
    """

    what: str
    says: str
    advice: str = ""


def findings(results: Path, data: Path) -> Iterator[Finding]:
    """Look at everything, the installation first."""
    yield from _installation()
    yield from _threads()
    yield from _device()
    yield from _data(data)
    yield from _store(results)
    yield from _disk(results)


def _installation() -> Iterator[Finding]:
    versions = {name: provenance.version_of(name) for name in provenance.PACKAGES}
    listed = ", ".join(f"{name} {number}" for name, number in versions.items())
    yield Finding("installation", f"Python {platform.python_version()}, {listed}")
    if lacking := extras.missing([*extras.TRAIN]):
        yield Finding("training", str(lacking), "without it only your own programs can be run")
    for warning in scan().warnings:
        yield Finding("plug-ins", warning, "reinstall that package, or remove it")


def _threads() -> Iterator[Finding]:
    cores = provenance.usable_cores()
    limits = {name: os.environ[name] for name in THREADS if name in os.environ}
    stated = ", ".join(f"{name}={value}" for name, value in limits.items())
    yield Finding("processors", f"{cores} usable{f' ({stated})' if stated else ''}")


def _device() -> Iterator[Finding]:
    if extras.missing(["torch"]):
        return
    import torch

    if not torch.cuda.is_available():
        yield Finding("device", "no graphics card that this PyTorch can use: `auto` is the cpu")
        return
    for number in range(torch.cuda.device_count()):
        free, whole = torch.cuda.mem_get_info(number)
        name = torch.cuda.get_device_name(number)
        yield Finding("device", f"cuda:{number} {name}, {free >> 20} of {whole >> 20} MiB free")


def _data(root: Path) -> Iterator[Finding]:
    """Say which data sets that need files have them."""
    there, absent = [], []
    catalogue = scan()
    for name in catalogue.names("dataset"):
        try:
            catalogue.load("dataset", name)().look(root)
            there.append(name)
        except (DataError, OSError):
            absent.append(name)
        except (AblateError, TypeError, ImportError):
            continue  # it stands for the data that a suite names, or lacks its package
    yield Finding("data", f"{root}: {', '.join(there) or 'none'}")
    if absent:
        yield Finding("data", f"not there: {', '.join(absent)}; `run` downloads what it may")


def _store(results: Path) -> Iterator[Finding]:
    if not is_there(results):
        yield Finding("store", f"none in {results} yet")
        return
    try:
        with closing(open_store(results, create=False)) as store:
            runs, damage = len(store.standing()), list(store.damage.lines())
    except AblateError as error:
        advice = f"`doctor --results {results} --recover NEW` saves what is readable"
        yield Finding("store", str(error), advice)
        return
    yield Finding("store", f"{runs} runs in {results}")
    for line in damage:
        yield Finding("store", line, "`run` runs them again")


def _disk(results: Path) -> Iterator[Finding]:
    whole = results.absolute()
    folder = next(path for path in (whole, *whole.parents) if path.exists())
    try:
        free = shutil.disk_usage(folder).free
        writable = os.access(folder, os.W_OK)
    except OSError as error:
        yield Finding("disk", of_error(error), "choose another --results")
        return
    yield Finding(
        "disk",
        f"{free / 1e9:.1f} GB free at {folder}",
        "make room there: a store that is full keeps what it has, and a run stops"
        if free < LEAST_FREE
        else "",
    )
    if not writable:
        yield Finding("disk", f"{folder} cannot be written to", "choose another --results")
