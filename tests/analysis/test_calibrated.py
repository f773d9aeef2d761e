"""An arm whose method reproduces no published figure is marked wherever it is shown."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from dataclasses import replace

import pytest

from ablate import flow
from ablate.analysis import judge
from ablate.analysis.calibrated import NOT_CALIBRATED, uncalibrated_arms
from ablate.commands import describe
from ablate.core.component_source import read_components
from ablate.registry import Catalogue, _described, component, scan
from ablate.types import Suite
from reports import answers, one_page, write

MARK = f"({NOT_CALIBRATED})"
TABLES = re.compile(r"^\|.*\|$", re.M)


def without(catalogue: Catalogue, *names: str) -> Catalogue:
    """Give a catalogue in which these methods state no figure."""
    known = dict(catalogue.components)
    for name in names:
        known["method", name] = replace(known["method", name], calibrated="")
    return Catalogue(known)


@pytest.fixture
def marked(
    suite_of: Callable[..., Suite],
    run_suite: Callable[..., flow.Study],
    monkeypatch: pytest.MonkeyPatch,
) -> flow.Study:
    """Give a study of two arms, both of a method that states no figure."""
    less = without(scan(), "meta")
    monkeypatch.setattr(judge, "scan", lambda: less)
    monkeypatch.setattr(flow, "scan", lambda: less)
    return run_suite(suite_of(("seeds: 3", "seeds: 5")))


def test_every_table_marks_every_such_arm(marked: flow.Study) -> None:
    """By the row: who names an arm says so, whatever the table is about."""
    text = write.text(marked).split("## Provenance")[0]
    rows = [row for row in TABLES.findall(text) if re.search(r"\b(reptile|balanced)\b", row)]
    assert len(rows) >= 6
    for row in rows:
        assert NOT_CALIBRATED in row, row
    assert "**Not calibrated:** `meta`." in text
    assert f"*{NOT_CALIBRATED}*:" in text


def test_the_terminal_the_one_page_and_the_verdict_say_it_too(marked: flow.Study) -> None:
    """The flag travels with the verdict."""
    assert all(NOT_CALIBRATED in verdict.flags for verdict in marked.verdicts)
    assert NOT_CALIBRATED in "\n".join(answers.told(marked))
    assert MARK in one_page.text(marked)


def test_nothing_is_marked_where_the_figure_is_stated(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study]
) -> None:
    """iTAML's is."""
    study = run_suite(suite_of(("seeds: 3", "seeds: 5")))
    assert study.uncalibrated == {}
    assert NOT_CALIBRATED not in write.text(study).lower()


def test_one_arm_alone_is_named(suite_of: Callable[..., Suite]) -> None:
    """By its label, with the methods that state nothing."""
    suite = suite_of()
    assert uncalibrated_arms(scan(), suite.variants) == {}
    labels = [variant.label for variant in suite.variants]
    marked = uncalibrated_arms(without(scan(), "meta"), suite.variants)
    assert marked == {label: ["meta"] for label in labels}


def test_the_label_is_read_alike_from_source_and_from_a_class() -> None:
    """And is empty where nothing is said: a third party's method is marked until it says more."""
    source = textwrap.dedent(
        '''
        @component("method", "mine", paper="me", calibrated="split MNIST: 91.0, published 91.2")
        @dataclass(frozen=True)
        class Mine:
            """It learns."""
        '''
    )
    (read,) = read_components(source, "mine", "mine.py")
    assert read.calibrated == "split MNIST: 91.0, published 91.2"
    (silent,) = read_components(source.replace(", calibrated=", ", paper2="), "mine", "mine.py")
    assert silent.calibrated == ""

    namespace: dict[str, object] = {}
    lines = f"from dataclasses import dataclass\n{source}"
    exec(lines, {"component": component, "__name__": __name__}, namespace)
    assert _described(namespace["Mine"]).calibrated == read.calibrated


def test_the_catalogue_says_what_a_method_reproduces() -> None:
    """`describe` prints it."""
    told = "\n".join(describe.component("method.meta"))
    assert "Calibrated: split MNIST" in told


def test_few_methods_are_marked_and_each_says_why() -> None:
    """At most three; their docstrings give the reason, and no other's does."""
    silent = {
        name
        for (kind, name), entry in scan().components.items()
        if kind == "method" and not entry.calibrated and "expand" not in entry.methods
    }
    reasons = {
        name
        for (kind, name), entry in scan().components.items()
        if kind == "method" and "Not calibrated: " in entry.doc
    }
    assert silent == reasons
    assert len(silent) <= 3
