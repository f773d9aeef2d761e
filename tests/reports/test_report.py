"""The report: the answer first, every figure from the records, nothing hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ablate import flow
from ablate.records.store import open_store
from ablate.types import Suite, Verdict
from reports import answers, write
from tests.conftest import TINY, comparison


@pytest.fixture
def study(suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study]) -> flow.Study:
    return run_suite(suite_of(("seeds: 3", "seeds: 5")))


def verdict(
    decision: str, estimate: float = 5.0, metric: str = "all-classes", *flags: str
) -> Verdict:
    lower = metric == "forgetting"
    made = replace(comparison([estimate] * 5), metric=metric, lower=lower)
    return Verdict(
        made, decision, estimate, estimate - 1, estimate + 1, 5, 0.01, 0.02, 1.0, "why", flags, {}
    )


def test_the_first_screen_holds_question_answer_and_verdicts(study: flow.Study) -> None:
    """In that order, within the first fifteen lines."""
    lines = write.text(study).splitlines()
    assert lines[0] == "# Does the update rule matter?"
    assert lines[2].startswith("**")
    row = next(line for line in lines[:15] if line.startswith("| reptile − balanced"))
    (found,) = study.verdicts
    assert f"**{found.decision}**" in row
    assert f"{found.estimate:+.2f}".replace("-", "−") in row
    assert "| 5 |" in row


def test_the_report_is_complete(study: flow.Study, tmp_path: Path) -> None:
    """Every section, the suite's own text, and both pictures beside it."""
    path = write.write(study, tmp_path)
    text = path.read_text()
    for section in (
        "Arms",
        "Why these verdicts",
        "Lost runs",
        "Warnings",
        "Provenance",
        "The suite",
    ):
        assert f"## {section}" in text
    assert "digits: {tasks: 5}" in text
    assert "known-task (ORACLE)" in text
    assert "torch 2." in text
    for picture in ("contrasts.png", "curves.png"):
        assert f"({picture})" in text
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
    assert not list(tmp_path.glob("*.part"))


def test_arm_means_are_those_of_the_records(study: flow.Study) -> None:
    """Worked out again from the counts."""
    counts = [100 * sum(r.right["all-classes"][-1]) / sum(r.rows) for r in study.runs[0].values()]
    row = next(
        line for line in write.text(study).splitlines() if line.startswith("| reptile | 5 |")
    )
    assert f"| {sum(counts) / 5:.2f} ±" in row


def test_lost_and_missing_runs_are_on_the_first_screen(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study], tmp_path: Path
) -> None:
    """With the reason below."""
    text = TINY.replace("{method.meta.update: balanced}", "{method.meta.optimizer.sgd.lr: 1e30}")
    suite = suite_of(text=text)
    run_suite(suite, tmp_path)
    report = write.text(flow.analyse(replace(suite, seeds=4), open_store(tmp_path)))
    assert "> **2 of 8 runs have not been run yet.**" in report
    assert "> **3 of 6 runs were lost** (diverged or failed, see below)." in report
    assert "| balanced | 0 | diverged | logits " in report
    assert "**Cannot be told.**" in report


def test_a_report_of_nothing_says_so(suite_of: Callable[..., Suite], tmp_path: Path) -> None:
    """No picture, no figure, no exception."""
    study = flow.analyse(suite_of(), open_store(tmp_path / "empty"))
    text = write.write(study, tmp_path).read_text()
    assert "UNTESTABLE" in text
    assert "6 of 6 runs have not been run yet" in text
    assert not list(tmp_path.glob("*.png"))


def test_a_suite_without_contrasts_has_no_answer(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study]
) -> None:
    """It says what is missing."""
    text = TINY[: TINY.index("contrasts:")]
    study = run_suite(suite_of(text=text))
    assert "the suite declares no contrast" in write.text(study)
    assert "- The suite declares no contrast, so it answers no question." in write.text(study)


def test_many_cells_and_metrics_are_told_apart(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study], tmp_path: Path
) -> None:
    """A column for the setting, a panel for each cell."""
    line = "  - {treatment: reptile, baseline: balanced, metric: forgetting, margin: 3 points}\n"
    suite = suite_of(
        (
            "seeds: 3",
            "vary: {method.meta.inner_steps: [1, 2], training.standard.epochs: [1, 2]}\nseeds: 3",
        ),
        text=TINY + line,
    )
    text = write.write(run_suite(suite), tmp_path).read_text()
    assert "| reptile − balanced | inner_steps = 2, epochs = 1 | forgetting |" in text
    assert (tmp_path / "curves.png").exists()


@pytest.mark.parametrize(
    ("found", "lead"),
    [
        ([verdict("MATTERS")], "Yes."),
        ([verdict("MATTERS", -5)], "It matters, but the other way:"),
        ([verdict("MATTERS", -5, "forgetting")], "Yes."),
        ([verdict("MATTERS"), verdict("MATTERS", -5)], "It depends:"),
        ([verdict("MATTERS"), verdict("NEGLIGIBLE")], "In part:"),
        ([verdict("MATTERS", -5), verdict("NEGLIGIBLE")], "In part, the other way:"),
        ([verdict("NEGLIGIBLE")], "No."),
        ([verdict("INCONCLUSIVE")], "Not decided."),
        ([verdict("NEGLIGIBLE"), verdict("INCONCLUSIVE")], "Not shown:"),
        ([verdict("UNTESTABLE")], "Cannot be told."),
    ],
)
def test_the_answers_first_words_follow_from_the_verdicts(found: list[Verdict], lead: str) -> None:
    """A MATTERS in the wrong direction is never a yes."""
    assert answers.lead(found) == lead


def test_an_oracle_is_stamped_also_behind_accuracy(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study]
) -> None:
    """In the answer, in the table and as a warning, with the protocols named."""
    suite = suite_of(
        ("method.meta.update: balanced", "predict: known-task"),
        ("metric: all-classes", "metric: accuracy"),
    )
    study = run_suite(suite)
    report = write.text(study)
    name = "accuracy: all-classes / known-task (ORACLE)"
    assert name in report.splitlines()[2]
    assert f"| {name} |" in report
    assert "is scored by known-task, an ORACLE" in " ".join(study.warnings)
    summary = suite_of(("metric: all-classes", "metric: forgetting@known-task"))
    assert "forgetting@known-task (ORACLE)" in write.text(run_suite(summary))


def test_a_pair_without_a_score_is_listed_though_its_runs_ended(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study], tmp_path: Path
) -> None:
    """P(class | task) is unknown where no task was right."""
    suite = suite_of(("metric: all-classes", "metric: within-task"))
    study = run_suite(suite, tmp_path)
    store = open_store(tmp_path)
    bad = study.runs[0][1]
    none = [[0] * 5 for _ in range(5)]
    hit = replace(
        bad,
        right={**bad.right, "all-classes": none},
        task_right={**bad.task_right, "all-classes": none},
    )
    store.save([hit])
    report = write.text(flow.analyse(suite, store))
    assert "| reptile | 1 | no score | reptile: the score is not finite |" in report


def test_more_seeds_than_declared_are_told(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study]
) -> None:
    """On the first screen."""
    report = write.text(run_suite(replace(suite_of(), seeds=4)))
    assert "> **The suite declares 3 seeds; this report is of 4** (`--seeds`)." in report


def test_a_change_of_seeds_is_told_once_on_the_first_screen(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study]
) -> None:
    """As a change, and neither as another number than declared nor as a deviation too."""
    study = run_suite(flow.with_seeds(suite_of(), 4))
    late = "seeds: registered 3, now 4."
    report = write.text(replace(study, deviations=(late, "alpha: registered 0.1, now 0.05.")))
    screen = report.split("## Arms")[0]
    assert "seeds: 4, not 3" in screen
    assert "The suite declares" not in screen
    assert late not in screen
    assert "alpha: registered" in screen


def test_facts_of_no_content_are_not_listed(study: flow.Study) -> None:
    """An empty mark, and warnings of which there are none."""
    section = write.text(study).split("## Provenance")[1].split("## The suite")[0]
    assert not [line for line in section.splitlines() if line.endswith(("|  |", r"| \[\] |"))]


def test_a_fence_in_the_suite_does_not_end_its_fence() -> None:
    """A longer one is put around it."""
    assert write.fenced("a\n```\nb") == "````yaml\na\n```\nb\n````"


def test_a_bar_in_a_label_does_not_break_a_table() -> None:
    """Arm names are the user's own."""
    from reports.tables import table

    assert table(["a"], [["x | y\nz"]]).splitlines()[-1] == "| x &#124; y z |"


def test_warnings_tell_what_a_reader_should_know(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study]
) -> None:
    """A margin finer than a test row, too few pairs for a sign-flip, an oracle in a contrast."""
    suite = suite_of(
        ("metric: all-classes, margin: 2.0 points", "metric: known-task, margin: 0.1 points")
    )
    said = " ".join(run_suite(suite).warnings)
    assert "0.1 points is less than one test row" in said
    assert "sign-flip or Wilcoxon p cannot go low" in said
    assert "ORACLE" in said
