"""Parts that are left out: the arms and claims that a block comes to, and the fraction screened."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from ablate.design.leave_one_out.fraction import MOST_PARTS, fraction
from ablate.design.reader import parse_suite
from ablate.errors import SuiteError
from ablate.registry import Catalogue
from ablate.types import Suite
from tests.conftest import TINY

Parse = Callable[..., Suite]
HEAD = TINY.split("arms:")[0].replace("inner_steps: 1", "inner_steps: 2")
PARTS = """
ablate:
  parts:
    steps: {method.meta.inner_steps: 1}
    memory: {memory: none}
    rate: {method.meta.optimizer.sgd.lr: 0.01}
  metric: all-classes
  margin: 2 points
"""
PROGRAM = """
question: Which switch matters?
base:
  method:
    external:
      command: [python, train.py, --seed, "{seed}", "{warmup}", "{ema}", "{rate}"]
      params: {warmup: true, ema: true, rate: 0.1}
      metrics: {accuracy: {range: [0, 1]}}
ablate: {parts: [warmup, ema], metric: accuracy, margin: 0.01}
"""


@pytest.mark.parametrize("parts", [*range(1, 18), 31, 32, 33, MOST_PARTS])
def test_a_fraction_is_balanced_and_of_resolution_four(parts: int) -> None:
    """Columns are orthogonal to one another and to each product of two: a main effect is clear."""
    signs = np.array(fraction(parts))
    assert signs.shape[1] == parts
    assert (signs[0] == -1).all()
    assert len({*map(tuple, signs)}) == len(signs)
    assert (signs.T @ signs == len(signs) * np.eye(parts)).all()
    assert not signs.sum(0).any()
    pairs = [signs[:, i] * signs[:, j] for i, j in itertools.combinations(range(parts), 2)]
    if pairs:
        assert not (signs.T @ np.array(pairs).T).any()


@pytest.fixture
def parse(catalogue: Catalogue) -> Parse:
    """Read a suite's text."""
    return lambda text, quick=False: parse_suite(
        text.encode(), "tiny", "tiny.yaml", catalogue, quick
    )


def test_arms_and_contrasts_are_written_out(parse: Parse) -> None:
    """The whole base, the base without each part, and a claim on each."""
    suite = parse(HEAD + PARTS + "seeds: 7\n")
    names = ["full", "without steps", "without memory", "without rate"]
    assert [v.arm for v in suite.variants] == names
    assert [(c.treatment, c.baseline) for c in suite.contrasts] == [(1, 0), (2, 0), (3, 0)]
    assert {(c.metric, c.margin) for c in suite.contrasts} == {("all-classes", 2.0)}
    assert suite.lacks["without memory"] == ("memory",)
    assert suite.variants[2].choices["memory"].name == "none"
    assert suite.variants[0].choices["memory"].name != "none"
    assert suite.seeds == 7
    assert suite.screening is None


def test_pairs_and_the_bare_arm_are_asked_for(parse: Parse) -> None:
    """Three pairs, and one arm without all three."""
    suite = parse(HEAD + PARTS + "  pairs: true\n  none: true\n")
    arms = [v.arm for v in suite.variants]
    assert arms[4:] == [
        "without steps + memory",
        "without steps + rate",
        "without memory + rate",
        "without any part",
    ]
    assert len(suite.contrasts) == 7
    both = suite.variants[arms.index("without memory + rate")]
    assert both.choices["memory"].name == "none"
    assert suite.lacks["without any part"] == ("steps", "memory", "rate")


def test_the_bare_arm_of_two_parts_is_their_pair(parse: Parse) -> None:
    """It is run, and claimed about, once."""
    two = PARTS.replace("    rate: {method.meta.optimizer.sgd.lr: 0.01}\n", "")
    suite = parse(HEAD + two + "  pairs: true\n  none: true\n")
    assert [v.arm for v in suite.variants][3:] == ["without any part"]


def test_other_contrasts_join_the_family(parse: Parse) -> None:
    """Between arms that the block has made."""
    more = (
        "contrasts:\n  - {treatment: without steps, baseline: without memory, "
        "metric: all-classes, margin: 1 points}\n"
    )
    suite = parse(HEAD + PARTS + more)
    assert (suite.contrasts[-1].treatment, suite.contrasts[-1].baseline) == (1, 2)


def test_parts_are_crossed_with_axes(parse: Parse) -> None:
    """Each part in each setting."""
    suite = parse(HEAD + PARTS + "vary: {training.standard.epochs: [1, 2]}\n")
    assert len(suite.variants) == 8
    assert len(suite.contrasts) == 6


def test_screened_arms_run_on_seeds_of_their_own(parse: Parse) -> None:
    """The first ones; claims are made on those after."""
    suite = parse(HEAD + PARTS + "  screen: {seeds: 4}\nseeds: {first: 10, count: 6}\n")
    first = suite.screening
    assert first is not None
    assert [*first.seed_numbers] == [10, 11, 12, 13]
    assert [*suite.seed_numbers] == [14, 15, 16, 17, 18, 19]
    assert not first.contrasts
    assert len(first.variants) == 8
    assert {first.lacks[v.arm] for v in first.variants} == {
        group
        for size in range(4)
        for group in itertools.combinations(("steps", "memory", "rate"), size)
    }


@pytest.mark.parametrize(
    ("quick", "claimed"),
    [("5", range(14, 19)), ("{count: 5}", range(14, 19)), ("{first: 30, count: 5}", range(34, 39))],
)
def test_a_quick_run_screens_on_other_seeds_too(parse: Parse, quick: str, claimed: range) -> None:
    """Whatever seeds its block names."""
    text = f"  screen: {{seeds: 4}}\nseeds: {{first: 10, count: 6}}\nquick: {{seeds: {quick}}}\n"
    suite = parse(HEAD + PARTS + text, quick=True)
    assert suite.screening is not None
    assert suite.seed_numbers == tuple(claimed)
    assert not {*suite.screening.seed_numbers} & {*suite.seed_numbers}


def test_switches_of_a_program_are_named_alone(parse: Parse) -> None:
    """Each becomes false where it is left out."""
    suite = parse(PROGRAM)
    params = [v.choices["method"].settings["params"] for v in suite.variants]
    assert [(p["warmup"], p["ema"]) for p in params] == [(True, True), (False, True), (True, False)]
    assert suite.contrasts[0].margin == 0.01


FAULTS = {
    "arms beside": (PARTS + "arms: {a: {}}\n", "arms beside ablate"),
    "no metric": (PARTS.replace("  metric: all-classes\n", ""), "ablate without 'metric'"),
    "no margin": (PARTS.replace("  margin: 2 points\n", ""), "ablate without 'margin'"),
    "no parts": ("ablate: {parts: {}, metric: all-classes, margin: 2 points}\n", "no part"),
    "a list": ("ablate: {parts: [steps], metric: all-classes, margin: 2 points}\n", "for parts"),
    "a bare list": ("ablate: [steps, memory]\n", "for ablate"),
    "nothing set": (PARTS.replace("{memory: none}", "{}"), "a mapping for part 'memory'"),
    "unknown path": (PARTS.replace("inner_steps: 1", "inner_step: 1"), "inner_step"),
    "unknown metric": (PARTS.replace("all-classes", "al-classes"), "unknown metric 'al-classes'"),
    "unknown key": (PARTS + "  pair: true\n", "ablate has no 'pair'"),
    "nothing left out": (
        PARTS.replace("{memory: none}", "{method.meta.optimizer.sgd.lr: 0.3}"),
        "the same as arm 'full'",
    ),
    "one path twice": (
        PARTS.replace("{memory: none}", "{method.meta.optimizer.sgd.lr: 0.02}") + "  pairs: true\n",
        "inside what part",
    ),
    "inside another": (
        PARTS.replace("{memory: none}", "{method.meta.optimizer: {sgd: {lr: 0.5}}}")
        + "  none: true\n",
        "inside what part",
    ),
    "joined names": (PARTS.replace("memory: {", "a + b: {"), "'a + b' for a part"),
    "long names": (
        PARTS.replace("memory: {", f"{'m' * 58}: {{"),
        "a shorter name",
    ),
    "a screen of one": (
        PARTS.replace(
            "    memory: {memory: none}\n    rate: {method.meta.optimizer.sgd.lr: 0.01}\n", ""
        )
        + "  screen: {seeds: 5}\n",
        "a screen of one part",
    ),
    "few screened seeds": (PARTS + "  screen: {seeds: 2}\n", "out of range"),
    "a screen's number": (PARTS + "  screen: 5\n", "5 for screen"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_told_at_their_place(parse: Parse, fault: str) -> None:
    """No arm that follows from a fault is blamed for it."""
    text, words = FAULTS[fault]
    with pytest.raises(SuiteError) as caught:
        parse(HEAD + text)
    problems = caught.value.problems
    assert any(words in f"{problem.found} {problem.allowed}" for problem in problems)
    head = HEAD.count("\n")
    assert all(problem.line > head for problem in problems)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (("[warmup, ema]", "[warmup, emo]"), "unknown parameter 'emo'"),
        (("[warmup, ema]", "[warmup, rate]"), "the part 'rate', which is 0.1 in the base"),
        (("[warmup, ema]", "[warmup, warmup]"), "for parts"),
        (("[warmup, ema]", "{a: {emo: 1}}"), "unknown parameter 'emo'"),
        (("margin: 0.01", "margin: 2"), "a margin of 2 in accuracy"),
    ],
)
def test_faults_of_switches(parse: Parse, edit: tuple[str, str], words: str) -> None:
    """Parameters that are no switch say what they are without."""
    with pytest.raises(SuiteError) as caught:
        parse(PROGRAM.replace(*edit))
    assert any(words in problem.found for problem in caught.value.problems)
