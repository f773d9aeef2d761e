"""Tuning: one budget for every arm, rows and seeds that no verdict sees, resumed after a kill."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from ablate import flow
from ablate.core import resources
from ablate.core.tuning_values import Dial, TunedArm
from ablate.design.reader import parse_suite
from ablate.design.tuning.tuned_file import place, writable
from ablate.design.tuning.tuning_keys import Own
from ablate.errors import SelectionError, StoreError, SuiteError
from ablate.records.store import open_store
from ablate.registry import scan
from ablate.streams import batch_tables
from ablate.types import Facts, Site, Suite
from ablate.workflows.tuner import TUNE_SEEDS, Tuner, first_seed

pytestmark = pytest.mark.slow

CATALOGUE = scan()
TEXT = """
question: Does the learning rate explain it?
base:
  dataset: {digits: {tasks: 5, train_per_class: 15, test_per_class: 5}}
  model: {mlp: {widths: [6]}}
  memory: {random: {budget_rows: 20}}
  optimizer: {sgd: {lr: 0.1}}
  training: {standard: {epochs: 1, batch_rows: 8}}
  method: replay
arms:
  replay: {}
  dark: {method: {der++: {alpha: 0.3}}}
seeds: 4
tune:
  trials: 4
  seeds: 2
  rows: 5
  space:
    optimizer.sgd.lr: {low: 0.01, high: 1.0, log: true}
    method.der++.alpha: [0.0, 0.3, 1.0]
contrasts: [{treatment: dark, baseline: replay, metric: all-classes, margin: 1 points}]
"""


def read(own: Own | None = None, text: str = TEXT, folder: Path = Path()) -> Suite:
    return parse_suite(text.encode(), "tuning", "tuning.yaml", CATALOGUE, values=own, folder=folder)


def tuner(text: str = TEXT) -> Tuner:
    return Tuner(lambda own: read(own, text), Path("data"), CATALOGUE)


def play(made: Tuner, folder: Path, trials: int = 4) -> list[Suite]:
    """Play some rounds in this process and give the suites that were asked for."""
    asked = []
    with closing(open_store(folder)) as store:
        for _ in range(trials):
            suite = made.ask()
            work = flow.prepare(suite, Path("data"), store)
            list(flow.run(work, store, Site("data", "cpu")))
            made.tell(suite, store.load(work.plan.runs))
            asked.append(suite)
    return asked


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tuner, list[Suite], Path]:
    """Play a whole search once."""
    made, folder = tuner(), tmp_path_factory.mktemp("tuned")
    return made, play(made, folder), folder


Played = tuple[Tuner, list[Suite], Path]


def test_the_first_trial_is_the_suite_as_it_is_written(played: Played) -> None:
    """And every arm has as many trials, of the dials that it has."""
    made, _, _ = played
    assert made.trials["replay"][0].values == {"optimizer.sgd.lr": 0.1}
    assert made.trials["dark"][0].values == {"optimizer.sgd.lr": 0.1, "method.der++.alpha": 0.3}
    assert {len(trials) for trials in made.trials.values()} == {4}
    rates = {trial.values["optimizer.sgd.lr"] for trial in made.trials["replay"]}
    assert len(rates) == 4
    assert all(0.01 <= rate <= 1 and float(f"{rate:.3g}") == rate for rate in rates)


def test_trials_share_no_seed_no_class_order_and_no_test_row_with_the_study(played: Played) -> None:
    """Their rows are training rows of the study, parted into rows to train on and to score."""
    _, asked, _ = played
    ours = {variant.first_seed + seed for variant in read({}).variants for seed in range(4)}
    orders = {tuple(batch_tables.class_order(seed, 10, "seeded")) for seed in ours}
    data = CATALOGUE.build(read({}).variants[0].choices["dataset"]).load(Path("data"))
    known = {row.tobytes() for row in data.x_train}
    for suite in asked:
        seeds = {variant.first_seed + seed for variant in suite.variants for seed in range(2)}
        assert min(seeds) >= TUNE_SEEDS
        assert not {tuple(batch_tables.class_order(seed, 10, "seeded")) for seed in seeds} & orders
        found = [
            CATALOGUE.build(one.choices["dataset"]).load(Path("data")) for one in suite.variants
        ]
        for one in found:
            tried, scored = ({row.tobytes() for row in part} for part in (one.x_train, one.x_test))
            assert tried | scored == known
            assert not tried & scored
            assert np.bincount(one.y_test).tolist() == [5] * 10
            assert np.array_equal(one.x_test, found[0].x_test)  # every arm, every seed


def test_the_best_trial_is_taken_and_the_suite_has_its_values(
    played: Played, tmp_path: Path
) -> None:
    """The file names budget, best-of-n and spread; the suite's arms have what it says."""
    made, _, _ = played
    made.write(tmp_path / "found.yaml")
    said = yaml.safe_load((tmp_path / "found.yaml").read_text("utf-8"))
    assert (said["trials"], said["seeds"], said["rows"]) == (4, 2, 5)
    best = max(said["arms"]["dark"]["trials"], key=lambda trial: trial["score"])
    assert said["arms"]["dark"]["values"] == best["values"]
    curve = said["arms"]["dark"]["best_of"]
    assert curve == sorted(curve)
    suite = read(None, TEXT + "tuned: found.yaml\n", tmp_path)
    method = suite.variants[1].choices["method"]
    assert method.settings["alpha"] == best["values"]["method.der++.alpha"]
    assert method.settings["optimizer"].settings["lr"] == best["values"]["optimizer.sgd.lr"]
    assert suite.tuned is not None
    assert suite.tuned.arms["dark"].scores == tuple(
        t["score"] for t in said["arms"]["dark"]["trials"]
    )
    assert read({}, TEXT + "tuned: found.yaml\n", tmp_path).variants == read({}).variants


def test_the_report_says_the_budget_or_that_nothing_was_tuned(
    played: Played, tmp_path: Path
) -> None:
    """On the first screen, with the curve and the spread below."""
    made, _, folder = played
    made.write(tmp_path / "found.yaml")
    words = resources.module("reports.write")
    with closing(open_store(folder)) as store:
        plain = words.text(flow.analyse(read({}), store))
        told = words.text(flow.analyse(read(None, TEXT + "tuned: found.yaml\n", tmp_path), store))
    assert "Not tuned: every arm has the settings" in plain
    assert "Tuned with 4 trials each (2 seeds a trial)" in told.split("## Arms")[0]
    assert "| arm | as written | best of 1 | best of 2 | best of 4 | taken |" in told


def test_expected_best_of_n_by_hand() -> None:
    """Of 1, 2 and 4: the mean is 7/3; of two draws 1/9 + 2 * 3/9 + 4 * 5/9 = 3."""
    arm = TunedArm({}, (2.0, 4.0, 1.0), (0.0, 0.0, 0.0))
    assert arm.expected_best(1) == pytest.approx(7 / 3)
    assert arm.expected_best(2) == pytest.approx(3)
    assert arm.expected_best(1000) == pytest.approx(4)
    assert arm.best == 1


def test_a_file_with_trials_that_nearly_tie_is_read_again(played: Played, tmp_path: Path) -> None:
    """Scores are written in full: rounded, the first of two might pass for the best."""
    made, _, _ = played
    before = made.trials["dark"]
    made.trials["dark"] = [replace(one, score=20 + 1e-6 * i) for i, one in enumerate(before)]
    made.write(tmp_path / "found.yaml")
    suite = read(None, TEXT + "tuned: found.yaml\n", tmp_path)
    made.trials["dark"] = before
    assert suite.tuned is not None
    assert suite.tuned.arms["dark"].best == 3


def test_a_trial_that_diverges_has_no_points(tmp_path: Path) -> None:
    """It is a result, and the search goes on."""
    wild = TEXT.replace("lr: 0.1}}", "lr: 1.0e+30}}").replace("high: 1.0,", "high: 1.0e+31,")
    made = tuner(wild)
    play(made, tmp_path, 1)
    assert [trials[0].score for trials in made.trials.values()] == [0.0, 0.0]


def test_seeds_step_over_class_orders_that_the_study_has() -> None:
    """With two classes there are two orders: a study that has one leaves seeds with the other."""
    text = TEXT.replace("tasks: 5", "tasks: 5, class_order: natural")
    facts = {key: Facts((1, 8, 8), 2, 10, 5, "") for key in tuner(text).facts}
    start = first_seed(read({}, text), 3, facts, CATALOGUE)
    orders = [batch_tables.class_order(start + seed, 2, "seeded").tolist() for seed in range(3)]
    assert orders == [[1, 0]] * 3


FAULTS: list[tuple[str, str, str]] = [
    ("trials: 4", "trials: 0", "0 for trials"),
    ("trials: 4", "trails: 4", "tune has no 'trails'"),
    ("rows: 5", "metric: al-classes", "'al-classes' for the metric of tune"),
    ("rows: 5", "metric: known-task", "'known-task' for the metric of tune"),
    ("optimizer.sgd.lr:", "optimizer.adam.lr:", "reaches no arm"),
    ("{low: 0.01, high: 1.0, log: true}", "{low: 1.0, high: 0.1}", "for optimizer.sgd.lr"),
    ("{low: 0.01, high: 1.0, log: true}", "[0.1]", "a list of at least two values"),
    ("{low: 0.01, high: 1.0, log: true}", "{low: 0, high: 1, log: true}", "for optimizer.sgd.lr"),
    ("{low: 0.01, high: 1.0, log: true}", "{low: -1.0, high: 1.0}", "-1.0 for lr"),
    ("{low: 0.01, high: 1.0, log: true}", "{low: 0.1, high: .inf}", "for optimizer.sgd.lr"),
    ("{low: 0.01, high: 1.0, log: true}", "{low: false, high: 1}", "for optimizer.sgd.lr"),
    ("{low: 0.01, high: 1.0, log: true}", "[0.1, fast]", "fast"),
    ("optimizer.sgd.lr:", "optimizer.sgd.speed:", "sgd has no 'speed'"),
    ("method.der++.alpha: [0.0, 0.3, 1.0]", "method.der++.alhpa: [0.0, 0.3]", "mean 'alpha'"),
    ("method.der++.alpha: [0.0, 0.3, 1.0]", "dataset.digits.tasks: [5, 2]", "dataset.digits.tasks"),
    (
        "method.der++.alpha: [0.0, 0.3, 1.0]",
        "training.standard.schedule: [constant, null]",
        "a component",
    ),
    ("seeds: 4", "seeds: 4\nvary: {optimizer.sgd.lr: [0.1, 0.2]}", "is tuned and set by vary too"),
    ("seeds: 4", "seeds: 4\ntuned: missing.yaml", "no tuned values at"),
    ("seeds: 4", "seeds: 4\ntuned: [a]", "for tuned"),
    ("seeds: 4", "seeds: 4\ntuned: empty.yaml", "holds no tuned values"),
    ("seeds: 4", "seeds: 4\ntuned: edited.yaml", "not those of its best trial"),
    ("seeds: 4", "seeds: 4\ntuned: fewer.yaml", "1 trials of dark where 500 are said"),
    ("seeds: 4", "seeds: 4\ntuned: stale.yaml", "and had 0.7 when tuned"),
    ("seeds: 4", "seeds: 4\ntuned: broken.yaml", "holds no tuned values"),
    ("seeds: 4", "seeds: 4\ntuned: other.yaml", "unknown arm 'darkk'"),
    ("seeds: 4", "seeds: 4\ntuned: paths.yaml", "a tuned value at 'method.ewc.strength'"),
]


@pytest.mark.parametrize(("old", "new", "said"), FAULTS, ids=[new for _, new, _ in FAULTS])
def test_faults_of_tuning_show_when_the_suite_is_read(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    """At their place, all of them."""
    (tmp_path / "broken.yaml").write_text("arms: 3\n")
    head = "data: digits\ntrials: 1\nseeds: 1\nmetric: all-classes\nrows: 5\nchanges: []\n"
    values = {
        "other": ("darkk", ""),
        "paths": ("dark", "method.ewc.strength: 3.0"),
        "stale": ("dark", "optimizer.sgd.lr: 0.7"),
    }
    for name, (arm, value) in values.items():
        trial = f"{{score: 1, spread: 0, values: {{{value}}}}}"
        told = f"arms: {{{arm}: {{values: {{{value}}}, trials: [{trial}]}}}}\n"
        (tmp_path / f"{name}.yaml").write_text(head + told)
    stale = (tmp_path / "stale.yaml").read_text()
    edited = stale.replace("{values: {optimizer.sgd.lr: 0.7}", "{values: {optimizer.sgd.lr: 9}", 1)
    (tmp_path / "edited.yaml").write_text(edited)
    (tmp_path / "fewer.yaml").write_text(edited.replace("trials: 1\n", "trials: 500\n"))
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(SuiteError, match=said.replace("(", r"\(")):
        read(None, TEXT.replace(old, new), tmp_path)


def test_a_suite_outside_its_own_space_cannot_be_tuned() -> None:
    """Trial 0 is the suite as it is written."""
    with pytest.raises(SelectionError, match="widen the space"):
        tuner(TEXT.replace("low: 0.01", "low: 0.5"))
    with pytest.raises(SelectionError, match="no key `tune`"):
        tuner(TEXT.split("tune:")[0])
    assert Dial("a", 1, 8, whole=True).holds(3)


def test_an_arm_with_an_optimizer_of_its_own_is_tuned_where_it_has_it() -> None:
    """Not at the base's, which its own hides."""
    text = TEXT.replace(
        "{der++: {alpha: 0.3}}", "{der++: {alpha: 0.3, optimizer: {sgd: {lr: 0.3}}}}"
    )
    assert tuner(text).arms["dark"][0][1] == 0.3
    suite = read({"dark": {"optimizer.sgd.lr": 0.125}}, text)
    rates = [v.choices["method"].settings["optimizer"].settings["lr"] for v in suite.variants]
    assert rates == [0.1, 0.125]


def test_settings_that_are_null_and_numbers_by_their_field_are_tuned() -> None:
    """Null is a value; whole ends do not make a real number whole."""
    space = (
        "training.standard.first_epochs: [null, 2]\n    optimizer.sgd.momentum: {low: 0, high: 0.9}"
    )
    made = tuner(TEXT.replace("method.der++.alpha: [0.0, 0.3, 1.0]", space))
    found = {dial.path: (dial, value) for dial, value in made.arms["replay"]}
    assert found["training.standard.first_epochs"][1] is None
    assert not found["optimizer.sgd.momentum"][0].whole


def test_arms_that_the_space_does_not_reach_are_named() -> None:
    """They get no trials, and stay as they are written."""
    made = tuner(TEXT.replace("optimizer.sgd.lr: {low: 0.01, high: 1.0, log: true}\n    ", ""))
    assert ([*made.arms], made.untouched) == (["dark"], ["replay"])
    assert tuner().untouched == []


def test_an_arm_and_its_twin_are_tuned_as_one() -> None:
    """The twin is the same arm on other seeds."""
    made = tuner(TEXT + "same: replay\n")
    assert [*made.arms] == ["replay", "dark"]
    assert {variant.arm for variant in made.ask().variants} == {"replay", "dark"}


def test_places_where_values_cannot_go_are_refused_before_the_search(tmp_path: Path) -> None:
    """A folder, or a folder that cannot be made."""
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "x.yaml"):
        with pytest.raises(StoreError, match=str(tmp_path)):
            writable(path)
    assert writable(tmp_path / "new" / "x.yaml").parent.is_dir()
    with pytest.raises(SelectionError, match="at most half"):
        tuner(TEXT.replace("rows: 5", "rows: 9"))


@pytest.mark.parametrize(
    "named", ["../outside.yaml", "/tmp/x/tuned.yaml", "a/../../b.yaml", "link/x.yaml", "gone.yaml"]
)
def test_tuned_values_are_not_written_where_a_suite_has_no_business(
    named: str, tmp_path: Path
) -> None:
    """Refused with the place of the name, whichever way it leads outside."""
    folder, results = tmp_path / "suites", tmp_path / "results"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    (folder / "gone.yaml").symlink_to(tmp_path / "nothing.yaml")
    suite = read({}, TEXT + f"tuned: {named}\n", folder)
    with pytest.raises(
        SuiteError, match=r"tuning.yaml:\d+:8: tuned values at .*, outside; allowed:"
    ):
        place(suite, folder, results)


def test_tuned_values_go_under_the_suite_or_the_results(tmp_path: Path) -> None:
    """Below either."""
    folder, results = tmp_path / "suites", tmp_path / "results"
    for named, there in (
        ("tuned/x.yaml", folder / "tuned/x.yaml"),
        ("../results/x.yaml", folder / "../results/x.yaml"),
        (str(results / "y.yaml"), results / "y.yaml"),
    ):
        assert place(read({}, TEXT + f"tuned: {named}\n"), folder, results) == there
    assert place(read({}, TEXT), folder, results) == results / "tuning" / "tuned.yaml"
    with pytest.raises(SuiteError, match="for tuned"):
        read({}, TEXT + "tuned: [a]\n")


def test_only_a_file_that_tune_wrote_is_replaced(played: Played, tmp_path: Path) -> None:
    """Not a suite, not somebody's notes, not one that was edited since; and nothing beside it."""
    made, _, _ = played
    path = tmp_path / "tuned.yaml"
    (tmp_path / "tuned.part").write_text("mine", "utf-8")
    made.write(path)
    first = path.read_text("utf-8")
    made.write(writable(path))
    assert path.read_text("utf-8") == first
    assert sorted(one.name for one in tmp_path.iterdir()) == ["tuned.part", "tuned.yaml"]
    head = first.splitlines(keepends=True)[0]
    for text in (
        TEXT,
        "",
        "# mine\n",
        head,
        head + TEXT,
        first.replace("  values:", "  value:", 1),
        first.removeprefix(head),
        "\x00\xff",
    ):
        path.write_text(text, "utf-8")
        with pytest.raises(StoreError, match="was not written by `tune`"):
            writable(path)
        with pytest.raises(StoreError, match="was not written by `tune`"):
            made.write(path)
        assert path.read_text("utf-8") == text


def test_a_tuned_report_is_verified_from_anywhere(
    played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The values it was made with stand in it."""
    made, _, _ = played
    made.write(tmp_path / "found.yaml")
    suite = read(None, TEXT.replace("seeds: 4", "seeds: 2") + "tuned: found.yaml\n", tmp_path)
    results = tmp_path / "results"
    with closing(open_store(results)) as store:
        work = flow.prepare(suite, Path("data"), store)
        list(flow.run(work, store, Site("data", "cpu")))
        report = resources.module("reports.write").write(flow.analyse(suite, store), results / "t")
        (tmp_path / "found.yaml").unlink()
        monkeypatch.chdir(results)
        assert [*resources.module("reports.verify").verify(report, store)] == []


def rows_in(store: Path) -> int:
    if not store.exists():
        return 0
    with closing(sqlite3.connect(store)) as link:
        try:
            return int(link.execute("select count(*) from runs").fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def test_a_killed_search_goes_on_and_spends_exactly_its_budget(
    played: Played, tmp_path: Path
) -> None:
    """SIGKILL in the middle; afterwards the same values, and the same runs as without it."""
    made, _, folder = played
    suite = tmp_path / "tuning.yaml"
    suite.write_text(TEXT)
    results = tmp_path / "results"
    command: list[Any] = [sys.executable, "-m", "ablate", "tune", suite, "--results", results]
    command += ["--workers", "1", "--out", tmp_path / "found.yaml"]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    began = time.monotonic()
    while rows_in(results / "runs.sqlite") < 3 and time.monotonic() - began < 100:
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    before = rows_in(results / "runs.sqlite")
    assert 0 < before < 16
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
    assert "4 trials of 2 seeds for each of 2 arms" in done.stdout
    assert rows_in(results / "runs.sqlite") == rows_in(folder / "runs.sqlite") <= 16
    made.write(tmp_path / "again.yaml")
    found, again = (
        yaml.safe_load((tmp_path / name).read_text()) for name in ("found.yaml", "again.yaml")
    )
    assert found == again
