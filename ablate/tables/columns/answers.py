"""Scores that are words, right or wrong -> 1 and 0."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ablate.tables.cells import is_missing
from ablate.tables.names import plain, words

ANSWERS = (
    (words("correct right"), words("incorrect wrong")),
    (words("pass passed"), words("fail failed failure")),
    (words("success"), words("failure fail failed")),
    (words("yes y"), words("no n")),
    (words("c"), words("i")),  # as Inspect logs them
)
"""Words for 1, and those that stand beside them for 0."""


def numbers(cells: Iterable[Any]) -> dict[str, str]:
    """Give what the words of a column stand for, `{'correct': '1', 'wrong': '0'}`.

    Nothing unless every cell that is not empty is one of a pair of words for right and wrong, and
    both are there: beside numbers, `failed` is a run without a score.

    >>> numbers(["pass", "Fail", ""]), numbers(["0.5", "failed"]), numbers(["fail", "fail"])
    ({'pass': '1', 'Fail': '0'}, {}, {})
    """
    texts = list(dict.fromkeys(str(cell) for cell in cells if not is_missing(cell)))
    named = {text: plain(text).casefold() for text in texts}
    for right, wrong in ANSWERS:
        if {*named.values()} <= right | wrong and {*named.values()} & right:
            if not {*named.values()} & wrong:
                return {}
            return {text: "1" if name in right else "0" for text, name in named.items()}
    return {}
