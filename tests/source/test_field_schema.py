"""What a field accepts, in words and in JSON Schema."""

from __future__ import annotations

import pytest

from ablate.core.component_source import Field
from ablate.source.field_schema import adapter, allowed, check, json_schema, shown

CASES = [
    # annotation, documentation, accepted, refused
    ("int", "[1, 5]", [1, 5], [0, 6, 1.5, "1", True, None]),
    ("float", "(0, 1]", [1, 0.5, 1e-9], [0, 1.1, "x", True, float("nan"), float("inf")]),
    ("bool", "", [True, False], [0, 1, "true"]),
    ("str", "", ["x"], [1, None, True]),
    ("int | None", ">= 1", [None, 3], [0, "none"]),
    ("Literal['a', 'b']", "", ["a"], ["c", 1]),
    ("Literal[0, 1]", "", [0, 1], [2, "0", True]),
    ("tuple[int, ...]", "each [1, 9]", [[], [1, 9]], [[0], 3, ["x"], "12"]),
    ("tuple[float, ...]", "", [[0.5, 1]], [[None]]),
]


@pytest.mark.parametrize(
    ("annotation", "doc", "accepted", "refused"), CASES, ids=[c[0] for c in CASES]
)
def test_values_are_checked_against_annotation_and_range(
    annotation: str, doc: str, accepted: list[object], refused: list[object]
) -> None:
    """Strictly: no text for a number, no truth value for a number."""
    field = Field("x", annotation, None, doc)
    for value in accepted:
        assert check(field, value)[1] == "", value
    for value in refused:
        assert "for x" in check(field, value)[1], value


def test_whole_numbers_become_floats_where_floats_are_meant() -> None:
    """So that 1 and 1.0 are one setting, with one key."""
    value, _ = check(Field("x", "float", 0.0, ""), 1)
    assert isinstance(value, float)


@pytest.mark.parametrize(
    ("annotation", "doc", "words"),
    [
        ("int", "[1, 5]", "a whole number in [1, 5]"),
        ("float", "", "a number"),
        ("int | None", "", "a whole number, or null"),
        ("Literal['a', 'b']", "", "one of a, b"),
        ("tuple[int, ...]", "each [1, 9]", "a list, each a whole number in [1, 9]"),
    ],
)
def test_what_is_allowed_is_said_in_words(annotation: str, doc: str, words: str) -> None:
    """For error messages and `show`."""
    assert words == allowed(Field("x", annotation, None, doc))


def test_json_schema_carries_ranges_and_documentation() -> None:
    """Open ends are exclusive bounds."""
    found = json_schema(Field("x", "float", 0.5, "outer step, (0, 1]."))
    assert found == {
        "type": "number",
        "exclusiveMinimum": 0.0,
        "maximum": 1.0,
        "description": "outer step, (0, 1].",
    }


def test_an_annotation_of_unknown_names_is_not_checked() -> None:
    """It is the component's own business, and harmless to evaluate."""
    assert adapter("SomeClass") is None
    assert adapter("__import__('os')") is None
    assert check(Field("x", "SomeClass", None, ""), 3) == (3, "")


@pytest.mark.parametrize(
    ("value", "text"),
    [({"a": 1}, "a mapping"), ([1], "[1]"), (None, "null"), (2.5, "2.5"), ("x", "'x' (text)")],
)
def test_values_are_shown_as_they_stand(value: object, text: str) -> None:
    """In messages."""
    assert shown(value) == text
