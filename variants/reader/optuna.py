"""Trials of Optuna's studies, from a SQLite file or a journal."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablate.core.foreign_text import of_error
from ablate.errors import ExtraError
from ablate.registry import component
from ablate.types import TrackedRun

from ._files import fault, flat, json_lines, number, start, text
from ._sqlite import tables

ENDED = "COMPLETE"


@component("reader", "optuna", paper="Akiba et al. 2019, Optuna, arXiv:1907.10902")
@dataclass(frozen=True)
class Optuna:
    """Every trial of every study is a run; its user attributes are settings, numbers also metrics.

    Needs the package optuna. The objective is the metric `value` (or the names that the study gives
    its objectives, else `value_0` and so on), what was reported on the way `intermediate`.
    A trial that was pruned or failed is a lost run.
    """

    def recognises(self, path: Path) -> bool:
        """Say whether it is a storage of Optuna."""
        return {"studies", "trials", "trial_params"} <= tables(path) or _is_journal(path)

    def read(self, path: Path) -> Sequence[TrackedRun]:
        """Read every trial. Raises DataError; ExtraError where optuna is not installed."""
        try:
            import optuna
        except ImportError as error:
            raise ExtraError(
                "studies are read by optuna, which is not installed: pip install optuna"
            ) from error
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        journal = not tables(path)
        if journal:
            _check(path)
        with tempfile.TemporaryDirectory() as folder:  # opening a storage may write to it
            copy = Path(folder) / "storage"
            shutil.copyfile(path, copy)
            try:
                runs = [*_trials(optuna, copy, journal)]
            except Exception as error:  # SQLAlchemy and optuna raise many kinds
                fault(path, "", f"cannot be read by optuna: {of_error(error)}".replace(folder, ""))
        return runs or fault(path, "", "no trial is in it")


def _is_journal(path: Path) -> bool:
    head = start(path).partition(b"\n")[0]
    return head.startswith(b"{") and b'"op_code"' in head


def _check(path: Path) -> None:
    """Refuse a journal of which a line is no operation. Raises DataError with the line."""
    lines = 0
    for line, entry in json_lines(path, text(path)):
        lines += 1
        if not isinstance(entry.get("op_code"), int):
            fault(path, f"line {line}", "no operation of a journal: it has no op_code")
    if not lines:
        fault(path, "", "it is empty")


def _trials(optuna: Any, path: Path, journal: bool) -> Iterator[TrackedRun]:
    if journal:
        backend = optuna.storages.journal.JournalFileBackend(str(path))
        storage = optuna.storages.JournalStorage(backend)
    else:
        storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    try:
        studies = storage.get_all_studies()
        for study in studies:
            attributes = study.system_attrs
            names = attributes.get("study:metric_names")
            for trial in storage.get_all_trials(study._study_id):
                yield _run(trial, study.study_name, names, len(studies) > 1)
    finally:
        if hasattr(storage, "engine"):
            storage.engine.dispose()


def _run(trial: Any, study: str, names: Sequence[str] | None, several: bool) -> TrackedRun:
    attributes = flat(Path(study), trial.user_attrs) if trial.user_attrs else {}
    params = {**attributes, **flat(Path(study), trial.params)} if trial.params else attributes
    curves = {
        name: [(0.0, value)]
        for name, entry in attributes.items()
        if (value := number(entry)) is not None
    }
    values = trial.values or []
    called = names or ["value"] if len(values) < 2 else names or [f"value_{i}" for i in range(99)]
    curves |= {name: [(0.0, float(v))] for name, v in zip(called, values, strict=False)}
    if trial.intermediate_values:
        steps = sorted(trial.intermediate_values.items())
        curves["intermediate"] = [(float(step), float(value)) for step, value in steps]
    spent = trial.duration.total_seconds() if trial.duration else float("nan")
    state = trial.state.name
    return TrackedRun(
        run=f"{study}/{trial.number}",
        params={**params, **({"study": study} if several else {})},
        curves=curves,
        lost="" if state == ENDED else state.lower(),
        seconds=spent,
    )
