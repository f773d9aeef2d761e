"""The numbers in which the runs of one stack may differ: a method's plain floats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ablate.registry import Catalogue
from ablate.types import Choice


def numbers(choice: Choice, catalogue: Catalogue, path: tuple[str, ...] = ()) -> dict[Any, float]:
    """Give the settings of a method that may differ within a stack, by path: its plain floats."""
    entry = catalogue.get(choice.kind, choice.name)
    floats: dict[Any, float] = {}
    for name, value in choice.settings.items():
        field = entry.field(name)
        if isinstance(value, Choice):
            floats |= numbers(value, catalogue, (*path, name))
        elif field and field.annotation == "float" and "__post_init__" not in entry.methods:
            floats[(*path, name)] = value
    return floats


def with_numbers(choice: Choice, values: Mapping[Any, Any], path: tuple[str, ...] = ()) -> Choice:
    """Give a copy of a choice with other values at some paths."""
    settings = {
        name: with_numbers(value, values, (*path, name))
        if isinstance(value, Choice)
        else values.get((*path, name), value)
        for name, value in choice.settings.items()
    }
    return Choice(choice.kind, choice.name, settings)
