"""A contrast that claims a side before the runs, from the suite to the report."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from ablate import flow
from ablate.analysis import judge
from ablate.api import compare
from ablate.calibration import by_engine, simulation
from ablate.calibration.scenarios import WORLDS
from ablate.design.json_schema import suite_schema
from ablate.errors import SelectionError, SuiteError
from ablate.records import registration
from ablate.records.store import open_store
from ablate.registry import scan
from ablate.stats import power
from ablate.types import Design, Suite
from ablate.verdicts import decision as verdict
from ablate.workflows import power_forecast
from reports import answers, foreseen, words, write
from reports.verify import verify
from tests.commands.test_cli import ask
from tests.conftest import TINY, comparison

HELPS = ("margin: 2.0 points}", "margin: 2.0 points, claim: helps}")
HURTS = ("margin: 2.0 points}", "margin: 2.0 points, claim: hurts}")


def test_a_suite_declares_a_side(suite_of: Callable[..., Suite]) -> None:
    """In every cell, and pooled over settings."""
    assert [one.claim for one in suite_of().contrasts] == [""]
    crossed = ("seeds: 3", "seeds: 3\nvary: {method.meta.inner_steps: [1, 2]}")
    assert [one.claim for one in suite_of(HELPS, crossed).contrasts] == ["helps", "helps"]
    pooled = suite_of(("2.0 points}", "2.0 points, claim: hurts, over: all}"), crossed)
    assert [(one.claim, one.name) for one in pooled.effects] == [("hurts", "reptile − balanced")]


@pytest.mark.parametrize("wrong", ["helpss", "better", "[helps]", "1", "''"])
def test_another_side_is_refused_at_its_place(wrong: str, suite_of: Callable[..., Suite]) -> None:
    """With what is accepted."""
    with pytest.raises(SuiteError, match=r"for claim.*helps or hurts"):
        suite_of(("margin: 2.0 points}", f"margin: 2.0 points, claim: {wrong}}}"))


def test_the_same_contrast_with_another_side_is_no_other_claim(
    suite_of: Callable[..., Suite],
) -> None:
    """Asked both ways it would have alpha twice: that is what a contrast without a side is."""
    line = "  - {treatment: reptile, baseline: balanced, metric: all-classes, margin: 2 points}\n"
    with pytest.raises(SuiteError, match="declared above"):
        suite_of(HELPS, text=TINY + line)


def test_the_schema_knows_the_sides() -> None:
    """Editors complete them."""
    contrast = suite_schema(scan())["else"]["properties"]["contrasts"]["items"]
    assert contrast["properties"]["claim"]["enum"] == ["helps", "hurts"]
    assert "claim" not in contrast["required"]


@pytest.mark.parametrize(
    ("metric", "claim", "side"),
    [
        ("all-classes", "helps", 1),
        ("all-classes", "hurts", -1),
        ("forgetting", "helps", -1),
        ("forgetting", "hurts", 1),
        ("all-classes", "", 0),
    ],
)
def test_where_less_is_better_helping_is_below(
    metric: str, claim: str, side: int, suite_of: Callable[..., Suite]
) -> None:
    """The comparison says on which side of 0 the claim lies."""
    suite = suite_of(("metric: all-classes", f"metric: {metric}"))
    suite = replace(suite, contrasts=(replace(suite.contrasts[0], claim=claim),))
    (found,) = judge.comparisons(suite, ({}, {}))
    assert (found.claim, found.side) == (claim, side)


# --- registered and reported ---------------------------------------------------------------------


def test_a_side_is_frozen_before_the_runs(suite_of: Callable[..., Suite], tmp_path: Path) -> None:
    """One that is taken or dropped afterwards is a deviation, and the registered one is judged."""
    store = open_store(tmp_path)
    first, changed = suite_of(), suite_of(HELPS)
    registration.freeze(first, store, 0)
    entry = registration.registered(first, store)
    assert list(registration.deviations(first, entry)) == []
    assert list(registration.deviations(changed, entry)) == [
        "claim of reptile − balanced, all-classes: registered either side, now helps."
    ]
    then = registration.original(changed, entry)
    assert then is not None
    assert [one.claim for one in then.contrasts] == [""]
    registration.freeze(changed, store, 0, anew=True)
    entry = registration.registered(changed, store)
    assert not [line for line in registration.deviations(changed, entry) if "claim" in line]
    again = registration.original(first, entry)
    assert again is not None
    assert [one.claim for one in again.contrasts] == ["helps"]


def test_an_entry_without_sides_reads_as_before(suite_of: Callable[..., Suite]) -> None:
    """A declaration of both sides has the form that it had before there were sides."""
    assert registration.declared(suite_of())["contrasts"] == [
        ["reptile", "balanced", "all-classes", 2.0]
    ]


def test_no_gain_is_told_drawn_and_verified(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study], tmp_path: Path
) -> None:
    """A margin that no difference reaches: no gain, which is not a word on harm."""
    suite = suite_of(("margin: 2.0 points}", "margin: 60.0 points, claim: helps}"), FIVE)
    study = run_suite(suite, tmp_path / "results")
    (found,) = study.verdicts
    assert (found.decision, found.p_of) == ("NO GAIN", "NO GAIN")
    path = write.write(study, tmp_path / "results" / "tiny")
    text = path.read_text("utf-8")
    assert text.splitlines()[2].startswith("**No.** `reptile` against `balanced`")
    assert "**NO GAIN** | 5 |" in text
    assert "| +60 (helps) |" in text
    assert "(each end 95 %)" in text
    assert "it may hurt" in text
    with closing(open_store(tmp_path / "results", create=False)) as store:
        assert list(verify(path, store)) == []
        assert flow.open_arms(suite, store) == set()  # NO GAIN is a decision


FIVE = ("seeds: 3", "seeds: 5")


@pytest.mark.parametrize(
    ("claim", "estimate", "metric", "lead"),
    [
        ("helps", 5.0, "all-classes", "Yes."),
        ("hurts", -5.0, "all-classes", "Yes."),
        ("hurts", 5.0, "forgetting", "Yes."),
    ],
)
def test_a_claim_that_matters_answers_yes(
    claim: str, estimate: float, metric: str, lead: str
) -> None:
    """Also the claim that it hurts."""
    side = 1 if estimate > 0 else -1
    lower = metric == "forgetting"
    made = replace(comparison([estimate] * 5), metric=metric, claim=claim, side=side, lower=lower)
    evidence = verdict.examine(made, _tests(), 0.05)
    found = verdict.decide(evidence, verdict.Step(evidence.p, 0.05, 0.05, 0.05))
    assert found.decision == "MATTERS"
    assert answers.lead([found]) == lead
    assert claim in words.decision(found)


def _tests() -> dict[str, object]:
    catalogue = scan()
    return {name: catalogue.load("test", name)() for name in ("minimal-effect", "equivalence")}


# --- power ---------------------------------------------------------------------------------------


def test_the_power_of_a_side_is_the_noncentral_t(suite_of: Callable[..., Suite]) -> None:
    """Of both answers, by SciPy, and more than two sides have."""
    n, sd, margin = 12, 2.0, 2.0
    reach = stats.t.ppf(0.95, n - 1)
    gain = stats.nct.sf(reach, n - 1, (4.0 - margin) / sd * n**0.5)
    none = stats.nct.cdf(-reach, n - 1, (0.0 - margin) / sd * n**0.5)
    suite = suite_of(HELPS, ("seeds: 3", "seeds: 12\nspread: 2.0 points"))
    (found,) = power_forecast.forecasts(suite, {}, "")
    assert (found.matters, found.equivalent) == pytest.approx((gain, none), abs=1e-6)
    (both,) = power_forecast.forecasts(replace(suite, contrasts=_two_sided(suite)), {}, "")
    assert found.matters > both.matters
    assert found.equivalent > both.equivalent
    assert found.detectable < both.detectable
    at = power.one_sided(n, found.detectable, sd, margin)[0]
    assert at == pytest.approx(0.8, abs=1e-6)
    assert "no difference: NO GAIN in" in "\n".join(foreseen.lines([found], suite))


def _two_sided(suite: Suite) -> tuple[object, ...]:
    return tuple(replace(one, claim="") for one in suite.contrasts)


# --- somebody's table ----------------------------------------------------------------------------


def table(deltas: Sequence[float]) -> pd.DataFrame:
    """Make a wide table of a baseline and a treatment."""
    base = [0.5 + seed / 100 for seed in range(len(deltas))]
    new = [score + delta for score, delta in zip(base, deltas, strict=True)]
    return pd.DataFrame({"seed": range(len(deltas)), "base": base, "new": new})


WORSE = [-0.134, -0.036, -0.098, -0.021, -0.082]


@pytest.mark.parametrize(
    ("claim", "lower", "decision"),
    [
        ("", False, "INCONCLUSIVE"),
        ("helps", False, "NO GAIN"),
        ("hurts", True, "NO HARM"),
        ("hurts", False, "MATTERS"),
        ("helps", True, "MATTERS"),
    ],
)
def test_a_table_may_be_asked_about_one_side(claim: str, lower: bool, decision: str) -> None:
    """Where a lower score is better, a fall helps."""
    shift = 0.05 if decision == "MATTERS" else 0.0
    found = compare(
        table([delta - shift for delta in WORSE]),
        margin=0.02,
        arm=["base", "new"],
        claim=claim,
        lower=lower,
    )
    plain = found.to_dict()["contrasts"][0]
    assert (plain["verdict"], plain["claim"]) == (decision, claim)
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_claim_in_a_table_needs_a_name_and_a_baseline() -> None:
    """Of three arms it is not known which is claimed to help."""
    wide = table(WORSE).assign(third=0.5)
    with pytest.raises(SelectionError, match="Did you mean 'helps'"):
        compare(wide, margin=0.02, arm=["base", "new"], claim="help")
    with pytest.raises(SelectionError, match="name the baseline"):
        compare(wide, margin=0.02, arm=["base", "new", "third"], claim="helps")


def test_the_command_line_takes_a_claim(tmp_path: Path) -> None:
    """And what is left open says what its interval excludes all the same."""
    path = tmp_path / "scores.csv"
    long = table(WORSE).melt("seed", var_name="method", value_name="accuracy")
    long.to_csv(path, index=False)
    code, said = ask("compare", path, "--margin", 0.02, "--claim", "helps")
    assert code == 0
    assert "\nNO GAIN  new − base  [accuracy, claim: helps]\n" in said
    assert "(each end 95 %), margin +0.02" in said
    code, said = ask("compare", path, "--margin", 0.02)
    assert "\nINCONCLUSIVE (differs)  new − base  [accuracy]\n" in said
    assert "a difference above +margin is excluded" in said


# --- how often it is wrong -----------------------------------------------------------------------


def test_neither_answer_about_a_side_is_false_too_often() -> None:
    """With the truth on the margin, fixed and with looks, alone and in a family of ten."""
    for schedule in (simulation.fixed(8), simulation.planned((5, 8, 13, 20))):
        rates = simulation.stoppers(WORLDS["normal"], 1.0, 1.0, schedule, 4000, 1, side=1)
        assert all(0.03 < rate < 0.061 for rate in rates)
        ten = simulation.families(WORLDS["normal"], [1.0] * 10, 1.0, schedule, 2000, 1, side=1)
        assert max(ten) < 0.065


def test_the_simulated_rule_of_a_side_is_the_engines() -> None:
    """Decision and look agree throughout, family by family."""
    world, truths = WORLDS["normal"], (0.0, 0.5, 1.0, 1.5)
    assert by_engine.agreement(world, truths, 1.0, range(5, 13), 8, 3, side=1) == 8


def test_a_side_with_an_extended_schedule_is_read_by_the_mixture() -> None:
    """Seeds that were added after the last look."""
    from ablate.verdicts.family import battery, conclude

    made = replace(comparison([3.0 + 0.1 * (i % 3) for i in range(9)]), claim="helps", side=1)
    (found,) = conclude(
        [made],
        battery(("minimal-effect", "equivalence", "paired-t")),
        Design(0.05, "holm", (20,), 9),
    )
    assert (found.decision, found.rule) == ("MATTERS", "t-mixture")
    assert found.low > 1
