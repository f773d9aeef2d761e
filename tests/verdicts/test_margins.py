"""Margins: of different size below and above 0, chosen afterwards, and read at any time."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings, strategies as st
from scipy.stats import t as student

from ablate.api import compare
from ablate.calibration.by_engine import LIGHT
from ablate.commands.numbers import margins
from ablate.errors import SelectionError, SuiteError
from ablate.records.registration import declared, deviations, digest, original
from ablate.types import Design, Suite
from ablate.verdicts.family import battery, conclude
from ablate.verdicts.interim import once, started
from ablate.verdicts.sequential import Mixture
from cli import main
from tests.conftest import comparison

ALPHA = 0.05
TESTS = battery(LIGHT)
spread = st.lists(
    st.floats(-3, 3, allow_nan=False).map(lambda d: round(d, 2)), min_size=5, max_size=15
)


def table(deltas: list[float]) -> pd.DataFrame:
    base = [50.0 + 0.01 * i for i in range(len(deltas))]
    new = [b + d for b, d in zip(base, deltas, strict=True)]
    return pd.DataFrame({"seed": range(len(deltas)), "base": base, "new": new})


def judged(deltas: list[float], margin: Any, **settings: Any) -> Any:
    (verdict,) = compare(table(deltas), margin=margin, arm=["base", "new"], **settings).verdicts
    return verdict


def test_a_smaller_loss_than_gain_may_matter() -> None:
    """The interval −0.5 to +1.5 is inside −1 to +2, and not inside ±1."""
    deltas = [0.5 + d for d in (-1.4, 1.4, -1.0, 1.0, -0.3, 0.3, -1.2, 1.2)]
    assert judged(deltas, (-1, 2)).decision == "NEGLIGIBLE"
    assert judged(deltas, (-2, 1)).decision == "INCONCLUSIVE"
    assert judged(deltas, 1).decision == "INCONCLUSIVE"
    steady = [1.5 + d / 10 for d in deltas]
    assert [judged(steady, m).decision for m in ((-1, 2), (-2, 1))] == ["NEGLIGIBLE", "MATTERS"]
    assert judged([-d for d in steady], (-1, 2)).decision == "MATTERS"


@given(spread, st.floats(0.1, 3), st.floats(0.1, 3))
@settings(max_examples=150, deadline=None)
def test_two_margins_mirror_and_shift(deltas: list[float], low: float, high: float) -> None:
    """Swapped arms swap the margins; margins move along with the differences."""
    one = replace(comparison(deltas, margin=high), lower_margin=low)
    mirrored = replace(comparison([-d for d in deltas], margin=low), lower_margin=high)
    assert once(one).matters == pytest.approx(once(mirrored).matters, rel=1e-9, abs=1e-12)
    if not one.tied:
        assert once(one).calms == pytest.approx(once(mirrored).calms, rel=1e-9, abs=1e-12)
    middle, half = (high - low) / 2, (high + low) / 2
    moved = comparison([d - middle for d in deltas], margin=half)
    if not (one.tied or moved.tied) and min(one.spread, moved.spread) > 1e-6:
        assert once(one).p == pytest.approx(once(moved).p, rel=1e-6, abs=1e-9)


def test_equal_margins_are_one_margin() -> None:
    """(-1, 1) is 1, in every figure."""
    deltas = [0.3, -0.2, 0.8, 0.1, 0.4, -0.5]
    assert repr(judged(deltas, (-1, 1))) == repr(judged(deltas, 1))


@pytest.mark.parametrize("margin", [(1, 2), (-1, 0), (-1, math.inf), (-1, 0.5, 2), "x", (0, 1)])
def test_margins_that_are_none_are_refused(margin: Any) -> None:
    """One lies below 0 and one above, both of them numbers."""
    with pytest.raises(SelectionError):
        judged([0.1] * 6, margin)


@pytest.mark.parametrize(
    ("words", "read"), [("-1,+2", (-1.0, 2.0)), ("0.5", 0.5), ("-1, 2", (-1.0, 2.0))]
)
def test_the_command_line_reads_two_numbers(words: str, read: Any) -> None:
    """As they are written."""
    assert margins(words) == read


def test_the_command_line_says_both_margins(tmp_path: Any) -> None:
    """And that further ones were chosen afterwards."""
    path = tmp_path / "scores.csv"
    table([0.5, 0.7, 0.2, 0.4, 0.6, 0.55]).to_csv(path, index=False)
    words = ["compare", str(path), "--arm", "base", "--arm", "new", "--margin", "-1,+2"]
    said = CliRunner().invoke(main, words).output
    assert "margin −1 to +2" in said
    assert "chosen afterwards: NEGLIGIBLE with a margin above" in said
    wrong = CliRunner().invoke(main, [*words[:-1], "1,2,3"])
    assert wrong.exit_code == 2


def test_margins_chosen_afterwards_by_hand() -> None:
    """Twice Student's interval: 1 - 2 alpha for no difference, 1 - alpha for one."""
    deltas = [1.2, 0.9, 1.4, 1.1, 0.8, 1.3, 1.0, 1.1]
    found = judged(deltas, 0.5)
    mean, error = np.mean(deltas), np.std(deltas, ddof=1) / math.sqrt(8)
    assert found.negligible_from == pytest.approx(mean + student.isf(0.05, 7) * error)
    assert found.matters_to == pytest.approx(mean - student.isf(0.025, 7) * error)


@given(st.lists(spread.filter(lambda d: len(d) >= 8), min_size=1, max_size=4), st.floats(0.05, 4))
@settings(max_examples=150, deadline=None)
def test_every_margin_chosen_afterwards_is_a_bonferroni_verdict(
    several: list[list[float]], margin: float
) -> None:
    """With the margin in place of the declared one, Bonferroni says the same."""
    made = [
        replace(comparison(deltas[:8], margin=1.0), treatment=f"arm {i}")
        for i, deltas in enumerate(several)
    ]
    design = Design(ALPHA, "holm", (8,), 8)
    found = conclude(made, TESTS, design)
    other = conclude(
        [replace(one, margin=margin) for one in made],
        TESTS,
        replace(design, correction="bonferroni"),
    )
    for verdict, again in zip(found, other, strict=True):
        if math.isnan(verdict.negligible_from) or again.decision == "UNTESTABLE":
            continue
        near = 1e-9 * max(1.0, margin)
        if abs(verdict.negligible_from - margin) > near:
            assert (again.decision == "NEGLIGIBLE") == (margin > verdict.negligible_from)
        if math.isnan(verdict.matters_to) or abs(verdict.matters_to - margin) > near:
            assert (again.decision == "MATTERS") == (margin < verdict.matters_to)


@pytest.mark.parametrize(("claim", "way"), [("helps", 1), ("hurts", -1)])
def test_margins_afterwards_of_a_declared_side(claim: str, way: int) -> None:
    """Each end at alpha, on that side."""
    deltas = [way * d for d in (1.2, 0.9, 1.4, 1.1, 0.8, 1.3, 1.0, 1.1)]
    found = judged(deltas, 0.5, claim=claim, baseline="base")
    mean, error = abs(np.mean(deltas)), np.std(deltas, ddof=1) / math.sqrt(8)
    reach = student.isf(0.05, 7) * error
    assert (found.matters_to, found.negligible_from) == pytest.approx((mean - reach, mean + reach))


def test_at_any_time_is_the_mixture_at_the_whole_of_alpha() -> None:
    """And declared looks exclude it."""
    deltas = [1.2, 0.9, 1.4, 1.1, 0.8, 1.3, 1.0, 1.1, 1.2, 0.9]
    found = judged(deltas, 0.5, anytime=True)
    mean, error = np.mean(deltas), np.std(deltas, ddof=1) / math.sqrt(10)
    p = 2 * float(Mixture().p((mean - 0.5) / error, 10))
    assert found.rule == "t-mixture"
    assert found.p == pytest.approx(p)
    with pytest.raises(SelectionError, match="one of the two"):
        judged(deltas, 0.5, anytime=True, looks=(5, 10))


def test_whoever_stops_at_the_first_claim_errs_no_more_than_alpha() -> None:
    """Read at every number of pairs from 5 to 30, the truth on the margin."""
    rng = np.random.default_rng(5)
    wrong = 0
    for deltas in rng.normal(1.0, 1.0, (400, 30)):
        looks = (comparison([float(d) for d in deltas[:n]], margin=1.0) for n in range(5, 31))
        wrong += any(started(made, Mixture()).calms <= ALPHA for made in looks)
    assert wrong / 400 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)


def test_a_suite_declares_two_margins_and_a_worst_difference(
    suite_of: Callable[..., Suite],
) -> None:
    """And both are registered."""
    contrast = "margin: [-1 points, 2.5 points], worst: 8 points"
    suite = suite_of(("margin: 2.0 points", contrast))
    one = suite.contrasts[0]
    assert (one.margin, one.lower_margin, one.worst) == (2.5, 1.0, 8.0)
    sizes = {"margin": 2.5, "lower_margin": 1.0, "worst": 8.0}
    assert declared(suite)["contrasts"][0][-1] == sizes
    plain = suite_of()
    assert declared(plain)["contrasts"][0][-1] == plain.contrasts[0].margin


def test_what_was_registered_with_a_margin_is_judged_with_it(
    suite_of: Callable[..., Suite],
) -> None:
    """A lower side and a worst difference that came later are named, and taken away again."""
    then, now = suite_of(), suite_of(("margin: 2.0 points", "margin: [-1 points, 2 points]"))
    worse = suite_of(("margin: 2.0 points", "margin: 2.0 points, worst: 8 points"))
    for before, after, said in (
        (then, now, "registered 2, now -1 to +2."),
        (now, then, "registered -1 to +2, now 2."),
        (then, worse, "registered 2, now 2 with a worst difference of 8."),
    ):
        content = declared(before)
        entry = {"declared": content, "digest": digest(content), "runs_present": 0}
        assert any(line.endswith(said) for line in deviations(after, entry))
        judged_again = original(after, entry)
        assert judged_again is not None
        assert judged_again.contrasts == before.contrasts
        assert original(before, entry) is None


@pytest.mark.parametrize(
    "margin",
    [
        "[1 points, 2 points]",
        "[-1 points]",
        "[-1, 2]",
        "[-1 points, 200 points]",
        "[]",
        "{a: 1}",
        "[-2 points, -1 points]",
        "1.0 points, worst: 0 points",
        "1.0 points, worst: [1 points]",
    ],
)
def test_suites_say_what_a_margin_is(suite_of: Callable[..., Suite], margin: str) -> None:
    """A number of points, or one below 0 and one above."""
    with pytest.raises(SuiteError, match=r"in \(0, 100\]"):
        suite_of(("margin: 2.0 points", f"margin: {margin}"))


R = json.loads((Path(__file__).parent.parent / "reference" / "margins.json").read_text())


def of_r(case: dict[str, Any]) -> Any:
    low, high = case["bounds"]
    return replace(comparison(case["deltas"], margin=high), lower_margin=-low)


@pytest.mark.parametrize("case", [case for case in R if case["kind"] == "tied"])
def test_pairs_that_tie_are_read_as_in_r(case: dict[str, Any]) -> None:
    """The widened interval, and the level at which it leaves the margin."""
    reading = once(of_r(case), case["worst"])
    assert reading.inner(ALPHA) == pytest.approx(case["interval"], rel=1e-9)
    assert reading.calms == pytest.approx(case["p"], rel=1e-6, abs=1e-10)


@pytest.mark.parametrize("case", [case for case in R if case["kind"] == "free"])
def test_margins_of_two_sizes_are_read_as_in_r(case: dict[str, Any]) -> None:
    """At one look, at any time, and with margins chosen afterwards, alone and of five claims."""
    made = of_r(case)
    for reading, known in (
        (once(made), case["plain"]),
        (started(made, Mixture()), case["anytime"]),
    ):
        assert (reading.matters, reading.calms) == pytest.approx(known, rel=1e-8)
    alone = once(made)
    margins_of_r = [math.nan if value is None else value for value in case["afterwards"]]
    ours = [f(ALPHA / m) for m in (1, 5) for f in (alone.negligible_from, alone.matters_to)]
    assert ours == pytest.approx(margins_of_r, rel=1e-9, nan_ok=True)
