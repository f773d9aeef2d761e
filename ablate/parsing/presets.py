"""Presets: named lists of path and value, the levels of factors that belong together.

In a path, `*` stands for whichever component is chosen there. A path that ends in one renames the
component and keeps its settings: `memory.*: first` keeps the budget.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ablate.core import resources
from ablate.parsing.located_yaml import Mark, Node, read_document


def presets() -> dict[str, Path]:
    """Give the shipped presets by name."""
    return {path.stem: path for path in sorted((resources.ROOT / "suites/presets").glob("*.yaml"))}


def preset(name: str, at: Mark) -> dict[str, Node]:
    """Give a preset's values by path, all of them placed where a suite names it."""
    document = read_document(presets()[name].read_bytes())
    return {path: moved(value, at) for path, value in document.items.items()}


def moved(node: Node, at: Mark) -> Node:
    """Give a copy of a value that stands at another place."""
    value = node.value
    if isinstance(value, dict):
        value = {key: moved(child, at) for key, child in value.items()}
    if isinstance(value, list):
        value = [moved(child, at) for child in value]
    return replace(node, value=value, at=at, keys=dict.fromkeys(node.keys, at))


def resolved(path: str, value: Node, tree: Node) -> tuple[str, Node]:
    """Put the chosen components of a tree in the place of `*`.

    A name at a path that ends in `*` takes over the settings of the component that it replaces, and
    those that are written with it go before them.
    """
    parts = path.split(".")
    names: list[str] = []
    here = tree
    if "*" in parts[::2]:
        return path, value  # no component stands there, which putting it there will tell
    for number, word in enumerate(parts):
        chosen = next(iter(here.items), here.text) if word == "*" else word
        if word == "*" and number == len(parts) - 1 and chosen:
            return ".".join(names), _renamed(value, here.items.get(chosen, Node({}, value.at)))
        names.append(chosen or word)
        here = here.items.get(chosen, Node({}, value.at))
    return ".".join(names), value


def _renamed(value: Node, settings: Node) -> Node:
    """Give a component in which a new name stands before settings that were another's."""
    if len(value.items) == 1:
        name, written = next(iter(value.items.items()))
        at = value.keys[name]
    elif isinstance(value.value, (dict, list)) or value.value is None:
        return value  # a fault, which reading it will tell
    else:
        name, written, at = value.text, Node({}, value.at), value.at
    if written.value is not None and not isinstance(written.value, dict):
        return value
    # what does not fit the new component is the fault of the new name, so it is placed there
    carried = dict.fromkeys(settings.items, at)
    inner = replace(
        settings,
        value={**settings.items, **written.items},
        keys={**carried, **written.keys},
        source=value.source,
    )
    return replace(value, value={name: inner}, keys={name: at}, text="")
