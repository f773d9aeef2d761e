"""Pictures of learning: what they draw is what was measured, and what is missing is said."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ablate import flow
from ablate.records import metrics
from ablate.records.store import open_store
from ablate.types import Suite
from reports import learning_figures as pictures, verify, write
from reports.figures import canvas
from tests.conftest import TINY

EPOCHS = ("epochs: 1", "epochs: 7")
WILD = "  wild: {method.meta.optimizer.sgd: {lr: 8.0, weight_decay: 1.0}}\n"


@pytest.fixture
def pyplot() -> Iterator[Any]:
    with canvas() as drawing:
        yield drawing
        drawing.close("all")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def study(suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study]) -> flow.Study:
    return run_suite(suite_of(EPOCHS))


def sql(folder: Path, command: str) -> None:
    with closing(sqlite3.connect(folder / "runs.sqlite")) as link:
        link.execute(command)
        link.commit()


def named(axes: Any) -> dict[str, Any]:
    """Give the labelled lines of a panel, by label."""
    return {line.get_label(): line for line in axes.lines if line.get_label()[0] != "_"}


def words_of(figure: Any) -> str:
    return "\n".join(text.get_text() for text in figure.texts)


def test_the_training_is_drawn_as_the_mean_over_seeds(study: flow.Study, pyplot: Any) -> None:
    """Epochs counted on over five tasks, a border between them, and lines that end there."""
    figure = pictures.training(study, pyplot)
    losses, accuracies = figure.axes
    assert [*named(losses)] == ["reptile", "balanced"]
    curves = study.curves().by_key
    for index, name in enumerate(named(losses)):
        runs = [curves[record.key] for record in study.runs[index].values()]
        loss = np.mean([[value for task in run for value in task.loss] for run in runs], 0)
        right = np.mean([[n / task.rows for task in run for n in task.right] for run in runs], 0)
        x, y = named(losses)[name].get_data()
        there = np.isfinite(x)
        assert x[there].tolist() == [7 * t + at for t in range(5) for at in (1, 2, 4, 5, 7)]
        assert np.flatnonzero(~there).tolist() == [5, 11, 17, 23]
        assert y[there] == pytest.approx(loss)
        assert named(accuracies)[name].get_ydata()[there] == pytest.approx(100 * right)
        assert 20 < 100 * right.mean() < 99
    borders = {line.get_xdata()[0] for line in losses.lines if line.get_linestyle() == ":"}
    assert borders == {7, 14, 21, 28}
    assert "epochs, counted on over the tasks" in words_of(figure)


def test_each_task_has_a_line_of_its_own(study: flow.Study, pyplot: Any) -> None:
    """Task k from where it is learnt to the end, in every arm's panel."""
    figure = pictures.tasks(study, pyplot)
    *panels, scale = figure.axes
    assert [axes.get_title() for axes in panels] == ["reptile", "balanced"]
    for axes, runs in zip(panels, study.runs, strict=True):
        expected = mean_matrix(runs)
        assert len(axes.lines) == 5
        for k, line in enumerate(axes.lines):
            assert [*line.get_xdata()] == [*range(k + 1, 6)]
            assert line.get_ydata() == pytest.approx(expected[k:, k])
    assert scale.get_ylabel() == "task"


def mean_matrix(runs: Any) -> Any:
    return metrics.accuracy_matrix(metrics.Scores([*runs.values()], "all-classes")).mean(0)


def test_the_accuracy_matrix_is_a_map_with_its_numbers(study: flow.Study, pyplot: Any) -> None:
    """Task k after task t, nothing above the diagonal, one scale from 0 to 100 for all arms."""
    figure = pictures.matrix(study, pyplot)
    *panels, scale = figure.axes
    assert len(panels) == 2
    for axes, runs in zip(panels, study.runs, strict=True):
        expected, (image,) = mean_matrix(runs), axes.images
        cells = image.get_array().filled(np.nan)
        np.testing.assert_allclose(cells, expected)
        assert image.get_clim() == (0, 100)
        assert image.get_cmap().name == "cividis"
        numbers = {text.get_position(): text.get_text() for text in axes.texts}
        assert len(numbers) == 15
        assert numbers[1, 5] == f"{expected[4, 0]:.0f}"
        assert numbers[5, 5] == f"{expected[4, 4]:.0f}"
        assert numbers[1, 5] != numbers[5, 5]
    assert scale.get_ylabel() == "accuracy (%), mean over seeds"


def test_small_cells_have_no_numbers(study: flow.Study, pyplot: Any) -> None:
    """Eleven tasks and more; of ten they fit."""

    def texts(size: int) -> int:
        table = [[50.0] * (t + 1) for t in range(size)]
        arms = tuple(replace(arm, matrix=table) for arm in study.arms)
        return len(pictures.matrix(replace(study, arms=arms), pyplot).axes[0].texts)

    assert (texts(10), texts(11)) == (55, 0)


def test_they_stand_in_the_report_with_words_for_who_cannot_see(
    study: flow.Study, folder: Path
) -> None:
    """And the report still agrees with its store."""
    path = write.write(study, folder / "tiny")
    for name, title in pictures.ALTERNATIVES.items():
        assert f"![{title}]({name})" in path.read_text()
        assert (path.parent / name).read_bytes().startswith(b"\x89PNG")
    assert "Measured alike in every arm" in path.read_text()
    with closing(open_store(folder, create=False)) as store:
        assert list(verify.verify(path, store)) == []


def test_damaged_curves_are_left_out_and_told_of(
    study: flow.Study, folder: Path, pyplot: Any
) -> None:
    """In a line under the picture; where all are, in the report, which agrees with its store."""
    key = study.runs[0][1].key
    sql(folder, f"UPDATE curves SET text = '[]' WHERE key = '{key}'")
    figure = pictures.training(study, pyplot)
    assert "of 5 of the 6 runs that ended well" in words_of(figure)
    assert "the curves of 1 run are damaged in the store" in words_of(figure)
    sql(folder, "UPDATE curves SET text = '[]'")
    path = write.write(study, folder / "tiny")
    text = path.read_text()
    assert "**The picture `training.png` could not be drawn:** " in text
    assert "the curves of 6 runs are damaged" in text
    assert "(training.png)" not in text
    assert "Measured alike" not in text
    assert "(matrix.png)" in text
    with closing(open_store(folder, create=False)) as store:
        assert list(verify.verify(path, store)) == []


def test_records_without_curves_have_no_such_picture(study: flow.Study, folder: Path) -> None:
    """As those that an earlier version wrote; nothing is wrong with them."""
    sql(folder, "DELETE FROM curves")
    text = write.write(study, folder / "tiny").read_text()
    assert "training.png" not in text
    assert "could not be drawn" not in text
    assert "(matrix.png)" in text
    assert "(tasks.png)" in text


def test_a_diverged_run_is_drawn_up_to_its_end(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study], pyplot: Any
) -> None:
    """A thin line to a cross, at the edge of a picture that the other arms fill."""
    text = TINY.replace("  balanced: {", f"{WILD}  balanced: {{")
    study = run_suite(suite_of(EPOCHS, text=text))
    assert study.arms[1].statuses["diverged"] == 3
    figure = pictures.training(study, pyplot)
    losses, _ = figure.axes
    top = losses.get_ylim()[1]
    assert 0 < top < 3.1 * np.log(10)
    crosses = [line for line in losses.lines if line.get_marker() == "x"]
    assert len(crosses) == 3
    assert {line.get_ydata()[0] for line in crosses} == {top}
    assert all(1 <= line.get_xdata()[0] < 14 for line in crosses)
    assert "to a cross: runs that diverged" in words_of(figure)


def test_no_panel_has_more_than_six_arms(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study], pyplot: Any
) -> None:
    """Seven of a setting share out over two."""
    more = "".join(
        f"  eps{n}: {{method.meta.update.reptile.epsilon: 0.{n}}}\n" for n in (1, 2, 3, 6, 7)
    )
    text = TINY.replace("seeds: 3", f"{more}seeds: 2")
    figure = pictures.training(run_suite(suite_of(text=text)), pyplot)
    panels = [len(named(axes)) for axes in figure.axes]
    assert panels == [4, 4, 3, 3]


def test_a_study_of_one_task_has_neither_map_nor_lines(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study], pyplot: Any
) -> None:
    """R is one number; the training has its curve all the same."""
    study = run_suite(suite_of(("tasks: 5", "tasks: 1"), ("budget_rows: 50", "budget_rows: 0")))
    assert pictures.tasks(study, pyplot) is None
    assert pictures.matrix(study, pyplot) is None
    assert len(named(pictures.training(study, pyplot).axes[0])) == 2
