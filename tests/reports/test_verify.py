"""A report against its store: what agrees, what was edited, what the store has lost or gained."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ablate import flow
from ablate.errors import AblateError
from ablate.records import provenance
from ablate.records.store import open_store
from ablate.types import Suite
from reports import write
from reports.verify import differences, verify
from tests.commands.test_cli import ask
from tests.conftest import comparison
from tests.verdicts.test_family import judged

pytestmark = pytest.mark.slow


@pytest.fixture
def report(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study], tmp_path: Path
) -> Path:
    """Run TINY with five seeds and write its report."""
    study = run_suite(suite_of(("seeds: 3", "seeds: 5")), tmp_path)
    return write.write(study, tmp_path / "tiny")


def test_a_report_agrees_with_its_store(report: Path) -> None:
    """Word for word."""
    assert ask("verify", report) == (0, "Every number agrees with the store.\n")


def test_every_number_that_was_edited_is_named(report: Path) -> None:
    """With its section, row and column, and both values."""
    text = report.read_text("utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| reptile − balanced"))
    cells = row.split("|")
    cells[3] = " +1.23 "
    report.write_text(text.replace(row, "|".join(cells)), "utf-8")
    code, said = ask("verify", report)
    assert code == 1
    assert "reptile − balanced, difference (points): states '+1.23', recomputed" in said
    assert len(said.splitlines()) == 1


def test_records_that_are_gone_show(report: Path) -> None:
    """The digest says so before the numbers do."""
    store = open_store(report.parents[1])
    with store._engine.begin() as link:
        link.exec_driver_sql("delete from runs where seed = 2")
    store.close()
    code, said = ask("verify", report)
    assert code == 1
    assert said.startswith("The store's records are not those")


@pytest.mark.parametrize("cut", ["## The suite", "<!-- ablate"])
def test_what_is_no_report_is_refused(cut: str, report: Path) -> None:
    """Without its suite or its last line nothing can be checked."""
    text = report.read_text("utf-8")
    report.write_text(text.replace(cut, "x"), "utf-8")
    assert ask("verify", report)[0] == 2


def test_lines_outside_tables_are_compared_whole() -> None:
    """And a line that is missing is said to be nothing."""
    assert list(differences("# A\n\nb 1\n", "# A\n\nb 2\n")) == [
        "A: states 'b 1', recomputed 'b 2'"
    ]
    assert list(differences("# A\n", "# A\nnew\n")) == ["A: states 'nothing', recomputed 'new'"]


def test_the_detectable_difference_lies_beyond_margin_and_interval() -> None:
    """By hand: five differences of sd 1 at a margin of 1: 1 + (2.776 + 0.941) / sqrt(5)."""
    deltas = [-1.2649110640673518, -0.6324555320336759, 0.0, 0.6324555320336759, 1.2649110640673518]
    (found,) = judged(comparison(deltas), looks=(5,))
    assert found.detectable == pytest.approx(1 + (2.7764451 + 0.9409646) / 5**0.5, rel=1e-6)


STRANGE = (
    *(-1, 0, 2**70, 10**9, 1.5, float("inf"), True, None, "", "x", "x" * 20_000, [], {}),
    *([[[[]]]], {"a": {"b": 1}}, "--set seeds=100000000", ["--quick"], ["--set", "--set a"]),
    *(["x"] * 2000, "../../etc", "\x1b[2J\x00", ["--set base.model=1"], [["--quick"]]),
)
"""What a field of a report's last line is replaced by."""

TUNED = {
    "file": "t.yaml",
    "data": "digits",
    "trials": 2,
    "seeds": 2,
    "metric": "all-classes",
    "rows": 3,
    "arms": {
        "reptile": {
            "values": {"training.standard.epochs": 1},
            "scores": [1.0, 2.0],
            "spreads": [0.0, 0.0],
            "first": {},
        }
    },
    "changes": [],
}


def with_facts(text: str, change: Callable[[dict[str, Any]], object]) -> str:
    """Change a report's last line, and let it vouch for the suite as it now stands."""
    at = text.rindex("<!-- ablate ")
    facts = json.loads(text[at + len("<!-- ablate ") : text.rindex(" -->")])
    suite = text[text.index("```yaml\n") + 8 : text.rindex("\n```\n")]
    facts["suite"] = provenance.digest([suite.encode()])
    change(facts)
    return f"{text[:at]}<!-- ablate {json.dumps(facts)} -->\n"


def mutated(text: str, rng: random.Random) -> str:
    """Edit a report in one of the ways that people, editors and enemies do."""
    lines = text.splitlines()
    place, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    start = text.index("## The suite")
    strange = rng.choice(STRANGE)
    match rng.randrange(9):
        case 0:
            lines[place] = lines[other]
        case 1:
            del lines[place : place + rng.randrange(1, 5)]
        case 2:
            at = rng.randrange(len(text))
            return text[:at] + chr(rng.choice((0, 10, 27, 60, 96, 123, 0x202E))) + text[at + 1 :]
        case 3:
            lines[place:place] = [lines[other]] * rng.choice((1, 50, 5000))
        case 4:
            field = rng.choice(("name", "seeds", "tuned", "changes", "suite", "records"))
            return with_facts(text, lambda facts: facts.update({field: strange}))
        case 5:
            return with_facts(text, lambda facts: facts.pop(rng.choice(sorted(facts))))
        case 6:
            arm = TUNED["arms"]["reptile"]  # type: ignore[index]
            field = rng.choice(sorted({*TUNED, *arm}))
            tuned = {**TUNED, field: strange}
            if field in arm:
                tuned = {**TUNED, "arms": {"reptile": {**arm, field: strange}}}
            return with_facts(text, lambda facts: facts.update(tuned=tuned))
        case 7:
            # the fence and the facts stay readable: other cases edit those
            start, end = text.index("```yaml\n") + 8, text.rindex("\n```\n")
            words = re.findall(r"[\w.]+", text[start:end])
            word, new = (
                rng.choice(words),
                rng.choice((*words, "[[[[", "&a [*a]", "100000000", "!!x")),
            )
            suite = text[start:end].replace(word, new, 1)
            return with_facts(text[:start] + suite + text[end:], len)
        case _:
            head, tail = text[:start], text[start:]
            seeds = f"seeds: {strange}" if isinstance(strange, (int, float, str)) else "seeds: []"
            return with_facts(head + tail.replace("seeds: 5", seeds.replace("\x00", "")), len)
    return "\n".join(lines) + "\n"


def test_three_hundred_edited_reports_are_told_apart_or_refused(report: Path) -> None:
    """Never a traceback, and never more work than a report is worth."""
    rng, text = random.Random(5), report.read_text("utf-8")
    edited, store = report.with_name("edited.md"), open_store(report.parents[1])
    refused = named = 0
    for _ in range(320):
        changed = mutated(text, rng)
        edited.write_text(changed, "utf-8")
        try:
            named += bool(list(verify(edited, store)))
        except AblateError:
            refused += 1
    store.close()
    assert refused > 100
    assert named > 50


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("folder", "no file"),
        ("nothing", "there is no report"),
        ("pipe", "no file"),
        ("/", "nothing has been"),
    ],
)
def test_what_is_no_file_is_no_report(what: str, told: str, report: Path) -> None:
    """A pipe is not waited for."""
    path = Path("/") if what == "/" else report.with_name("other")
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    code, said = ask("verify", path)
    assert code == 2
    assert told in said


def test_a_report_of_more_bytes_than_any_has_is_not_read(
    report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is one of more runs than a store has."""
    monkeypatch.setattr("reports.verify.MOST_BYTES", 1000)
    assert "bytes, which no report has" in ask("verify", report)[1]
    monkeypatch.undo()
    text = with_facts(report.read_text("utf-8"), lambda facts: facts.update(seeds=100_000))
    report.write_text(text.replace("seeds: 5", "seeds: 5"), "utf-8")
    monkeypatch.setattr("reports.verify.MOST_RUNS", 1000)
    assert "is of 200,000 runs" in ask("verify", report)[1]


def test_long_texts_are_compared_in_order() -> None:
    """Without looking for the best alignment, which takes the square of their lengths."""
    old = "\n".join(map(str, range(9000)))
    lines = list(differences(old, old.replace("\n500\n", "\n501\n") + "\nnew"))
    assert lines == [
        "report: states '500', recomputed '501'",
        "report: states 'nothing', recomputed 'new'",
    ]
    many = list(differences(old, old.replace("\n", "x\n")))
    assert len(many) == 1001
    assert many[-1] == "... and 7,999 differences more"
