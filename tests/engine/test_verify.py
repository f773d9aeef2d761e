"""A report against its store: what agrees, what was edited, what the store has lost or gained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ablate import flow
from ablate.store import open_store
from ablate.types import Suite
from reports import write
from reports.verify import differences
from tests.conftest import comparison
from tests.engine.test_cli import ask
from tests.engine.test_family import judged


@pytest.fixture
def report(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study], tmp_path: Path
) -> Path:
    """Run TINY with five seeds and write its report."""
    study = run_suite(suite_of(("seeds: 3", "seeds: 5")), tmp_path)
    return write.write(study, tmp_path / "tiny")


def test_a_report_agrees_with_its_store(report: Path) -> None:
    """Word for word."""
    assert ask("verify", report) == (0, "Every number agrees with the store.\n")


def test_every_number_that_was_edited_is_named(report: Path) -> None:
    """With its section, row and column, and both values."""
    text = report.read_text("utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| reptile − balanced"))
    cells = row.split("|")
    cells[3] = " +1.23 "
    report.write_text(text.replace(row, "|".join(cells)), "utf-8")
    code, said = ask("verify", report)
    assert code == 1
    assert "reptile − balanced, difference (points): states '+1.23', recomputed" in said
    assert len(said.splitlines()) == 1


def test_records_that_are_gone_show(report: Path) -> None:
    """The digest says so before the numbers do."""
    store = open_store(report.parents[1])
    with store._engine.begin() as link:
        link.exec_driver_sql("delete from runs where seed = 2")
    store.close()
    code, said = ask("verify", report)
    assert code == 1
    assert said.startswith("The store's records are not those")


@pytest.mark.parametrize("cut", ["## The suite", "<!-- ablate"])
def test_what_is_no_report_is_refused(cut: str, report: Path) -> None:
    """Without its suite or its last line nothing can be checked."""
    text = report.read_text("utf-8")
    report.write_text(text.replace(cut, "x"), "utf-8")
    assert ask("verify", report)[0] == 2


def test_lines_outside_tables_are_compared_whole() -> None:
    """And a line that is missing is said to be nothing."""
    assert list(differences("# A\n\nb 1\n", "# A\n\nb 2\n")) == [
        "A: states 'b 1', recomputed 'b 2'"
    ]
    assert list(differences("# A\n", "# A\nnew\n")) == ["A: states 'nothing', recomputed 'new'"]


def test_the_detectable_difference_lies_beyond_margin_and_interval() -> None:
    """By hand: five differences of sd 1 at a margin of 1: 1 + (2.776 + 0.941) / sqrt(5)."""
    deltas = [-1.2649110640673518, -0.6324555320336759, 0.0, 0.6324555320336759, 1.2649110640673518]
    (found,) = judged(comparison(deltas), looks=(5,))
    assert found.detectable == pytest.approx(1 + (2.7764451 + 0.9409646) / 5**0.5, rel=1e-6)
