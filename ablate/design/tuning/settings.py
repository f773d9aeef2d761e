"""Settings of variants by path: what stands there, and variants without what is tuned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ablate.core.tuning_values import Search
from ablate.types import Choice, Variant


def setting(variant: Variant, path: str) -> Sequence[Any]:
    """Give the value that a variant has at a path, alone in a list; nothing where it has none.

    A kind that the base says for all methods is found inside the method. Of somebody's own program
    a path is a parameter's name.
    """
    if variant.outside:
        params = variant.choices["method"].settings["params"]
        return (params[path],) if path in params else ()
    kind, *words = path.split(".")
    here: Any = variant.choices.get(kind)
    if here is None:
        here = next((c for c in _inside(variant.choices["method"]) if c.kind == kind), None)
    while len(words) >= 2:
        name, field, *words = words
        if not isinstance(here, Choice) or here.name != name or field not in here.settings:
            return ()
        here = here.settings[field]
    return () if words else (here,)


def with_params(variant: Variant, values: Mapping[str, Any]) -> Variant:
    """Give somebody's own program other parameters."""
    method = variant.choices["method"]
    params = {**method.settings["params"], **values}
    changed = Choice(method.kind, method.name, {**method.settings, "params": params})
    return replace(variant, choices={**variant.choices, "method": changed})


def blank(variants: Sequence[Variant], search: Search) -> tuple[Variant, ...]:
    """Give variants that have the same at every path of a space, wherever they have something."""
    paths = [dial.path for dial in search.dials]
    return tuple(_blanked(variant, paths) for variant in variants)


def _blanked(variant: Variant, paths: Sequence[str]) -> Variant:
    if variant.outside:
        params = variant.choices["method"].settings["params"]
        return with_params(variant, dict.fromkeys((path for path in paths if path in params), None))
    choices = dict(variant.choices)
    for kind, *words in (path.split(".") for path in paths):
        if kind in choices:
            choices[kind] = _without(choices[kind], words)
            continue
        method = choices["method"]
        settings = {
            name: _without(value, words)
            if isinstance(value, Choice) and value.kind == kind
            else value
            for name, value in method.settings.items()
        }
        choices["method"] = replace(method, settings=settings)
    return replace(variant, choices=choices)


def _without(choice: Choice, words: Sequence[str]) -> Choice:
    """Give a component with nothing at the end of `name.field.name.field`, if it leads there."""
    name, field, *rest = words
    if choice.name != name or field not in choice.settings:
        return choice
    inner = choice.settings[field]
    value = _without(inner, rest) if rest and isinstance(inner, Choice) else None
    return replace(choice, settings={**choice.settings, field: value})


def _inside(method: Choice) -> list[Choice]:
    return [value for value in method.settings.values() if isinstance(value, Choice)]
