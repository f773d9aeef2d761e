"""The rooms of the engine: few, on few floors, none too full, and the page that shows them."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import grimp
import pytest

ROOT = Path(__file__).parent.parent.parent
FORMATTER_OFF = re.compile(r"#\s*fmt\s*:")
SCANNED = ("ablate.executors", "ablate.stats.test")
"""Kinds of component, which may have as many files as there are components."""


@pytest.fixture(scope="module")
def draw() -> Any:
    """Give the script that draws the rooms."""
    spec = importlib.util.spec_from_file_location("draw_rooms", ROOT / "docs" / "draw_rooms.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_rooms_and_floors_are_few(draw: Any) -> None:
    """And no arrow goes up or round: `floors` could not place such a room."""
    rooms = draw.arrows()
    assert 15 < len(rooms) <= 25
    levels = draw.floors(rooms)
    assert len(levels) <= 10
    height = {room: place for place, level in enumerate(levels) for room in level}
    assert all(height[other] < height[room] for room, others in rooms.items() for other in others)


def test_a_circle_is_found(draw: Any) -> None:
    """Two rooms that need one another stand on no floor."""
    with pytest.raises(ValueError, match=r"circle among \['a', 'b'\]"):
        draw.floors({"a": frozenset("b"), "b": frozenset("a"), "c": frozenset()})


def test_an_arrow_that_a_longer_way_implies_is_left_out(draw: Any) -> None:
    """a -> b -> c says a -> c."""
    rooms = {"a": frozenset("bc"), "b": frozenset("c"), "c": frozenset()}
    assert draw.reduced(rooms) == {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset()}


def test_no_folder_is_too_full() -> None:
    """Fifteen modules at most, but for kinds of component."""
    graph = grimp.build_graph("ablate", exclude_type_checking_imports=True, cache_dir=None)
    folders = {module for module in graph.modules if graph.find_children(module)}
    assert len(folders) > 10
    for folder in folders - set(SCANNED):
        inside = [child for child in graph.find_children(folder) if child not in folders]
        assert len(inside) <= 15, folder


def test_the_page_shows_the_rooms_of_now(draw: Any) -> None:
    """`make architecture` draws it again; every room has a line in the table below."""
    text = draw.PAGE.read_text("utf-8")
    assert draw.page(text) == text, "make architecture"
    table = text.split(draw.END)[1]
    for room in draw.arrows():
        assert f"`{room}/`" in table or f"`{room}.py`" in table, room


def test_no_module_is_long_and_the_formatter_is_on_everywhere() -> None:
    """Three hundred lines; a longer one holds two concepts."""
    checked = 0
    for folder in ("ablate", "reports", "variants", "tests", "docs"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text("utf-8")
            assert not FORMATTER_OFF.search(text), path
            if folder != "tests":
                assert len(text.splitlines()) <= 300, path
            checked += 1
    assert checked > 300


def test_files_that_label_no_component_begin_with_an_underscore() -> None:
    """So that a kind's folder lists its components."""
    files = [path for path in (ROOT / "variants").rglob("*.py") if path.stem != "__init__"]
    assert len(files) > 80
    for path in files:
        labels = "\n@component(" in path.read_text("utf-8")
        assert labels != path.stem.startswith("_"), path
