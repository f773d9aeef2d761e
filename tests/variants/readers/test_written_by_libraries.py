"""Readers over files that the trackers' own libraries have written: number for number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from ablate.errors import DataError
from ablate.registry import scan
from ablate.types import Choice, TrackedRun

VALUES = [0.5, 1e-7, -3.25, 1234567.0, 0.1]


def read(name: str, path: Path) -> dict[str, TrackedRun]:
    """Read a path by a reader; its runs by name."""
    return {run.run: run for run in scan().build(Choice("reader", name, {})).read(path)}


def recognised(path: Path) -> list[str]:
    """Name the readers that recognise a path."""
    names = scan().names("reader")
    return [n for n in names if scan().build(Choice("reader", n, {})).recognises(path)]


def single(values: Sequence[float]) -> list[float]:
    """Round to what 32 bits hold, as event files do."""
    import struct

    return [struct.unpack("f", struct.pack("f", value))[0] for value in values]


def write_events(folder: Path, values: Sequence[float]) -> None:
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder)) as writer:
        for step, value in enumerate(values):
            writer.add_scalar("eval/acc", value, step)
            writer.add_scalar("as_tensor", value, step, new_style=True)
        writer.add_text("note", "words are no scores")


@pytest.mark.slow
def test_tensorboard_scalars_and_tensors_are_what_was_logged(tmp_path: Path) -> None:
    """Every step of a long history, too; settings are read off the folders' names."""
    many = [float(i) for i in range(12_000)]
    write_events(tmp_path / "adam" / "lr=0.1" / "seed_3", [*VALUES, math.nan, math.inf])
    write_events(tmp_path / "sgd" / "seed_1", many)
    assert recognised(tmp_path) == ["tensorboard"]
    runs = read("tensorboard", tmp_path)
    assert {*runs} == {"adam/lr=0.1/seed_3", "sgd/seed_1"}
    run = runs["adam/lr=0.1/seed_3"]
    assert run.params == {"seed": 3, "lr": 0.1, "folder": "adam"}
    for name in ("eval/acc", "as_tensor"):
        steps, values = zip(*run.curves[name], strict=True)
        assert [*steps] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        assert [*values[:5]] == single(VALUES)
        assert math.isnan(values[5])
        assert values[6] == math.inf
    assert {*run.curves} == {"eval/acc", "as_tensor"}
    assert [value for _, value in runs["sgd/seed_1"].curves["eval/acc"]] == many


@pytest.mark.slow
def test_tensorboard_hparams_are_settings(tmp_path: Path) -> None:
    """The folder that `add_hparams` makes belongs to the run above it."""
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path / "a")) as writer:
        writer.add_scalar("acc", 0.25, 7)
        writer.add_hparams({"lr": 0.1, "name": "adam", "seed": 4, "amp": True}, {"final": 0.5})
    runs = read("tensorboard", tmp_path)
    assert {*runs} == {"a"}
    expected = {"lr": 0.1, "name": "adam", "seed": 4, "amp": True}
    assert {name: runs["a"].params[name] for name in expected} == expected
    assert runs["a"].curves["acc"] == [(7.0, 0.25)]
    assert runs["a"].curves["final"][-1][1] == 0.5


@pytest.mark.slow
def test_a_cut_event_file_is_a_lost_run_and_names_the_byte(tmp_path: Path) -> None:
    """What was written before a crash need not be the end."""
    write_events(tmp_path / "a", VALUES)
    (file,) = (tmp_path / "a").iterdir()
    file.write_bytes(file.read_bytes()[:-5])
    (run,) = read("tensorboard", tmp_path).values()
    assert f"{file.name} is cut in the record at byte " in run.lost
    file.write_bytes(b"no event file at all, but text")
    with pytest.raises(DataError, match="byte 0: no event file"):
        read("tensorboard", tmp_path)


def objective(trial: object) -> float:
    """Score a trial by its parameters, on the way too."""
    rate = trial.suggest_float("lr", 0.1, 0.9)  # type: ignore[attr-defined]
    trial.suggest_categorical("opt", ["adam", "sgd"])  # type: ignore[attr-defined]
    trial.set_user_attr("seed", trial.number)  # type: ignore[attr-defined]
    trial.set_user_attr("f1", rate / 7)  # type: ignore[attr-defined]
    for step in range(3):
        trial.report(rate / (step + 3), step)  # type: ignore[attr-defined]
    if trial.number == 2:  # type: ignore[attr-defined]
        raise ValueError("broken")
    return float(rate) / 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_optuna_trials_are_what_was_told(kind: str, tmp_path: Path) -> None:
    """A failed trial is a lost run; the file is left as it was."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path = tmp_path / f"study.{kind}"
    storage = (
        f"sqlite:///{path}"
        if kind == "sqlite"
        else optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    )
    study = optuna.create_study(storage=storage, study_name="s", direction="maximize")
    study.optimize(objective, n_trials=4, catch=ValueError)
    before = path.read_bytes()
    assert recognised(path) == ["optuna"]
    runs = read("optuna", path)
    assert path.read_bytes() == before
    assert {*runs} == {"s/0", "s/1", "s/2", "s/3"}
    for trial in study.trials:
        run = runs[f"s/{trial.number}"]
        given: Mapping[str, object] = {**trial.params, **trial.user_attrs}
        assert run.params == given
        assert run.curves["intermediate"] == sorted(trial.intermediate_values.items())
        assert run.curves["f1"] == [(0.0, trial.user_attrs["f1"])]
        if trial.number == 2:
            assert run.lost == "fail"
        else:
            assert (run.lost, run.curves["value"]) == ("", [(0.0, trial.value)])
    cut = before[:-40] if kind == "journal" else before[: len(before) // 2]
    path.write_bytes(cut)
    with pytest.raises(DataError, match=str(path)):
        read("optuna", path)
