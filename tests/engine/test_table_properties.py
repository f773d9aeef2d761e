"""What may not change a verdict on a table, what is said before one; files that are no table."""

from __future__ import annotations

import json
import random
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from ablate.api import Compared, compare
from ablate.errors import AblateError, DataError, SelectionError
from ablate.table_files import read_table
from tests.engine.test_cli import ask
from tests.engine.test_tables_as_kept import BASE, OURS, blocks, frame, long

WANTED = ("seed", "method", "accuracy")
TESTS = ("minimal-effect", "equivalence", "paired-t")

scores = st.lists(st.integers(6000, 9000), min_size=6, max_size=12)
steps = st.lists(st.integers(-300, 300), min_size=6, max_size=12)
margins = st.sampled_from([0.002, 0.01, 0.03])

quickly = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def drawn(base: list[int], apart: list[int]) -> pd.DataFrame:
    """Make a table of two arms from ten-thousandths."""
    n = min(len(base), len(apart))
    return pd.DataFrame(
        {
            "seed": [*range(n), *range(n)],
            "method": ["base"] * n + ["ours"] * n,
            "accuracy": [base[i] / 1e4 for i in range(n)]
            + [(base[i] + apart[i]) / 1e4 for i in range(n)],
        }
    )


def gist(found: Compared, scale: float = 1.0) -> list[Any]:
    """Give what every writing of a table has in common."""
    return [
        (
            one.decision,
            one.n,
            one.flags,
            pytest.approx(one.estimate / scale, abs=1e-9),
            pytest.approx(one.p_adjusted, rel=1e-5, abs=1e-9),
        )
        for one in found.verdicts
    ]


@quickly
@given(scores, steps, margins, st.randoms(use_true_random=False))
def test_the_order_of_rows_is_none_of_the_verdicts(
    base: list[int], apart: list[int], margin: float, rng: random.Random
) -> None:
    """As long as base stands first."""
    table = drawn(base, apart)
    order = list(range(1, len(table)))
    rng.shuffle(order)
    shuffled = table.iloc[[0, *order]]
    assert gist(compare(shuffled, margin=margin)) == gist(compare(table, margin=margin))


@quickly
@given(scores, steps, margins, st.sampled_from(["x", "Zürich", "a b", "1.5", "None", "mean"]))
def test_the_name_of_an_arm_is_none_of_the_verdicts(
    base: list[int], apart: list[int], margin: float, name: str
) -> None:
    """Whatever it is, as long as two have not the same."""
    table = drawn(base, apart)
    renamed = table.replace({"method": {"ours": name}})
    assert gist(compare(renamed, margin=margin)) == gist(compare(table, margin=margin))


@quickly
@given(scores, steps, margins)
def test_percent_and_fractions_have_the_same_verdicts(
    base: list[int], apart: list[int], margin: float
) -> None:
    """Scores and margin times 100."""
    table = drawn(base, apart)
    scaled = table.assign(accuracy=100 * table["accuracy"])
    found = compare(scaled, margin=100 * margin)
    assert gist(found, 100) == gist(compare(table, margin=margin))


@quickly
@given(
    scores, steps, margins,
    st.sampled_from([",", ";", "\t", " ", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1", "utf-16-le"]),
    st.booleans(),
    st.sampled_from(["", "# a line\n", "Title\n\n", "\n\n", "# a; line, of\t4 | parts\n"]),
)  # fmt: skip
def test_separators_encodings_and_comments_are_none_of_the_verdicts(
    tmp_path: Path, base: list[int], apart: list[int], margin: float, separator: str,
    encoding: str, comma: bool, above: str,
) -> None:  # fmt: skip
    """With a decimal comma wherever the comma does not part the columns."""
    table = drawn(base, apart)
    decimal = "," if comma and separator != "," else "."
    text = table.to_csv(index=False, sep=separator, decimal=decimal)
    path = tmp_path / "t.csv"
    path.write_bytes((above + text).encode(encoding))
    found = compare(read_table(path, WANTED), margin=margin)
    assert gist(found) == gist(compare(table, margin=margin))


@quickly
@given(scores, steps, margins, st.sampled_from(["mean", "Average", "best", "AVG±", "std"]))
def test_summary_rows_are_none_of_the_verdicts(
    base: list[int], apart: list[int], margin: float, word: str
) -> None:
    """They are left out, and it is said."""
    table = drawn(base, apart)
    means = table.groupby("method", as_index=False, sort=False)["accuracy"].mean()
    more = pd.concat([table.astype({"seed": object}), means.assign(seed=word)])
    found = compare(more, margin=margin)
    assert gist(found) == gist(compare(table, margin=margin))
    assert any(word in note for note in found.notes)


@settings(max_examples=150, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.data())
def test_no_file_ends_in_a_traceback(tmp_path: Path, data: st.DataObject) -> None:
    """Bytes changed, cut out or put in; and text of nothing but what separates."""
    source = data.draw(st.sampled_from([long(), long(";"), blocks(3), frame().to_json(),
                                        frame().T.to_csv(), '[{"seed": 1}]', "a,b\n"]))  # fmt: skip
    raw = bytearray(source.encode(data.draw(st.sampled_from(["utf-8", "utf-16"]))))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, max(0, len(raw) - 1)))
        end = data.draw(st.sampled_from([place, place + 1, place + 40]))
        put = data.draw(st.sampled_from([b"", b",", b";", b"\n", b'"', b"\x00", b"\xff", b"#", b"|",
                                         b"\t", b"&", b" ", b"{", b"[", b"\\", b"1e999", b"nan",
                                         "±".encode(), b"%"]))  # fmt: skip
        raw[place:end] = put
    path = tmp_path / "t.csv"
    path.write_bytes(bytes(raw))
    block = data.draw(st.sampled_from([None, "data"]))
    said = "read"
    try:
        compare(read_table(path, WANTED), margin=0.01, block=block)
    except AblateError as error:
        said = str(error)
    assert said
    assert "\n" not in said


# --- said before any verdict ---------------------------------------------------------------------


def notes(table: pd.DataFrame, **asked: Any) -> str:
    return "\n".join(compare(table, **{"margin": 0.01, **asked}).notes)


def loss(scale: float = 1.0) -> pd.DataFrame:
    return frame().rename(columns={"accuracy": "loss"}).assign(
        loss=lambda t: scale * (1 - t["loss"])
    )  # fmt: skip


@pytest.mark.parametrize(
    "name", ["loss", "val_loss", "testLoss", "error", "error_rate", "Perplexity", "rmse", "WER",
             "nll", "logloss", "time"]
)  # fmt: skip
def test_a_metric_of_which_less_is_better_is_said(name: str) -> None:
    """Unless it was said before; of an accuracy, the other way around."""
    table = loss().rename(columns={"loss": name})
    assert "--less-is-better" in notes(table, metric=name)
    assert "--less-is-better" not in notes(table, metric=name, lower=True)
    assert "less is better" not in notes(frame())
    assert "more is better" in notes(frame(), lower=True)


def test_less_is_better_turns_words_and_ranks(tmp_path: Path) -> None:
    """Not the difference, which stays treatment - baseline."""
    path = tmp_path / "a.csv"
    loss().to_csv(path, index=False)
    code, text = ask("compare", path, "--metric", "loss", "--margin", 0.01, "--less-is-better")
    assert (code, "MATTERS (lower: better)  ours − base" in text) == (0, True)
    _, plain = ask("compare", path, "--metric", "loss", "--margin", 0.01, "--lower", "--json")
    told = json.loads(plain)
    assert (told["less_is_better"], told["contrasts"][0]["better"]) == (True, True)
    assert told["contrasts"][0]["direction"] == "lower"


def test_a_margin_that_no_two_scores_are_apart_is_said() -> None:
    """Never a bare NEGLIGIBLE: refused where the scale has no such difference."""
    with pytest.raises(SelectionError, match=r"--margin 0\.01"):
        compare(frame(), margin=1)
    with pytest.raises(SelectionError, match=r"--margin 0\.02"):
        compare(frame(), margin=2)
    found = compare(frame(), margin=0.5)
    assert found.verdicts[0].decision == "NEGLIGIBLE"
    assert any("larger than all scores are apart" in note for note in found.notes)
    assert "larger than" in notes(loss(3), metric="loss", margin=2)
    assert "larger than" not in notes(frame())
    assert "--margin 1" in notes(frame().assign(accuracy=lambda t: 100 * t["accuracy"]))


def test_a_mean_under_a_number_is_said() -> None:
    """Seed -1 of a program that writes the mean there."""
    means = pd.read_csv(StringIO(f"seed,method,accuracy\n-1,base,{np.mean(BASE):.4f}\n"
                                 f"-1,ours,{np.mean(OURS):.4f}\n"))  # fmt: skip
    assert "seed -1 has the mean" in notes(pd.concat([frame(), means]))
    assert "the mean" not in notes(frame())


def test_scores_that_are_no_accuracy_are_said() -> None:
    """A share lies in 0 to 1 or in 0 to 100."""
    assert "no share" in notes(frame().assign(accuracy=lambda t: t["accuracy"] - 0.81))
    assert "no share" in notes(frame().assign(accuracy=lambda t: 500 * t["accuracy"]))
    assert "no share" not in notes(frame())


def mixture(of: str) -> pd.DataFrame:
    """Make a table in which some scores are fractions and the others percent."""
    table = frame().assign(data=["a"] * 10 + ["b"] * 10, row=range(20))
    part = {
        "arm": table["method"] == "ours", "row": table["row"] == 7, "most": table["row"] != 7,
        "keys": table["seed"] < 4,
    }[of]  # fmt: skip
    return table.assign(accuracy=table["accuracy"].where(~part, 100 * table["accuracy"]))


@pytest.mark.parametrize("of", ["arm", "row", "most", "keys"])
def test_fractions_among_percentages_are_refused(of: str) -> None:
    """In an arm, in a row, in all rows but one; a score that names its unit is meant."""
    with pytest.raises(DataError, match="mixed"):
        compare(mixture(of), margin=0.01)


def test_a_metric_without_bounds_may_have_small_and_large_scores() -> None:
    """Rows are only named; an arm that is a hundred times the other is refused, a loss said."""
    rewards, losses = (
        lambda of, name=name: mixture(of).rename(columns={"accuracy": name})
        for name in ("reward", "loss")
    )
    assert "mixed" in notes(rewards("row"), metric="reward")
    with pytest.raises(DataError, match="mixed"):
        compare(rewards("arm"), margin=0.01, metric="reward")
    assert "100 times" in notes(losses("arm"), metric="loss")
    assert "100 times" not in notes(losses("row"), metric="loss")


def test_a_small_share_with_its_percent_sign_is_meant() -> None:
    """A run that collapsed to 0.9 % among runs at 80."""
    table = frame().assign(accuracy=lambda t: [f"{100 * s:.2f}%" for s in t["accuracy"]])
    table.loc[3, "accuracy"] = "0.9%"
    assert compare(table, margin=1).verdicts[0].n == 10


# --- what cannot be paired -----------------------------------------------------------------------


def test_arms_without_a_common_seed_are_told_so(tmp_path: Path) -> None:
    """Not of crashed runs; the others are judged, and nothing tested is exit code 4."""
    table = frame()
    ours = table["method"] == "ours"
    path = tmp_path / "a.csv"
    table.assign(seed=table["seed"].where(~ours, table["seed"] + 100)).to_csv(path, index=False)
    code, text = ask("compare", path, "--margin", 0.01)
    assert (code, "share no seed" in text, "crash" in text) == (4, True, False)
    third = table[ours].assign(method="late", seed=range(50, 60))
    found = compare(pd.concat([table, third]), margin=0.01)
    assert [one.decision for one in found.verdicts] == ["MATTERS", "UNTESTABLE", "UNTESTABLE"]
    assert not any("crash" in warning for warning in found.warnings)
    assert ask("compare", path, "--margin", 0.01, "--json")[0] == 4


def test_a_word_in_place_of_a_score_is_the_reason(tmp_path: Path) -> None:
    """`OOM` says more than nan."""
    path = tmp_path / "a.csv"
    path.write_text(long() + "10,base,0.8\n10,ours,OOM\n")
    found = compare(read_table(path, WANTED), margin=0.01)
    assert found.verdicts[0].comparison.lost[0].reason == "10: ours: accuracy is OOM"


def test_a_key_of_two_columns_is_one_key() -> None:
    """From Python and in JSON; an index of pandas counts as columns."""
    table = frame().assign(fold=lambda t: t["seed"] % 5, repeat=lambda t: t["seed"] // 5)
    both = compare(table.drop(columns="seed"), margin=0.01, pair=["repeat", "fold"])
    assert gist(both) == gist(compare(table, margin=0.01))
    assert [*both.to_dict()["contrasts"][0]["pairs"]][:2] == ["0, 0", "0, 1"]
    indexed = table.set_index(["repeat", "fold"])
    assert gist(compare(indexed, margin=0.01, pair=["repeat", "fold"])) == gist(both)


def test_one_score_a_data_set_is_ranked_over_them() -> None:
    """Each data set is a pair, and there is a critical difference."""
    rng = np.random.default_rng(0)
    rows = [(f"m{m}", f"ds{d}", 0.5 + d / 50 + m / 50 + rng.normal(0, 0.01))
            for m in range(4) for d in range(12)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["model", "dataset", "accuracy"])
    found = compare(table, margin=0.01, arm="model", block="dataset")
    assert [one.n for one in found.verdicts] == [12] * 6
    assert found.settings is not None
    assert (len(found.settings.settings), found.blocks) == (12, {})
    assert found.to_dict()["settings"]["critical"] == pytest.approx(found.settings.critical)
    constant = compare(table.assign(seed=7), margin=0.01, arm="model", block="dataset")
    assert gist(constant) == gist(found)


def test_ranks_are_printed_where_there_are_blocks(tmp_path: Path) -> None:
    """With the arms that are not told apart."""
    path = tmp_path / "a.csv"
    path.write_text(blocks(6))
    code, text = ask("compare", path, "--margin", 0.01, "--block", "data")
    assert code == 0
    assert "Average ranks over 3 (mnist, cifar10, svhn), 1 is the highest accuracy:" in text
    assert "  1.00  ours\n  2.00  base" in text
    assert "critical difference" in text


def test_the_base_table_is_what_the_cases_say() -> None:
    """Ten pairs, and a difference that is no round-off."""
    assert np.mean(np.subtract(OURS, BASE)) == pytest.approx(0.02017)
    assert {*TESTS} <= {*compare(frame(), margin=0.01).verdicts[0].tests}
