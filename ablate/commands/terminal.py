"""The terminal belongs to the commands: what anything else prints meanwhile goes aside.

A component, a plug-in or a library that prints `MATTERS` cannot be told from us by a reader, so
that standard output and error are handed to `say` alone, and everybody else has a file.
"""

from __future__ import annotations

import atexit
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TextIO

import click

from ablate.core.foreign_text import STORED, plain, terminal as visible

LOG_BYTES = 1_000_000
"""Bytes of prints that are kept: a log that fills the disk would spoil more than its component."""

SHOWN_LINES = 10
"""Lines of prints that are shown where there is no log to put them into."""


@dataclass(frozen=True)
class Streams:
    """Where a command writes, and where everybody else's prints have gone: a file, and how far."""

    out: TextIO
    err: TextIO
    aside: BinaryIO


_IN_USE: list[Streams] = []


def stream(*, err: bool = False) -> TextIO:
    """Give the command's own output, or its error stream."""
    if _IN_USE:
        return _IN_USE[-1].err if err else _IN_USE[-1].out
    return sys.stderr if err else sys.stdout


def say(text: str, err: bool = False, bold: bool = False) -> None:
    """Print lines in which nothing is hidden.

    A reader who has left, or a terminal that is gone, does not stop the work.
    """
    where, shown = stream(err=err), visible(text)
    try:
        click.echo(click.style(shown, bold=True) if bold else shown, file=where)
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), where.fileno())


def is_terminal() -> bool:
    """Say whether somebody sits there who can be asked."""
    return sys.stdin.isatty() and stream(err=True).isatty()


def confirmed(question: str) -> bool:
    """Ask on the terminal, which nobody else can write to; anything but yes is no."""
    return answer(question, "y/N").lower() in ("y", "yes")


def answer(question: str, default: str = "") -> str:
    """Ask for a line on the terminal; an empty one, or none, is the default."""
    where = stream(err=True)
    where.write(f"{question} [{default}]: " if default else f"{question}: ")
    where.flush()
    return sys.stdin.readline().strip() or default


@contextmanager
def private() -> Iterator[None]:
    """Keep the terminal for `say`; prints of others that no log has taken are shown at the end."""
    with tempfile.TemporaryFile() as aside:
        aside_text = io.TextIOWrapper(
            io.FileIO(os.dup(aside.fileno()), "w"), "utf-8", "replace", write_through=True
        )
        before = sys.stdout, sys.stderr
        streams = Streams(_own(before[0], 1), _own(before[1], 2), aside)
        numbers = {number: os.dup(number) for number in (1, 2) if _is_open(number)}
        for number in numbers:
            os.dup2(aside.fileno(), number)
        sys.stdout = sys.stderr = aside_text
        _IN_USE.append(streams)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before
            left = printed()
            _IN_USE.pop()
            for number, saved in numbers.items():
                os.dup2(saved, number)
                os.close(saved)
            for opened in {aside_text, streams.out, streams.err} - {*before}:
                with suppress(OSError, ValueError):
                    opened.close()
            _show(left)
            if before[0] is sys.__stdout__:  # not in a test: the process ends with the command
                atexit.register(_silence)  # hooks registered earlier, a plug-in's, run after this


def printed() -> bytes:
    """Take what others have printed since this was last asked."""
    if not _IN_USE:
        return b""
    aside = _IN_USE[-1].aside
    size = os.fstat(aside.fileno()).st_size
    aside.seek(0)
    text = aside.read(min(size, LOG_BYTES + 1))
    aside.truncate(0)
    # all who print share the file's one position, so that this holds for them as well
    aside.seek(0)
    return text


def _own(current: TextIO | None, number: int) -> TextIO:
    """Give a stream that is not the standard one, and writes to the same place."""
    if current is None:
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123
    try:
        same = current.fileno() == number
    except (OSError, ValueError):
        same = False  # a test's, or an editor's: it has no file behind it
    if not same:
        return current
    current.flush()
    return open(  # noqa: PTH123
        os.dup(number), "w", 1, encoding=current.encoding, errors="replace"
    )


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _show(text: bytes) -> None:
    lines = visible(text.decode("utf-8", "replace")).splitlines()
    if lines:
        click.echo("Not from this toolkit, but printed by a component or a library:", err=True)
    for line in lines[:SHOWN_LINES]:
        click.echo(f"  | {line}", err=True)
    if len(lines) > SHOWN_LINES:
        click.echo(f"  | ... and {len(lines) - SHOWN_LINES} lines more", err=True)


def _silence() -> None:
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for number in (1, 2):
            os.dup2(nowhere, number)


@dataclass
class ComponentLog:
    """The file that components' prints go to, made by the first of them.

    size: bytes written; left_out: bytes beyond LOG_BYTES, which are not.
    """

    path: Path
    size: int = 0
    left_out: int = 0
    failed: str = ""
    _file: BinaryIO | None = field(default=None, repr=False)

    def write(self, text: bytes) -> None:
        """Add prints; a log that cannot be written costs itself alone."""
        taken = text[: LOG_BYTES - self.size]
        self.left_out += len(text) - len(taken)
        if not taken:
            return
        self.size += len(taken)
        try:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("wb", buffering=0)
            self._file.write(visible(taken.decode("utf-8", "replace")).encode())
        except OSError as error:
            self.failed = error.strerror or str(error)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None

    def line(self) -> str:
        """Say that there is a log; '' where nobody printed anything."""
        self.write(printed())
        if not self.size:
            return ""
        if self.failed:
            return f"Components or libraries printed something; no log of it: {self.failed}"
        more = f", the first {LOG_BYTES:,} bytes" if self.left_out else ""
        return (
            f"Components or libraries printed something; it is in {plain(self.path, STORED)}{more}"
        )
