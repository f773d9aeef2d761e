"""Presets, `quick` blocks, `--set` and references: what a suite may take over, and its faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from ablate import flow
from ablate.core import resources
from ablate.design.reader import parse_suite
from ablate.errors import SuiteError
from ablate.parsing.presets import presets
from ablate.parsing.published import published
from ablate.registry import Catalogue
from ablate.types import Suite
from cli import main
from reports import one_page, references, write
from tests.conftest import TINY

QUICK = TINY + "quick: {seeds: 2, dataset.*.test_per_class: 9, training.standard.epochs: 2}\n"


def parse(catalogue: Catalogue, text: str = QUICK, **more: object) -> Suite:
    return parse_suite(text.encode(), "tiny", "tiny.yaml", catalogue, **more)  # type: ignore[arg-type]


def settings(suite: Suite, kind: str, arm: int = 0) -> dict[str, object]:
    return dict(suite.variants[arm].choices[kind].settings)


def training_of(suite: Suite) -> dict[str, object]:
    """Give the settings of the first arm's training."""
    return dict(settings(suite, "method")["training"].settings)  # type: ignore[attr-defined]


def test_a_preset_sets_the_released_levels_and_what_stands_beside_it_wins(
    catalogue: Catalogue,
) -> None:
    """In an arm; the memory is renamed and keeps its budget."""
    arm = "{preset: itaml-released, training.standard.checkpoint.best.last_epochs: 4}"
    suite = parse(catalogue, TINY.replace("{method.meta.update: balanced}", arm))
    said = settings(suite, "method", 1)
    assert said["update"].name == "itaml-released"  # type: ignore[attr-defined]
    assert said["inner_state"] == "carried"
    training = said["training"].settings  # type: ignore[attr-defined]
    assert training["batches"] == "natural"
    checkpoint = {"by": "test-ORACLE", "over": "all-epochs", "last_epochs": 4}
    assert training["checkpoint"].settings == {**checkpoint, "validation_rows": 20}
    assert suite.variants[1].choices["memory"].label() == "first(50)"
    assert settings(suite, "dataset", 1)["class_order"] == "natural"
    assert suite.variants[1].label == "balanced (ORACLE)"
    assert suite.variants[0].label == "reptile"


def test_a_preset_of_the_base_leaves_what_the_base_writes(catalogue: Catalogue) -> None:
    """The base names its update rule; the class order comes from the preset."""
    text = TINY.replace("base:", "base:\n  preset: itaml-released").replace("{random:", "{first:")
    text = text.replace("      batches: balanced\n", "")
    suite = parse(catalogue, text)
    assert settings(suite, "method")["update"].name == "reptile"  # type: ignore[attr-defined]
    assert training_of(suite)["batches"] == "natural"
    assert settings(suite, "dataset")["class_order"] == "natural"


@pytest.mark.parametrize("name", presets())
def test_every_preset_fits_every_data_set_of_images(name: str, catalogue: Catalogue) -> None:
    """Its paths exist, whatever is chosen."""
    for dataset in ("digits", "mnist", "svhn", "cifar100", "glyphs"):
        text = TINY.replace("{digits: {tasks: 5}}", dataset)
        parse(catalogue, text.replace("{method.meta.update: balanced}", f"{{preset: {name}}}"))


def test_an_unknown_preset_is_answered_with_the_nearest(catalogue: Catalogue) -> None:
    """With its place."""
    text = TINY.replace("{method.meta.update: balanced}", "{preset: itaml-relesed}")
    with pytest.raises(SuiteError, match=r"tiny.yaml:20:\d+: unknown preset .*'itaml-released'"):
        parse(catalogue, text)


def test_quick_changes_the_base_and_the_seeds_only_when_asked_for(catalogue: Catalogue) -> None:
    """And the suite is then called something else."""
    plain, quick = parse(catalogue), parse(catalogue, quick=True)
    assert (plain.seeds, plain.name, plain.changes) == (3, "tiny", ())
    assert (quick.seeds, quick.declared_seeds) == (2, 2)
    assert (quick.name, quick.changes) == ("tiny-quick", ("--quick",))
    assert settings(quick, "dataset")["test_per_class"] == 9
    assert settings(plain, "dataset")["test_per_class"] is None
    assert training_of(quick)["epochs"] == 2


def test_what_is_set_wins_over_quick(catalogue: Catalogue) -> None:
    """Its other paths still apply, to the data set that was set."""
    changes = ("training.standard.epochs=7", "dataset=mnist")
    suite = parse(catalogue, quick=True, changes=changes)
    assert training_of(suite)["epochs"] == 7
    assert suite.variants[0].choices["dataset"].name == "mnist"
    assert settings(suite, "dataset")["test_per_class"] == 9
    assert suite.name == "tiny-quick-training.standard.epochs=7-dataset=mnist"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (("dataset=mnst",), "unknown dataset 'mnst'"),
        (("training.standard.epochs=0",), "0 for epochs, which is out of range"),
        (("epochs",), "--set 'epochs'"),
        (("epochs=3",), "a path that starts with 'epochs'"),
        (("dataset=[1",), "not YAML"),
    ],
)
def test_faults_of_set_are_told_as_the_command_lines(
    changes: tuple[str, ...], found: str, catalogue: Catalogue
) -> None:
    """Not at a line of the file."""
    with pytest.raises(SuiteError, match=r"tiny.yaml, command line: .*") as raised:
        parse(catalogue, changes=changes)
    assert found in str(raised.value)


@pytest.mark.parametrize(
    ("block", "found"),
    [
        ("quick: 3", "3 for quick"),
        ("quick: {seeds: 0}", "0 for seeds"),
        ("references: 3", "3 for a reference"),
        ("references: [{arm: reptile}]", "a reference without 'metric'"),
        ("references: [{arm: x, metric: y, figure: mnist-mas}]", "unknown arm 'x'"),
        ("references: [{arm: reptile, metric: accuracy, figure: mnist-max}]", "'mnist-mas'"),
    ],
)
def test_faults_of_the_new_blocks_have_their_place(
    block: str, found: str, catalogue: Catalogue
) -> None:
    """Whether or not quick is asked for."""
    with pytest.raises(SuiteError, match=r"tiny.yaml:\d+:\d+: ") as raised:
        parse(catalogue, f"{TINY}{block}\n")
    assert found in str(raised.value)


@pytest.mark.parametrize("name", resources.suites())
def test_every_shipped_suite_reads_with_its_quick_block(name: str) -> None:
    """And asks a question with a contrast."""
    suite = flow.open_suite(name)
    assert suite.contrasts or suite.effects
    assert suite.question.endswith("?")
    if "\nquick:" in suite.text:
        assert flow.open_suite(name, quick=True).changes == ("--quick",)


# --- published figures


def test_published_figures_are_data_with_bands_and_doubts() -> None:
    """CIFAR's repeat SVHN's number for number, and are marked for it."""
    known = published()
    assert known["mnist-itaml-original"].value == 97.95
    assert known["mnist-itaml-reproduction"].value == 59.65
    for method in ("mas", "gem", "rps-net"):
        pair = [known[f"{data}-{method}"] for data in ("svhn", "cifar100")]
        assert pair[0].value == pair[1].value
        assert "number for number" in pair[1].suspect
        assert not pair[0].suspect
    gem = known["mnist-gem"]
    assert (gem.inside(85), gem.inside(84.9), known["svhn-gem"].inside(80)) == (True, False, None)


REFERENCES = """references:
  - {arm: reptile, metric: all-classes, figure: mnist-gem}
  - {arm: reptile, metric: known-task, figure: cifar100-gem}
"""


def test_a_report_shows_them_with_difference_band_and_doubt(
    catalogue: Catalogue, run_suite: Callable[..., flow.Study]
) -> None:
    """And the one-page summary does too; chunks that are not full are counted."""
    study = run_suite(parse(catalogue, QUICK + REFERENCES, quick=True))
    ours = study.measured(study.suite.variants[0], "all-classes").mean
    text = write.text(study)
    assert "## Beside published figures" in text
    assert f"{ours - 92.20:+.2f}".replace("-", "−") in text
    assert "| other data |" in text  # a band of MNIST says nothing of digits
    assert references._band(published()["mnist-gem"], ours) == "OUTSIDE 85 to 95"
    assert references._band(published()["mnist-gem"], 92.0) == "inside 85 to 95"
    assert "**suspect**: the report's CIFAR table" in text
    assert "| reptile | known-task (ORACLE) |" in text
    assert text.splitlines()[2].startswith("**Changed on the command line: ")
    assert "Of 90 test rows, by seed: `continuum(5)` 15, `continuum(20)` 90" in text
    page = one_page.text(study)
    for heading in ("Scope", "Claims", "Method", "Results", "What was easy", "hard", "Comput"):
        assert f"## {heading}" in page or f"was {heading}" in page
    assert "Published: GEM reaches 92.20 on mnist" in page


def test_synthetic_and_custom_data_are_marked_on_the_first_screen(
    catalogue: Catalogue, run_suite: Callable[..., flow.Study]
) -> None:
    """In the report, the summary and the records."""
    glyphs = "{glyphs: {tasks: 5, classes: 10, train_per_class: 6, test_per_class: 2, side: 8}}"
    study = run_suite(parse(catalogue, TINY.replace("{digits: {tasks: 5}}", glyphs)))
    assert study.runs[0][0].provenance["data_mark"] == "synthetic"
    assert "> **The data are synthetic**, not a published data set." in write.text(study)
    assert "synthetic" in one_page.text(study)


def test_oracle_checkpoints_are_stamped_in_every_table(
    catalogue: Catalogue, run_suite: Callable[..., flow.Study]
) -> None:
    """No row of such an arm goes without the word."""
    arm = "{method.meta.update: balanced, training.standard.checkpoint: {best: {by: test-ORACLE}}}"
    study = run_suite(parse(catalogue, TINY.replace("{method.meta.update: balanced}", arm)))
    rows = [line for line in write.text(study).splitlines() if line.startswith("| ")]
    with_arm = [line for line in rows if "balanced" in line and "update.balanced" not in line]
    assert len(with_arm) >= 4
    assert all("balanced (ORACLE)" in line for line in with_arm)
    assert "chosen on test rows" in write.text(study)


def test_the_summary_is_written_from_the_command_line(tmp_path: Path) -> None:
    """Beside the report."""
    place = ["--results", str(tmp_path)]
    suite = tmp_path / "tiny.yaml"
    suite.write_text(TINY)
    invoke = CliRunner().invoke
    assert invoke(main, ["run", str(suite), "--workers", "1", *place]).exit_code == 0
    said = invoke(main, ["report", str(suite), "--style", "summary", *place])
    assert said.exit_code == 0
    assert (tmp_path / "tiny" / "summary.md").read_text().startswith("# Reproducibility summary")


def test_a_fault_in_the_quick_block_shows_before_it_is_used(catalogue: Catalogue) -> None:
    """Not only on the day when somebody is in a hurry."""
    with pytest.raises(SuiteError, match="epchs"):
        parse(catalogue, text=QUICK.replace("standard.epochs: 2", "standard.epchs: 2"))
