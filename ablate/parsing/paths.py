"""Dotted paths of a suite: which lie inside which, and what their values look like.

`*` in a path stands for whichever component is chosen there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ablate.core.inputs import written_sizes
from ablate.parsing.located_yaml import Node

TASKS = "tasks"
"""The setting of a data set that says how many tasks there are, or the classes of each."""


def depth(path: str) -> int:
    """Count the dots: values at shorter paths are put first, so that they undo nothing."""
    return path.count(".")


def within(inner: str, outer: str) -> bool:
    """Say whether a path names what another names, or something inside it.

    >>> within("memory.*.budget_rows", "memory.herding"), within("memory", "memory.herding")
    (True, False)
    """
    words, others = inner.split("."), outer.split(".")
    pairs = zip(words, others, strict=False)
    return len(words) >= len(others) and all(a == b or "*" in (a, b) for a, b in pairs)


def undoes(outer: str, value: Node, inner: str) -> bool:
    """Say whether putting a value at `outer` and one at `inner` loses one of them.

    A bare name at a path that ends in `*` renames a component and keeps its settings.
    """
    renames = outer.endswith("*") and isinstance(value.value, str)
    return within(inner, outer) and not (renames and depth(inner) > depth(outer))


def states(value: Node, rest: Iterable[str]) -> bool:
    """Say whether a written value has something at a path inside it."""
    here = value
    for word in rest:
        if word == "*" and len(here.items) == 1:
            word = next(iter(here.items))
        if word not in here.items:
            return False
        here = here.items[word]
    return True


def stamped(node: Node, source: str) -> Node:
    """Give a copy of a value in which every part says which declaration it is of."""
    value = node.value
    if isinstance(value, dict):
        value = {key: stamped(child, source) for key, child in value.items()}
    if isinstance(value, list):
        value = [stamped(child, source) for child in value]
    return replace(node, value=value, source=source)


def words(node: Node, setting: str = "") -> str:
    """Show a value of a setting in few words: a component by its name and settings."""
    plain = node.plain()
    if isinstance(plain, dict) and len(plain) == 1:
        name, settings = next(iter(plain.items()))
        pairs = settings.items() if isinstance(settings, dict) else []
        inner = ", ".join(f"{k} {_written(k, v)}" for k, v in pairs)
        return f"{name}({inner})" if inner else str(name)
    return _written(setting, plain)


def _written(setting: str, value: Any) -> str:
    """Write a value; the sizes of tasks as a sum, which needs no brackets in a table."""
    sizes = setting == TASKS and isinstance(value, list) and value
    if sizes and all(type(size) is int for size in value):
        return written_sizes(value)
    return str(value)
