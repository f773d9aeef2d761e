"""Values of a suite of a program: sizes in a metric's own unit, arguments, switches."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from ablate.parsing.written_values import Margin, size

NUMBER = "a number above 0 in the metric's unit, or [-1, 2] for a loss and a gain"


def amount(value: Any) -> float:
    """Read a size in a metric's own unit, above 0; `1 points` is 1. Raises ValueError."""
    if isinstance(value, str):
        return size(value)
    if type(value) not in (int, float) or not math.isfinite(value) or value <= 0:
        raise ValueError("no size")
    return float(value)


def margin(value: Any) -> Margin:
    """Read a margin: one size, or one below 0 and one above. Raises ValueError."""
    if not isinstance(value, list):
        return Margin(amount(value))
    low, high = value
    if type(low) not in (int, float):
        raise ValueError("no size")
    below, above = amount(-low), amount(high)
    return Margin(above, below if below != above else 0.0)


def _word(value: Any) -> Any:
    if type(value) not in (str, int, float) or not finite(value):
        raise ValueError("no argument")
    return value


def finite(value: Any) -> bool:
    """Say whether no number in a value is infinite, or none."""
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    if isinstance(value, list):
        return all(map(finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def _ends(value: Any) -> Any:
    if value is not None and not (finite(value) and value[0] < value[1]):
        raise ValueError("no range")
    return value


def _switches(value: Any) -> Any:
    named = isinstance(value, list) and all(type(name) is str for name in value)
    stated = isinstance(value, dict) and all(isinstance(v, dict) and v for v in value.values())
    if not value or not (stated or (named and len({*value}) == len(value))):
        raise ValueError("no parts")
    return value


def _parameter(value: Any) -> Any:
    if not finite(value):
        raise ValueError("no finite number")
    return value


_WORD = {"type": ["string", "number"]}
Word = Annotated[Any, BeforeValidator(_word), WithJsonSchema(_WORD)]
Parameter = Annotated[Any, BeforeValidator(_parameter), WithJsonSchema({})]
_SIZE: dict[str, Any] = {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string"}]}
_ENDS = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
Ends = Annotated[list[float] | None, Field(min_length=2, max_length=2), AfterValidator(_ends)]
"""Two rising numbers, or none."""

Amount = Annotated[float, BeforeValidator(amount), WithJsonSchema(_SIZE)]
OwnMargin = Annotated[
    Margin, BeforeValidator(margin), WithJsonSchema({"anyOf": [*_SIZE["anyOf"], _ENDS]})
]


_SWITCHES: dict[str, Any] = {
    "anyOf": [
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
        {
            "type": "object",
            "additionalProperties": {"type": "object", "minProperties": 1},
            "minProperties": 1,
        },
    ]
}
Switches = Annotated[Any, BeforeValidator(_switches), WithJsonSchema(_SWITCHES)]
