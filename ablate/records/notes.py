"""Notes of the store: one form each, checked whenever one is read."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ablate.core.foreign_text import plain
from ablate.errors import StoreError
from ablate.types import SIDES, Json

SIZES = {"margin", "lower_margin", "worst"}


class _Form(BaseModel):
    model_config = ConfigDict(strict=True)


class Inert(_Form):
    """How alike two arms' first steps were ('' where they differ), and why."""

    tied: str
    reason: str


def _contrast(parts: list[Any]) -> list[Any]:
    """Check [treatment, baseline, metric, the side if one was claimed, margin]."""
    texts, rest = parts[:3], parts[3:]
    if len(texts) < 3 or not all(map(_is_text, texts)) or not _is_claimed(rest):
        raise ValueError("a contrast is [treatment, baseline, metric, margin]")
    return parts


def _effect(parts: list[Any]) -> list[Any]:
    """Check [name, arms of the one half, of the other, metric, the side if claimed, margin]."""
    arms = [*parts[1:3]]
    lists = all(isinstance(side, list) and all(map(_is_text, side)) for side in arms)
    texts = len(parts) >= 5 and all(map(_is_text, parts[0:4:3]))
    if not texts or not lists or not _is_claimed(parts[4:]):
        raise ValueError("an effect is [name, arms, arms, metric, margin]")
    return parts


def _is_claimed(rest: list[Any]) -> bool:
    """Say whether what ends a claim is its margin, after its side if it has one."""
    sized = _are(rest[-1:]) or (bool(rest) and _is_sizes(rest[-1]))
    return sized and (len(rest) == 1 or (len(rest) == 2 and rest[0] in SIDES))


def _is_sizes(margin: object) -> bool:
    """Say whether a margin is one with a lower side of its own, or a worst difference."""
    return isinstance(margin, dict) and {*margin} == SIZES and _are([*margin.values()])


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _are(numbers: list[Any]) -> bool:
    return bool(numbers) and all(type(number) in (int, float) for number in numbers)


class Declared(_Form):
    """What a suite declared before its first run, as `registration.declared` writes it."""

    question: str
    contrasts: list[Annotated[list[Any], AfterValidator(_contrast)]]
    effects: list[Annotated[list[Any], AfterValidator(_effect)]]
    alpha: float = Field(gt=0, lt=1)
    correction: str
    seeds: int = Field(ge=1, le=1_000_000)
    looks: list[Annotated[int, Field(ge=1, le=1_000_000)]] = Field(min_length=1)
    spend: Literal["flat", "linear", "quadratic"] = "flat"


class Registered(_Form):
    """A declaration with its digest, and when it was frozen."""

    declared: Declared
    digest: str
    frozen: str
    runs_present: int = Field(ge=0)
    before: list[str] = []


class Kept(_Form):
    """Stale records that were kept on purpose: by key, the record's mark and why it is stale."""

    runs: dict[str, tuple[str, str]]


class Stored(_Form):
    """Records that were not made here: by key, the record's mark; when and on what they were."""

    runs: dict[str, str]
    origin: str


class Imported(_Form):
    """Records of runs that were read from a tracker: how many, from where, and what was said."""

    origin: str
    notes: list[str]
    runs: int = Field(ge=0)


def imported_key(name: str) -> str:
    """Name the note on the imported records of a suite of that name."""
    return f"imported:{name}"


def stored_key(name: str) -> str:
    """Name the note on the stored records of a suite of that name."""
    return f"stored:{name}"


def read(form: type[BaseModel], key: str, text: str) -> Json:
    """Read a note as plain data. Raises StoreError for one that has not the form."""
    try:
        form.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        location = ".".join(map(str, first["loc"])) or "the whole"
        raise StoreError(
            f"the store's note {plain(key)!r} cannot be read: {location}: {plain(first['msg'])}. "
            "Put a copy of the store back, or choose another --results"
        ) from error
    return json.loads(text)
