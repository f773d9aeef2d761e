"""Somebody's own table: read, paired, judged; and every figure against R."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ablate.api import compare
from ablate.errors import DataError, SelectionError
from ablate.registry import scan
from ablate.types import Design, TestResult
from ablate.verdicts.family import conclude
from tests.commands.test_cli import ask, python
from tests.conftest import comparison, reference


def every_test(deltas: list[float], margin: float = 1.0) -> Any:
    """Run every test of the catalogue on some differences."""
    catalogue, found = scan(), {}
    made = comparison(deltas, margin, 1e-9, base=0.0)
    for name in catalogue.names("test"):
        found[name] = catalogue.load("test", name)()(made, 0.05)
    return found


def frame(deltas: list[float], base: float = 0.5) -> pd.DataFrame:
    """Make a long table of two arms, `base` first."""
    n = len(deltas)
    return pd.DataFrame(
        {
            "seed": [*range(n), *range(n)],
            "method": ["base"] * n + ["new"] * n,
            "accuracy": [base + i / 100 for i in range(n)]
            + [base + i / 100 + d for i, d in enumerate(deltas)],
        }
    )


CLEAR = [0.05, 0.045, 0.06, 0.04, 0.045, 0.06]


def cases(what: str) -> Any:
    some = reference(what)
    return pytest.mark.parametrize("case", some, ids=[case["name"] for case in some])


@cases("paired_t")
def test_the_paired_t_is_rs(case: dict[str, Any]) -> None:
    """p, estimate and interval."""
    found, expect = every_test(case["input"]["d"])["paired-t"], case["expect"]
    assert (found.p, found.estimate) == pytest.approx((expect["p"], expect["estimate"]), rel=1e-7)
    assert (found.low, found.high) == pytest.approx(
        (expect["conf_low_95"], expect["conf_high_95"]), rel=1e-7, abs=1e-10
    )


@cases("minimal_effect")
def test_the_minimal_effect_test_is_rs(case: dict[str, Any]) -> None:
    """Twice the smaller of two one-sided p."""
    found = every_test(case["input"]["d"], case["input"]["margin"])["minimal-effect"]
    assert found.p == pytest.approx(case["expect"]["p"], rel=1e-7, abs=1e-12)


@cases("tost")
def test_tost_is_rs(case: dict[str, Any]) -> None:
    """The larger of two one-sided p, with the 90 % interval."""
    found = every_test(case["input"]["d"], case["input"]["margin"])["equivalence"]
    assert found.p == pytest.approx(case["expect"]["p"], rel=1e-7, abs=1e-12)
    assert found.low == pytest.approx(case["expect"]["conf_low_90"], rel=1e-7, abs=1e-10)


@cases("sign_flip")
def test_the_sign_flip_is_every_assignment_enumerated(case: dict[str, Any]) -> None:
    """To the last digit."""
    found = every_test(case["input"]["d"])["sign-flip"]
    assert found.p == pytest.approx(case["expect"]["p"], rel=1e-9)


@cases("wilcoxon")
def test_wilcoxon_is_rs(case: dict[str, Any]) -> None:
    """Exact given the ties, zeros left out."""
    found, expect = every_test(case["input"]["d"])["wilcoxon"], case["expect"]
    assert found.p == pytest.approx(expect["p_exact_conditional"], rel=1e-9)


@cases("effect_size")
def test_the_effect_size_is_rs(case: dict[str, Any]) -> None:
    """With its noncentral interval."""
    found, expect = every_test(case["input"]["d"])["effect-size"], case["expect"]
    assert found.estimate == pytest.approx(expect["d_z"], rel=1e-7)
    assert (found.low, found.high) == pytest.approx(
        (expect["d_z_conf_low_95"], expect["d_z_conf_high_95"]), rel=1e-5, abs=1e-7
    )


@cases("bayes_t")
def test_the_posterior_is_rs(case: dict[str, Any]) -> None:
    """Outside is below and above."""
    found, expect = every_test(case["input"]["d"], case["input"]["rope"])["rope"], case["expect"]
    assert found.p == pytest.approx(expect["p_below"] + expect["p_above"], rel=1e-7, abs=1e-12)


@cases("sign_e")
def test_the_sign_evidence_is_rs(case: dict[str, Any]) -> None:
    """From the counts alone."""
    n, k = case["input"]["n"], case["input"]["k"]
    found = every_test([1.0] * k + [-1.0] * (n - k) + [0.0])["sign-e"]
    assert math.exp(found.effect) == pytest.approx(case["expect"]["e_value"], rel=1e-9)


# --- the table -----------------------------------------------------------------------------------


def test_a_long_table_is_judged() -> None:
    """The arm named first is the baseline."""
    found = compare(frame(CLEAR), margin=0.01).to_dict()["contrasts"][0]
    assert (found["treatment"], found["baseline"]) == ("new", "base")
    assert (found["verdict"], found["direction"], found["n"]) == ("MATTERS", "higher", 6)
    assert found["estimate"] == pytest.approx(0.05)


def test_long_and_wide_say_the_same() -> None:
    """And so do CSV, Parquet and JSON lines."""
    long = frame(CLEAR)
    wide = long.pivot(index="seed", columns="method", values="accuracy").reset_index()
    a = compare(long, margin=0.01).to_dict()
    b = compare(wide, margin=0.01, arm=["base", "new"]).to_dict()
    assert a == b


def test_files_of_every_kind_are_read(tmp_path: Path) -> None:
    """By their ending."""
    table = frame(CLEAR)
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_csv(tmp_path / "a.tsv", index=False, sep="\t")
    table.to_parquet(tmp_path / "a.parquet")
    table.to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    for path in list(tmp_path.iterdir()):
        code, text = ask("compare", path, "--margin", 0.01, "--json")
        assert code == 0
        found = json.loads(text)["contrasts"][0]
        assert (found["verdict"], found["n"]) == ("MATTERS", 6)
        assert found["p"] == pytest.approx(compare(table, margin=0.01).verdicts[0].p)


def test_rows_in_any_order_are_the_same_table() -> None:
    """Joined on the key, never on position."""
    table = frame(CLEAR)
    mixed = pd.concat([table[:6].sample(frac=1, random_state=1), table[6:][::-1]])
    assert compare(mixed, margin=0.01).to_dict() == compare(table, margin=0.01).to_dict()


def test_a_score_that_is_not_finite_loses_its_pair() -> None:
    """One arm losing more than a tenth makes it untestable; rows that are absent are listed."""
    table = frame([*CLEAR, 0.05, 0.04, 0.06, 0.05])
    table.loc[10, "accuracy"] = np.nan
    found = compare(table, margin=0.01)
    assert found.verdicts[0].n == 9
    assert found.to_dict()["contrasts"][0]["lost"] == [
        {"reason": "0: new: accuracy is nan", "failed": ["new"]}
    ]
    table.loc[11, "accuracy"] = np.inf
    assert compare(table, margin=0.01).verdicts[0].decision == "UNTESTABLE"
    short = frame(CLEAR).drop(index=[11])
    absent = compare(short, margin=0.01)
    assert absent.verdicts[0].decision == "MATTERS"
    assert "5: new: no row" in absent.warnings[0]


@pytest.mark.parametrize(
    ("deltas", "margin", "decision"),
    [
        ([0.0] * 6, 0.01, "INCONCLUSIVE"),
        ([0.0] * 2, 0.01, "UNTESTABLE"),
        ([0.5] * 4, 0.01, "INCONCLUSIVE"),
        (CLEAR, None, "UNTESTABLE"),
        (CLEAR, 0, "UNTESTABLE"),
        ([0.05] * 6, 0.01, "MATTERS"),
    ],
)
def test_degenerate_tables_have_their_outcomes(
    deltas: list[float], margin: float | None, decision: str
) -> None:
    """Without a warning of NumPy's."""
    with np.errstate(all="raise"):
        assert compare(frame(deltas), margin=margin).verdicts[0].decision == decision


def test_blocks_are_judged_one_by_one_and_together() -> None:
    """Over blocks the unit is the key: its mean over them."""
    a, b = frame(CLEAR).assign(data="a"), frame([d / 2 for d in CLEAR]).assign(data="b")
    found = compare(pd.concat([a, b]), margin=0.01, block="data")
    assert found.verdicts[0].estimate == pytest.approx(0.0375)
    assert found.verdicts[0].n == 6
    assert {name: v[0].estimate for name, v in found.blocks.items()} == pytest.approx(
        {"a": 0.05, "b": 0.025}
    )


@cases("blocked_cluster")
def test_means_over_blocks_are_rs(case: dict[str, Any]) -> None:
    """Rows are seeds, columns blocks."""
    rows = [
        {"seed": s, "data": f"d{b}", "method": arm, "accuracy": d if arm == "new" else 0.0}
        for s, row in enumerate(case["input"]["d"])
        for b, d in enumerate(row)
        for arm in ("base", "new")
    ]
    found = compare(pd.DataFrame(rows), margin=1e-3, block="data").verdicts[0].tests["paired-t"]
    expect = case["expect"]
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (expect["estimate"], expect["conf_low_95"], expect["conf_high_95"]), rel=1e-6, abs=1e-9
    )


def test_faults_are_named() -> None:
    """Columns, arms, keys, numbers, settings."""
    table = frame(CLEAR).assign(words="x")
    for error, settings, said in [
        (SelectionError, {"arm": "methd"}, "Did you mean 'method'"),
        (SelectionError, {"baseline": "bse"}, "Did you mean 'base'"),
        (SelectionError, {"alpha": 2}, "alpha"),
        (SelectionError, {"correction": "holmes"}, "holm"),
        (SelectionError, {"looks": [3, 6]}, "looks"),
        (SelectionError, {"resolution": -1}, "resolution"),
        (SelectionError, {"margin": -1}, "margin"),
        (DataError, {"metric": "words"}, "no number"),
    ]:
        with pytest.raises(error, match=said):
            compare(table, **{"margin": 0.01, **settings})
    with pytest.raises(DataError, match="a second time"):
        compare(pd.concat([table, table[:1]]), margin=0.01)
    with pytest.raises(SelectionError, match="nothing to compare"):
        compare(table[:6], margin=0.01)


def test_a_trap_is_said_where_it_occurs() -> None:
    """Floors, skew, ties and a verdict that one pair carries."""
    five = compare(frame(CLEAR[:5]), margin=0.01)
    assert any("not under 0.062 with 5 pairs" in warning for warning in five.warnings)
    tied = compare(frame([0.0, 0.0, 0.0, 0.01, 0.0, -0.01]), margin=0.05)
    assert any("exactly 0" in warning and "4 of 6" in warning for warning in tied.warnings)
    skewed = compare(frame([0.0, 0.01, 0.0, 0.01, 0.02, 0.9, 0.01]), margin=0.05)
    assert any("skewed" in warning for warning in skewed.warnings)


def test_the_terminal_says_what_was_found(tmp_path: Path) -> None:
    """In the metric's own unit; and a fault is a message with exit code 2."""
    path = tmp_path / "a.csv"
    frame(CLEAR).assign(data="x").to_csv(path, index=False)
    code, said = ask("compare", path, "--margin", 0.01, "--block", "data", "--looks", "5,6")
    assert code == 0
    assert "MATTERS (higher: helps)  new − base  [accuracy]" in said
    assert "in x, a family of its own:" in said
    assert ask("compare", path, "--margin", 0.01, "--looks", "five")[0] == 2
    assert ask("compare", tmp_path / "none.csv", "--margin", 0.01)[0] == 2
    (tmp_path / "a.txt").write_text("x")
    assert ask("compare", tmp_path / "a.txt", "--margin", 0.01)[0] == 2


def test_comparing_needs_no_torch() -> None:
    """In a process of its own."""
    code = (
        "import sys, pandas as pd\nfrom ablate.api import compare\n"
        "t = pd.DataFrame({'seed': list(range(6)) * 2, 'method': ['a'] * 6 + ['b'] * 6,"
        " 'accuracy': [.1, .2, .3, .4, .5, .6, .2, .31, .39, .5, .6, .71]})\n"
        "compare(t, margin=.01)\nassert 'torch' not in sys.modules\n"
    )
    done = python(code)
    assert done.returncode == 0, done.stderr


def test_a_third_partys_broken_test_never_ends_in_matters() -> None:
    """In the whole procedure, not only in one test."""

    def broken(*_: object) -> TestResult:
        raise ValueError("no")

    found = conclude([comparison(CLEAR)], {"x": broken}, Design(0.05, "holm", (6,), 6))
    assert found[0].decision == "UNTESTABLE"


# --- what a hostile reader tried ------------------------------------------------------------------

NOISY = ([3.001, 3.112, 2.894, 3.05, 2.99, 3.07], [3.2, 3.05, 3.11, 2.95, 3.18, 3.04])


def two(base: list[float], new: list[float], keys: list[Any] | None = None) -> pd.DataFrame:
    """Make a table of two arms."""
    keys = keys or list(range(len(base)))
    rows = zip(
        [*keys, *keys], ["base"] * len(base) + ["new"] * len(new), [*base, *new], strict=True
    )
    return pd.DataFrame(rows, columns=["seed", "method", "accuracy"])


@pytest.mark.parametrize(("offset", "scale"), [(0, 1), (1e9, 1), (0, 1e-9), (0, 1e-14), (0, 1e9)])
def test_no_unit_and_no_offset_makes_a_verdict(offset: float, scale: float) -> None:
    """Only round-off counts as no spread."""
    base, new = ([offset + scale * one for one in side] for side in NOISY)
    (found,) = compare(two(base, new), margin=0.01 * scale).verdicts
    assert found.decision == "INCONCLUSIVE"
    assert found.low / scale == pytest.approx(-0.0859, abs=1e-3)


def test_blocks_that_cancel_are_not_inert() -> None:
    """No difference on average is not the same score in every run."""
    rows = [
        (data, seed, arm, 0.5 + 0.01 * seed + (arm == "new") * way)
        for data, way in (("x", 0.1), ("y", -0.1))
        for seed in range(6)
        for arm in ("base", "new")
    ]
    table = pd.DataFrame(rows, columns=["data", "seed", "method", "accuracy"])
    found = compare(table, margin=0.01, block="data")
    assert "INERT" not in found.verdicts[0].flags
    assert [one[0].decision for one in found.blocks.values()] == ["MATTERS", "MATTERS"]
    json.dumps(found.to_dict(), allow_nan=False)


def test_text_keys_are_looked_at_in_their_natural_order() -> None:
    """s2 comes before s10, so that the first look sees the first five."""
    base = [0.8] * 12
    new = [0.85 + 0.001 * (i % 3) if i < 5 else 0.8 + 0.001 * (i % 4) for i in range(12)]
    text = compare(two(base, new, [f"s{i + 1}" for i in range(12)]), margin=0.01, looks=(5, 8, 12))
    assert (text.verdicts[0].decision, text.verdicts[0].n) == ("MATTERS", 5)


def test_another_arm_does_not_refine_the_resolution() -> None:
    """Constant differences are judged on the two arms' own grid."""
    flat = two([0.5] * 6, [0.55] * 6)
    third = flat[:6].assign(method="z", accuracy=[0.5001, 0.7, 0.6, 0.4, 0.3, 0.2])
    alone = compare(flat, margin=0.01).verdicts[0]
    among = compare(pd.concat([flat, third]), margin=0.01, correction="none").verdicts[0]
    assert (alone.decision, alone.low) == (among.decision, pytest.approx(among.low))


def test_looks_need_shared_keys() -> None:
    """Blocks of their own seeds are read once."""
    apart = pd.concat(
        [two(*NOISY).assign(data="x"), two(*NOISY, [f"k{i}" for i in range(6)]).assign(data="y")]
    )
    with pytest.raises(SelectionError, match="share no key"):
        compare(apart, margin=0.01, block="data", looks=(5, 6))


def test_an_arm_without_rows_is_suspected_of_crashes() -> None:
    """A trainer that dies writes none."""
    table = two(*NOISY)
    said = compare(table.drop([6, 7]), margin=0.01).warnings
    assert any("new has no row for 2 of 6" in warning for warning in said)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("wide.csv", "seed,ours,accuracy\n" + "".join(f"{i},.8{i},.7{i}\n" for i in range(6))),
        (
            "a.jsonl",
            "".join(
                f'{{"seed":{i},"method":"{m}","accuracy":0.{8 + (m == "b")}{i},"tags":["q"]}}\n'
                for i in range(6)
                for m in "ab"
            ),
        ),
        (
            "none.csv",
            "seed,method,accuracy\n"
            + "".join(f"{i},{m},.{8 + (m == 'NA')}{i}\n" for i in range(6) for m in ("a", "NA")),
        ),
        (
            "lost.csv",
            "seed,method,accuracy\n"
            + "".join(f"{i},{m},{'NA' if i == 7 else f'.8{i}'}\n" for i in range(8) for m in "ab"),
        ),
    ],
)
def test_tables_as_people_write_them(tmp_path: Path, name: str, text: str) -> None:
    """Columns of other kinds, arms called NA, scores that are missing."""
    (tmp_path / name).write_text(text)
    wide = ["--arm", "ours", "--arm", "accuracy"] if name == "wide.csv" else []
    code, said = ask("compare", tmp_path / name, "--margin", 0.01, "--json", *wide)
    assert code == 0
    assert json.loads(said)["contrasts"][0]["n"] in (6, 7)


def test_rows_longer_than_the_header_shift_nothing(tmp_path: Path) -> None:
    """A trailing comma is nothing; another value is refused."""
    lines = [f"{i},{m},.{8 + (m == 'b')}{i}" for i in range(6) for m in "ab"]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["seed,method,accuracy", *(f"{line}," for line in lines)]))
    code, said = ask("compare", path, "--margin", 0.01)
    assert code == 0
    assert "b − a" in said
    path.write_text("\n".join(["seed,method,accuracy", *(f"{line},7" for line in lines)]))
    assert ask("compare", path, "--margin", 0.01)[0] == 2


@pytest.mark.parametrize(
    ("settings", "change"),
    [
        ({}, {"accuracy": [1e-300 * i for i in range(12)]}),
        ({}, {"accuracy": [1e80] * 12}),
        ({}, {"seed": [[i] for i in range(12)]}),
        ({"pair": 1}, {}),
        ({"arm": 3}, {}),
        ({"arm": ()}, {}),
        ({"resolution": 1e-310}, {}),
        ({"alpha": "some"}, {}),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_cannot_be_computed_is_refused(
    settings: dict[str, Any], change: dict[str, Any]
) -> None:
    """Squares that underflow, keys that name nothing, settings of another kind."""
    with pytest.raises((SelectionError, DataError)):
        compare(two(*NOISY).assign(**change), **{"margin": 0.01, **settings})
