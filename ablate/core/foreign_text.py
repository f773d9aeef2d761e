"""Text that others wrote, made safe to print: a suite, a component, an error may say anything.

What a reader cannot see is shown as its escape (`\\x1b`, `\\u202e`), a line stays a line, and
markup is shown, not obeyed. `plain` is for lines of plain text, `markdown` for reports, `code` for
names in backticks, `of_error` for exceptions, `figure` for Matplotlib, `terminal` for whole output,
`visible` for texts that are read back.
"""

from __future__ import annotations

import html
import re
import sys
import unicodedata
from functools import cache

NAME, LINE, STORED = 80, 400, 2000
"""Letters of a name in a picture, of text inside a line, and of an error that is stored."""

_MOST = 100_000
"""Letters of one piece of output on a terminal."""

_IGNORABLE = frozenset(
    (
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
        *range(0x180B, 0x1810),
        *range(0xFE00, 0xFE10),
        *range(0xE0100, 0xE01F0),
        *(plane << 16 | last for plane in range(17) for last in (0xFFFE, 0xFFFF)),
        *range(0xFDD0, 0xFDF0),
    )
)
"""Letters and marks without a shape, and code points that are no characters."""

_LINE_START = re.compile(r"(#{1,6}|[-+=])(?=[\s=-]|$)|(\d{1,9})([.)])(?=\s|$)")
_MARKUP = re.compile(r"\\(?=[!-/:-@[-`{-~]|$)|[*\[\]~]|(?<![^\W_])_|_(?![^\W_])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "`": "&#96;", "$": "&#36;"}
_AUTOLINK = re.compile(r"(?i)(?<=\w):(?=//)|(?<=\bwww)\.")
_CLOSING = re.compile(r"(?<=\s)#(?=#*$)")
_SHOWN = re.compile(r"⟦U\+([0-9A-F]{4,6})⟧")


class Markup(str):
    """Markdown that we wrote; a table takes any other text for somebody else's, and escapes it."""

    __slots__ = ()


def plain(text: object, limit: int = LINE) -> str:
    """Give text as one visible line of at most `limit` letters, and how many were cut.

    >>> plain("a\\x1b[2Jb"), plain("two\\nlines "), plain("x" * 9, limit=4)
    ('a\\\\x1b[2Jb', 'two lines', 'xxxx… (+5)')
    """
    whole = str(text).strip(" \t\r\n")
    short = whole if len(whole) <= limit else f"{whole[:limit]}… (+{len(whole) - limit:,})"
    shown = _hidden().sub(_escape, re.sub(r"[ \t]*(?:\r?\n|\t)[ \t]*", " ", short))
    return shown.strip()  # of wide spaces too: before one, emphasis around the text would not end


def markdown(text: object, limit: int = LINE) -> str:
    """Give text as one line of markdown that shows it, wherever in a line or table it stands.

    >>> markdown("<!-- a|b"), markdown("**No.** [x](y)"), markdown("# 5_a `b`")
    ('&lt;!-- a&#124;b', '\\\\*\\\\*No.\\\\*\\\\* \\\\[x\\\\](y)', '\\\\# 5_a &#96;b&#96;')
    """
    shown = _MARKUP.sub(r"\\\g<0>", plain(text, limit))
    shown = re.sub(r"[&<>|`$]", lambda match: _ENTITIES[match[0]], shown)
    shown = _AUTOLINK.sub(lambda match: f"&#{ord(match[0])};", shown)
    shown = _CLOSING.sub(r"\\#", shown)
    return _LINE_START.sub(_kept_in_line, shown) if _LINE_START.match(shown) else shown


def of_error(error: BaseException) -> str:
    """Give an exception of somebody else's as one visible line; it may not even have a text.

    >>> of_error(ValueError("a\\nb")), of_error(StopIteration())
    ('ValueError: a b', 'StopIteration')
    """
    try:
        text = plain(error)
    except Exception as second:
        text = f"its text cannot be had: {plain(type(second).__name__)}"
    return f"{plain(type(error).__name__)}: {text}" if text else plain(type(error).__name__)


def unmarked(text: str) -> str:
    """Give a line of our own markdown as plain text, for a terminal.

    >>> unmarked("**No.** `a` \\\\*b\\\\* &lt;c&#124;")
    'No. a *b* <c|'
    """
    bare = re.sub(r"\\([!-/:-@\[-`{-~])|\*\*|`", lambda match: match[1] or "", text)
    return html.unescape(bare)


def code(text: object, limit: int = LINE) -> str:
    """Give text in backticks, or as `markdown` where something in it could end them.

    >>> code("a*b"), code("a`b|c")
    ('`a*b`', 'a&#96;b&#124;c')
    """
    shown = plain(text, limit)
    safe = shown and not re.search(r"[`|<>&$\\]", shown)
    return f"`{shown}`" if safe else markdown(text, limit)


def figure(text: object, limit: int = NAME) -> str:
    """Give text for a picture: a dollar sign starts no formula, an underscore hides no label.

    >>> figure("$x$"), figure("_a")
    ('\\\\$x\\\\$', ' _a')
    """
    shown = plain(plain(text, limit), limit).replace("$", r"\$")  # escapes are long, too
    return f" {shown}" if shown.startswith("_") else shown


def terminal(text: object) -> str:
    """Give output of several lines in which nothing is hidden and nothing moves the cursor.

    >>> terminal("a\\n\\x1b]0;title\\x07b")
    'a\\n\\\\x1b]0;title\\\\x07b'
    """
    whole = str(text).replace("\r\n", "\n")
    cut = len(whole) - _MOST
    short = f"{whole[:_MOST]}\n… ({cut:,} letters more)" if cut > 0 else whole
    if not any(map(_is_hidden, {*short} - {*"\n\t"})):  # the pattern takes a while to be made
        return short
    return _hidden().sub(lambda match: match[0] if match[0] in "\n\t" else _escape(match), short)


def visible(text: str) -> str:
    """Show what cannot be seen in a text of several lines, so that `hidden` reads it back.

    >>> visible("a\\u202eb"), hidden(visible("a\\u202e⟦U+0041⟧")) == "a\\u202e⟦U+0041⟧"
    ('a⟦U+202E⟧b', True)
    """
    shown = re.sub(r"⟦(?=U\+)", "⟦U+27E6⟧", text)
    return _hidden().sub(
        lambda match: match[0] if match[0] in "\n\t" else f"⟦U+{ord(match[0]):04X}⟧", shown
    )


def hidden(text: str) -> str:
    """Undo `visible`. A number beyond Unicode stays as it stands."""
    return _SHOWN.sub(
        lambda match: chr(int(match[1], 16)) if int(match[1], 16) <= sys.maxunicode else match[0],
        text,
    )


def _kept_in_line(match: re.Match[str]) -> str:
    return f"\\{match[1]}" if match[1] else f"{match[2]}\\{match[3]}"


def _escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _is_hidden(letter: str) -> bool:
    """Say whether a character cannot be seen; `Cs` are the halves of characters."""
    kind = unicodedata.category(letter)
    return kind in ("Cc", "Cf", "Zl", "Zp", "Cs") or ord(letter) in _IGNORABLE


@cache
def _hidden() -> re.Pattern[str]:
    """Match every character that cannot be seen: controls, formats, separators, half characters.

    Built from the Unicode data once a process: C0 and C1, bidi overrides, zero-width characters,
    line and paragraph separators, soft hyphens, tags, lone surrogates.
    """
    searched = (*range(0x20000), *range(0xE0000, 0xE0200))
    points = {point for point in searched if _is_hidden(chr(point))}
    spans: list[list[int]] = []
    for point in sorted(points):
        if spans and spans[-1][1] == point - 1:
            spans[-1][1] = point
        else:
            spans.append([point, point])
    return re.compile("[" + "".join(f"{_class(a)}-{_class(b)}" for a, b in spans) + "]")


def _class(point: int) -> str:
    return f"\\U{point:08x}"
