"""How runs end, and what verdicts decide: the words, each once. From `ablate.types`, too."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """How a run ended: with scores, without any that can be used, or not at all."""

    OK = "ok"
    DIVERGED = "diverged"
    FAILED = "failed"


class Decision(StrEnum):
    """What is decided about a contrast; NO GAIN and NO HARM of a claim with a declared side."""

    MATTERS = "MATTERS"
    NEGLIGIBLE = "NEGLIGIBLE"
    NO_GAIN = "NO GAIN"
    NO_HARM = "NO HARM"
    INCONCLUSIVE = "INCONCLUSIVE"
    UNTESTABLE = "UNTESTABLE"


def calm(claim: str) -> Decision:
    """Give what is decided where no difference matters: of a declared side, only that side's.

    >>> str(calm("")), str(calm("helps"))
    ('NEGLIGIBLE', 'NO GAIN')
    """
    sides = {"helps": Decision.NO_GAIN, "hurts": Decision.NO_HARM}
    return sides.get(claim, Decision.NEGLIGIBLE)
