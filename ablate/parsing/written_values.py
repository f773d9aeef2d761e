"""Values as they are written in a suite: points, margins, looks, names; each with its JSON Schema.

A schema that is `{"catalogued": part}` is made from the catalogue: see `json_schema`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from ablate.types import ENOUGH_PAIRS

WRITTEN = "as it was written"
"""Marks a name: it may look like a number, and is the text that stands in the file."""
LOOKS = f"rising whole numbers of seeds, the first at least {ENOUGH_PAIRS}"
PART = "what the base sets without it, a mapping of paths"
LAST_SEED, MOST_SEEDS = 899_999, 100_000
"""Seeds of A/A twins, pilots and searches begin at 1,000,000 and beyond."""
LEVELS = "two named levels, each a mapping of paths"
_SIZE = r"(?=[0-9.]*[1-9])(0*[0-9]{1,2}(\.[0-9]+)?|0*100(\.0+)?|\.[0-9]+)"
_POINTS = rf"^\s*{_SIZE}\s+points?\s*$"
_BELOW, _ABOVE = (rf"^\s*{sign}{_SIZE}\s+points?\s*$" for sign in ("-", r"\+?"))


class Entry(NamedTuple):
    """What an entry of a mapping, or a value, is called in messages, and what it has to be."""

    called: str = "{}"
    accepts: str = ""


class Margin(NamedTuple):
    """What would matter, in points: above 0; and below it, where that is of another size."""

    high: float
    low: float = 0.0

    def declared(self) -> dict[str, float]:
        """Give it by the names that a claim has for it."""
        return {"margin": self.high, "lower_margin": self.low}


def catalogued(part: str) -> WithJsonSchema:
    """Leave the JSON Schema to the catalogue, whose reader knows what the value may be."""
    return WithJsonSchema({"catalogued": part})


def size(value: Any, pattern: str = _POINTS) -> float:
    """Read a number of points, in (0, 100]. Raises ValueError."""
    match = re.match(pattern, value) if isinstance(value, str) else None
    if not match or not float(match[1]):
        raise ValueError("no number of points")
    return float(match[1])


def margin(value: Any) -> Margin:
    """Read a margin: one number of points, or one below 0 and one above. Raises ValueError."""
    if not isinstance(value, list):
        return Margin(size(value))
    ends = zip(value, (_BELOW, _ABOVE), strict=True)
    low, high = (size(end, pattern) for end, pattern in ends)
    return Margin(high, low if low != high else 0.0)


def _looks(value: Any) -> tuple[int, ...]:
    whole = isinstance(value, list) and all(type(look) is int for look in value)
    if not whole or not value or value != sorted({*value}) or value[0] < ENOUGH_PAIRS:
        raise ValueError("no looks")
    return tuple(value)


def _seeds(value: Any) -> tuple[int, ...]:
    whole = all(type(seed) is int and 0 <= seed <= LAST_SEED for seed in value)
    if not value or not whole or len({*value}) < len(value) or len(value) > MOST_SEEDS:
        raise ValueError("no seeds")
    return tuple(value)


def _question(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("empty", "an empty question")
    return " ".join(value.split())


def _levels(value: Any) -> Any:
    levels = list(value.values()) if isinstance(value, dict) else []
    if len(levels) != 2 or not all(level is None or isinstance(level, dict) for level in levels):
        raise ValueError("no two levels")
    return value


def _factors(value: dict[str, Any]) -> dict[str, Any]:
    if not value:
        raise PydanticCustomError("empty", "no factor")
    return value


def _part(value: Any) -> Any:
    if not isinstance(value, dict) or not value:
        raise ValueError("nothing set")
    return value


def _parts(value: dict[str, Any]) -> dict[str, Any]:
    if not value:
        raise PydanticCustomError("empty", "no part")
    return value


_TEXT: dict[str, Any] = {"type": "string", "pattern": _POINTS}
_ENDS = [{"type": "string", "pattern": end} for end in (_BELOW, _ABOVE)]
_PAIR = {"type": "array", "prefixItems": _ENDS, "items": False, "minItems": 2}
_LOOK = {"type": "integer", "minimum": ENOUGH_PAIRS}
_SCALAR = {"type": ["string", "number", "boolean", "null"], "minLength": 1}
_FILE = {"type": ["string", "number", "boolean"], "minLength": 1}

Name = Annotated[str, WRITTEN, WithJsonSchema(_SCALAR)]
Metric = Annotated[str, WRITTEN, catalogued("metric")]
File = Annotated[str, WRITTEN, WithJsonSchema(_FILE)]
Path = Annotated[str, WRITTEN, catalogued("axis")]
Paths = dict[str, Any]
Points = Annotated[float, BeforeValidator(size), WithJsonSchema(_TEXT)]
Size = Annotated[Margin, BeforeValidator(margin), WithJsonSchema({"anyOf": [_TEXT, _PAIR]})]
Looks = Annotated[
    tuple[int, ...],
    BeforeValidator(_looks),
    Entry(accepts=LOOKS),
    WithJsonSchema({"type": "array", "items": _LOOK, "minItems": 1, "uniqueItems": True}),
]
_SEED = {"type": "integer", "minimum": 0, "maximum": LAST_SEED}
_SEEDS = {
    "type": "array",
    "items": _SEED,
    "minItems": 1,
    "maxItems": MOST_SEEDS,
    "uniqueItems": True,
}
NamedSeeds = Annotated[Any, BeforeValidator(_seeds), WithJsonSchema(_SEEDS)]
Question = Annotated[
    str,
    AfterValidator(_question),
    Entry(accepts="text"),
    WithJsonSchema({"type": "string", "pattern": r"\S"}),
]
Factors = Annotated[
    dict[str, Annotated[Any, BeforeValidator(_levels)]],
    AfterValidator(_factors),
    Entry("factor {!r}", LEVELS),
    catalogued("factors"),
]
Parts = Annotated[
    dict[str, Annotated[Any, BeforeValidator(_part)]],
    AfterValidator(_parts),
    Entry("part {!r}", PART),
    catalogued("arms"),
]
Also = Annotated[
    dict[str, Size], Entry("the margin in {!r}", "a number of points"), catalogued("also")
]
Followed = Annotated[list[Any], Field(min_length=2), catalogued("followed")]
Fraction = Annotated[
    dict[str, Followed], Entry("the fraction of {!r}", "two or more different factors")
]
