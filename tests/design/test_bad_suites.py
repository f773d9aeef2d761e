"""Bad suites are refused where their fault is; odd ones that are good are read, and run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ablate import flow
from ablate.design.reader import parse_suite
from ablate.errors import SuiteError
from ablate.registry import Catalogue
from tests.design.bad_suites import ODD, SHORT, TABLES, Bad, bad

pytestmark = pytest.mark.slow

LEAST = 300


def fault(case: Bad, catalogue: Catalogue) -> str:
    """Give what is wrong with how a bad suite is refused; '' where nothing is."""
    try:
        parse_suite(case.data, "t", "t.yaml", catalogue)
    except SuiteError as error:
        problems = error.problems
        lines = str(error).splitlines()
    else:
        return "it was read"
    here = [one for one in problems if (one.line, one.column) == case.place]
    said = [one for one in here if case.found in one.found]
    named = [one.nearest for one in said if one.nearest]
    meant = (f".{case.near}", f".{case.near.removesuffix('.*')}")
    if not said:
        return f"nothing of it at {case.place}: {lines[:3]}"
    if case.near and not any(name.endswith(f".{one}") for name in meant for one in named):
        return f"did not name {case.near}: {named}"
    if case.problems and len(problems) != case.problems:
        return f"{len(problems)} problems: {lines[:4]}"
    if any(not one.allowed and not one.nearest and "not YAML" not in one.found for one in problems):
        return f"nothing that is allowed: {lines[:3]}"
    if any(not line.isprintable() or len(line) > 2000 for line in lines):
        return "a line that a terminal cannot show"
    return ""


def test_the_table_is_long_and_has_every_kind() -> None:
    """No case twice."""
    cases = bad()
    assert len(cases) >= LEAST
    assert len({case.data for case in cases}) >= LEAST
    assert all(len([*table()]) > 5 for table in TABLES)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_bad_suites_are_refused_where_the_fault_is(
    table: Callable[[], list[Bad]], catalogue: Catalogue
) -> None:
    """With line and column, what was found, what is allowed and the nearest name; a fault once."""
    faults = {case.what: said for case in table() if (said := fault(case, catalogue))}
    assert faults == {}


@pytest.mark.parametrize("what", ODD)
def test_odd_suites_that_are_good_are_read(what: str, catalogue: Catalogue) -> None:
    """However they are written."""
    suite = parse_suite(ODD[what], "t", "t.yaml", catalogue)
    assert suite.variants
    assert suite.question.isprintable()


@pytest.mark.parametrize(
    "what", ["CRLF", "anchors and aliases", "words as names", "an axis that misses an arm"]
)
def test_odd_suites_run(
    what: str, catalogue: Catalogue, run_suite: Callable[..., flow.Study]
) -> None:
    """To a study in which every run ended well."""
    text = ODD[what] + b"\nseeds: 1\n"
    suite = parse_suite(text, "t", "t.yaml", catalogue)
    study = run_suite(suite)
    assert all(one.status == "ok" for runs in study.runs for one in runs.values())
    assert len(study.arms) == len(suite.variants)


@pytest.mark.parametrize(
    "said",
    [
        *("", "=", "a", "a=", "=3", "memory", "memory=", "memory=[", "memory={a: 1", "memory=\t"),
        *("memory=!!python/object:x 3", "memory=nonee", "*=3", "memory.*.x=3", "mem.random=3"),
        *("dataset.digits.tasks=0", "dataset.digits.tasks=five", "question=x?", "seeds=3"),
        *(
            "arms.first=3",
            "dataset.mnist.tasks=2",
            "memory=\x00",
            "memory=\udcff",
            "a" * 5000 + "=3",
        ),
    ],
)
def test_a_bad_set_is_refused_at_the_command_line(said: str, catalogue: Catalogue) -> None:
    """It has no line in the file."""
    with pytest.raises(SuiteError) as caught:
        parse_suite(SHORT.encode(), "t", "t.yaml", catalogue, changes=[said])
    assert {one.line for one in caught.value.problems} == {0}
    assert all("t.yaml, command line: " in line for line in str(caught.value).splitlines())
