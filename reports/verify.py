"""A report checked against its store: every number recomputed, each that differs named."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from ablate import flow
from ablate.core.foreign_text import hidden, plain
from ablate.core.tuning_values import Tuned, TunedArm
from ablate.design.reader import parse_suite
from ablate.errors import AblateError, DataError
from ablate.records import provenance
from ablate.records.store import Store
from ablate.registry import component, scan
from ablate.types import Suite

from . import files, write
from .digests import Stated, StatedTuned, records

_STATED = re.compile(r"<!-- ablate (\{.*\}) -->\s*")
_SUITE = re.compile(r"## The suite\n\n(`{3,})yaml\n(.*)\n\1\n", re.DOTALL)

MOST_BYTES = 32_000_000
MOST_RUNS = 200_000
"""A report that is larger, or of more runs, is not checked: anybody may have written it."""

MOST_NAMED = 1000
"""Differences that are named one by one."""

MOST_COMPARED = 4_000_000
"""Pairs of lines that are tried for the best alignment; beyond, lines are compared in order."""


@component("report", "verification")
@dataclass(frozen=True)
class Verification:
    """What of a report's numbers does not agree with the store."""

    def lines(self, report: Path, store: Store) -> Iterator[str]:
        """Name each number that differs, a line each."""
        return verify(report, store)

    def suite(self, report: Path) -> Suite:
        """Read the suite that a report was made from. Raises DataError where it is no report."""
        text = _read(report)
        return _suite(report, text, _facts(report, text))


def verify(path: Path, store: Store) -> Iterator[str]:
    """Name each number of a report that the store does not give; nothing where all agree.

    Raises DataError where the file is no report, or its suite is not the one it was made from.
    """
    text = _read(path)
    facts = _facts(path, text)
    try:
        study = flow.analyse(_suite(path, text, facts), store)
        pictures = re.findall(r"\]\((\w+\.png)\)", text)
        recomputed = write.text(study, pictures, files.FAILED.findall(text))
    except AblateError:
        raise
    except Exception as error:  # a text that somebody edited may say what no suite of ours does
        raise DataError(
            f"{path}: what it says of its origin makes no study: {type(error).__name__}: "
            f"{plain(error)}"
        ) from error
    if records(study) != facts.records:
        yield "The store's records are not those that the report was made from."
    yield from differences(text, recomputed)


def _read(path: Path) -> str:
    """Read a report. Raises DataError for what is no file, or larger than any report."""
    try:
        if not path.is_file():  # a pipe would be waited for, a device has no end
            raise DataError(
                f"{path} is no report: " + ("no file" if path.exists() else "not there")
            )
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise DataError(f"{path} has over {MOST_BYTES:,} bytes, which no report has")
        return content.decode("utf-8").replace("\r\n", "\n")
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as a report: {error}") from error


def differences(stands: str, recomputed: str) -> Iterator[str]:
    """Name the lines, and in tables the cells, in which two texts differ, with their section."""
    old, new = (_last_line(text)[0].splitlines() for text in (stands, recomputed))
    places = _places(old)
    names = (
        name
        for kind, a, b, c, d in _aligned(old, new)
        if kind != "equal"
        for i in range(max(b - a, d - c))
        for name in _apart(
            places[min(a, len(old))],
            old[a + i] if a + i < b else "",
            new[c + i] if c + i < d else "",
        )
    )
    yield from islice(names, MOST_NAMED)
    if more := sum(1 for _ in names):
        yield f"... and {more:,} differences more"


@dataclass(frozen=True)
class _Place:
    """Where a line stands: under which heading, in a table with which head."""

    section: str
    head: tuple[str, ...]


def _places(lines: Sequence[str]) -> list[_Place]:
    """Give the place of every line, and of what is added after the last."""
    places, section, before = [], "report", ""
    head: tuple[str, ...] = ()
    for line in [*lines, ""]:
        if re.match("#+ ", line):
            section = line.lstrip("# ")
        if line.startswith("|") and not before.startswith("|"):
            head = tuple(_cells(line))
        places.append(_Place(section, head if line.startswith("|") else ()))
        before = line
    return places


def _aligned(old: list[str], new: list[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """Align two texts line by line: best where they are short, in order where they are long."""
    both = min(len(old), len(new))
    first = next((i for i in range(both) if old[i] != new[i]), both)
    last = next((i for i in range(both - first) if old[-1 - i] != new[-1 - i]), both - first)
    left, right = old[first : len(old) - last], new[first : len(new) - last]
    if len(left) * len(right) <= MOST_COMPARED:
        for kind, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
            yield kind, first + a, first + b, first + c, first + d
        return
    for i in range(max(len(left), len(right))):
        a, c = min(i, len(left)), min(i, len(right))
        pair = left[a : a + 1], right[c : c + 1]
        if pair[0] != pair[1]:
            ends = first + a + len(pair[0]), first + c, first + c + len(pair[1])
            yield "replace", first + a, *ends


def _apart(position: _Place, stated: str, other: str) -> Iterator[str]:
    cells, again = _cells(stated), _cells(other)
    where = plain(position.section)
    if len(cells) < 2 or len(cells) != len(again) or len(position.head) != len(cells):
        yield f"{where}: states {_shown(stated)}, recomputed {_shown(other)}"
        return
    for column, old, new in zip(position.head, cells, again, strict=True):
        if old != new:
            row = f"{where}, {plain(cells[0])}, {plain(column)}"
            yield f"{row}: states {_shown(old)}, recomputed {_shown(new)}"


def _shown(text: str) -> str:
    return repr(plain(text) if text else "nothing")


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def _last_line(text: str) -> tuple[str, str]:
    """Cut a report before the line that states its origin; '' where there is none."""
    at = text.rfind("<!-- ablate {")
    return (text[:at], text[at:]) if at >= 0 and "\n" not in text[at:].rstrip() else (text, "")


def _facts(path: Path, text: str) -> Stated:
    line = _STATED.fullmatch(_last_line(text)[1])
    if not line:
        raise DataError(f"{path} does not end as a report of this toolkit does")
    try:
        return Stated.model_validate_json(line[1])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise DataError(
            f"{path}: its last line is damaged: {plain(where)}: {plain(first['msg'])}"
        ) from error


def _suite(path: Path, text: str, facts: Stated) -> Suite:
    block = _SUITE.match(text, max(0, text.find("## The suite\n")))
    written = hidden(block[2]) if block else ""
    if not block or provenance.digest([written.encode()]) != facts.suite:
        raise DataError(f"{path}: the suite in it is not the one that it was made from")
    changes = [change.removeprefix("--set ") for change in facts.changes if change != "--quick"]
    tuned = _tuned(facts.tuned)
    values = {name: arm.values for name, arm in tuned.arms.items()} if tuned else {}
    quick = "--quick" in facts.changes
    suite = parse_suite(written.encode(), path.stem, str(path), scan(), quick, changes, values)
    if (runs := facts.seeds * len(suite.variants)) > MOST_RUNS:
        raise DataError(
            f"{path} is of {runs:,} runs; reports of over {MOST_RUNS:,} are not checked"
        )
    suite = flow.with_seeds(suite, facts.seeds)
    return replace(suite, name=facts.name, text=written, tuned=tuned)


def _tuned(stated: StatedTuned | None) -> Tuned | None:
    """Give the tuned values that a report was made with."""
    if stated is None:
        return None
    arms = {
        name: TunedArm(
            values=arm.values,
            scores=_known(arm.scores),
            spreads=_known(arm.spreads),
            first=arm.first,
            lower=arm.lower,
        )
        for name, arm in stated.arms.items()
    }
    return Tuned(**{**dict(stated), "arms": arms, "changes": tuple(stated.changes)})


def _known(scores: Sequence[float | None]) -> tuple[float, ...]:
    """Give scores as they were: null stands for none."""
    return tuple(math.nan if score is None else score for score in scores)
