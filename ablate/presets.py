"""Presets: named lists of path and value, the levels of factors that belong together.

In a path, `*` stands for whichever component is chosen there. A path that ends in one renames the
component and keeps its settings: `memory.*: first` keeps the budget.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ablate import shipped
from ablate.document import Mark, Node, read_document


def presets() -> dict[str, Path]:
    """Give the shipped presets by name."""
    return {path.stem: path for path in sorted((shipped.ROOT / "suites/presets").glob("*.yaml"))}


def preset(name: str, at: Mark) -> dict[str, Node]:
    """Give a preset's values by path, all of them placed where a suite names it."""
    found = read_document(presets()[name].read_bytes())
    return {path: moved(value, at) for path, value in found.items.items()}


def moved(node: Node, at: Mark) -> Node:
    """Give a copy of a value that stands at another place."""
    value = node.value
    if isinstance(value, dict):
        value = {key: moved(child, at) for key, child in value.items()}
    if isinstance(value, list):
        value = [moved(child, at) for child in value]
    return replace(node, value=value, at=at, keys=dict.fromkeys(node.keys, at))


def resolved(path: str, value: Node, tree: Node) -> tuple[str, Node]:
    """Put the chosen components of a tree in the place of `*`."""
    words: list[str] = []
    parts = path.split(".")
    here = tree
    for place, word in enumerate(parts):
        if word == "*":
            chosen = next(iter(here.items), here.text)
            if place == len(parts) - 1:
                settings = here.items.get(chosen, Node({}, value.at))
                keys = {value.text: value.at}
                return ".".join(words), Node({value.text: settings}, value.at, keys)
            word = chosen
        words.append(word)
        here = here.items.get(word, Node({}, value.at))
    return ".".join(words), value
