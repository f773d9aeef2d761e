"""Files of a report: whole or not at all, and an error in one line where it cannot be."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ablate.core.foreign_text import markdown, of_error
from ablate.errors import StoreError
from ablate.records.results_folder import make_folder


@dataclass(frozen=True)
class Pictures:
    """The pictures of a report: names of those that were drawn, and why others were not."""

    names: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)

    def __add__(self, other: Pictures) -> Pictures:
        """Put two reports' pictures together, in this order."""
        return Pictures((*self.names, *other.names), self.failed | other.failed)


def save(path: Path, content: str | bytes) -> Path:
    """Write a file so that a reader never sees half of it. Raises StoreError, with what remains."""
    aside = path.with_name(f"{path.name}.part")
    data = content.encode() if isinstance(content, str) else content
    try:
        make_folder(path.parent)
        aside.write_bytes(data)
        aside.replace(path)
    except OSError as error:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise StoreError(
            f"{path} cannot be written: {error.strerror}. All finished runs are kept; `report` "
            "writes it from them"
        ) from error
    return path


def draw(
    makers: Iterable[tuple[str, Callable[[Any, Any], Any]]], study: Any, folder: Path, pyplot: Any
) -> Pictures:
    """Draw pictures into a folder; one that fails costs itself alone.

    makers: a picture's name, and what makes a figure of a study or None where there is nothing to
    show.
    """
    names, failed = [], {}
    for name, make in makers:
        try:
            if content := _picture(make, study, pyplot):
                save(folder / name, content)
                names.append(name)
                continue
        except Exception as error:  # whatever Matplotlib, a font or the disk raises
            failed[name] = of_error(error)
        with suppress(OSError):
            (folder / name).unlink(missing_ok=True)  # left by a report of other records
    return Pictures(tuple(names), failed)


DPI = 150
EDGE = 0.1
"""Inches around what is drawn; with a box of `tight`, Matplotlib would draw all of it twice."""


def _picture(make: Callable[[Any, Any], Any], study: Any, pyplot: Any) -> bytes:
    before = set(pyplot.get_fignums())
    try:
        figure = make(study, pyplot)
        if figure is None:
            return b""
        figure.set_dpi(DPI)
        box = figure.get_tightbbox(figure.canvas.get_renderer()).padded(EDGE)
        content = io.BytesIO()
        facts = {"dpi": DPI, "metadata": {"Software": None}}
        figure.savefig(content, format="png", bbox_inches=box, **facts)
        return content.getvalue()
    finally:
        for number in set(pyplot.get_fignums()) - before:
            pyplot.close(number)


FAILED = re.compile(r"^> (\*\*The picture `\w+\.png` could not be drawn:\*\* .*)$", re.MULTILINE)


def failures(pictures: Pictures) -> list[str]:
    """Say, in a line each that FAILED matches, which pictures are missing and why."""
    return [
        f"**The picture `{name}` could not be drawn:** {markdown(reason)}"
        for name, reason in pictures.failed.items()
    ]
