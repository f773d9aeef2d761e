"""Parts of somebody's own program, left out one at a time: dead, redundant, live, screened."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from jsonschema import Draft202012Validator

from ablate import flow
from ablate.analysis.leave_one_out.readings import Standing, parts
from ablate.design.json_schema import suite_schema
from ablate.errors import ExitCode, SelectionError
from ablate.plan.run_keys import keys
from ablate.records.store import open_store
from ablate.registry import scan
from ablate.types import Decision
from tests.commands.test_cli import ask

TRAIN = """
import random

PARTS = ("live", "idle", "first", "second", "hurting")

def train(seed, **given):
    here = random.Random(f"{seed} {sorted(given.items())}").gauss(0, 0.3)
    score = 50 + random.Random(seed).gauss(0, 5) + here
    score += 4 * given["live"] - 4 * given["hurting"]
    return {"score": score + 4 * (given["first"] or given["second"])}
"""
SUITE = """
question: Which part is needed?
base:
  method:
    external:
      function: trained:train
      params: {live: true, idle: true, first: true, second: true, hurting: true}
      metrics: {score: {}}
ablate:
  parts: [live, idle, first, second, hurting]
  metric: score
  margin: 2
  pairs: true
seeds: 8
"""
SCREEN = "  screen: {seeds: 3}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stand in a folder with the function and its suite."""
    (tmp_path / "trained.py").write_text(TRAIN)
    (tmp_path / "mine.yaml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    sys.modules.pop("trained", None)


def screened(folder: Path, suite: str = SUITE) -> None:
    (folder / "mine.yaml").write_text(suite.replace("  pairs: true\n", f"  pairs: true\n{SCREEN}"))


def test_dead_and_redundant_parts_are_told_apart(folder: Path) -> None:
    """Neither of two that stand in for each other is missed alone; both together are."""
    code, said = ask("run", "mine.yaml", "--results", "r", "--workers", "1")
    assert code == 0, said
    study = flow.analyse(flow.open_suite("mine.yaml"), open_store(folder / "r"))
    read = {part.name: part for part in parts(study.suite, study.verdicts)}
    assert {name: part.standing for name, part in read.items()} == {
        "live": Standing.MATTERS,
        "idle": Standing.DEAD,
        "first": Standing.REDUNDANT,
        "second": Standing.REDUNDANT,
        "hurting": Standing.MATTERS,
    }
    assert (read["first"].partners, read["second"].partners) == (("second",), ("first",))
    assert read["live"].alone.estimate == pytest.approx(-4, abs=0.5)
    assert read["hurting"].alone.estimate == pytest.approx(4, abs=0.5)
    report = (folder / "r/mine/report.md").read_text("utf-8")
    assert "## What each part is worth" in report
    first = report.split("\n\n")[1]
    assert "redundant: first with second" in first
    assert "dead: idle" in first
    assert ask("verify", "r/mine/report.md")[0] == 0


def test_without_pairs_no_part_is_called_dead(folder: Path) -> None:
    """What nobody asked stays unsaid."""
    (folder / "mine.yaml").write_text(SUITE.replace("  pairs: true\n", ""))
    assert ask("run", "mine.yaml", "--results", "r", "--workers", "1")[0] == 0
    study = flow.analyse(flow.open_suite("mine.yaml"), open_store(folder / "r"))
    standings = {part.name: part.standing for part in parts(study.suite, study.verdicts)}
    assert standings["idle"] == standings["first"] == Standing.SPARE
    assert "dead" not in (folder / "r/mine/report.md").read_text("utf-8").split("## Arms")[0]


def test_what_is_left_behind_is_not_confirmed_and_never_negligible(folder: Path) -> None:
    """Screened on seeds of their own, 16 combinations; claims on those carried on alone."""
    screened(folder)
    code, said = ask("plan", "mine.yaml", "--results", "r")
    assert "16 arms x 3 seeds" in said
    code, said = ask("run", "mine.yaml", "--results", "r", "--workers", "1")
    assert code == 0, said
    assert "not confirmed          idle" in said
    assert "NEGLIGIBLE             without idle" not in said
    suite = flow.open_suite("mine.yaml")
    study = flow.analyse(suite, open_store(folder / "r"))
    assert study.screened is not None
    assert study.screened.left_behind == ("idle",)
    assert {part.name for part in parts(study.suite, study.verdicts)} == {*study.screened.carried}
    # 4 parts alone and 6 pairs, of 5 and 10
    assert len(study.verdicts) == 10
    used = {seed for runs in study.runs for seed in runs}
    assert used == {*range(3, 11)}
    assert "**not confirmed**" in (folder / "r/mine/report.md").read_text("utf-8")
    assert ask("verify", "r/mine/report.md")[0] == 0
    code, said = ask("plan", "mine.yaml", "--results", "r")
    assert "0 to run" in said
    assert "11 arms x 8 seeds" in said


def test_screened_effects_are_means_over_the_other_parts(folder: Path) -> None:
    """Worked out from the stored scores; a redundant part shows half of what both are worth."""
    screened(folder)
    assert ask("run", "mine.yaml", "--results", "r", "--workers", "1")[0] == 0
    suite = flow.open_suite("mine.yaml")
    assert suite.screening is not None
    store = open_store(folder / "r")
    study = flow.analyse(suite, store)
    assert study.screened is not None
    first = suite.screening
    there = flow.records(first, store)
    scores = np.array([[there[key].scores["score"][-1][-1] for key in row] for row in keys(first)])
    for effect in study.screened.effects:
        lacks = np.array([effect.part in first.lacks[v.arm] for v in first.variants])
        by_seed = scores[lacks].mean(0) - scores[~lacks].mean(0)
        assert effect.mean == pytest.approx(by_seed.mean())
        assert effect.low < by_seed.mean() < effect.high
    means = {effect.part: effect.mean for effect in study.screened.effects}
    assert means["live"] == pytest.approx(-4, abs=0.5)
    assert means["first"] == pytest.approx(-2, abs=0.5)


def test_nothing_carried_on_makes_no_claim(folder: Path) -> None:
    """Every part is left behind at a margin that nothing reaches; the exit code is that of done."""
    screened(folder, SUITE.replace("margin: 2", "margin: 40"))
    code, said = ask("run", "mine.yaml", "--results", "r", "--workers", "1")
    assert code == 0, said
    assert "NEGLIGIBLE" not in said
    study = flow.analyse(flow.open_suite("mine.yaml"), open_store(folder / "r"))
    assert study.verdicts == ()
    assert study.screened is not None
    assert study.screened.carried == ()
    assert "ot confirmed" in (folder / "r/mine/report.md").read_text("utf-8").split("\n\n")[1]


def test_a_screening_that_was_cut_short_goes_on(folder: Path) -> None:
    """No report before; nothing twice after."""
    screened(folder)
    suite = flow.open_suite("mine.yaml")
    with pytest.raises(SelectionError, match="not screened yet"):
        flow.analyse(suite, open_store(folder / "r"))
    assert suite.screening is not None
    store = open_store(folder / "r")
    assert flow.stage(suite, store) is suite.screening
    assert ask("run", "mine.yaml", "--results", "r", "--workers", "1")[0] == 0
    code, said = ask("run", "mine.yaml", "--results", "r", "--workers", "1")
    assert code == 0
    assert said.count(", 0 to run") == 2


def test_a_lost_run_carries_its_parts_on(folder: Path) -> None:
    """What cannot be screened is claimed about."""
    broken = TRAIN.replace(
        "    here =", "    if seed < 4 and not given['live']: raise ValueError('no')\n    here ="
    )
    (folder / "trained.py").write_text(broken)
    screened(folder)
    assert ask("run", "mine.yaml", "--results", "r", "--workers", "1")[0] == ExitCode.RUNS_LOST
    study = flow.analyse(flow.open_suite("mine.yaml"), open_store(folder / "r"))
    assert study.screened is not None
    assert study.screened.left_behind == ()
    assert study.screened.lost == 3
    assert "too few seeds" in (folder / "r/mine/report.md").read_text("utf-8")


def test_a_suite_of_components_is_screened_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same block, with paths for parts."""
    from tests.conftest import TINY

    monkeypatch.chdir(tmp_path)
    text = TINY.split("arms:")[0] + (
        "ablate:\n  parts: {memory: {memory: none}, rate: {method.meta.optimizer.sgd.lr: 0.29}}\n"
        "  metric: all-classes\n  margin: 30 points\n  screen: {seeds: 3}\nseeds: 5\n"
    )
    (tmp_path / "mine.yaml").write_text(text)
    code, said = ask("run", "mine.yaml", "--results", "r", "--workers", "1")
    assert code == 0, said
    assert "not confirmed          rate" in said


@pytest.mark.parametrize("edit", [("", ""), ("  pairs: true\n", f"  pairs: true\n{SCREEN}")])
def test_the_schema_knows_the_block(edit: tuple[str, str]) -> None:
    """As the reader does."""
    schema = suite_schema(scan())
    document = yaml.safe_load(SUITE.replace(*edit))
    assert not list(Draft202012Validator(schema).iter_errors(json.loads(json.dumps(document))))
    document["ablate"]["paars"] = True
    assert list(Draft202012Validator(schema).iter_errors(document))


def test_a_verdict_that_is_open_says_nothing_of_a_part(folder: Path) -> None:
    """Nor do those of others make it dead."""
    (folder / "mine.yaml").write_text(SUITE.replace("margin: 2", "margin: 0.05"))
    assert ask("run", "mine.yaml", "--results", "r", "--workers", "1")[0] == 0
    study = flow.analyse(flow.open_suite("mine.yaml"), open_store(folder / "r"))
    read = {part.name: part for part in parts(study.suite, study.verdicts)}
    assert read["idle"].alone.decision == Decision.INCONCLUSIVE
    assert read["idle"].standing == Standing.OPEN
