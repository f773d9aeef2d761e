"""The documents: links that lead somewhere, suites that are read, lines that fit a screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ablate.design.reader import parse_suite
from ablate.registry import scan

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if "calibration_statistics" not in path.name  # written by a command, a row a world
)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
FENCED = re.compile(r"```(\w*)\n(.*?)```", re.S)
WIDEST = 150


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Give the code of a language in any page, with the page's name."""
    for path in PAGES:
        for tongue, code in FENCED.findall(path.read_text("utf-8")):
            if tongue == language:
                yield path.name, code


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(path: Path) -> None:
    """Relative links, from the page's own folder."""
    for target in LINK.findall(path.read_text("utf-8")):
        assert (path.parent / target).exists(), target


def test_suites_in_the_documents_are_read() -> None:
    """Each block of YAML that declares a question."""
    suites = [(page, code) for page, code in blocks("yaml") if "question:" in code]
    assert len(suites) >= 3
    for page, code in suites:
        suite = parse_suite(code.encode(), "documented", page, scan())
        assert suite.contrasts, page


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_prose_fits_a_screen(path: Path) -> None:
    """Sentences begin lines; tables and code are as wide as they are."""
    prose = FENCED.sub("", path.read_text("utf-8"))
    for line in prose.splitlines():
        assert len(line) <= WIDEST or line.startswith("|"), line
