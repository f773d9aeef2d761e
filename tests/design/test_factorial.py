"""Factorials: the arms of a design, and effects that a hand can work out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product

import pytest

from ablate import flow
from ablate.analysis import judge, pairing
from ablate.errors import SuiteError
from ablate.types import Effect, RunResult, Suite
from reports import answers, one_page, write
from tests.conftest import TINY, record, variant

Parse = Callable[..., Suite]
HEAD, TAIL = TINY.split("arms:")[0], "seeds: 5\n"
TWO = """
factorial:
  factors:
    steps: {one: {method.meta.inner_steps: 1}, two: {method.meta.inner_steps: 2}}
    memory: {random: {memory.*: random}, first: {memory.*: first}}
  metric: all-classes
  margin: 2 points
"""


def factors(count: int, fraction: str = "") -> str:
    meta, training = "method.meta.", "training.standard."
    paths = (
        *(f"{meta}inner_steps", f"{training}epochs", f"{training}batch_rows"),
        *(f"{training}first_epochs", f"{meta}last_steps"),
    )
    lines = [
        f"    {'abcde'[i]}: {{low: {{{paths[i]}: 1}}, high: {{{paths[i]}: 2}}}}"
        for i in range(count)
    ]
    return "\n".join(
        [
            "factorial:",
            "  factors:",
            *lines,
            fraction,
            "  metric: all-classes",
            "  margin: 1 point\n",
        ]
    )


def of(effects: tuple[Effect, ...], name: str) -> Effect:
    return next(effect for effect in effects if effect.name == name)


def test_every_combination_of_levels_is_an_arm(suite_of: Parse) -> None:
    """Named by the factors at their second level; each sets what its levels say."""
    suite = suite_of(text=HEAD + TWO + TAIL)
    found = {
        one.arm: (one.choices["method"].settings["inner_steps"], one.choices["memory"].name)
        for one in suite.variants
    }
    assert found == {
        "first levels": (1, "random"),
        "memory": (1, "first"),
        "steps": (2, "random"),
        "steps + memory": (2, "first"),
    }
    assert [(e.name, e.plus, e.minus) for e in suite.effects] == [
        ("steps", (2, 3), (0, 1)),
        ("memory", (1, 3), (0, 2)),
        ("steps × memory", (0, 3), (1, 2)),
    ]


def runs_of(score: Callable[..., int], factors: int) -> list[Mapping[int, RunResult]]:
    """Records whose right rows (of 20) follow a formula of the levels and the seed."""
    return [
        {seed: record(seed, right=[[9, 0], [score(seed, *levels), 0]]) for seed in range(3)}
        for levels in product((-1, 1), repeat=factors)
    ]


def test_effects_are_those_of_the_textbook(suite_of: Parse) -> None:
    """y = 5 + seed + 2 a + b - ab, in rows of 20: a is worth 4 rows, b 2, a x b -2."""
    suite = suite_of(text=HEAD + factors(2) + TAIL)
    runs = runs_of(lambda seed, a, b: 5 + seed + 2 * a + b - a * b, 2)
    plain = [variant(one.arm) for one in suite.variants]
    for name, rows in (("a", 4), ("b", 2), ("a × b", -2)):
        found = pairing.halves(of(suite.effects, name), plain, runs, range(3))
        assert found.deltas == pytest.approx((5.0 * rows,) * 3)
        assert found.margin == 1


def test_a_fraction_keeps_effects_apart_or_says_that_it_cannot(suite_of: Parse) -> None:
    """2^(5-1) with e = abcd is of resolution V; 2^(3-1) with c = ab mixes c with a x b."""
    whole = suite_of(text=HEAD + factors(5, "  fraction: {e: [a, b, c, d]}") + TAIL)
    assert len(whole.variants) == 16
    assert len(whole.effects) == 5 + 10
    assert not any("=" in effect.name for effect in whole.effects)
    mixed = suite_of(text=HEAD + factors(3, "  fraction: {c: [a, b]}") + TAIL)
    assert [effect.name for effect in mixed.effects] == ["a = b × c", "b = a × c", "c = a × b"]
    for effect in (*whole.effects, *mixed.effects):
        assert len(effect.plus) == len(effect.minus)


def test_effects_are_asked_in_every_cell(suite_of: Parse) -> None:
    """Each of its own four arms."""
    suite = suite_of(text=HEAD + TWO + "vary: {training.standard.epochs: [1, 2]}\n" + TAIL)
    assert [e.plus for e in suite.effects if e.name == "steps"] == [(2, 3), (6, 7)]


def test_one_lost_run_costs_every_effect_its_seed(suite_of: Parse) -> None:
    """And is named, with the half that lost it."""
    suite = suite_of(text=HEAD + factors(2) + TAIL)
    runs = runs_of(lambda seed, a, b: 5 + a, 2)
    runs[3] = {**runs[3], 1: record(1, status="diverged")}
    plain = [variant(one.arm) for one in suite.variants]
    found = pairing.halves(of(suite.effects, "a"), plain, runs, range(3))
    assert found.seeds == (0, 2)
    (lost,) = found.lost
    assert (lost.seed, lost.sides, lost.missing) == (1, ("a: high",), False)
    assert lost.reason == "a + b: diverged (why)"


def test_records_of_other_streams_are_no_factorial(suite_of: Parse) -> None:
    """Wherever in the design they stand."""
    suite = suite_of(text=HEAD + factors(2) + TAIL)
    runs = runs_of(lambda seed, a, b: 5 + a, 2)
    runs[2] = {seed: record(seed, streams={"init": "other"}) for seed in range(3)}
    plain = [variant(one.arm) for one in suite.variants]
    assert "init stream" in pairing.halves(suite.effects[0], plain, runs, range(3)).refusal


def test_a_factorial_is_judged_and_reported(
    suite_of: Parse, run_suite: Callable[..., flow.Study]
) -> None:
    """Effects and contrasts are one family; the answer comes from the effects."""
    contrast = (
        "contrasts: [{treatment: steps, baseline: memory, metric: all-classes, margin: 2 points}]\n"
    )
    study = run_suite(suite_of(text=HEAD + TWO + TAIL))
    assert [len(study.verdicts), len(study.effects)] == [0, 3]
    text = write.text(study)
    assert "## Effects on all-classes" in text
    assert "| steps × memory | one changed alone → both changed, or neither |" in text
    answer = text.splitlines()[2]
    assert "beyond the margin" in answer.lower()
    assert all(name in answer for name in ("steps", "memory")), "every factor is answered for"
    assert len(list(answers.told(study))) == 1 + 3
    assert "## Results against the claims" in one_page.text(study)
    both = suite_of(text=HEAD + TWO + contrast + TAIL)
    compared = [*judge.comparisons(both, study.runs), *judge.effects(both, study.runs)]
    alone = {v.comparison.treatment: v for v in study.effects}
    for verdict in judge.judge(both, compared)[1:]:
        before = alone[verdict.comparison.treatment]
        assert verdict.p == before.p
        assert verdict.p_adjusted >= before.p_adjusted  # four claims share alpha, not three


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("  metric: all-classes\n", "", "a factorial without 'metric'"),
        ("metric: all-classes", "metric: all-clases", "unknown metric 'all-clases'"),
        ("margin: 2 points", "margin: big", "'big' (text) for margin"),
        ("two: {method.meta.inner_steps: 2}", "two: 2", "for factor 'steps'"),
        (", first: {memory.*: first}", "", "for factor 'memory'"),
        ("memory.*: first", "method.meta.inner_steps: 3", "inside what factor 'steps' sets"),
        ("memory.*: first", "memory.*: frist", "unknown memory 'frist'"),
        ("  margin", "  fraction: {memory: [steps]}\n  margin", "for the fraction of 'memory'"),
        ("  margin", "  fraction: {sets: [steps, memory]}\n  margin", "unknown factor 'sets'"),
        ("  margin", "  fraction: {memory: [memory, steps]}\n  margin", "fraction of 'memory'"),
        ("  margin", "  fraction: {memory: [steps, steps]}\n  margin", "fraction of 'memory'"),
        ("  margin", "  fraction: [memory]\n  margin", "for fraction"),
        ("    memory:", "    'a|b':", "'a|b' for a factor or its level"),
        ("  margin", "  marign: 1\n  margin", "unknown key 'marign'"),
        ("factorial:", "arms: {a: {}}\nfactorial:", "arms beside a factorial"),
        ("  factors:", "  factors: {}\n  other:", "no factor"),
    ],
)
def test_a_faulty_factorial_is_refused(suite_of: Parse, old: str, new: str, found: str) -> None:
    """Each fault with its place."""
    with pytest.raises(SuiteError) as caught:
        suite_of((old, new), text=HEAD + TWO + TAIL)
    assert found in str(caught.value)


def test_a_design_that_would_fill_the_disk_is_refused(suite_of: Parse) -> None:
    """With the way out."""
    many = "\n".join(f"    f{i}: {{a: {{training.standard.epochs: 1}}, b: {{}}}}" for i in range(9))
    text = f"factorial:\n  factors:\n{many}\n  metric: all-classes\n  margin: 1 point\n"
    with pytest.raises(SuiteError, match=r"512 arms; allowed: at most 256: declare a fraction"):
        suite_of(text=HEAD + text + TAIL)


HALF = "  fraction: {e: [a, b, c, d]}\n  within: a"


def test_effects_within_a_factor_are_means_over_the_arms_at_each_of_its_levels(
    suite_of: Parse,
) -> None:
    """By hand: of eight arms at a level, four have the other factor at its second level."""
    suite = suite_of(text=HEAD + factors(5, HALF) + TAIL)
    second = [set(variant.arm.split(" + ")) for variant in suite.variants]
    inside = [effect for effect in suite.effects if " at " in effect.name]
    assert [effect.name for effect in inside] == [
        f"{factor} at a = {level}" for level in ("low", "high") for factor in "bcde"
    ]
    for effect in inside:
        factor, level = effect.name[0], effect.name.split(" = ")[1]
        here = {i for i, arm in enumerate(second) if ("a" in arm) == (level == "high")}
        assert {*effect.plus} == {i for i in here if factor in second[i]}
        assert {*effect.minus} == here - {*effect.plus}
        assert len(effect.plus) == len(effect.minus) == 4
    assert len(suite.effects) == 5 + 10 + 8


def test_a_fraction_names_what_it_cannot_tell_from_an_effect(suite_of: Parse) -> None:
    """With e = abcd: a main effect from the other four, a pair from the other three."""
    effects = suite_of(text=HEAD + factors(5, HALF) + TAIL).effects
    assert of(effects, "a").aliases == (("b", "c", "d", "e"),)
    assert of(effects, "a × b").aliases == (("c", "d", "e"),)
    whole = suite_of(text=HEAD + factors(3) + TAIL).effects
    assert all(effect.aliases == () for effect in whole)


@pytest.mark.parametrize(
    ("block", "fault"),
    [
        ("  within: z", "unknown factor 'z' for within"),
        ("  within: [a]", "unknown factor ['a'] for within"),
        (
            "  fraction: {c: [a, b]}\n  within: a",
            "effects within 'a', at whose levels this fraction cannot tell 'c' from 'b'",
        ),
    ],
)
def test_effects_within_what_cannot_show_them_are_refused(
    suite_of: Parse, block: str, fault: str
) -> None:
    """A factor that is none, or a fraction that ties two others together at a level."""
    with pytest.raises(SuiteError) as caught:
        suite_of(text=HEAD + factors(3, block) + TAIL)
    assert [problem.found for problem in caught.value.problems] == [fault]


def test_a_base_may_say_what_the_levels_of_a_factor_say_again(suite_of: Parse) -> None:
    """The first level of the loss is the base's; neither is in the other's way."""
    base = HEAD.replace("      loss: all-ce\n", "")
    base = base.replace("  method:", "  loss: all-ce\n  method:")
    block = (
        "factorial:\n  factors:\n    loss: {ce: {loss: all-ce}, bce: {loss: task-bce}}\n"
        "  metric: all-classes\n  margin: 2 points\n"
    )
    suite = suite_of(text=base + block + TAIL)
    losses = [one.choices["method"].settings["loss"].name for one in suite.variants]
    assert losses == ["all-ce", "task-bce"]


ALSO = "  also: {continuum(20): 5 points, forgetting: [-1 points, 3 points]}\n"


def test_effects_in_several_metrics_are_claims_of_one_family(
    suite_of: Parse, run_suite: Callable[..., flow.Study]
) -> None:
    """Each with the margin of its metric; p is adjusted over all of them."""
    study = run_suite(suite_of(text=HEAD + TWO + ALSO + TAIL))
    asked = [(one.name, one.metric, one.margin, one.lower_margin) for one in study.suite.effects]
    names = ("steps", "memory", "steps × memory")
    assert asked == [
        *((name, "all-classes", 2, 0) for name in names),
        *((name, "continuum(20)", 5, 0) for name in names),
        *((name, "forgetting", 3, 1) for name in names),
    ]
    alone = run_suite(suite_of(text=HEAD + TWO + TAIL))
    for before, after in zip(alone.effects, study.effects, strict=False):
        assert before.p == after.p
        assert after.p_adjusted >= before.p_adjusted
    text = write.text(study)
    for metric in ("all-classes", "continuum(20)", "forgetting"):
        assert f"## Effects on {metric}" in text
    answer = text.splitlines()[2].lower()
    assert "on all-classes," in answer
    assert "on forgetting," in answer


@pytest.mark.parametrize(
    ("also", "found"),
    [
        ("{continuum(2O): 5 points}", "unknown metric 'continuum(2O)'"),
        ("{all-classes: 5 points}", "metric 'all-classes', which is asked about above"),
        ("{forgetting: 5}", "5 for the margin in 'forgetting'"),
        ("[forgetting]", "['forgetting'] for also"),
    ],
)
def test_other_metrics_are_known_ones_with_margins(suite_of: Parse, also: str, found: str) -> None:
    """And none is asked about twice."""
    with pytest.raises(SuiteError) as caught:
        suite_of(text=f"{HEAD}{TWO}  also: {also}\n{TAIL}")
    (problem,) = caught.value.problems
    assert found in problem.found
