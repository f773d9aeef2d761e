"""The seeds of a suite, as YAML says them: a count, or the first of them and a count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ablate.core.component_source import Field
from ablate.errors import mistyped, nearest
from ablate.parsing.located_yaml import Node
from ablate.source.field_schema import allowed, check, json_schema

COUNT = Field("seeds", "int", 20, "[1, 100000]")
PARTS = {
    # An A/A twin's seeds begin at 1,000,000, a pilot's and a search's beyond: none may meet these.
    "first": Field("first", "int", 0, "[0, 899999]"),
    "count": Field("count", "int", 20, "[1, 100000]"),
}
ACCEPTS = "a whole number in [1, 100000], or {first: 100, count: 20}"


@dataclass(frozen=True)
class SeedRange:
    """Seeds `first`, `first + 1`, ..., `count` of them."""

    first: int
    count: int


def read_seeds(node: Node, note: Callable[..., None], first: int = 0) -> SeedRange:
    """Read the seeds that a node says, noting what is wrong with it.

    first: where they begin unless the node says so.
    """
    if not isinstance(node.value, dict):
        count, fault = check(COUNT, node.plain())
        if fault:
            note(node.at, fault, ACCEPTS)
            return SeedRange(first, COUNT.default)
        return SeedRange(first, count)
    for key in node.items:
        if key not in PARTS:
            note(node.keys[key], f"seeds has no {key!r}", ", ".join(PARTS), nearest(key, PARTS))
    if "count" not in node.items and not mistyped("count", node.items, PARTS):
        note(node.at, "seeds without 'count'", ACCEPTS)
    values: dict[str, Any] = {"first": first, "count": COUNT.default}
    for key, field in PARTS.items():
        if key in node.items:
            accepted, fault = check(field, node.items[key].plain())
            if fault:
                note(node.items[key].at, fault, allowed(field))
            else:
                values[key] = accepted
    return SeedRange(**values)


def seeds_schema(description: str) -> dict[str, Any]:
    """Give the JSON Schema of a suite's seeds."""
    parts = {
        "type": "object",
        "properties": {key: json_schema(field) for key, field in PARTS.items()},
        "required": ["count"],
        "additionalProperties": False,
    }
    return {"anyOf": [json_schema(COUNT), parts], "description": description}
