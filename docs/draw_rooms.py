"""Draws the rooms of the engine from their imports into ARCHITECTURE.md: `make architecture`.

A room is a folder or a module of `ablate/`; it stands on the floor above the highest room that it
imports. An arrow is left out where a longer way says the same (the transitive reduction).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import grimp

PAGE = Path(__file__).parent.parent / "ARCHITECTURE.md"
BEGIN, END = "<!-- rooms: drawn by `make architecture` -->", "<!-- end of rooms -->"

Arrows = Mapping[str, frozenset[str]]


def arrows() -> Arrows:
    """Give the rooms that each room imports, by its name inside `ablate`."""
    graph = grimp.build_graph("ablate", exclude_type_checking_imports=True, cache_dir=None)
    rooms = sorted(graph.find_children("ablate"))
    return {
        room.removeprefix("ablate."): frozenset(
            other.removeprefix("ablate.")
            for other in rooms
            if other != room
            and graph.direct_import_exists(importer=room, imported=other, as_packages=True)
        )
        for room in rooms
    }


def floors(stands_on: Arrows) -> list[list[str]]:
    """Give the rooms by floor, the lowest first. Raises ValueError where rooms go in a circle."""
    levels: list[list[str]] = []
    built: set[str] = set()
    while len(built) < len(stands_on):
        level = sorted(room for room in stands_on if room not in built and stands_on[room] <= built)
        if not level:
            raise ValueError(f"a circle among {sorted(set(stands_on) - built)}")
        levels.append(level)
        built |= set(level)
    return levels


def reduced(stands_on: Arrows) -> Arrows:
    """Leave out every arrow that a longer way implies."""

    def below(room: str) -> set[str]:
        under = set(stands_on[room])
        for other in stands_on[room]:
            under |= below(other)
        return under

    return {
        room: frozenset(
            other
            for other in others
            if not any(other in below(third) for third in others if third != other)
        )
        for room, others in stands_on.items()
    }


def picture() -> str:
    """Draw the floors, the highest first, each room with what it stands on."""
    stands_on = arrows()
    short, levels = reduced(stands_on), floors(stands_on)
    width = max(map(len, stands_on))
    lines = []
    for height, level in reversed([*enumerate(levels)]):
        for place, room in enumerate(level):
            mark = f"{height}" if place == 0 else " "
            feet = " ".join(sorted(short[room]))
            lines.append(f"{mark}  {room:<{width}}  {'-> ' + feet if feet else ''}".rstrip())
    return "\n".join(["```", *lines, "```"])


def page(text: str) -> str:
    """Give the page with the picture of now."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{picture()}\n{END}{after}"


if __name__ == "__main__":
    drawn = page(PAGE.read_text("utf-8"))
    if "--check" in sys.argv:
        sys.exit(0 if drawn == PAGE.read_text("utf-8") else "ARCHITECTURE.md: make architecture")
    PAGE.write_text(drawn, "utf-8")
