"""What a component's field accepts: a check with words for people, and JSON Schema for editors."""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path
from typing import Any, Literal, Optional, Union

from pydantic import TypeAdapter, ValidationError

from ablate.core.component_source import Field, Range
from ablate.errors import nearest

NAME = re.compile(r"[^\W_][\w .,()+\-=:/*%]{0,59}(?<! )")
NAME_HELP = (
    "1 to 60 letters, digits, spaces and . , ( ) + - = : / * %, a letter or digit first and no "
    "space last"
)
"""What arms, factors and levels may be called: names that a table, a file and a selector bear."""

_NAMES = {
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "tuple": tuple,
    "list": list,
    "Literal": Literal,
    "Optional": Optional,
    "Union": Union,
    "Path": Path,
    "None": None,
}


@cache
def adapter(annotation: str) -> TypeAdapter[Any] | None:
    """Give the validator of a plain annotation; None where it uses a name we do not know."""
    try:
        return TypeAdapter(eval(annotation, {"__builtins__": {}}, dict(_NAMES)))
    except (NameError, SyntaxError, TypeError, AttributeError):
        return None


def check(field: Field, value: Any) -> tuple[Any, str]:
    """Check a plain value. Gives the value as the field wants it, and a fault ('' when fine)."""
    checker = adapter(field.annotation)
    if checker is None:
        return value, ""
    if isinstance(value, bool) and "bool" not in field.annotation:
        return value, f"{shown(value)} for {field.name}"  # to Python, True is 1
    given = tuple(value) if isinstance(value, list) and "tuple" in field.annotation else value
    try:
        accepted = checker.validate_python(given, strict=True)
    except ValidationError:
        return value, f"{shown(value)} for {field.name}"
    if not all(_inside(field, number) for number in _numbers(accepted)):
        return value, f"{shown(value)} for {field.name}, which is out of range"
    return accepted, ""


def allowed(field: Field) -> str:
    """Say what a field accepts.

    >>> allowed(Field("epsilon", "float", 0.5, "outer step, (0, 1]."))
    'a number in (0, 1]'
    >>> allowed(Field("tasks", "int | tuple[int, ...]", 5, "T, [1, 10]."))
    'a whole number or a list, each a whole number in [1, 10]'
    """
    words = {"float": "a number", "int": "a whole number", "bool": "true or false", "str": "text"}

    def phrased(base: str) -> str:
        if base.startswith("Literal["):
            return "one of " + base[8:-1].replace("'", "")
        if base.startswith("tuple[") and base.endswith(", ...]"):
            return f"a list, each {words.get(base[6:-6], base[6:-6])}"
        return words.get(base, base)

    phrase = " or ".join(map(phrased, field.annotation.replace(" | None", "").split(" | ")))
    phrase += f" in {field.range}" if field.range else ""
    return phrase + (", or null" if "None" in field.annotation else "")


def meant(field: Field, value: Any) -> str:
    """Give the one of a field's words that a value is most like, or an empty string.

    >>> meant(Field("correction", "Literal['holm', 'by']", "holm", ""), "holmm")
    'holm'
    """
    words = re.findall(r"'([^']*)'", field.annotation)
    return nearest(value, words) if isinstance(value, str) else ""


def json_schema(field: Field) -> dict[str, Any]:
    """Give a plain field's JSON Schema, its range and description included."""
    checker = adapter(field.annotation)
    schema = _limited(checker.json_schema(), field.range) if checker else {}
    if field.doc:
        schema["description"] = field.doc
    return schema


def _limited(schema: dict[str, Any], limits: Range | None) -> dict[str, Any]:
    """Put a range to every number of a schema; no number is infinite."""
    schema = dict(schema)
    for inner in ("anyOf", "prefixItems"):
        if inner in schema:
            schema[inner] = [_limited(option, limits) for option in schema[inner]]
    if isinstance(schema.get("items"), dict):
        schema["items"] = _limited(schema["items"], limits)
    if schema.get("type") not in ("number", "integer"):
        return schema
    if limits and limits.low != float("-inf"):
        schema["exclusiveMinimum" if limits.open_low else "minimum"] = limits.low
    if limits and limits.high != float("inf"):
        schema["exclusiveMaximum" if limits.open_high else "maximum"] = limits.high
    elif schema["type"] == "number":
        schema["maximum"] = sys.float_info.max
    return schema


def shown(value: Any) -> str:
    """Write a value much as it stands in YAML, shortened.

    >>> shown(True), shown(None), shown("abc")
    ('true', 'null', "'abc' (text)")
    """
    if isinstance(value, bool) or value is None:
        return str(value).lower().replace("none", "null")
    if isinstance(value, str):
        return f"{value[:60]!r} (text)"
    if isinstance(value, dict):
        return "a mapping"
    return str(value)[:60]


def quoted(text: str, plain: Any) -> str:
    """Write what stands where a name should.

    >>> quoted("itamll", "itamll"), quoted("", ["itaml"])
    ("'itamll'", "['itaml']")
    """
    return repr(text[:60]) if text else shown(plain)


def _numbers(value: Any) -> list[float]:
    if isinstance(value, (tuple, list)):
        return [number for item in value for number in _numbers(item)]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return [value] if is_number else []


def _inside(field: Field, number: float) -> bool:
    if number != number or number in (float("inf"), float("-inf")):
        return False
    return field.range is None or number in field.range
