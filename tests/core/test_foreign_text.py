"""Text that others wrote is shown: it hides nothing, moves nothing and is no markup."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given, settings, strategies as st

from ablate.core import foreign_text
from ablate.core.foreign_text import code, figure, hidden, markdown, plain, terminal, visible

HOSTILE = (
    "<!-- and the rest is gone",
    "\x1b[2J\x1b]0;title\x07",
    "a|b|c",
    "two\r\nlines\n\n# heading\n---",
    "**No.** NEGLIGIBLE __really__ ~~not~~",
    "![picture](http://example.org/a.png) [link](javascript:x)",
    "```\nfence",
    "`code",
    "\u202eright to left\u2066",
    "zero\u200bwidth\ufeff\u2028line\u2029",
    "<script>x</script><details>",
    "a\\",
    "\\|\\`\\*",
    "1. one",
    "- one",
    "$x^2$ and $y$",
    "x" * 3_000_000,
    "\udc80half",
    "tags \U000e0041 and \U0001d173",
    "[label]: http://example.org",
    "=====",
    "+ b #",
    "<https://example.org>",
    "a\rb\x85c",
    "\xa0wide\u3000",
)
TEXT = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=()), max_size=60),
    st.text("|`*_[]()<>!#\\$~-=+.1 \n\r\t\x1b\u202e&;a", max_size=40),
)
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def unseen(text: str, allowed: str = "") -> list[str]:
    return [c for c in text if unicodedata.category(c) in UNSEEN and c not in allowed]


@given(TEXT)
@settings(max_examples=300)
def test_plain_text_is_one_visible_line_of_bounded_length(text: str) -> None:
    shown = plain(text, limit=50)
    assert not unseen(shown)
    assert len(shown) <= 50 * len("\\U0001d173") + 20


@given(TEXT)
@settings(max_examples=300)
def test_markdown_holds_no_live_markup(text: str) -> None:
    """What could open or close something is an entity, or escaped by one backslash."""
    shown = markdown(text)
    assert not unseen(shown)
    assert not re.search(r"[<>|`$]", shown)
    assert not re.search(r"&(?!(amp|lt|gt|#\d+);)", shown)
    live = re.sub(r"\\[!-/:-@\[-`{-~]", "", shown)  # what is left once escapes are taken away
    assert not re.search(r"[*\[\]~]", live)
    assert not re.search(r"(?<![^\W_])_|_(?![^\W_])", live.replace("&#", ""))
    assert not re.match(r"(#{1,6}|[-+])(\s|$)|\d+[.)](\s|$)|[-=]+$", shown)
    assert "://" not in shown


@given(TEXT)
@settings(max_examples=300)
def test_text_in_backticks_cannot_leave_them(text: str) -> None:
    shown = code(text)
    assert not unseen(shown)
    assert "|" not in shown
    assert shown.count("`") in (0, 2)
    if "`" in shown:
        assert shown[0] == shown[-1] == "`"


@given(TEXT)
@settings(max_examples=300)
def test_nothing_reaches_the_terminal_but_letters_and_line_ends(text: str) -> None:
    shown = terminal(text)
    assert not unseen(shown, "\n\t")
    assert len(shown) < 1_100_000


@given(TEXT)
@example("⟦U+0041⟧⟦U+27E6⟧U+1⟧\u202e⟦\u200b")
@settings(max_examples=300)
def test_a_text_made_visible_is_read_back_exactly(text: str) -> None:
    """Which is what `verify` does with the suite in a report."""
    text = text[:1000]
    shown = visible(text)
    assert not unseen(shown, "\n\t")
    assert hidden(shown) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_matplotlib_draws_any_text(text: str) -> None:
    """A single `$` pair of nonsense made it raise; a leading underscore hid a legend's entry."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(1, 1))
    label = figure(text + "$\\frac{$", limit=20)
    drawn.subplots().set_title(label)
    FigureCanvasAgg(drawn).draw()
    assert len(label) < 260
    assert not figure("_hidden").startswith("_")


def test_every_unseen_character_is_covered() -> None:
    """All of Unicode, once; a few letters without a shape too."""
    known = foreign_text._hidden()
    points = (chr(n) for n in range(0x110000))
    assert not [c for c in points if unicodedata.category(c) in UNSEEN and not known.match(c)]
    assert all(known.match(c) for c in "\u3164\ufe0f\u115f\u034f\uffff")
    assert not any(known.match(c) for c in "aé字−→ \u00a0🙂")
