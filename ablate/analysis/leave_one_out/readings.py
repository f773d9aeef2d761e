"""What the verdicts on a part say together: it matters, is dead, or is redundant with another.

Each word rests on claims of one family: where these are right, so is the word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ablate.types import Decision, Suite, Verdict, cell_words


class Standing(StrEnum):
    """What a part is worth to the whole."""

    MATTERS = "matters"
    DEAD = "dead"
    REDUNDANT = "redundant"
    SPARE = "negligible beside the others"
    OPEN = "open"


@dataclass(frozen=True)
class Part:
    """A part in one metric and setting. alone: the verdict on the arm that lacks it alone.

    joint: by other part, the verdict on the arm that lacks both. partners: the parts with which it
    is redundant: neither is missed alone, both together are.
    """

    name: str
    cell: str
    alone: Verdict
    joint: dict[str, Verdict]
    standing: Standing
    partners: tuple[str, ...] = ()


def parts(suite: Suite, verdicts: Sequence[Verdict]) -> Iterator[Part]:
    """Read every part in every metric and setting, in the order of the claims."""
    claims: dict[tuple[str, str], dict[tuple[str, ...], Verdict]] = {}
    for contrast, verdict in zip(suite.contrasts, verdicts, strict=True):
        treatment, baseline = (suite.variants[i] for i in (contrast.treatment, contrast.baseline))
        lacking = suite.lacks.get(treatment.arm, ())
        if lacking and suite.lacks.get(baseline.arm) == ():
            place = (contrast.metric, ", ".join(cell_words(treatment.cell)))
            claims.setdefault(place, {}).setdefault(lacking, verdict)
    for (_, cell), by_lack in claims.items():
        lone = {lacking[0]: verdict for lacking, verdict in by_lack.items() if len(lacking) == 1}
        for name in lone:
            joint = {
                other: by_lack[pair]
                for other in lone
                for pair in ((name, other), (other, name))
                if pair in by_lack
            }
            yield read(name, cell, lone, joint)


def read(name: str, cell: str, lone: dict[str, Verdict], joint: dict[str, Verdict]) -> Part:
    """Read one part. lone: by part, the verdict on leaving it out alone."""
    alone = lone[name]
    idle = {
        other: verdict
        for other, verdict in joint.items()
        if lone[other].decision == Decision.NEGLIGIBLE
    }
    partners = tuple(o for o, verdict in idle.items() if verdict.decision == Decision.MATTERS)
    if alone.decision == Decision.MATTERS:
        standing = Standing.MATTERS
    elif alone.decision != Decision.NEGLIGIBLE:
        standing = Standing.OPEN
    elif partners:
        standing = Standing.REDUNDANT
    else:
        paired = len(lone) > 1 and len(joint) == len(lone) - 1
        settled = [Decision.NEGLIGIBLE, Decision.MATTERS]
        dead = all(verdict.decision == Decision.NEGLIGIBLE for verdict in idle.values())
        dead = dead and paired and all(v.decision in settled for v in lone.values())
        standing = Standing.DEAD if dead else Standing.SPARE
    return Part(
        name=name,
        cell=cell,
        alone=alone,
        joint=joint,
        standing=standing,
        partners=partners if standing == Standing.REDUNDANT else (),
    )
