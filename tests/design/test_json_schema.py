"""The schema of suites: it refuses what the reader refuses, and nothing that the reader accepts."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings, strategies as st
from jsonschema import Draft202012Validator

from ablate.core import resources
from ablate.design.json_schema import NAME, suite_schema
from ablate.design.reader import parse_suite
from ablate.design.suite_models import KEYS
from ablate.errors import SuiteError
from ablate.parsing.located_yaml import DocumentError, read_document
from ablate.registry import scan
from ablate.source import field_schema
from tests.design.bad_suites import DESIGN, GOOD, NOT_NAMES, ODD, SHORT, TABLES, write

LEAST_SHARE = 0.9
"""Of the bad suites that can be read as YAML, how many the schema has to refuse."""
SHIPPED = {
    **resources.suites(),
    **{path.stem: path for path in (resources.ROOT / "suites/calibration").glob("*.yaml")},
}
READABLE = {
    **{name: path.read_bytes() for name, path in SHIPPED.items()},
    "the whole": write(GOOD).text.encode(),
    "a design": write(DESIGN).text.encode(),
}


@cache
def validator() -> Draft202012Validator:
    """Give the schema of the shipped catalogue."""
    return Draft202012Validator(suite_schema(scan()))


@pytest.fixture
def schema() -> Draft202012Validator:
    return validator()


def refused(schema: Draft202012Validator, data: bytes) -> bool:
    return not schema.is_valid(read_document(data).plain())


def test_the_schema_is_one_and_knows_every_key(schema: Draft202012Validator) -> None:
    """By its own draft; each key with the words that the models have for it."""
    Draft202012Validator.check_schema(schema.schema)
    properties = schema.schema["else"]["properties"]
    assert {key: entry["description"] for key, entry in properties.items()} == KEYS
    assert schema.schema["else"]["required"] == ["question", "base"]


def test_every_reference_leads_somewhere(schema: Draft202012Validator) -> None:
    """To a part of the schema, and nothing is left that a model wanted of the catalogue."""
    text = json.dumps(schema.schema)
    assert "catalogued" not in text
    for place in set(re.findall(r'"\$ref": "#/([^"]*)"', text)):
        here = schema.schema
        for word in place.split("/"):
            here = here[word]
        assert here


def test_a_reference_to_an_unknown_component_is_refused(schema: Draft202012Validator) -> None:
    """Wherever a component may stand."""
    for path in (
        ("base", "dataset"),
        ("base", "method", "meta", "loss"),
        ("arms", "first", "memory.*"),
    ):
        tree = copy.deepcopy(GOOD)
        here = tree
        for word in path[:-1]:
            here = here[word]
        here[path[-1]] = "nobody"
        assert refused(schema, write(tree).text.encode())


@pytest.mark.slow
def test_most_bad_suites_are_refused_by_the_schema_alone(schema: Draft202012Validator) -> None:
    """An editor sees what the reader would say; what names, grids and claims mean, it cannot."""
    readable = refusals = 0
    for case in (case for table in TABLES for case in table()):
        try:
            read_document(case.data)
        except DocumentError:
            continue
        readable += 1
        refusals += refused(schema, case.data)
    assert readable > 600
    assert refusals / readable >= LEAST_SHARE


@pytest.mark.parametrize("what", [*ODD, *SHIPPED])
def test_suites_that_are_good_are_accepted(what: str, schema: Draft202012Validator) -> None:
    """The shipped ones, and odd ones."""
    plain = read_document(ODD[what] if what in ODD else SHIPPED[what].read_bytes()).plain()
    assert [error.message[:200] for error in schema.iter_errors(plain)] == []


@pytest.mark.parametrize("name", ["a", "r: 1/2 (a)", "обычный", "n" * 60, "2026-01-01", "a_b 50 %"])
def test_names_are_names_to_the_schema_too(name: str) -> None:
    """Its pattern is written for engines to which letters are ASCII."""
    assert field_schema.NAME.fullmatch(name)
    assert re.search(NAME, name)


def test_what_is_no_name_is_none_to_the_schema() -> None:
    """But for signs beyond ASCII."""
    for name in (*NOT_NAMES, "a ", "a\u202e"):
        assert not field_schema.NAME.fullmatch(name)
        assert not re.search(NAME, name)


# --- the schema and the reader, on suites that nobody wrote --------------------------------------

VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 0.5, -0.5, 1.5, 101, 1e9, 5.0, [], {}, "", " ", "none", "x"),
    *("1 point", "0 points", "2", [1, 2], [1, 1], ["a"], {"a": 1}, {"a": 1, "b": 2}, "all", [[]]),
    *(["-1 points", "2 points"], {"low": 0.1, "high": 1}, {"first": 3, "count": 5}, "meta", "mlp"),
    *({"mlp": {"widths": [4]}}, {"mlp": None}, "herding", {"herding": {"budget_rows": 9}}, "sgd"),
]


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path of everything in a tree."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, child in entries:
        yield (*path, key)
        if isinstance(child, dict | list):
            yield from places(child, (*path, key))


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Draw a shipped suite in which something is left out, misspelt, moved or another value."""
    name = draw(st.sampled_from(sorted(READABLE)))
    tree = read_document(READABLE[name]).plain()
    for _ in range(draw(st.integers(1, 2))):
        *way, key = draw(st.sampled_from([*places(tree)]))
        parent = tree
        for word in way:
            parent = parent[word]
        kind = draw(st.sampled_from(["drop", "value", "value", "copy", "misspell"]))
        if kind == "drop":
            del parent[key]
        elif kind == "value":
            parent[key] = copy.deepcopy(draw(st.sampled_from(VALUES)))
        elif kind == "copy":
            *source, last = draw(st.sampled_from([*places(tree)]))
            value = tree
            for word in (*source, last):
                value = value[word]
            parent[key] = copy.deepcopy(value)
        elif isinstance(parent, dict):
            at = draw(st.integers(0, len(key)))
            parent[key[:at] + draw(st.sampled_from("xs.*-")) + key[at:]] = parent.pop(key)
    return name, tree


def disagreement(name: str, tree: dict[str, Any]) -> str:
    """Say what the schema refuses in a suite that the reader accepts; '' where they agree."""
    text = yaml.safe_dump(tree, allow_unicode=True, sort_keys=False).encode()
    folder = SHIPPED[name].parent if name in SHIPPED else Path()
    try:
        fault = next(validator().iter_errors(read_document(text).plain()), None)
        if fault:
            parse_suite(text, "t", "t.yaml", scan(), folder=folder)
    except (DocumentError, SuiteError):
        return ""
    return f"{[*fault.absolute_path]}: {fault.message[:300]}" if fault else ""


FAST = settings(
    derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60
)


@FAST
@given(case=mutations())
def test_what_the_schema_refuses_the_reader_refuses(case: tuple[str, dict[str, Any]]) -> None:
    """Suites with something left out, misspelt, or of another type."""
    assert disagreement(*case) == ""


@pytest.mark.slow
@settings(FAST, max_examples=1500)
@given(case=mutations())
def test_so_it_is_with_many_more(case: tuple[str, dict[str, Any]]) -> None:
    """Over all shipped suites."""
    assert disagreement(*case) == ""


LONE = "references: {arm: reptile, metric: all-classes, figure: mnist-joint}\n"


@pytest.mark.parametrize(
    ("more", "faults"),
    [
        ("seeds: {parts: 3, count: 5}\n", ["seeds has no 'parts'"]),
        ("tune: {space: {optimizer.sgd.lr: {range: 1}}}\n", ["unknown key 'range'"]),
        ("tune: [1]\nseeds: [x]\nlooks: [5, a]\n", ["[1] for tune", "['x'] for seeds", "[5, 'a']"]),
        (LONE, []),
        (LONE.replace("figure", "figures"), ["unknown key 'figures'"]),
    ],
)
def test_words_of_the_models_own_are_no_keys(more: str, faults: list[str]) -> None:
    """How pydantic tells forms apart stands in no file; a lone reference needs no list."""
    data = (SHORT + more).encode()
    assert refused(validator(), data) == bool(faults)
    found = ""
    try:
        parse_suite(data, "t", "t.yaml", scan())
    except SuiteError as error:
        found = str(error)
    assert all(fault in found for fault in faults)
    assert bool(found) == bool(faults)


def test_a_base_of_nothing_is_told_what_it_lacks(schema: Draft202012Validator) -> None:
    """And not read as a suite without arms."""
    data = b"question: x?\nbase: {}\n"
    assert refused(schema, data)
    with pytest.raises(SuiteError, match="a base without 'dataset', 'model', 'memory', 'method'"):
        parse_suite(data, "t", "t.yaml", scan())
