"""A report checked against its store: every number recomputed, each that differs named."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path

from ablate import flow, provenance
from ablate.errors import DataError
from ablate.registry import scan
from ablate.store import Store
from ablate.suite import parse_suite
from ablate.tunables import Tuned, TunedArm
from ablate.types import Json, Suite

from . import write
from .digests import records

_STATED = re.compile(r"<!-- ablate (\{.*\}) -->\s*\Z")
_SUITE = re.compile(r"## The suite\n\n(`{3,})yaml\n(.*)\n\1\n", re.DOTALL)


def verify(path: Path, store: Store) -> Iterator[str]:
    """Name each number of a report that the store does not give; nothing where all agree.

    Raises DataError where the file is no report, or its suite is not the one it was made from.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as a report: {error}") from error
    facts = _facts(path, text)
    study = flow.analyse(_suite(path, text, facts), store)
    if records(study) != facts["records"]:
        yield "The store's records are not those that the report was made from."
    pictures = re.findall(r"\]\((\w+\.png)\)", text)
    yield from differences(text, write.text(study, pictures))


def differences(stands: str, recomputed: str) -> Iterator[str]:
    """Name the lines, and in tables the cells, in which two texts differ, with their section."""
    old, new = _STATED.sub("", stands).splitlines(), _STATED.sub("", recomputed).splitlines()
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        for i in range(max(b - a, d - c)):
            one = old[a + i] if a + i < b else ""
            other = new[c + i] if c + i < d else ""
            yield from _apart(_section(old, a), _head(old, a), one, other)


def _apart(section: str, head: list[str], one: str, other: str) -> Iterator[str]:
    cells, again = _cells(one), _cells(other)
    if len(cells) < 2 or len(cells) != len(again) or len(head) != len(cells):
        yield f"{section}: states {one or 'nothing'!r}, recomputed {other or 'nothing'!r}"
        return
    for column, said, found in zip(head, cells, again, strict=True):
        if said != found:
            yield f"{section}, {cells[0]}, {column}: states {said!r}, recomputed {found!r}"


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def _head(lines: list[str], place: int) -> list[str]:
    """Give the head of the table that a line stands in."""
    while place > 0 and lines[place - 1].startswith("|"):
        place -= 1
    return _cells(lines[place]) if place < len(lines) else []


def _section(lines: list[str], place: int) -> str:
    heads = [line.lstrip("# ") for line in lines[: place + 1] if re.match("#+ ", line)]
    return heads[-1] if heads else "report"


def _facts(path: Path, text: str) -> Json:
    found = _STATED.search(text)
    if not found:
        raise DataError(f"{path} does not end as a report of this toolkit does")
    try:
        return json.loads(found[1])
    except ValueError as error:
        raise DataError(f"{path}: its last line is damaged: {error}") from error


def _suite(path: Path, text: str, facts: Json) -> Suite:
    found = _SUITE.search(text)
    if not found or provenance.digest([found[2].encode()]) != facts["suite"]:
        raise DataError(f"{path}: the suite in it is not the one that it was made from")
    changes = [one.removeprefix("--set ") for one in facts["changes"] if one != "--quick"]
    quick = "--quick" in facts["changes"]
    tuned = _tuned(facts.get("tuned"))
    own = {name: one.values for name, one in tuned.arms.items()} if tuned else {}
    suite = parse_suite(found[2].encode(), path.stem, str(path), scan(), quick, changes, own)
    return replace(suite, name=facts["name"], seeds=facts["seeds"], text=found[2], tuned=tuned)


def _tuned(said: Json) -> Tuned | None:
    """Read the tuned values that a report was made with."""
    if not said:
        return None
    arms = {
        name: TunedArm(one["values"], tuple(one["scores"]), tuple(one["spreads"]), one["first"])
        for name, one in said["arms"].items()
    }
    return Tuned(**{**said, "arms": arms, "changes": tuple(said["changes"])})
