"""Notes of the store: one form each, checked whenever one is read."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ablate.errors import StoreError
from ablate.foreign_text import plain
from ablate.types import Json


class _Form(BaseModel):
    model_config = ConfigDict(strict=True)


class Inert(_Form):
    """How alike two arms' first steps were ('' where they differ), and why."""

    tied: str
    reason: str


def _contrast(parts: list[Any]) -> list[Any]:
    """Check [treatment, baseline, metric, margin, ...]."""
    texts, numbers = parts[:3], parts[3:4]
    if len(texts) < 3 or not all(isinstance(text, str) for text in texts) or not _are(numbers):
        raise ValueError("a contrast is [treatment, baseline, metric, margin]")
    return parts


def _effect(parts: list[Any]) -> list[Any]:
    """Check [name, arms of the one half, arms of the other, metric, ..., margin]."""
    arms = [*parts[1:3]]
    lists = all(isinstance(side, list) and all(map(_is_text, side)) for side in arms)
    if len(parts) < 5 or not lists or not all(map(_is_text, parts[0:4:3])) or not _are(parts[-1:]):
        raise ValueError("an effect is [name, arms, arms, metric, margin]")
    return parts


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


def read(form: type[BaseModel], key: str, text: str) -> Json:
    """Read a note as plain data. Raises StoreError for one that has not the form."""
    try:
        form.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise StoreError(
            f"the store's note {plain(key)!r} cannot be read: {place}: {plain(first['msg'])}. "
            "Put a copy of the store back, or choose another --results"
        ) from error
    return json.loads(text)
