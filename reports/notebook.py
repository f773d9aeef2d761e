"""A study, or a table's verdicts, in a notebook: the first screen of the report as HTML.

It is made from the report's own lines and tables, so that both say the same; whatever is somebody
else's text in them is escaped.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ablate.core.foreign_text import STORED, markdown, unmarked
from ablate.flow import Study
from ablate.registry import component
from ablate.tables.compared import Compared

from . import answers, comparison_page, effects, first_screen, floors, tables
from .compared import levels, sentence


@component("report", "notebook")
@dataclass(frozen=True)
class NotebookPage:
    """The answer, the verdicts and what makes them doubtful, as HTML for a notebook."""

    def study(self, study: Study) -> str:
        """Show a study."""
        parts = [
            f"# {markdown(study.suite.question, STORED)}",
            first_screen.changed(study),
            answers.answer(study),
            *floors.qualifiers(study),
            tables.verdicts(study) if study.verdicts or study.pooled else "",
            *effects.factorial(study),
            *_listed([*first_screen.notes(study), *map(_escaped, study.warnings)]),
            *_titled("## Lost runs", tables.lost(study)),
        ]
        return page(parts)

    def comparison(self, compared: Compared) -> str:
        """Show what a table says."""
        notes = (_escaped(sentence(note)) for note in compared.notes)
        parts = [
            f"# {comparison_page.heading(compared)}",
            comparison_page.answer(compared),
            comparison_page.claims(compared, compared.verdicts),
            *_listed([*levels(compared), *notes, *map(_escaped, compared.warnings)]),
        ]
        return page(parts)


def page(parts: Iterable[str]) -> str:
    """Turn markdown of ours into HTML: headings, tables, lists and paragraphs, and no more.

    >>> page(["# A &lt;b&gt;", "**Yes.** `a`", "- x\\\\_y"])
    '<div><h3>A &lt;b&gt;</h3><p><b>Yes.</b> a</p><ul><li>x_y</li></ul></div>'
    """
    blocks = (block for part in parts for block in part.split("\n\n") if block)
    return f"<div>{''.join(map(_block, blocks))}</div>"


def _block(block: str) -> str:
    lines = block.splitlines()
    if block.startswith("#"):
        return f"<h3>{_text(block.lstrip('# '))}</h3>"
    if block.startswith("| "):
        head, _, *rows = lines
        body = "".join(_row(row, "td") for row in rows)
        return f"<table><thead>{_row(head, 'th')}</thead><tbody>{body}</tbody></table>"
    if all(line.startswith("- ") for line in lines):
        return f"<ul>{''.join(f'<li>{_text(line[2:])}</li>' for line in lines)}</ul>"
    return f"<p>{' '.join(map(_text, lines))}</p>"


def _row(line: str, cell: str) -> str:
    """Write a row; a bar inside a cell was escaped when the table was written."""
    cells = line.removeprefix("| ").removesuffix(" |").split(" | ")
    return f"<tr>{''.join(f'<{cell}>{_text(text)}</{cell}>' for text in cells)}</tr>"


def _text(line: str) -> str:
    """Write a line: what stands between two asterisks twice is bold, all else plain text."""
    parts = line.split("**")
    if len(parts) % 2 == 0:
        return html.escape(unmarked(line))
    texts = (html.escape(unmarked(part)) for part in parts)
    return "".join(f"<b>{text}</b>" if place % 2 else text for place, text in enumerate(texts))


def _escaped(text: str) -> str:
    return markdown(text, STORED)


def _listed(lines: list[str]) -> Iterator[str]:
    """Give lines as a list, if there are any."""
    if lines:
        yield "\n".join(f"- {line}" for line in lines)


def _titled(title: str, part: str) -> Iterator[str]:
    """Give a section with its heading, if it says anything."""
    if part:
        yield from (title, part)
