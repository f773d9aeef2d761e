"""JSON, packed files, Parquet with nested columns and histories: what programs write of runs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ablate.api import compare
from ablate.errors import DataError, SelectionError
from ablate.tables.files import read_table
from tests.commands.test_cli import ask
from tests.tables.test_table_properties import gist
from tests.tables.test_tables_as_kept import frame, long, records

WANTED = ("seed", "method", "accuracy")


def nested() -> list[dict[str, Any]]:
    """Give runs as trackers write them: settings and results in objects of their own."""
    return [
        {
            "config": {"seed": row["seed"], "method": row["method"], "lr": {"value": 0.1}},
            "summary": {"accuracy": row["accuracy"]},
            "tags": ["a", "b"],
        }
        for row in records()
    ]


def lines(rows: list[dict[str, Any]], end: str = "\n") -> str:
    return end.join(map(json.dumps, rows)) + "\n"


FORMS: dict[str, tuple[str, str]] = {
    "lines": (lines(records()), ""),
    "lines, nested": (lines(nested()), ""),
    "lines with commas": (lines(records(), ",\n"), ""),
    "a list, nested": (json.dumps(nested()), ""),
    "under a key": (json.dumps({"version": 1, "runs": records()}), ""),
    "under keys": (json.dumps({"results": {"when": "now", "runs": nested()}}), "'results.runs'"),
    "beside other lists": (json.dumps({"notes": [{"a": 1}], "runs": records()}), "'runs'"),
    "by a run's name": (json.dumps({f"run-{i}": row for i, row in enumerate(nested())}), ""),
    "by an arm's name": (
        json.dumps(
            {
                arm: {str(row["seed"]): row["accuracy"] for row in records() if arm in row.values()}
                for arm in ("base", "ours")
            }
        ),
        "a guess",
    ),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("packed", [False, True])
def test_runs_are_read_wherever_they_stand(tmp_path: Path, name: str, packed: bool) -> None:
    """As plain text and gzipped, and it is said where they stood."""
    text, note = FORMS[name]
    path = tmp_path / ("a.json.gz" if packed else "a.json")
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    compared = compare(read_table(path, WANTED), margin=0.01)
    assert gist(compared) == gist(compare(frame(), margin=0.01))
    assert note in " ".join(compared.notes)


def test_lists_that_all_may_be_meant_are_refused(tmp_path: Path) -> None:
    """With the keys that they stand under."""
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"new": {"runs": records()}, "old": {"runs": records()}}))
    with pytest.raises(DataError, match=r"'new\.runs', 'old\.runs'"):
        read_table(path, WANTED)


@pytest.mark.parametrize(("end", "separator"), [("csv", ","), ("tsv", "\t"), ("csv", ";")])
def test_packed_text_is_unpacked(tmp_path: Path, end: str, separator: str) -> None:
    """Whatever parts its columns."""
    path = tmp_path / f"a.{end}.gz"
    path.write_bytes(gzip.compress(long(separator).encode()))
    assert gist(compare(read_table(path, WANTED), margin=0.01)) == gist(
        compare(frame(), margin=0.01)
    )


def test_nested_columns_of_parquet_are_columns(tmp_path: Path) -> None:
    """As those of JSON are."""
    path = tmp_path / "a.parquet"
    pd.DataFrame(nested()).to_parquet(path)
    assert gist(compare(read_table(path, WANTED), margin=0.01)) == gist(
        compare(frame(), margin=0.01)
    )


# --- histories -----------------------------------------------------------------------------------


def history() -> pd.DataFrame:
    """Write three steps of every run, the last as in `frame`; the second is the best."""
    parts = [
        frame().assign(step=step, accuracy=lambda t, s=shift: t["accuracy"] + s)
        for step, shift in ((10, -0.2), (20, 0.05), (30, 0.0))
    ]
    return pd.concat(parts, ignore_index=True)


def test_no_step_of_a_history_is_chosen_unasked() -> None:
    """The message names every way to choose one."""
    with pytest.raises(DataError) as caught:
        compare(history(), margin=0.01)
    for way in ("'step'", "--last step", "--where step=N", "--block step"):
        assert way in str(caught.value)


def test_the_last_step_is_not_the_best_and_is_said() -> None:
    """Of each run its own."""
    last = compare(history(), margin=0.01, last="step")
    assert gist(last) == gist(compare(frame(), margin=0.01))
    assert "of each of 20 runs its last row by step counts, most at 30" in last.notes


@pytest.mark.parametrize("condition", ["step=20", "Step = 20.0", "step=20 "])
def test_one_step_counts_where_it_is_asked_for(condition: str, tmp_path: Path) -> None:
    """As a number, from the command line too."""
    chosen = compare(history(), margin=0.01, where=[condition])
    alone = history()[lambda t: t["step"] == 20]
    assert gist(chosen) == gist(compare(alone, margin=0.01))
    assert chosen.notes[1].startswith("of 60 rows those 20 count whose ")
    path = tmp_path / "a.csv"
    history().to_csv(path, index=False)
    code, text = ask("compare", path, "--margin", 0.01, "--where", condition)
    assert (code, "those 20 count" in text) == (0, True)


def test_conditions_hold_together() -> None:
    """A split and a step; the scores themselves choose no rows."""
    both = pd.concat([history().assign(split=s) for s in ("val", "Test")], ignore_index=True)
    chosen = compare(both, margin=0.01, where=["split=test", "step=30"])
    assert gist(chosen) == gist(compare(frame(), margin=0.01))
    for where, reason in (
        (["split=train"], "'val', 'Test'"),
        (["spilt=val"], "Did you mean 'split'"),
        (["step"], "a column and its value"),
        (["accuracy=0.8"], "the scores themselves"),
    ):
        with pytest.raises(SelectionError, match=reason):
            compare(both, margin=0.01, where=where)
