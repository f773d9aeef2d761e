"""Where the shipped components, reports and suites are.

In a checkout they stand beside the engine (`variants/`, `reports/`, `suites/`); a wheel carries
them inside it (`ablate/variants/`, ...), so that it installs one top-level name.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

ENGINE = Path(__file__).parent.parent
IN_WHEEL = (ENGINE / "variants").is_dir()
ROOT = ENGINE if IN_WHEEL else ENGINE.parent


CALIBRATION = "calibration"
"""The folder of the suites that hold methods against their authors' figures."""


def name(module: str) -> str:
    """Give the import name of a shipped module, such as `variants` or `reports.write`."""
    return f"ablate.{module}" if IN_WHEEL else module


def module(path: str) -> Any:
    """Import a shipped module."""
    return import_module(name(path))


def suites() -> dict[str, Path]:
    """Give the shipped suites by name, those of calibration with their folder's."""
    folder = ROOT / "suites"
    paths = [*folder.glob("*.yaml"), *(folder / CALIBRATION).glob("*.yaml")]
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(paths)}
