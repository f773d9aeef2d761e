"""What data do not allow is refused at plan; what is odd is said there and in the report."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from ablate import flow
from ablate.analysis import judge
from ablate.errors import DataError, ExitCode, SuiteError
from ablate.plan import pending
from ablate.plan.pending import look
from ablate.plan.run_keys import plan
from ablate.registry import Catalogue, scan
from ablate.streams import dataset_demands, row_warnings
from ablate.streams.dataset_checks import agree, count_classes, facts_of
from ablate.types import Choice, Data, Facts, Suite, TaskClasses
from cli import main
from tests.conftest import TINY, record, variant

CATALOGUE = scan()
IMAGES = [n for n in CATALOGUE.names("model") if CATALOGUE.get("model", n).facts.get("images")]


def suite_text(source: str = "mine.npz", tasks: int = 3, **changes: str) -> str:
    base = {
        "dataset": f"{{arrays: {{source: {source}, tasks: {tasks}}}}}",
        "model": "{mlp: {widths: [4]}}",
        "memory": "{herding: {budget_rows: 12}}",
        "optimizer": "{sgd: {lr: 0.1}}",
        "training": "{standard: {epochs: 1, batch_rows: 16}}",
        "method": "replay",
    } | changes
    lines = "".join(f"  {kind}: {choice}\n" for kind, choice in base.items())
    return (
        f"question: Does replay matter?\nbase:\n{lines}arms:\n  replay: {{}}\n"
        "  none: {method: fine-tune, memory: none}\nseeds: 5\ncontrasts:\n"
        "  - {treatment: replay, baseline: none, metric: all-classes, margin: 5.0 points}\n"
    )


def save(folder: Path, shape: tuple[int, ...], scale: float = 1.0) -> None:
    draws, y = np.random.default_rng(0), np.arange(24) % 6
    x = (draws.random((36, *shape)) * scale).astype("f4")
    np.savez(folder / "mine.npz", x_train=x[:24], y_train=y, x_test=x[24:], y_test=y[:12])


def command(folder: Path, *words: str, **changes: str) -> tuple[int, str]:
    (folder / "suite.yaml").write_text(suite_text(**changes))
    told = CliRunner().invoke(
        main,
        [
            *words,
            str(folder / "suite.yaml"),
            "--data-root",
            str(folder),
            "--results",
            str(folder / "results"),
        ],
    )
    return told.exit_code, told.output


def test_some_models_read_images_alone() -> None:
    """What the cases below go through."""
    assert {"conv4", "released-conv", "resnet18", "resnet32"} <= set(IMAGES)


@pytest.mark.parametrize("model", IMAGES)
@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((64,), r"rows of shape \[64\] with model .*reshape.*or model: mlp"),
        ((8, 8), r"rows of shape \[8, 8\] with model .*\(channels, H, W\)"),
        ((2, 3, 8, 8), r"rows of shape \[2, 3, 8, 8\]"),
        ((8, 8, 3), r".*look like \(H, W, channels\); allowed: .*\[3, 8, 8\], as by np.moveaxis"),
        ((9, 6, 1), r".*look like \(H, W, channels\); allowed: .*\[1, 9, 6\]"),
    ],
)
def test_rows_that_an_image_model_cannot_read_are_refused_when_planned(
    model: str, shape: tuple[int, ...], said: str, tmp_path: Path
) -> None:
    """With exit code 2, the place, and what would be accepted."""
    import re

    save(tmp_path, shape)
    code, told = command(tmp_path, "plan", model=model)
    assert code == 2
    assert re.search(rf"suite.yaml:3:\d+: {said}", told), told


def test_images_too_small_for_a_model_are_refused(tmp_path: Path) -> None:
    """One that pools twice needs four pixels."""
    save(tmp_path, (1, 3, 9))
    code, told = command(tmp_path, "plan", model="released-conv")
    assert (code, "at least 4 x 4" in told) == (2, True)
    assert command(tmp_path, "plan", model="conv4")[0] == 0


@pytest.mark.parametrize("model", IMAGES)
def test_every_image_model_reads_the_least_images_that_are_let_through(
    model: str, catalogue: Catalogue
) -> None:
    """No side is announced that the network then fails on."""
    import torch

    least = catalogue.get("model", model).facts.get("least_side", 1)
    made = catalogue.load("model", model)(norm="group")
    for shape in ((1, least, least), (3, least, least + 3), (2, least + 1, least)):
        assert made(shape, 4)(torch.ones(2, *shape)).shape == (2, 4)


@pytest.mark.parametrize(
    ("shape", "surely", "perhaps"),
    [
        ((8, 8, 3), True, False),
        ((28, 28, 1), True, False),
        ((8, 8, 4), False, True),
        ((3, 8, 8), False, False),
        ((1, 28, 28), False, False),
        ((3, 3, 3), False, False),
        ((3, 128, 1), False, False),  # three channels of a series
        ((16, 4, 4), False, False),
        ((64,), False, False),
    ],
)
def test_channels_are_taken_for_last_where_no_picture_is_so_thin(
    shape: tuple[int, ...], surely: bool, perhaps: bool
) -> None:
    """Three and one are channels; four may be a side."""
    assert dataset_demands.channels_last(shape, dataset_demands.SURELY_LAST) is surely
    assert dataset_demands.channels_last(shape, dataset_demands.PERHAPS_LAST) is perhaps


def test_a_strangers_model_that_raises_on_the_shape_is_refused(
    suite_of: Callable[..., Suite], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It declares nothing of what it reads, as third parties do."""

    def parameters(self: object, inputs: tuple[int, ...], classes: int) -> int:
        return inputs[3] * classes

    suite = suite_of()
    facts = look(suite, CATALOGUE, tmp_path, fetch=False)
    monkeypatch.setattr(CATALOGUE.load("model", "mlp"), "parameters", parameters)
    with pytest.raises(SuiteError, match=r"model 'mlp' on rows of shape .* IndexError"):
        plan(suite, CATALOGUE, facts)


# --- memories that cannot hold a row of every class

BUDGETS = [
    ("{herding: {budget_rows: 5}}", "empty from the end of task 3 of 5 on: 5 rows shared over 6"),
    ("{first: {budget_rows: 5}}", "empty from the end of task 3 of 5 on"),
    (
        "{random: {budget_rows: 9}}",
        "empty from the end of task 5 of 5 on: .* 10 rows are the least",
    ),
    ("{herding: {budget_rows: 1}}", "empty from the end of task 1 of 5 on"),
    ("{random: {budget_rows: 0}}", "empty from the end of task 1 of 5 on"),
    ("{reservoir: {budget_rows: 5}}", "fewer rows than classes from the end of task 3 of 5 on"),
    ("{reservoir: {budget_rows: 0}}", "empty from the end of task 1"),
    ("{herding: {budget_rows: 10}}", ""),
    ("{reservoir: {budget_rows: 10}}", ""),
    ("everything", ""),
    ("none", ""),
]


@pytest.mark.parametrize(("memory", "said"), BUDGETS, ids=[memory for memory, _ in BUDGETS])
def test_a_memory_that_empties_is_warned_of_when_planned(
    memory: str, said: str, suite_of: Callable[..., Suite], tmp_path: Path
) -> None:
    """With the task; none, everything and budgets that suffice are no matter of warning."""
    import re

    suite = suite_of(("{random: {budget_rows: 50}}", memory))
    made = flow.prepare(suite, tmp_path, None)
    assert bool(made.plan.warnings) is bool(said)
    assert all(re.search(said, warning) for warning in made.plan.warnings)


def test_the_report_warns_as_the_plan_did(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study], tmp_path: Path
) -> None:
    """From the records alone: reports are written where the data are not."""
    suite = suite_of(("{random: {budget_rows: 50}}", "{random: {budget_rows: 5}}"))
    planned = flow.prepare(suite, tmp_path, None).plan.warnings
    study = run_suite(suite)
    assert planned
    assert set(planned) <= set(study.warnings)


def test_a_command_warns_before_it_runs_and_in_its_report(tmp_path: Path) -> None:
    """Raw pixels, test rows that are training rows, a budget below the classes: one line each.

    On them nothing is learnt, so that the run ends with nothing tested.
    """
    draws, y = np.random.default_rng(0), np.arange(24) % 6
    x = draws.integers(0, 256, (24, 5), dtype="u1")
    np.savez(tmp_path / "mine.npz", x_train=x, y_train=y, x_test=x[:12], y_test=y[:12])
    memory = "{herding: {budget_rows: 3}}"
    ends = {("plan",): ExitCode.DONE, ("run", "--workers", "1"): ExitCode.NOTHING_TESTED}
    for words, end in ends.items():
        code, told = command(tmp_path, *words, memory=memory)
        assert code == end, told
        for said in ("raw pixels of 0 to 255", "12 of 12 test rows", "Memory herding(3) is empty"):
            assert told.count(said) == 1
    report = (tmp_path / "results" / "suite" / "report.md").read_text()
    section = report.split("## Warnings")[1].split("\n## ")[0]
    for said in ("raw pixels of 0 to 255", "12 of 12 test rows", "is empty from the end of task"):
        assert section.count(said) == 1


def test_shipped_suites_are_not_warned_of(suite_of: Callable[..., Suite], tmp_path: Path) -> None:
    """Digits are usual rows, and their digest stays."""
    made = flow.prepare(suite_of(), tmp_path, None)
    assert made.plan.warnings == ()


def test_plan_warns_without_torch(tmp_path: Path) -> None:
    """The memory is asked what it keeps; that takes no tensors."""
    (tmp_path / "suite.yaml").write_text(
        TINY.replace("{random: {budget_rows: 50}}", "{herding: {budget_rows: 5}}")
    )
    code = (
        "import sys\nfrom ablate import flow\nfrom pathlib import Path\n"
        "work = flow.prepare(flow.open_suite('suite.yaml'), Path('data'), None)\n"
        "print(len(work.plan.warnings), 'torch' in sys.modules)\n"
    )
    env = os.environ | {"PYTHONPATH": ":".join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=env,
        check=True,
    )
    assert done.stdout.split() == ["1", "False"]


# --- rows that anybody's reader gave


def rows(n: int = 6, classes: int = 2, features: int = 3) -> Data:
    draws, y = np.random.default_rng(n), np.arange(n) % classes
    x = draws.random((2 * n, features)).astype("f4")
    return Data(x[:n], y, x[n:], y)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (rows(classes=3), "2 classes .* were announced, 3 classes"),
        (rows(features=4), r"shape \[3\] were announced, .* shape \[4\] were read"),
        (rows()._replace(y_train=np.array([0, 1, 0, 1, 0, 1 << 40])), "number the classes"),
        (rows()._replace(x_train=np.full((6, 3), np.inf, "f4")), "not finite"),
    ],
)
def test_rows_other_than_announced_are_refused(data: Data, said: str) -> None:
    """Nothing is trained on what was not planned."""
    with pytest.raises(DataError, match=said):
        agree(data, facts_of(rows(), "r"), "r")


def test_other_counts_of_rows_are_warned_of() -> None:
    """A reader may estimate them; that more or fewer were read is said."""
    assert agree(rows(6), facts_of(rows(6), "r"), "r") == ()
    assert agree(rows(8), facts_of(rows(6), "r"), "r") == (
        "6 + 6 rows were announced, 8 + 8 were read.",
    )


def test_classes_are_those_that_are_there() -> None:
    """Labels of 2^62 make no table."""
    assert count_classes(np.array([0, 1, 2]), np.array([2, 1, 0]), "r") == 3
    with pytest.raises(DataError, match="they are 0, 1, 4611686018427387904"):
        count_classes(np.array([0, 1, 1 << 62]), np.array([0, 1]), "r")


def test_third_parties_facts_and_records_need_no_warnings() -> None:
    """What they do not say is nothing."""
    assert Facts((2,), 2, 3, 3, "").warnings == ()
    runs = ({0: record(), 1: record(seed=1, data_warnings=["odd"])},)
    runs += ({0: record(data_warnings="no list"), 1: record(seed=1, data_warnings=[3, "odd"])},)
    assert list(dataset_demands.of_records([r for arm in runs for r in arm.values()])) == ["odd"]
    suite = Suite(
        "s", "s", "", "q", (variant("a"), variant("b")), 2, 2, (), 0.05, "holm", "float32"
    )
    assert "odd" in list(judge.warnings(suite, runs, []))


def test_a_memory_that_raises_when_asked_is_a_warning(
    suite_of: Callable[..., Suite], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its runs will tell; planning others beside it goes on."""

    def quota(self: object, priorities: object) -> None:
        raise ZeroDivisionError("no classes")

    monkeypatch.setattr(CATALOGUE.load("memory", "random"), "quota", quota)
    told = flow.prepare(suite_of(), tmp_path, None).plan.warnings
    assert told == ("Memory random(50) cannot say what it keeps: ZeroDivisionError: no classes.",)


@pytest.mark.parametrize("kind", ["u1", "i1", "?", "f2", "f8"])
def test_rows_of_any_type_are_held_against_unit_scale(kind: str) -> None:
    """A stranger's reader may give any; unsigned numbers have no negative."""
    x = np.array([[0, 1], [1, 0], [1, 1]]).astype(kind)
    assert list(row_warnings.scale(x)) == []
    assert len(list(row_warnings.scale((x * 100).astype("u1" if kind == "?" else kind)))) == 1


def test_a_memory_of_a_stranger_without_a_budget_is_said_by_its_label() -> None:
    """Whatever its settings are called."""
    choice = Choice("memory", "random", {"rows": 3})
    told = list(
        dataset_demands.short_memory(
            choice, TaskClasses((2,) * 4), lambda t: min(3, 2 * t), CATALOGUE
        )
    )
    assert told == [
        "Memory random(3) has fewer rows than classes from the end of task 2 of 4 on: 3 rows for "
        "4 classes, so that some have none."
    ]


# --- readers that raise, and files that change


class Reader:
    """A data set whose answers come in turn, as from a file that somebody is writing."""

    tasks, class_order = 2, "natural"

    def __init__(self, *answers: Data) -> None:
        self.answers = list(answers)

    def look(self, root: Path) -> Facts:
        return facts_of(self.answers.pop(0), "r")

    def load(self, root: Path) -> Data:
        return self.answers.pop(0)


def test_data_that_change_while_they_are_read_are_refused(tmp_path: Path) -> None:
    """Old rows under the digest of new ones would pair with anything."""
    from ablate.training.assembly import load

    old, new = rows(6), rows(6)._replace(x_test=rows(7).x_test[:6])
    assert load(Reader(old, old, old), tmp_path, "r")[0] is old
    for answers in ((old, old, new), (old, new, new)):
        with pytest.raises(DataError, match="r changed while it was read"):
            load(Reader(*answers), tmp_path, "r")


@pytest.mark.parametrize("error", [KeyError("x"), OSError(36, "File name too long"), MemoryError()])
def test_whatever_a_reader_raises_is_an_error_with_its_name(
    error: Exception, suite_of: Callable[..., Suite], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a traceback, whoever wrote it."""

    def look_of(self: object, root: Path) -> Facts:
        raise error

    monkeypatch.setattr(CATALOGUE.load("dataset", "digits"), "look", look_of)
    with pytest.raises(DataError, match=r"dataset.digits cannot look at its data"):
        look(suite_of(), CATALOGUE, Path("data"), fetch=False)


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "/dev/zero", "..", "~", "%00"])
def test_names_that_no_file_has_are_refused(name: str, tmp_path: Path) -> None:
    """By every reader that takes one, and as the data root."""
    for kind, settings in (
        ("arrays", {"source": f"{name}.npz", "tasks": 2, "class_order": "natural"}),
        ("arrays", {"source": name, "tasks": 2, "class_order": "natural"}),
        ("image-folder", {"folder": name, "tasks": 2, "class_order": "natural"}),
    ):
        with pytest.raises(DataError):
            pending.inspect(Choice("dataset", kind, settings), CATALOGUE, tmp_path, fetch=False)
    for kind in ("mnist", "svhn", "cifar10", "omniglot"):
        with pytest.raises(DataError):
            pending.inspect(Choice("dataset", kind, {}), CATALOGUE, tmp_path / name, fetch=False)


def test_warnings_name_their_data_set() -> None:
    """As its user does, whatever its tasks and order are."""
    settings = {"source": "a`b.npz", "tasks": 3, "class_order": "natural"}
    choices = {
        "dataset": Choice("dataset", "arrays", settings),
        "model": Choice("model", "conv4", {}),
        "augment": Choice("augment", "none", {}),
    }
    held = facts_of(rows(), "r")._replace(inputs=(8, 8, 4), warnings=("Odd.",))
    told = list(dataset_demands.of_data(choices, held, CATALOGUE))
    assert told[0] == "Data a`b.npz: Odd."
    assert "read as 8 channels of 8 x 4" in told[1]
