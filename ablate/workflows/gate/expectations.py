"""An expectation in words: `no-aug - full [accuracy]: not worse than 0.5 points`."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass

from ablate.errors import SelectionError, unknown
from ablate.types import Decision, Verdict


@dataclass(frozen=True)
class Phrase:
    """What may be expected. claim: the side that alpha is spent on; kept: by which decision it is
    shown, and broken: by which one its opposite.
    """

    words: str
    claim: str
    kept: Decision
    broken: Decision


PHRASES = (
    Phrase("not worse than", "hurts", kept=Decision.NO_HARM, broken=Decision.MATTERS),
    Phrase("not better than", "helps", kept=Decision.NO_GAIN, broken=Decision.MATTERS),
    Phrase("better by more than", "helps", kept=Decision.MATTERS, broken=Decision.NO_GAIN),
    Phrase("worse by more than", "hurts", kept=Decision.MATTERS, broken=Decision.NO_HARM),
    Phrase("differs by more than", "", kept=Decision.MATTERS, broken=Decision.NEGLIGIBLE),
    Phrase("within", "", kept=Decision.NEGLIGIBLE, broken=Decision.MATTERS),
)
FORM = "TREATMENT - BASELINE [METRIC]: not worse than 0.5 points"
DASHES = "-\N{MINUS SIGN}\N{EN DASH}"

_SIZE = re.compile(r"(?P<phrase>.*?)\s*(?P<size>[0-9.][0-9.eE+-]*)\s*(points?)?")
_METRIC = re.compile(r"(?P<arms>.*?)\s*\[(?P<metric>[^\[\]]+)\]", re.DOTALL)


@dataclass(frozen=True)
class Expectation:
    """One expectation. arms: both, as they were written. metric: '' for the one that is usual.

    size: in the metric's unit, above 0.
    """

    text: str
    arms: str
    metric: str
    phrase: Phrase
    size: float

    def between(self, names: Collection[str], kind: str = "arm") -> tuple[str, str]:
        """Give treatment and baseline: names may have dashes of their own.

        Raises SelectionError where no dash, or more than one, stands between two of these names.
        """
        cuts = [i for i, letter in enumerate(self.arms) if letter in DASHES]
        sides = {(self.arms[:i].strip(), self.arms[i + 1 :].strip()) for i in cuts}
        fitting = [(a, b) for a, b in sorted(sides) if a in names and b in names]
        if len(fitting) > 1:
            raise SelectionError(f"{self.text!r} can be read in {len(fitting)} ways: {fitting}")
        if fitting:
            if fitting[0][0] == fitting[0][1]:
                raise SelectionError(f"{self.text!r}: an arm compared with itself")
            return fitting[0]
        if not sides:
            raise SelectionError(f"{self.text!r} names no two arms; write {FORM}")
        strangers = [name for pair in sorted(sides) for name in pair if name not in names]
        raise SelectionError(f"{self.text!r}: {unknown(kind, strangers[0], names)}")

    def outcome(self, verdict: Verdict) -> str:
        """Say what a verdict makes of it: `kept`, `broken` or `open`."""
        if verdict.decision == self.phrase.kept:
            return KEPT
        return BROKEN if verdict.decision == self.phrase.broken else OPEN


KEPT, BROKEN, OPEN = "kept", "broken", "open"


def read(text: str) -> Expectation:
    """Read an expectation. Raises SelectionError that says how one is written.

    >>> claim = read("a - b [loss]: within 0.5")
    >>> claim.between(("a", "b")), claim.metric, claim.phrase.words, claim.size
    (('a', 'b'), 'loss', 'within', 0.5)
    """
    arms, colon, rest = text.rpartition(":")
    if not colon:
        raise SelectionError(f"{text!r} has no ':'; write {FORM}")
    metric = _METRIC.fullmatch(arms.strip())
    size = _SIZE.fullmatch(rest.strip())
    phrase_words = " ".join((size["phrase"] if size else rest).lower().split())
    phrase = next((phrase for phrase in PHRASES if phrase.words == phrase_words), None)
    if phrase is None:
        words = [phrase.words for phrase in PHRASES]
        raise SelectionError(f"{text!r}: {unknown('expectation', phrase_words, words)}")
    return Expectation(
        text=text.strip(),
        arms=metric["arms"].strip() if metric else arms.strip(),
        metric=metric["metric"].strip() if metric else "",
        phrase=phrase,
        size=_size(text, size["size"] if size else ""),
    )


def _size(text: str, written: str) -> float:
    try:
        size = float(written)
    except ValueError:
        size = math.nan
    if not 0 < size < math.inf:
        raise SelectionError(f"{text!r}: how much is missing, a number above 0, as in 0.5 points")
    return size


@dataclass(frozen=True)
class Outcome:
    """What became of an expectation, in one setting."""

    expectation: Expectation
    verdict: Verdict
    alpha: float

    @property
    def word(self) -> str:
        """Give `kept`, `broken` or `open`."""
        return self.expectation.outcome(self.verdict)
