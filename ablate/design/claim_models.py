"""The sections of a suite that claim something, as models: contrasts, factorials, ablations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field

from ablate.core.claim_values import Published
from ablate.parsing.written_values import (
    Also,
    Factors,
    Fraction,
    Metric,
    Name,
    Parts,
    Points,
    Size,
    catalogued,
)

ABSENT: Any = None
"""Stands for what a suite does not say: whether it does, its nodes tell."""


class Section(BaseModel):
    """A mapping of a suite: no key but its own, no value of another type.

    called: what it is in messages. lacks: how a key that is missing is called there, where not by
    its name. accepts: what may stand in its place. whole: the same, where its values are judged
    together. tagged: whether it is one of two forms. instead: keys of its kin that say nothing
    here, each with what to write instead.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    called: ClassVar[str] = "a suite"
    lacks: ClassVar[dict[str, str]] = {}
    accepts: ClassVar[str] = ""
    whole: ClassVar[str] = ""
    tagged: ClassVar[bool] = False
    instead: ClassVar[dict[str, str]] = {}


def form(mapping: str, other: str) -> Discriminator:
    """Tell values that are mappings from those of another form."""
    return Discriminator(lambda value: mapping if isinstance(value, dict) else other)


class Claimed(Section):
    """What every claim declares before its runs: a metric, and what would matter in it."""

    metric: Metric = Field(description="such as all-classes, continuum(20), forgetting")
    margin: Size = Field(
        description="the smallest difference that would matter, in (0, 100], as in '1.0 points'; "
        "[-1 points, 2 points] where a loss and a gain of different size would"
    )
    worst: Points = Field(
        0.0,
        description="the largest difference that a seed may show, in (0, 100], as in '20 points': "
        "for pairs that tie exactly; without it, the largest of the suite, or 100",
    )

    def declared(self) -> dict[str, Any]:
        """Give it by the names that a Contrast and an Effect have for it."""
        return {"metric": self.metric, **self.margin.declared(), "worst": self.worst}


class WrittenContrast(Claimed):
    """One entry of `contrasts`."""

    called: ClassVar[str] = "a contrast"

    treatment: Name = Field(description="the name of an arm")
    baseline: Name = Field(description="the name of an arm")
    over: Annotated[Any, catalogued("over")] = Field(
        ABSENT,
        description="all, or axes of vary: one verdict over these settings, all of equal weight",
    )
    claim: Literal["helps", "hurts"] = Field(
        ABSENT, description="the side that alpha is spent on; the other is not asked about"
    )

    def declared(self) -> dict[str, Any]:
        """Give it by the names that a Contrast and an Effect have for it."""
        side = self.claim if "claim" in self.model_fields_set else ""
        return {**super().declared(), "claim": side}


class WrittenReference(Section):
    """One entry of `references`."""

    called: ClassVar[str] = "a reference"

    arm: Name = Field(description="the name of an arm")
    metric: Metric = Field(description="the metric in which the figure was printed")
    figure: Annotated[Name, catalogued("figure")] = Field(description="a published figure's name")

    def published(self, known: Mapping[str, Published]) -> Published | None:
        """Give the figure, one of those that are known by name; None where there is none."""
        return known.get(self.figure)


class WrittenFactorial(Claimed):
    """The section `factorial`."""

    called: ClassVar[str] = "a factorial"

    factors: Factors = Field(
        description="factors by name, each with two named levels: {gather: {parallel: "
        "{path: value}, chain: {path: value}}}"
    )
    fraction: Fraction = Field(
        {}, description="factors that follow others' levels, as in {e: [a, b, c]} for e = abc"
    )
    within: Name = Field(
        "", description="a factor at each of whose levels the effects of the others are claims, too"
    )
    also: Also = Field(
        {}, description="other metrics in which the same effects are claims, each with its margin"
    )

    def asked(self) -> list[dict[str, Any]]:
        """Give what is declared in each metric, as an Effect has it; that of `metric` first."""
        more = [{"metric": name, **margin.declared()} for name, margin in self.also.items()]
        return [self.declared(), *({**self.declared(), **each} for each in more)]


class WrittenScreen(Section):
    """How parts are screened before any is claimed about."""

    called: ClassVar[str] = "a screen"
    accepts: ClassVar[str] = "{seeds: 5}"

    seeds: int = Field(
        5, ge=3, le=1000, description="seeds of each screened arm, none of which is used again"
    )


class WrittenAblation(Claimed):
    """The section `ablate`: the whole base, and the base without each of its parts."""

    called: ClassVar[str] = "ablate"

    parts: Parts = Field(
        description="parts by name, each with what the base sets without it: "
        "{momentum: {optimizer.sgd.momentum: 0}}"
    )
    pairs: bool = Field(
        default=False, description="whether each two parts are left out together, too"
    )
    none: bool = Field(default=False, description="whether all parts are left out together, too")
    screen: WrittenScreen = Field(
        ABSENT,
        description="{seeds: 5}: a fraction of all combinations first; only parts that may "
        "matter are claimed about, on fresh seeds",
    )
