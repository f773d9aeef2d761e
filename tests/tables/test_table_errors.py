"""Runs that are no pairs, items in clusters, folds: each error against another library."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from jsonschema import Draft202012Validator
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from ablate.api import Compared, compare
from ablate.errors import DataError, SelectionError
from ablate.stats.correlated import clustered, resampled
from ablate.tables.compared import schema_path
from tests.commands.test_cli import ask

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


def only(compared: Compared) -> dict[str, object]:
    """Give the one contrast as plain data, after it was held to the schema."""
    document = json.loads(json.dumps(compared.to_dict(), allow_nan=False))
    validator = Draft202012Validator(json.loads(schema_path().read_text("utf-8")))
    assert not [*validator.iter_errors(document)]
    assert len(document["contrasts"]) == 1
    return dict(document["contrasts"][0])


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


# --- items ---------------------------------------------------------------------------------------


def answers(n: int = 60) -> pd.DataFrame:
    """Make items of documents of unequal length, right or wrong in two arms."""
    rng = np.random.default_rng(2)
    document = np.sort(rng.integers(0, 12, n))
    hard = rng.random(12)[document]
    parts = [
        pd.DataFrame({"item": range(n), "method": arm, "document": document, "accuracy": right})
        for arm, right in (
            ("base", (rng.random(n) > hard).astype(int)),
            ("new", (rng.random(n) > 0.6 * hard).astype(int)),
        )
    ]
    return pd.concat(parts, ignore_index=True)


def test_items_have_mcnemars_exact_p() -> None:
    """With the counts, as statsmodels has it; other scores have none."""
    table = answers().pivot(index="item", columns="method", values="accuracy")
    counts = pd.crosstab(table["new"], table["base"]).to_numpy()
    expected = mcnemar(counts, exact=True)
    items = only(compare(answers(), margin=0.05, pair="item"))["items"]
    assert isinstance(items, dict)
    assert items["p"] == pytest.approx(expected.pvalue, rel=1e-9)
    assert 0 < items["p"] < 1
    assert [items[k] for k in ("neither", "baseline_only", "treatment_only", "both")] == [
        *counts.ravel()
    ]
    assert only(compare(loose(BASE + 0.01, BASE, 0), margin=0.05))["items"] is None


def test_clusters_of_one_size_have_the_usual_sandwich() -> None:
    """That of statsmodels, G / (G - 1) included, on G - 1 degrees of freedom."""
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(8), 5)
    deltas = rng.normal(0.3, 1, 8)[groups] + rng.normal(0, 0.5, 40)
    fit = sm.OLS(deltas, np.ones(40)).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": True}
    )
    mean = clustered(deltas.tolist(), groups.tolist(), 1e-9)
    assert mean.estimate == pytest.approx(fit.params[0])
    assert mean.error == pytest.approx(fit.bse[0], rel=1e-9)
    assert mean.df == pytest.approx(7)
    plain = np.std(deltas, ddof=1) / math.sqrt(40)
    assert mean.error > 1.5 * plain


def test_clusters_of_unequal_size_have_fewer_degrees_of_freedom() -> None:
    """The two ways to count them, against matrices written out; the smaller counts."""
    sizes = np.array([1, 2, 3, 10])
    groups = np.repeat(np.arange(4), sizes)
    n = len(groups)
    member = (groups[:, None] == np.arange(4)).astype(float)
    adjust = np.diag(1 / np.sqrt(1 - sizes / n)) @ member.T @ (np.eye(n) - np.ones((n, n)) / n)
    ways = []
    for covariance in (np.eye(n), member @ member.T):
        omega = adjust @ covariance @ adjust.T
        ways.append(np.trace(omega) ** 2 / (omega**2).sum())
    deltas = np.random.default_rng(0).normal(size=n)
    mean = clustered(deltas.tolist(), groups.tolist(), 1e-9)
    assert mean.df == pytest.approx(min(ways), rel=1e-9)
    assert mean.df < 3
    residuals = adjust @ deltas
    assert mean.error == pytest.approx(np.linalg.norm(residuals) / n, rel=1e-9)


def test_clusters_widen_the_interval_and_are_swapped_whole() -> None:
    """The permutation p is SciPy's over whole documents; an item each is the plain comparison."""
    table = answers()
    inside = compare(table, margin=0.05, pair="item", cluster="document")
    contrast = only(inside)
    assert (inside.kind.cluster, contrast["rule"]) == ("document", "cluster-robust t")
    wide = table.pivot(index=["document", "item"], columns="method", values="accuracy")
    sums = (wide["new"] - wide["base"]).groupby("document").sum().to_numpy()
    exact = stats.permutation_test(
        (sums,), np.sum, permutation_type="samples", n_resamples=np.inf, axis=0
    )
    tests, items = contrast["tests"], contrast["items"]
    assert isinstance(tests, dict)
    assert isinstance(items, dict)
    assert tests["sign-flip"]["p"] == pytest.approx(exact.pvalue, rel=1e-6)
    assert items["p"] == tests["sign-flip"]["p"]
    alone = only(compare(table.assign(own=table["item"]), margin=0.05, pair="item", cluster="own"))
    plain = only(compare(table, margin=0.05, pair="item"))
    assert alone["verdict"] == plain["verdict"]
    for key in ("estimate", "simultaneous_low", "simultaneous_high", "low", "high"):
        assert alone[key] == pytest.approx(plain[key], rel=1e-9), key


def test_clusters_that_cannot_carry_a_verdict() -> None:
    """Fewer than five, one alone, an item in two, and a column that is not there."""
    table = answers()
    few = only(compare(table.assign(d=table["item"] % 4), margin=0.3, pair="item", cluster="d"))
    assert (few["verdict"], "4 clusters are too few" in str(few["why"])) == ("INCONCLUSIVE", True)
    one = only(compare(table.assign(d="x"), margin=0.3, pair="item", cluster="d"))
    assert (one["verdict"], one["why"]) == ("UNTESTABLE", "all pairs are in one cluster")
    for column, error in (("method", SelectionError), ("nowhere", SelectionError)):
        with pytest.raises(error):
            compare(table, margin=0.3, pair="item", cluster=column)
    with pytest.raises(DataError, match="a pair is in one cluster"):
        compare(table.assign(d=range(120)), margin=0.3, pair="item", cluster="d")


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
