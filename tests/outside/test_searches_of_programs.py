"""Tuning of programs: their parameters, their metric's direction, their seeds and folders apart."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from ablate.core.tuning_values import TunedArm
from ablate.design.reader import parse_suite
from ablate.errors import SuiteError
from ablate.registry import scan
from ablate.types import Suite
from ablate.workflows.tuner import TUNE_SEEDS, Tuner
from tests.commands.test_cli import ask
from tests.outside import small_programs
from tests.outside.small_programs import FORMS, base

pytestmark = pytest.mark.slow

REST = """
arms: {sgd: {}, adam: {opt: adam, lr: 0.05}}
seeds: 3
same: sgd
tune:
  trials: 5
  seeds: 2
  metric: loss
  held_out: {split: validation}
  space: {lr: {low: 0.001, high: 4.0, log: true}}
contrasts: [{treatment: adam, baseline: sgd, metric: loss, margin: 0.001}]
"""
WILD = REST.replace("high: 4.0, log: true", "high: 5000.0").replace("low: 0.001", "low: 0.05")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tuned(folder: Path, text: str, module: str = "trained_here") -> tuple[int, str, Any]:
    """Tune a suite; gives the exit code, what was said, and the file of values."""
    small_programs.write(folder, text, module)
    code, said = ask("tune", "mine.yaml", "--results", "r", "--workers", "1", "--out", "found.yaml")
    return code, said, yaml.safe_load((folder / "found.yaml").read_text("utf-8"))


def test_a_loss_is_minimised_with_equal_budgets(folder: Path) -> None:
    """Trial 0 is the arm as it is written, the lowest score is taken, and it is no worse."""
    code, said, file = tuned(folder, base("command") + REST)
    assert code == 0, said
    assert (file["better"], file["held_out"], "rows" in file) == (
        "lower",
        {"split": "validation"},
        False,
    )
    for name, first in {"sgd": 0.1, "adam": 0.05}.items():
        trials = file["arms"][name]["trials"]
        assert len(trials) == 5
        assert trials[0]["values"] == {"lr": first}
        best = min(trials, key=lambda trial: trial["score"])
        assert best["score"] < max(trial["score"] for trial in trials)
        assert file["arms"][name]["values"] == best["values"]
        curve = file["arms"][name]["best_of"]
        assert curve == sorted(curve, reverse=True)
    assert "lower is better" in said


def test_trials_share_no_seed_no_rows_and_no_folder_with_the_study(folder: Path) -> None:
    """Each run of a trial is made once, in a folder of its own under the results."""
    tuned(folder, base("command") + REST)
    trials = [line.split() for line in (folder / "made").read_text().splitlines()]
    assert len(trials) == len({*map(tuple, trials)}) == 20
    assert {split for split, *_ in trials} == {"validation"}
    assert min(int(seed) for _, seed, *_ in trials) == TUNE_SEEDS
    folders = {path.name for path in (folder / "r/programs/trials/runs").iterdir()}
    assert not (folder / "runs").exists()
    (folder / "made").unlink()
    text = base("command") + REST + "tuned: found.yaml\n"
    (folder / "mine.yaml").write_text(text)
    code, said = ask("run", "mine.yaml", "--results", "r", "--workers", "1")
    assert code in (0, 4), said
    runs = [line.split() for line in (folder / "made").read_text().splitlines()]
    assert {split for split, *_ in runs} == {"test"}
    assert not {seed for _, seed, *_ in runs} & {seed for _, seed, *_ in trials}
    assert not folders & {path.name for path in (folder / "r/programs/runs").iterdir()}


def test_a_search_goes_on_where_it_ended(folder: Path) -> None:
    """What is done is not done again, and leads to the same values."""
    _, _, first = tuned(folder, base("command") + REST)
    (folder / "made").unlink()
    _, _, again = tuned(folder, base("command") + REST)
    assert first == again
    assert not (folder / "made").exists()


def test_a_command_and_a_function_are_tuned_alike(folder: Path) -> None:
    """The same arithmetic: the same trials, scores and values."""
    files = {}
    for form in FORMS:
        (folder / form).mkdir()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder / form)
            text = base(form, "tuned_alike") + REST
            files[form] = tuned(folder / form, text, "tuned_alike")[2]
    assert files["command"] == files["function"]


def test_the_report_says_the_budget_and_verify_reads_it(folder: Path) -> None:
    """With values of the file, whatever becomes of that; an A/A twin is tuned as its arm is."""
    tuned(folder, base("command") + REST)
    (folder / "mine.yaml").write_text(base("command") + REST + "tuned: found.yaml\n")
    ask("run", "mine.yaml", "--results", "r", "--workers", "1")
    report = folder / "r/mine/report.md"
    text = report.read_text("utf-8")
    screen = text.partition("\n## ")[0]
    assert (
        "Tuned with 5 trials each (2 seeds a trial), by loss as the program says it with split "
        "validation; seeds of this study were not used." in screen
    )
    assert "Values were chosen by a metric" not in screen
    assert "Not tuned" not in screen
    assert "| arm | as written | best of 1 | best of 2 | best of 4 | best of 5 | taken |" in text
    (folder / "found.yaml").unlink()
    assert ask("verify", report) == (0, "Every number agrees with the store.\n")


@pytest.mark.parametrize(
    ("metric", "says"),
    [("loss", "Values were chosen by a metric"), ("gain", "Whether it is of rows that claims")],
)
def test_without_rows_held_out_the_first_screen_says_so(
    folder: Path, metric: str, says: str
) -> None:
    """Of a metric that is claimed about, and of one that is not."""
    text = REST.replace("  held_out: {split: validation}\n", "").replace("trials: 5", "trials: 1")
    text = text.replace("  metric: loss", f"  metric: {metric}")
    tuned(folder, base("command") + text)
    (folder / "mine.yaml").write_text(base("command") + text + "tuned: found.yaml\n")
    ask("run", "mine.yaml", "--results", "r", "--workers", "1")
    assert says in (folder / "r/mine/report.md").read_text("utf-8").partition("\n## ")[0]


@pytest.mark.parametrize("form", FORMS)
def test_a_trial_that_crashes_has_no_score_and_is_not_taken(folder: Path, form: str) -> None:
    """Not 0, which is the best loss; the report counts it, and is verified."""
    code, said, file = tuned(folder, base(form, f"wild_{form}") + WILD, f"wild_{form}")
    assert code == 3
    assert "a trial with one has no score" in said
    trials = file["arms"]["sgd"]["trials"]
    lost = [trial for trial in trials if trial["score"] is None]
    assert 0 < len(lost) < len(trials)
    assert all(trial["values"]["lr"] > 5 for trial in lost)
    assert file["arms"]["sgd"]["values"]["lr"] <= 5
    text = base(form, f"wild_{form}") + WILD + "tuned: found.yaml\n"
    (folder / "mine.yaml").write_text(text)
    ask("run", "mine.yaml", "--results", "r", "--workers", "1")
    report = (folder / "r/mine/report.md").read_text("utf-8")
    assert f"| {len(lost)} of 5 | " in report
    assert ask("verify", folder / "r/mine/report.md")[0] == 0


def test_where_every_trial_crashes_the_arm_stays_as_it_is_written(folder: Path) -> None:
    """It has no score to be chosen by."""
    text = base("command").replace("lr: 0.1", "lr: 9.0")
    _, said, file = tuned(
        folder,
        text
        + WILD.replace("low: 0.05", "low: 8.0").replace(
            "opt: adam, lr: 0.05", "opt: adam, lr: 8.5"
        ),
    )
    assert {trial["score"] for trial in file["arms"]["sgd"]["trials"]} == {None}
    assert file["arms"]["sgd"]["values"] == {"lr": 9.0}
    assert "lost ->     lost" in said


def test_lost_trials_rank_last_in_either_direction() -> None:
    """By hand: of 1, lost and 3, the mean of best-of-1 has the worst of the others for the lost."""
    scores, spreads = (1.0, math.nan, 3.0), (0.0,) * 3
    higher = TunedArm({}, scores, spreads)
    lower = TunedArm({}, scores, spreads, lower=True)
    assert (higher.best, lower.best) == (2, 0)
    assert higher.expected_best(1) == pytest.approx((1 + 1 + 3) / 3)
    assert lower.expected_best(1) == pytest.approx((1 + 3 + 3) / 3)
    assert (higher.gain, lower.gain) == (2.0, 0.0)


def read(text: str) -> Suite:
    return parse_suite(text.encode(), "mine", "mine.yaml", scan())


@pytest.mark.parametrize(
    ("params", "space", "whole"),
    [
        ("n: 4", "{low: 1, high: 8}", True),
        ("n: 4", "{low: 0.5, high: 8}", False),
        ("n: 4.0", "{low: 1, high: 8}", False),
        ("n: null", "{low: 1, high: 8}", True),
    ],
)
def test_a_range_is_of_whole_numbers_where_base_and_ends_are(
    params: str, space: str, whole: bool
) -> None:
    """A number with decimals asks for such numbers."""
    text = base("command").replace("lr: 0.1", f"lr: 0.1, {params}")
    (dial,) = read(
        text + REST.replace("lr: {low: 0.001, high: 4.0, log: true}", f"n: {space}")
    ).search.dials  # type: ignore[union-attr]
    assert dial.whole == whole


def test_values_of_any_kind_are_tried_and_written(folder: Path) -> None:
    """Lists, switches and null among them; 1 is not true."""
    text = base("command").replace("lr: 0.1", "lr: 0.1, widths: [8], on: true, top: null")
    space = "{widths: [[8], [8, 8]], on: [true, false], top: [null, 1, 2]}"
    search = REST.replace("{lr: {low: 0.001, high: 4.0, log: true}}", space)
    made = Tuner(lambda own: _with(text + search, own), folder, scan())
    suite = made.ask()
    assert made.asked["sgd"][1] == {"widths": [8], "on": True, "top": None}
    assert len(suite.variants) == 2


def _with(text: str, own: Any) -> Suite:
    return parse_suite(text.encode(), "mine", "mine.yaml", scan(), values=own)


FAULTS: list[tuple[str, str, str]] = [
    ("metric: loss\n  held", "metric: los\n  held", r":17:11: 'los' for the metric of tune"),
    ("  metric: loss\n", "", "tune without a metric; allowed: loss, gain, flops"),
    ("trials: 5", "rows: 5", "rows in tune of a program; allowed: held_out"),
    ("trials: 5", "trails: 5", "tune of a program has no 'trails'"),
    ("split: validation", "split: test", "for split, as in the base"),
    ("split: validation", "lr: 0.2", "'lr' is tuned and held out too"),
    ("split: validation", "splt: x", "unknown parameter 'splt'"),
    ("split: validation", "split: 3", "3 for split; allowed: a value like 'test'"),
    ("space: {lr:", "space: {rate:", "unknown parameter 'rate'"),
    ("{low: 0.001, high: 4.0, log: true}", "[0.1, fast]", "'fast' .text. for lr"),
    ("{low: 0.001, high: 4.0, log: true}", "[0.1, 0.1]", "0.1 more than once"),
    ("lr: {low: 0.001, high: 4.0, log: true}", "opt: {low: 0, high: 1}", "a range for opt"),
    (
        "lr: {low: 0.001, high: 4.0, log: true}",
        "opt: [sgd, adam], lr: [0.1, 0.05]",
        ":14:1: 'sgd' and 'adam' differ in nothing but what is tuned",
    ),
    ("seeds: 3", "seeds: 3\nvary: {lr: [0.1, 0.2]}", "is tuned and set by vary too"),
    ("seeds: 3", "seeds: 3\ntuned: missing.yaml", "no tuned values at"),
    ("seeds: 3", "seeds: 3\nprecision: float64", "allowed: a parameter that the program reads"),
    ("adam: {opt: adam", "adam: {preset: itaml, opt: adam", "a preset for a program"),
]


@pytest.mark.parametrize(("old", "new", "said"), FAULTS, ids=[new for _, new, _ in FAULTS])
def test_faults_of_a_search_show_when_the_suite_is_read(old: str, new: str, said: str) -> None:
    """At their place, with what to write instead."""
    text = base("command") + REST
    assert old in text
    with pytest.raises(SuiteError, match=said):
        read(text.replace(old, new, 1))


def test_runs_that_were_imported_are_not_tuned() -> None:
    """Nothing here can make more of them."""
    text = base("command").replace(small_programs.COMMAND, "imported: {readers: [a], from: [b]}")
    with pytest.raises(SuiteError, match="tune of imported runs"):
        read(text + REST)


def test_values_that_were_tuned_for_another_arm_are_refused(folder: Path) -> None:
    """An arm that was written otherwise since, by its short name or in full."""
    tuned(folder, base("command") + REST)
    text = base("command") + REST + "tuned: found.yaml\n"
    for now in ("lr: 0.06", "method.external.params.lr: 0.06"):
        changed = text.replace("lr: 0.05", now)
        with pytest.raises(SuiteError, match=r"arm 'adam' has 0.06 at lr, and had 0.05 when tuned"):
            parse_suite(changed.encode(), "mine", "m.yaml", scan(), folder=folder)


def test_arms_of_an_ablation_that_screens_are_tuned(folder: Path) -> None:
    """The screened arms have no values of their own, and are no unknown arms."""
    parts = "ablate: {parts: {long: {epochs: 1}, late: {epochs: 2}}, screen: {seeds: 3}, "
    parts = parts.replace("late: {epochs: 2}", "opt: {opt: adam}")
    rest = REST.replace("arms: {sgd: {}, adam: {opt: adam, lr: 0.05}}\n", "").replace(
        "same: sgd\n", ""
    )
    rest = rest[: rest.index("contrasts")].replace("trials: 5", "trials: 1")
    code, said, file = tuned(
        folder, base("command") + parts + "metric: loss, margin: 0.001}" + rest
    )
    assert code == 0, said
    assert [*file["arms"]] == ["full", "without long", "without opt"]
