"""What a comparison leaves behind: JSON by its published schema, and a report with pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator

from ablate.api import compare
from ablate.tables.compared import SCHEMA, schema_path
from tests.commands.test_cli import ask
from tests.tables.test_tables_as_kept import frame, long

SCHEMA_FILE = json.loads(schema_path().read_text("utf-8"))


def several(blocks: bool = False) -> pd.DataFrame:
    """Make a table of three arms, one of which has a lost run and one a collapsed one."""
    rng = np.random.default_rng(3)
    rows = [
        (seed, arm, data, 0.7 + shift + rng.normal(0, 0.01))
        for data in (("a", "b") if blocks else ("a",))
        for seed in range(8)
        for arm, shift in (("base", 0.0), ("new", 0.05), ("third", 0.001))
    ]
    table = pd.DataFrame(rows, columns=["seed", "method", "data", "accuracy"])
    table.loc[4, "accuracy"] = 0.1
    table.loc[8, "accuracy"] = np.nan
    return table


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give documents that between them hold everything that there may be."""
    items = pd.DataFrame(
        {
            "item": [*range(30)] * 2,
            "method": ["a"] * 30 + ["b"] * 30,
            "accuracy": [1, 0, 1] * 10 + [1, 1, 0] * 10,
        }
    )
    yield "paired", compare(several(), margin=0.01).to_dict()
    yield "undeclared", compare(several()).to_dict()
    yield "blocks", compare(several(blocks=True), margin=(-0.01, 0.02), block="data").to_dict()
    yield "claimed", compare(frame(), margin=0.01, claim="helps", looks=(5, 10)).to_dict()
    yield "items", compare(items, margin=0.05, pair="item").to_dict()


@pytest.mark.parametrize(("name", "document"), [*documents()], ids=lambda value: str(value)[:12])
def test_the_json_keeps_to_its_published_schema(name: str, document: dict[str, Any]) -> None:
    """As it is read back, with nothing that is no number of JSON."""
    text = json.dumps(document, allow_nan=False)
    faults = [*Draft202012Validator(SCHEMA_FILE).iter_errors(json.loads(text))]
    assert not faults, (name, faults[0].json_path, faults[0].message)


def test_the_schema_names_every_key_that_there_is() -> None:
    """And none that there is not."""
    Draft202012Validator.check_schema(SCHEMA_FILE)
    assert SCHEMA_FILE["properties"]["schema"]["const"] == SCHEMA
    parts = SCHEMA_FILE["$defs"]
    tests = 0
    for _, document in documents():
        assert set(document) == set(SCHEMA_FILE["properties"])
        for contrast in document["contrasts"]:
            assert set(contrast) == set(parts["contrast"]["properties"])
            for test in contrast["tests"].values():
                assert set(test) == set(parts["test"]["properties"])
                tests += 1
            for key in ("robust", "collapses", "items"):
                if contrast[key]:
                    assert set(contrast[key]) == set(
                        parts["contrast"]["properties"][key]["properties"]
                    )
        for arm in document["arms"]:
            assert set(arm) == set(SCHEMA_FILE["properties"]["arms"]["items"]["properties"])
        if document["settings"]:
            assert set(document["settings"]) == set(
                SCHEMA_FILE["properties"]["settings"]["properties"]
            )
    assert tests > 20


def test_the_schema_refuses_what_is_no_comparison() -> None:
    """A verdict of another word, an estimate in words, a missing family."""
    document = json.loads(json.dumps(compare(frame(), margin=0.01).to_dict()))
    validator = Draft202012Validator(SCHEMA_FILE)
    assert validator.is_valid(document)
    for change in ({"verdict": "SIGNIFICANT"}, {"estimate": "0.02"}, {"n": -1}):
        broken = {**document, "contrasts": [{**document["contrasts"][0], **change}]}
        assert not validator.is_valid(broken), change
    assert not validator.is_valid({k: v for k, v in document.items() if k != "contrasts"})


def test_the_command_prints_the_schema() -> None:
    """The file of the package, as it stands."""
    code, text = ask("schema", "comparison")
    assert (code, json.loads(text)) == (0, SCHEMA_FILE)


# --- without a margin ----------------------------------------------------------------------------


def test_without_a_margin_there_is_an_interval_and_no_verdict(tmp_path: Path) -> None:
    """Student's, by hand; nothing is claimed, so that the command ends with 0."""
    from scipy import stats

    table = frame()
    compared = compare(table)
    wide = table.pivot(index="seed", columns="method", values="accuracy")
    test = stats.ttest_rel(wide["ours"], wide["base"])
    interval = test.confidence_interval(0.95)
    verdict = compared.verdicts[0]
    sign = 1 if verdict.comparison.treatment == "ours" else -1
    assert sorted([sign * verdict.low, sign * verdict.high]) == pytest.approx([*interval])
    assert verdict.confidence == 0.95
    contrast = compared.to_dict()["contrasts"][0]
    assert (contrast["verdict"], contrast["margin"], contrast["direction"]) == (None, None, "")
    path = tmp_path / "a.csv"
    path.write_text(long())
    code, text = ask("compare", path)
    assert code == 0
    assert "no margin was declared, so there is no verdict" in text.casefold()
    assert "interval" in text
    for word in ("MATTERS", "NEGLIGIBLE", "INCONCLUSIVE", "UNTESTABLE"):
        assert word not in text


def test_intervals_without_a_margin_hold_at_once() -> None:
    """Bonferroni's three, unless nothing is corrected; blocks of their own keys have theirs."""
    table = several()
    three, alone = (compare(table, correction=c).verdicts for c in ("holm", "none"))
    assert {round(v.confidence, 6) for v in three} == {round(1 - 0.05 / 3, 6)}
    assert {v.confidence for v in alone} == {0.95}
    assert all(a.high - a.low > b.high - b.low for a, b in zip(three, alone, strict=True))
    blocks = several(blocks=True)
    blocks["seed"] += 100 * (blocks["data"] == "b")
    pooled = compare(blocks, block="data").verdicts
    assert {v.rule for v in pooled} == {"Welch-Satterthwaite"}
    assert all(v.low < v.estimate < v.high for v in pooled)


def test_where_nothing_can_be_estimated_there_is_no_interval(tmp_path: Path) -> None:
    """Two pairs, and arms that share no seed, which ends with 4; three pairs have one."""
    tested = [compare(frame()[lambda t, n=n: t["seed"] < n]).tested for n in (2, 3)]
    assert tested == [False, True]
    path = tmp_path / "a.csv"
    path.write_text("seed,method,accuracy\n0,a,0.5\n1,a,0.6\n2,b,0.5\n3,b,0.7\n")
    code, text = ask("compare", path)
    assert (code, "share no seed" in text) == (4, True)


# --- the report ----------------------------------------------------------------------------------


def test_the_report_has_pictures_arm_means_and_every_figure(tmp_path: Path) -> None:
    """In markdown, beside a JSON document by the schema; the text goes where it went before."""
    path, folder = tmp_path / "a.csv", tmp_path / "r"
    several(blocks=True).to_csv(path, index=False)
    code, text = ask("compare", path, "--margin", 0.01, "--block", "data", "--report", folder)
    assert code == 0
    assert f"Report: {folder / 'report.md'}" in text
    names = {p.name for p in folder.iterdir()}
    pictures = {"contrasts.png", "differences.png", "arms.png"}
    assert names == {"report.md", "comparison.json", *pictures}
    report = (folder / "report.md").read_text("utf-8")
    assert report.startswith("# Which of 3 arms differ in accuracy?\n\n**Of 3 differences: ")
    for part in ("## Arms", "## Inside each block", "## Paired differences", "## Over the blocks"):
        assert part in report, part
    assert all(f"]({name})" in report for name in pictures)
    document = json.loads((folder / "comparison.json").read_text("utf-8"))
    assert Draft202012Validator(SCHEMA_FILE).is_valid(document)
    arm = next(a for a in document["arms"] if (a["arm"], a["block"]) == ("new", "b"))
    assert f"| new | b | {arm['n']} | {arm['lost']} | {arm['mean']:.4g} |" in report
    assert arm["mean"] == pytest.approx(
        several(blocks=True).query("method == 'new' and data == 'b'")["accuracy"].mean()
    )


def test_a_report_says_what_it_is_of_and_that_there_is_no_margin(tmp_path: Path) -> None:
    """With the digest of the text that was read."""
    import hashlib

    path, folder = tmp_path / "a.csv", tmp_path / "r"
    path.write_text(long())
    assert ask("compare", path, "--report", folder)[0] == 0
    report = (folder / "report.md").read_text("utf-8")
    assert "**No verdict:** no margin was declared" in report
    assert hashlib.sha256(path.read_bytes()).hexdigest() in report
    assert "| scores | a.csv |" in report
    assert not re.search(r"\b(MATTERS|NEGLIGIBLE|UNTESTABLE|INCONCLUSIVE|nan)\b", report)


def test_names_of_strangers_stay_text_in_a_report(tmp_path: Path) -> None:
    """Neither markup nor a formula."""
    path, folder = tmp_path / "a.csv", tmp_path / "r"
    path.write_text(long().replace("ours", "<b>$x_</b> [a](b)"))
    assert ask("compare", path, "--margin", 0.01, "--report", folder)[0] == 0
    report = (folder / "report.md").read_text("utf-8")
    assert "<b>" not in report
    assert "](b)" not in report.replace("\\](b)", "")


def test_a_report_of_a_study_is_not_overwritten(tmp_path: Path) -> None:
    """A second report of a comparison takes the first one's place."""
    path = tmp_path / "a.csv"
    path.write_text(long())
    (tmp_path / "report.md").write_text("of a study")
    code, text = ask("compare", path, "--margin", 0.01, "--report", tmp_path)
    assert (code, "something else" in text) == (2, True)
    assert (tmp_path / "report.md").read_text() == "of a study"
    for _ in range(2):
        assert ask("compare", path, "--margin", 0.01, "--report", tmp_path / "r")[0] == 0
    code, text = ask("verify", tmp_path / "r" / "report.md")
    assert (code, "is of `compare`" in text) == (2, True)
