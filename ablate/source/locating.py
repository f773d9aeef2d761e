"""Where a module's file stands, found without importing anything."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ablate.core import resources

OURS = ("ablate",) if resources.IN_WHEEL else ("ablate", "variants", "reports")
"""The top-level names that belong to this toolkit."""


@cache
def locate(module: str) -> Path | None:
    """Find a module's file, without importing anything; None where the name is no module's."""
    parts = module.split(".")
    for folder in folders(parts[0]):
        stem = folder.joinpath(*parts)
        for path in (stem / "__init__.py", stem.parent / f"{stem.name}.py"):
            if path.is_file():
                return path
        for ending in ("so", "pyd"):
            if compiled := sorted(stem.parent.glob(f"{stem.name}.*{ending}")):
                return compiled[0]
    return None


def folders(top: str) -> tuple[Path, ...]:
    """Give the folders in which a top-level name stands."""
    if top in OURS:
        return (resources.ENGINE.parent,)
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return ()
    if spec is None:
        return ()
    if spec.submodule_search_locations is not None:
        return tuple(Path(package).parent for package in spec.submodule_search_locations)
    return (Path(spec.origin).parent,) if spec.has_location and spec.origin else ()


@cache
def is_installed(top: str) -> bool:
    """Say whether a name is an installed package, which its version tells enough of."""
    inside = ("site-packages", "dist-packages")
    places = folders(top)
    return not places or any(part in inside for folder in places for part in folder.parts)


def is_folder(module: str) -> bool:
    """Say whether a module is a folder without `__init__`."""
    parts = module.split(".")
    return any(folder.joinpath(*parts).is_dir() for folder in folders(parts[0]))
