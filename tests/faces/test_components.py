"""The face that components of other packages import: whole, and enough for our own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from ablate import components

ROOT = Path(__file__).parent.parent.parent
BEHIND = ("ablate.training.train_step", "ablate.training.train_step", "ablate.training.inner_loop")
ENGINE_ONLY = {"InnerLoop"}
"""What `meta` drives the update rules with; a rule is handed it as `fit`."""


def imported(folder: Path) -> Iterator[tuple[str, str]]:
    """Give what the files of a folder import from the modules behind the face."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module in BEHIND:
                yield from ((node.module, alias.name) for alias in node.names)


def test_what_our_methods_build_on_is_there() -> None:
    """A third party's method needs no more than ours do."""
    needed = {name for _, name in imported(ROOT / "variants")} - ENGINE_ONLY
    assert len(needed) > 12
    assert needed <= set(components.__all__)


@pytest.mark.parametrize("name", components.__all__)
def test_every_name_is_documented(name: str) -> None:
    """By the object's own docstring."""
    assert getattr(components, name).__doc__
