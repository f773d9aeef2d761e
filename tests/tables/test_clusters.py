"""Items that are right or wrong, and items in clusters: each figure against another library."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from jsonschema import Draft202012Validator
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from ablate.api import Compared, compare
from ablate.errors import DataError, SelectionError
from ablate.stats.correlated import clustered
from ablate.tables.compared import schema_path
from tests.tables.test_tables_as_kept import frame


def only(compared: Compared) -> dict[str, object]:
    """Give the one contrast as plain data, after it was held to the schema."""
    document = json.loads(json.dumps(compared.to_dict(), allow_nan=False))
    validator = Draft202012Validator(json.loads(schema_path().read_text("utf-8")))
    assert not [*validator.iter_errors(document)]
    assert len(document["contrasts"]) == 1
    return dict(document["contrasts"][0])


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
    assert only(compare(frame(), margin=0.05))["items"] is None


@pytest.mark.parametrize(
    ("right", "wrong"), [("pass", "fail"), ("Correct", "wrong"), ("C", "I"), ("yes", "no")]
)
def test_words_for_right_and_wrong_are_one_and_zero(right: str, wrong: str) -> None:
    """All of a column, and it is said; beside numbers `failed` stays a lost run."""
    table = answers()
    worded = table.assign(accuracy=table["accuracy"].map({1: right, 0: wrong}))
    compared = compare(worded, margin=0.05, pair="item")
    assert only(compared) == only(compare(table, margin=0.05, pair="item"))
    assert f"'{right}' is read as 1, '{wrong}' as 0" in compared.notes
    lost = frame().astype({"accuracy": object})
    lost.loc[0, "accuracy"] = "failed"
    assert len(compare(lost, margin=0.01).verdicts[0].comparison.lost) == 1


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
    tied = only(compare(table, margin=0.2, pair="item", cluster="document"))
    assert "of 60 pairs tie exactly" in str(tied["why"])
    assert "of clusters are not excluded" in str(contrast["why"])
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


# --- rates of false claims -----------------------------------------------------------------------


def misses(sizes: list[int], studies: int = 400) -> tuple[float, float]:
    """Give how often a 95 % interval misses, by its own degrees of freedom and by G - 1."""
    rng, groups = np.random.default_rng(4), np.repeat(np.arange(len(sizes)), sizes)
    missed = np.zeros(2)
    for _ in range(studies):
        deltas = rng.normal(size=len(sizes))[groups] + 0.5 * rng.normal(size=len(groups))
        mean = clustered(deltas.tolist(), groups.tolist(), 1e-9)
        ends = [stats.t.isf(0.025, df) * mean.error for df in (mean.df, len(sizes) - 1)]
        missed += [abs(mean.estimate) > end for end in ends]
    own, usual = missed / studies
    return float(own), float(usual)


def test_a_few_large_clusters_do_not_make_false_claims() -> None:
    """Where the usual degrees of freedom would make them in a fifth of studies and more."""
    even, _ = misses([5] * 10)
    own, usual = misses([1] * 10 + [40] * 2)
    assert abs(even - 0.05) < 3 * math.sqrt(0.05 * 0.95 / 400)
    assert own < 0.05 < 0.15 < usual
