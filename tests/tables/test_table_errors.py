"""Runs that are no pairs, and folds: each error by hand or against another library."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ablate.api import compare
from ablate.errors import SelectionError
from ablate.stats.correlated import resampled
from tests.commands.test_cli import ask
from tests.tables.test_clusters import answers, only

RNG = np.random.default_rng(5)
NEW, BASE = RNG.normal(0.74, 0.02, 12), RNG.normal(0.70, 0.01, 9)


def loose(new: object = NEW, base: object = BASE, shift: int = 100) -> pd.DataFrame:
    """Make a table of two arms with seeds of their own."""
    parts = [("base", base, 0), ("new", new, shift)]
    return pd.concat(
        [
            pd.DataFrame({"seed": np.arange(len(list(v))) + first, "method": arm, "accuracy": v})
            for arm, v, first in parts
        ],
        ignore_index=True,
    )


# --- runs that are no pairs ----------------------------------------------------------------------


def test_unpaired_runs_are_compared_by_welch() -> None:
    """Interval and degrees of freedom are SciPy's; the verdict is read from them."""
    test = stats.ttest_ind(NEW, BASE, equal_var=False)
    interval = test.confidence_interval(0.95)
    compared = compare(loose(), margin=0.005, unpaired=True)
    contrast = only(compared)
    assert (contrast["low"], contrast["high"]) == pytest.approx([*interval], rel=1e-9)
    assert (contrast["rule"], contrast["runs"], contrast["n"]) == ("Welch t", [12, 9], 9)
    assert contrast["verdict"] == ("MATTERS" if interval.low > 0.005 else "INCONCLUSIVE")
    assert contrast["verdict"] == "MATTERS"
    assert compared.kind.name == "unpaired"
    assert contrast["robust"] is None
    bare = only(compare(loose(), unpaired=True))
    assert (bare["verdict"], bare["low"]) == (None, pytest.approx(interval.low))


def test_unpaired_runs_are_equivalent_by_two_one_sided_tests() -> None:
    """p is the larger of SciPy's two."""
    new = BASE[::-1] + np.linspace(-0.001, 0.001, len(BASE))
    ends = [
        stats.ttest_ind(new + s * 0.02, BASE, equal_var=False, alternative=a).pvalue
        for s, a in ((1, "greater"), (-1, "less"))
    ]
    contrast = only(compare(loose(new), margin=0.02, unpaired=True))
    assert (contrast["verdict"], contrast["p"]) == ("NEGLIGIBLE", pytest.approx(max(ends)))


def test_arms_without_a_common_seed_are_compared_unpaired_only_if_asked(tmp_path: Path) -> None:
    """The refusal names the option, and the output says that it was used."""
    path = tmp_path / "a.csv"
    loose().to_csv(path, index=False)
    code, text = ask("compare", path, "--margin", 0.005)
    assert (code, "share no seed" in text, "--unpaired" in text) == (4, True, True)
    code, text = ask("compare", path, "--margin", 0.005, "--unpaired")
    assert code == 0
    assert "in no pairs" in text
    assert "12 and 9 runs, unpaired, Welch t" in text


def test_what_pairing_would_have_bought_is_said() -> None:
    """The ratio of the two variances of the mean difference, by hand."""
    base = RNG.normal(0.7, 0.02, 10)
    new = base + RNG.normal(0.01, 0.004, 10)
    ratio = (np.var(new, ddof=1) + np.var(base, ddof=1)) / np.var(new - base, ddof=1)
    assert ratio > 5
    paired, apart = (compare(loose(new, base, 0), margin=0.005, unpaired=u) for u in (False, True))
    assert only(paired)["pairing_gain"] == only(apart)["pairing_gain"] == pytest.approx(ratio)
    assert any(f"{ratio:.3g} times smaller" in note for note in apart.notes)
    assert not any("times smaller" in note for note in paired.notes)
    wider = [only(c)["high"] - only(c)["low"] for c in (apart, paired)]  # type: ignore[operator]
    assert wider[0] > 2 * wider[1]


def test_unpaired_blocks_that_share_no_key_bring_their_own_errors() -> None:
    """The mean of the blocks' differences; variances add (Welch-Satterthwaite)."""
    tables = [loose().assign(data="a"), loose(NEW + 0.1, BASE, 300).assign(data="b")]
    tables[1].loc[tables[1]["method"] == "base", "seed"] += 50
    contrast = only(compare(pd.concat(tables), margin=0.01, block="data", unpaired=True))
    variance = 2 * (np.var(NEW, ddof=1) / 12 + np.var(BASE, ddof=1) / 9) / 4
    half = (contrast["high"] - contrast["low"]) / 2  # type: ignore[operator]
    parts = [np.var(NEW, ddof=1) / 12, np.var(BASE, ddof=1) / 9]
    df = (2 * sum(parts)) ** 2 / (2 * (parts[0] ** 2 / 11 + parts[1] ** 2 / 8))
    assert half == pytest.approx(stats.t.isf(0.025, df) * math.sqrt(variance), rel=1e-9)
    assert contrast["estimate"] == pytest.approx(NEW.mean() - BASE.mean() + 0.05)


@pytest.mark.parametrize(
    ("new", "verdict", "reason"),
    [
        ([0.9, 0.91], "UNTESTABLE", "2 usable runs in an arm"),
        ([0.9, 0.91, 0.92, 0.93], "INCONCLUSIVE", "4 runs in an arm are too few"),
        ([0.9] * 9, "INCONCLUSIVE", "have the same score"),
        ([0.9] * 5 + [math.nan] * 3, "UNTESTABLE", "selection"),
        ([0.9, 0.91, 0.92, 0.93, 0.94, 0.95, math.nan], "UNTESTABLE", "selection"),
    ],
)
def test_what_unpaired_runs_cannot_decide(new: list[float], verdict: str, reason: str) -> None:
    """Too few, without spread, or one arm's runs lost: as for pairs, never MATTERS."""
    contrast = only(compare(loose(new), margin=0.005, unpaired=True))
    assert (contrast["verdict"], reason in str(contrast["why"])) == (verdict, True)


# --- folds ---------------------------------------------------------------------------------------


def folds(k: int = 5, repeats: int = 4) -> pd.DataFrame:
    """Make the scores of a repeated cross-validation."""
    rng = np.random.default_rng(8)
    rows = [
        (r, f, arm, 0.8 + shift + 0.02 * easy + rng.normal(0, 0.005))
        for r in range(repeats)
        for f in range(k)
        for easy in (rng.normal(),)
        for arm, shift in (("base", 0.0), ("new", 0.008))
    ]
    return pd.DataFrame(rows, columns=["repeat", "fold", "method", "accuracy"])


def by_hand(table: pd.DataFrame, ratio: float) -> tuple[float, float]:
    """Give Nadeau & Bengio's interval, written out."""
    wide = table.pivot(index=["repeat", "fold"], columns="method", values="accuracy")
    d = (wide["new"] - wide["base"]).to_numpy()
    error = math.sqrt((1 / len(d) + ratio) * np.var(d, ddof=1))
    half = stats.t.isf(0.025, len(d) - 1) * error
    return float(d.mean() - half), float(d.mean() + half)


@pytest.mark.parametrize(
    ("asked", "ratio"), [(None, 1 / 4), (1 / 4, 1 / 4), (0.1, 0.1), (0.0, 0.0)]
)
def test_folds_have_the_corrected_resampled_interval(asked: float | None, ratio: float) -> None:
    """By the columns, by a ratio that is asked for, and not at all where that is asked for."""
    compared = compare(folds(), margin=0.002, pair=["repeat", "fold"], test_train=asked)
    contrast = only(compared)
    expected = by_hand(folds(), ratio)
    assert (contrast["low"], contrast["high"]) == pytest.approx(expected, rel=1e-9)
    assert compared.kind.test_train == (ratio or None)
    warned = any("Nadeau" in text for text in compared.warnings)
    assert warned == (ratio == 0)
    assert any("number 5 folds" in note for note in compared.notes) == (asked is None)


def test_the_correction_is_what_the_paper_says() -> None:
    """Twenty resamples of 90 % / 10 %: 3.2 times the naive variance."""
    d = [0.1, 0.2, 0.3, 0.2] * 5
    naive, corrected = (resampled(d, float(np.std(d, ddof=1)), r).error ** 2 for r in (0, 1 / 9))
    assert corrected / naive == pytest.approx((1 / 20 + 1 / 9) * 20)


def test_more_repeats_do_not_make_folds_certain() -> None:
    """The error falls to the ratio's share, not to 0: a plain t would claim what this does not."""
    table = folds(5, 40)
    naive = compare(table, margin=0.006, pair=["repeat", "fold"], test_train=0).verdicts[0]
    guarded = compare(table, margin=0.006, pair=["repeat", "fold"]).verdicts[0]
    assert (naive.decision, guarded.decision) == ("MATTERS", "INCONCLUSIVE")


def test_a_ratio_is_a_number_or_a_fraction(tmp_path: Path) -> None:
    """On the command line; anything else is refused."""
    path = tmp_path / "a.csv"
    folds().rename(columns={"fold": "draw"}).to_csv(path, index=False)
    words = ("compare", path, "--margin", 0.002, "--pair", "repeat", "--pair", "draw")
    assert "corrected resampled t" not in ask(*words)[1]
    quarter, decimal = (ask(*words, "--test-train", ratio) for ratio in ("1/4", "0.25"))
    assert quarter == decimal
    assert "corrected resampled t" in quarter[1]
    for ratio in ("much", "1/0", "-1"):
        assert ask(*words, f"--test-train={ratio}")[0] == 2, ratio


def test_one_kind_of_error_at_a_time() -> None:
    """And no looks by another rule than that of pairs."""
    table = answers()
    for settings in (
        {"unpaired": True, "cluster": "document"},
        {"unpaired": True, "test_train": 0.1},
        {"unpaired": True, "looks": (5, 10)},
        {"cluster": "document", "anytime": True},
    ):
        with pytest.raises(SelectionError):
            compare(table, margin=0.1, pair="item", **settings)


def test_unpaired_runs_on_the_margin_make_few_false_claims() -> None:
    """Of unequal spread and number: alpha / 2 for MATTERS, alpha for NEGLIGIBLE."""
    from ablate.analysis.tables.errors import Errors, judged
    from ablate.tables.compared import Kind
    from ablate.types import Comparison, Design

    rng, studies = np.random.default_rng(6), 300
    blank = Comparison("new", "base", "score", 1.0, (), (), (), (), 1e-9, unpaired=True)
    design, errors = Design(0.05, "holm", (1,), 1), Errors(Kind("unpaired"))
    decisions = []
    for _ in range(studies):
        new, base = 1 + 0.6 * rng.normal(size=6), 0.2 * rng.normal(size=12)
        drawn = replace(blank, treatment_values=tuple(new), baseline_values=tuple(base))
        decisions += [verdict.decision for verdict in judged([[drawn]], errors, design)]
    for decision, rate in (("MATTERS", 0.025), ("NEGLIGIBLE", 0.05)):
        most = rate + 3 * math.sqrt(rate * (1 - rate) / studies)
        assert 0 < decisions.count(decision) / studies <= most
