"""What the number of seeds costs, said before anything is trained; and what a report changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ablate import flow
from ablate.types import Design, Suite
from ablate.verdicts.family import battery, conclude
from ablate.workflows import prospects
from reports import write
from tests.commands.test_cli import ask
from tests.conftest import TINY, comparison


def told(suite: Suite) -> str:
    return "\n".join(prospects.lines(suite))


@pytest.mark.parametrize(
    ("seeds", "declared", "looks", "words"),
    [
        (3, 20, (), "3 seeds: every contrast will be INCONCLUSIVE at best; 5 pairs are needed"),
        (3, 3, (), "3 seeds: every contrast will be INCONCLUSIVE at best; 5 pairs are needed"),
        (1, 5, (), "1 seed: every contrast"),
        (20, 20, (), ""),
        (20, 20, (5, 20), ""),
        (5, 20, (), "can decide none with fewer than 6 seeds"),
        (6, 20, (), "Its intervals are 5.0 times as wide as if 6 were declared"),
        (12, 20, (), "Its intervals are"),
        (30, 20, (5, 20), "where verdicts were declared for 5, 20"),
        (8, 20, (5, 8, 20), "waits for the next, at 20"),
    ],
)
def test_seeds_that_cannot_decide_are_said(
    seeds: int, declared: int, looks: tuple[int, ...], words: str, suite_of: Callable[..., Suite]
) -> None:
    """Too few pairs, and another number than was declared; nothing where all is as declared."""
    suite = replace(suite_of(), seeds=seeds, declared_seeds=declared, looks=looks)
    assert words in told(suite)
    assert bool(words) == bool(told(suite))


def test_a_number_that_can_show_smallness_alone_is_said(suite_of: Callable[..., Suite]) -> None:
    """At alpha .1 and five seeds; a declared side has an interval all the same."""
    suite = replace(suite_of(), seeds=5, declared_seeds=20, alpha=0.1)
    assert "of 1 claim none can be shown to matter" in told(suite)
    sided = replace(suite, contrasts=(replace(suite.contrasts[0], claim="helps"),))
    assert "times as wide" in told(sided)


def test_what_is_said_of_seeds_is_what_the_engine_does() -> None:
    """The clearest difference, one seed under and at the number that is named."""
    for seeds, decision in ((5, "INCONCLUSIVE"), (6, "NEGLIGIBLE")):
        clear = comparison([0.001 * (1 + seed % 2) for seed in range(seeds)])
        (found,) = conclude([clear], battery(), Design(0.05, "holm", (20,), seeds))
        assert found.decision == decision


def test_plan_and_run_say_it_before_they_train(tmp_path: Path) -> None:
    """The line stands above the first run that is done."""
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY.replace("seeds: 3", "seeds: 5"))
    results = ("--results", tmp_path / "r")
    code, said = ask("plan", path, "--seeds", 3, *results)
    assert code == 0
    assert "3 seeds: every contrast will be INCONCLUSIVE at best" in said
    code, said = ask("run", path, "--seeds", 3, "--workers", 1, *results)
    assert code == 0
    assert said.index("INCONCLUSIVE at best") < said.index("runs done")
    assert "pairs are too few to decide; at least 5 are needed" in said
    report = (tmp_path / "r" / "tiny" / "report.md").read_text("utf-8")
    row = next(line for line in report.splitlines() if line.startswith("| reptile − balanced"))
    assert "| – | ±2 | **INCONCLUSIVE** | 3 | – |" in row


# --- what a report says of its figures -----------------------------------------------------------


def test_what_the_command_line_changed_stands_under_the_title(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study]
) -> None:
    """Before the answer."""
    study = run_suite(suite_of())
    said = ("dataset: digits, not mnist", "seeds: 3, not 20")
    changed = replace(study, suite=replace(study.suite, changed_words=said))
    lines = write.text(changed).splitlines()
    assert lines[2] == f"**Changed on the command line: {'; '.join(said)}.**"
    assert lines[4].startswith("**Not decided.**")
    assert "Changed on the command line" not in write.text(study)


@pytest.mark.parametrize(
    ("correction", "words"),
    [
        ("holm", "The level is that of Holm's step"),
        ("bonferroni", "the intervals are simultaneous"),
        ("bh", "there is no simultaneous interval"),
        ("by", "there is no simultaneous interval"),
        ("hommel", "has no simultaneous interval"),
        ("none", "nothing is corrected"),
    ],
)
def test_a_report_says_what_its_intervals_hold_for(
    correction: str,
    words: str,
    suite_of: Callable[..., Suite],
    run_suite: Callable[..., flow.Study],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Of two claims by each correction; one alone has all of alpha."""
    line = "  - {treatment: reptile, baseline: balanced, metric: forgetting, margin: 3 points}\n"
    folder = tmp_path_factory.getbasetemp() / "corrections"
    suite = suite_of(("seeds: 3", f"seeds: 5\ncorrection: {correction}"), text=TINY + line)
    text = write.text(run_suite(suite, folder))
    assert words in text
    assert "(MATTERS)" in text or "(NEGLIGIBLE)" in text
    assert "simultaneous 95 % interval" in text
    assert "There is one claim" in write.text(run_suite(suite_of(("seeds: 3", "seeds: 5")), folder))
