"""Suites of somebody's own program: read, run, resumed, judged and reported like any other."""

from __future__ import annotations

import contextlib
import copy
import math
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from ablate.design.json_schema import suite_schema
from ablate.design.reader import parse_suite
from ablate.errors import SuiteError
from ablate.plan.run_keys import keys
from ablate.registry import Catalogue, scan
from ablate.types import Suite
from tests.commands.test_cli import ask

TRAIN = """
import argparse, json, random
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--aug")
parser.add_argument("--seed", type=int)
given = parser.parse_args()
split = random.Random(given.seed)
noise = random.Random(f"{given.seed} {given.lr} {given.aug}").gauss(0, 0.004)
accuracy = 0.8 + split.gauss(0, 0.05) + 0.05 * (given.aug == "true") + noise
print("epoch 3 done")
print(json.dumps({"accuracy": accuracy, "loss": 1 - accuracy, "split": str(given.seed)}))
"""

SUITE = """
question: Does augmentation help?
base:
  method:
    external:
      command: [python, train.py, --lr, "{lr}", --aug, "{aug}", --seed, "{seed}"]
      params: {lr: 0.1, aug: true}
      metrics: {accuracy: {range: [0, 1]}, loss: {better: lower}}
      pairs: [split]
arms: {full: {}, no-aug: {aug: false}, slow: {lr: 0.01}}
seeds: 10
contrasts:
  - {treatment: no-aug, baseline: full, metric: accuracy, margin: 0.02}
  - {treatment: slow, baseline: full, metric: accuracy, margin: 0.02}
  - {treatment: no-aug, baseline: full, metric: loss, margin: 0.02}
"""


@pytest.fixture
def read(catalogue: Catalogue) -> Callable[[str], Suite]:
    """Read a suite's text."""
    return lambda text: parse_suite(text.encode(), "mine", "mine.yaml", catalogue)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with the script and its suite."""
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "mine.yaml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_script_is_run_judged_and_resumed(folder: Path) -> None:
    """Thirty runs, three verdicts in the metrics' own units, and nothing twice."""
    code, said = ask("run", "mine.yaml", "--results", "r", "--workers", "2")
    assert code == 0, said
    assert "MATTERS (hurts)        no-aug  −  full  [accuracy]" in said
    assert "NEGLIGIBLE             slow  −  full  [accuracy]" in said
    assert "MATTERS (hurts)        no-aug  −  full  [loss]" in said
    report = (folder / "r/mine/report.md").read_text("utf-8")
    assert "| arm | runs | accuracy | loss | seconds a run |" in report
    assert "Pairing is audited: runs of one seed drew the same split." in report
    assert "points" not in report
    assert "all-classes" not in report
    code, said = ask("run", "mine.yaml", "--results", "r", "--workers", "1")
    assert (code, "0 to run" in said) == (0, True)
    assert ask("verify", "r/mine/report.md")[0] == 0


def test_what_was_edited_is_run_again(folder: Path) -> None:
    """The script is part of what a record rests on."""
    assert ask("run", "mine.yaml", "--results", "r", "--workers", "1", "--seeds", "3")[0] in (0, 4)
    (folder / "train.py").write_text(TRAIN.replace("0.05 *", "0.07 *"))
    said = ask("plan", "mine.yaml", "--results", "r", "--why")[1]
    assert "train.py changed" in said


def test_other_draws_are_no_pairs(folder: Path) -> None:
    """A script whose split depends on the arm is found out by its digests."""
    (folder / "train.py").write_text(TRAIN.replace("str(given.seed)", "str(given.aug)"))
    said = ask("run", "mine.yaml", "--results", "r", "--workers", "1")[1]
    assert "the split stream differs" in said


def test_lost_runs_are_named_and_others_stand(folder: Path) -> None:
    """A seed that one arm fails at costs its pairs alone."""
    broken = TRAIN.replace(
        'print("epoch', "given.seed == 3 and given.aug == 'false' and 1 / 0\nprint(\"epoch"
    )
    (folder / "train.py").write_text(broken)
    code, said = ask("run", "mine.yaml", "--results", "r", "--workers", "1")
    report = (folder / "r/mine/report.md").read_text("utf-8")
    assert code == 3, said
    assert "| no-aug | 3 | failed | exit code 1: ZeroDivisionError" in report
    assert "MATTERS (hurts)        no-aug  −  full  [accuracy]" in said


def test_until_decided_stops_early(folder: Path) -> None:
    """The looks of a suite without any: five seeds decide these."""
    said = ask("run", "mine.yaml", "--results", "r", "--workers", "1", "--until-decided")[1]
    assert "3 arms x 10 seeds: 30 runs. 15 done or not asked for, 15 to run" in said
    assert "MATTERS (hurts)        no-aug  −  full  [accuracy]" in said


def test_axes_and_factorials_are_of_parameters(read: Callable[[str], Suite]) -> None:
    """Pooled over settings, and two levels each."""
    head, _, rest = SUITE.partition("arms:")
    crossed = read(
        head + "arms: {full: {}, no-aug: {aug: false}}\nvary: {lr: [0.1, 0.2]}\ncontrasts:\n"
        "  - {treatment: no-aug, baseline: full, metric: loss, margin: 0.5, over: all}\n"
    )
    assert [v.choices["method"].settings["params"] for v in crossed.variants] == [
        {"lr": 0.1, "aug": True},
        {"lr": 0.1, "aug": False},
        {"lr": 0.2, "aug": True},
        {"lr": 0.2, "aug": False},
    ]
    assert len(crossed.effects) == 1
    factorial = read(
        head + "factorial: {metric: accuracy, margin: 0.01, also: {loss: 0.5}, factors: "
        "{rate: {low: {lr: 0.1}, high: {lr: 0.2}}, aug: {yes: {aug: true}, no: {aug: false}}}}\n"
    )
    assert len(factorial.variants) == 4
    assert {effect.metric: effect.margin for effect in factorial.effects} == {
        "accuracy": 0.01,
        "loss": 0.5,
    }
    assert rest


FAULTS = {
    "lr: 0.01": ("lrr: 0.01", "unknown parameter 'lrr'"),
    "slow: {lr: 0.01}": ("slow: {}", "arm 'slow' is the same as arm 'full'"),
    '"{seed}"': ('"1"', "a program that is not given its seed"),
    '"{lr}"': ('"{rate}"', "unknown parameter {rate}"),
    '--aug, "{aug}", ': ("", "the parameter 'aug', which nothing reads"),
    "margin: 0.02}": ("margin: -1}", "-1 for margin"),
    "metric: loss": ("metric: acc", "unknown metric 'acc'"),
    "{better: lower}": ("{better: less}", "for better"),
    "{range: [0, 1]}": ("{range: [1, 0]}", "for range"),
    "pairs: [split]": ("pear: [split]", "external has no 'pear'"),
    "params: {lr: 0.1, aug: true}": ("params: 3", "for params"),
    "seeds: 10": ("seeds: 10\nprecision: float64", "precision in a suite of a program"),
    "command:": ("function: a:b\n      command:", "a program with both of command and function"),
    "metrics: {accuracy: {range: [0, 1]}, loss: {better: lower}}": ("metrics: {}", "for metrics"),
    "treatment: slow": ("treatment: slwo", "unknown arm 'slwo'"),
    "arms: {full": ("vary: {lr: [0.1]}\narms: {full", "sets 'lr', which vary sets too"),
    "metric: accuracy, margin: 0.02": (
        "metric: accuracy, margin: 2",
        "a margin of 2 in accuracy; allowed: less than its range of 1",
    ),
    "python,": ("null,", "null for argument 0; allowed: text or a number"),
    "lr: 0.1,": ("lr: .nan,", "nan for lr"),
    "{lr: 0.01}": ("{lr: .inf}", "inf for lr"),
    "base:": ("bse:", "unknown key 'bse'"),
}


@pytest.mark.parametrize("old", FAULTS)
def test_faults_are_told_at_their_place(old: str, read: Callable[[str], Suite]) -> None:
    """With what was meant."""
    new, words = FAULTS[old]
    assert old in SUITE
    with pytest.raises(SuiteError) as error:
        read(SUITE.replace(old, new, 1))
    assert words in str(error.value)
    assert all(problem.line > 0 for problem in error.value.problems)


JUNK = [None, "", [], {}, 0, -1, True, "x", ["a"], {"a": 1}, [[1]], "{lr}", math.inf, math.nan]


def test_malformed_suites_are_refused_or_read(read: Callable[[str], Suite]) -> None:
    """Junk in every place of a suite: nothing but a SuiteError, and what is read has keys."""
    document, sound = yaml.safe_load(SUITE), 0
    for path in places(document):
        for junk in JUNK:
            broken = copy.deepcopy(document)
            here = broken
            for word in path[:-1]:
                here = here[word]
            here[path[-1]] = junk
            with contextlib.suppress(SuiteError):
                keys(read(yaml.safe_dump(broken, sort_keys=False)))
                sound += 1
    assert 0 < sound < 250


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path of every value inside a document."""
    children = enumerate(node) if isinstance(node, list) else getattr(node, "items", tuple)()
    for word, child in children:
        yield (*path, word)
        yield from places(child, (*path, word))


SEEN_BY_THE_SCHEMA = ("margin: 0.02}", "{better: lower}", "pairs: [split]", "params: {lr: 0.1, a")


def test_the_schema_takes_such_suites(catalogue: Catalogue) -> None:
    """And refuses what needs no arms to be seen: editors underline it."""
    schema = Draft202012Validator(suite_schema(catalogue))
    assert list(schema.iter_errors(yaml.safe_load(SUITE))) == []
    for old, (new, _) in FAULTS.items():
        if old.startswith(SEEN_BY_THE_SCHEMA):
            assert list(schema.iter_errors(yaml.safe_load(SUITE.replace(old, new, 1)))), old


def test_a_function_is_an_arm(folder: Path) -> None:
    """Of a module beside the suite."""
    (folder / "my_training.py").write_text(
        textwrap.dedent(
            """
            import random
            def train(lr, aug, seed):
                noise = random.Random(f"{seed} {lr} {aug}").gauss(0, 0.004)
                accuracy = random.Random(seed).gauss(0.8, 0.1) + 0.05 * aug + noise
                return {"accuracy": accuracy, "loss": [1.0, 1 - accuracy]}
            """
        )
    )
    text = SUITE.replace(
        'command: [python, train.py, --lr, "{lr}", --aug, "{aug}", --seed, "{seed}"]',
        "function: my_training:train",
    ).replace("      pairs: [split]\n", "")
    (folder / "mine.yaml").write_text(text)
    code, said = ask("run", "mine.yaml", "--results", "r", "--workers", "2")
    assert code == 0, said
    assert "MATTERS (hurts)        no-aug  −  full  [accuracy]" in said


def test_where_a_suite_lies_is_no_part_of_its_runs(read: Callable[[str], Suite]) -> None:
    """The same program elsewhere has the same keys; a new parameter value has others."""
    here = read(SUITE)
    there = parse_suite(SUITE.encode(), "mine", "x.yaml", scan(), folder=Path("/elsewhere"))
    other = read(SUITE.replace("lr: 0.01", "lr: 0.02"))
    assert keys(here) == keys(there)
    assert keys(here)[2] != keys(other)[2]
