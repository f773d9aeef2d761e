"""What may not change a verdict on a table, what is said before one; files that are no table."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from ablate.api import Compared, compare
from ablate.errors import AblateError
from ablate.tables.files import read_table
from tests.commands.test_cli import ask
from tests.tables.test_tables_as_kept import BASE, OURS, blocks, frame, long

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
    scores,
    steps,
    margins,
    st.sampled_from([",", ";", "\t", " ", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1", "utf-16-le"]),
    st.booleans(),
    st.sampled_from(["", "# a line\n", "Title\n\n", "\n\n", "# a; line, of\t4 | parts\n"]),
)
def test_separators_encodings_and_comments_are_none_of_the_verdicts(
    tmp_path: Path,
    base: list[int],
    apart: list[int],
    margin: float,
    separator: str,
    encoding: str,
    comma: bool,
    above: str,
) -> None:
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


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_no_file_ends_in_a_traceback(tmp_path: Path, data: st.DataObject) -> None:
    """Bytes changed, cut out or put in; and text of nothing but what separates."""
    source = data.draw(
        st.sampled_from(
            [
                long(),
                long(";"),
                blocks(3),
                frame().to_json(),
                frame().T.to_csv(),
                '[{"seed": 1}]',
                "a,b\n",
            ]
        )
    )
    raw = bytearray(source.encode(data.draw(st.sampled_from(["utf-8", "utf-16"]))))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, max(0, len(raw) - 1)))
        end = data.draw(st.sampled_from([place, place + 1, place + 40]))
        put = data.draw(
            st.sampled_from(
                [
                    b"",
                    b",",
                    b";",
                    b"\n",
                    b'"',
                    b"\x00",
                    b"\xff",
                    b"#",
                    b"|",
                    b"\t",
                    b"&",
                    b" ",
                    b"{",
                    b"[",
                    b"\\",
                    b"1e999",
                    b"nan",
                    "±".encode(),
                    b"%",
                ]
            )
        )
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
    both = compare(table.drop(columns="seed"), margin=0.01, pair=["repeat", "fold"], test_train=0)
    assert gist(both) == gist(compare(table, margin=0.01))
    assert [*both.to_dict()["contrasts"][0]["pairs"]][:2] == ["0, 0", "0, 1"]
    indexed = table.set_index(["repeat", "fold"])
    again = compare(indexed, margin=0.01, pair=["repeat", "fold"], test_train=0)
    assert gist(again) == gist(both)


def test_one_score_a_data_set_is_ranked_over_them() -> None:
    """Each data set is a pair, and there is a critical difference."""
    rng = np.random.default_rng(0)
    rows = [
        (f"m{m}", f"ds{d}", 0.5 + d / 50 + m / 50 + rng.normal(0, 0.01))
        for m in range(4)
        for d in range(12)
    ]
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
