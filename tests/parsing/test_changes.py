"""What `--quick` and `--set` change, and that it is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from ablate import flow
from ablate.core import resources
from ablate.design.reader import parse_suite, read_suite
from ablate.errors import SuiteError
from ablate.registry import Catalogue
from ablate.types import ENOUGH_PAIRS, Suite
from tests.conftest import TINY

LOOKS = TINY.replace("seeds: 3", "seeds: 12\nlooks: [5, 8, 12]").replace("epochs: 1", "epochs: 9")


def parse(
    catalogue: Catalogue, text: str, quick: bool = True, changes: tuple[str, ...] = ()
) -> Suite:
    """Read a suite as the command line does."""
    return parse_suite(text.encode(), "t", "t.yaml", catalogue, quick, changes)


@pytest.mark.parametrize("name", sorted(resources.suites()))
def test_a_quick_run_of_a_shipped_suite_can_decide(name: str, catalogue: Catalogue) -> None:
    """Five pairs or more, unless it says in words that they are too few."""
    suite = read_suite(resources.suites()[name], catalogue, quick=True)
    assert suite.seeds >= ENOUGH_PAIRS
    assert suite.changed_words


def test_quick_without_a_block_shortens_what_training_says(catalogue: Catalogue) -> None:
    """Half of the epochs and five seeds, with the looks that these reach."""
    suite = parse(catalogue, LOOKS)
    assert (suite.seeds, suite.looks) == (5, (5,))
    assert suite.variants[0].choices["method"].settings["training"].settings["epochs"] == 5
    assert suite.changed_words == ("epochs: 5, not 9", "seeds: 5, not 12")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("balanced: {", "balanced: {training.standard.epochs: 4, "),
        ("seeds: 12", "vary: {training.standard.epochs: [2, 4]}\nseeds: 12"),
        ("epochs: 9", "epochs: 9\n      schedule: {milestones: {epochs: [4], factor: 0.5}}"),
    ],
)
def test_quick_without_a_block_leaves_epochs_that_mean_something(
    catalogue: Catalogue, old: str, new: str
) -> None:
    """Where an arm, an axis or a schedule counts in them."""
    suite = parse(catalogue, LOOKS.replace(old, new))
    assert suite.changed_words == ("seeds: 5, not 12",)


def test_a_quick_run_of_few_seeds_says_that_it_decides_nothing(catalogue: Catalogue) -> None:
    """As does `--seeds`."""
    suite = parse(catalogue, LOOKS + "quick: {seeds: 3}\n")
    (said,) = suite.changed_words
    assert said == "seeds: 3, not 12, too few pairs to decide anything: 5 are needed"


def test_what_seeds_of_the_command_line_change_is_said(tmp_path: Path) -> None:
    """Beside what the others have changed."""
    path = tmp_path / "t.yaml"
    path.write_text(LOOKS, "utf-8")
    suite = flow.open_suite(path, seeds=4, changes=["dataset.digits.tasks=2"])
    assert suite.changed_words == (
        "tasks: 2, not 5",
        "seeds: 4, not 12, too few pairs to decide anything: 5 are needed",
    )


def test_quick_with_nothing_to_shorten_says_so(catalogue: Catalogue) -> None:
    """Instead of being the suite itself under another name."""
    suite = parse(catalogue, TINY)
    assert suite.changed_words == (
        "--quick found nothing to shorten: this is the suite as it stands",
    )


def test_set_goes_before_the_quick_block(catalogue: Catalogue) -> None:
    """Whichever is the longer path, and `*` means what is chosen then."""
    quick = "quick: {dataset: digits, dataset.*.tasks: 2, memory.*.budget_rows: 9}\n"
    suite = parse(catalogue, TINY + quick, changes=("dataset=glyphs", "memory.*=first"))
    dataset, memory = (suite.variants[0].choices[kind] for kind in ("dataset", "memory"))
    assert (dataset.name, dataset.settings["tasks"]) == ("glyphs", 2)
    assert memory.label() == "first(9)"
    assert "dataset: glyphs, not digits(tasks 5)" in suite.changed_words


def test_a_set_that_the_quick_block_would_undo_is_refused(catalogue: Catalogue) -> None:
    """It names a component that is no longer there."""
    with pytest.raises(SuiteError, match="leads through a component that is not chosen"):
        parse(catalogue, TINY + "quick: {memory: none}\n", changes=("memory.random.budget_rows=9",))
