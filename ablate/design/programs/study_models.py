"""What a suite of a program says beside its claims: search, budget, figures, spread."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, Tag

from ablate.core.claim_values import Published
from ablate.design.claim_models import Section, form
from ablate.design.programs.values import Amount, Ends, Parameter
from ablate.design.suite_models import Searched, listed
from ablate.parsing.written_values import Entry, Metric, Name, Path

SECONDS = "seconds"
"""What every run costs, whatever its program says."""


class OwnSearch(Searched):
    """The section `tune` of a program: its parameters, by a metric that it says."""

    called: ClassVar[str] = "tune of a program"
    instead: ClassVar[dict[str, str]] = {
        "rows": "held_out: parameters with which the program scores rows that it holds out itself"
    }

    metric: Name = Field(
        "", description="what trials are scored by, in its own direction: one of the metrics"
    )
    held_out: dict[str, Parameter] = Field(
        {},
        description="parameters that every trial has instead, so that the program scores rows "
        "which the study's runs do not: {split: validation}",
    )


class OwnBudget(Section):
    """What is made equal along an axis."""

    called: ClassVar[str] = "budget"
    accepts: ClassVar[str] = "an axis of vary, or {axis: epochs, by: [seconds, flops]}"
    tagged: ClassVar[bool] = True

    axis: Path = Field(description="the axis of `vary` that makes training longer")
    by: Annotated[
        list[str],
        Field(min_length=1),
        BeforeValidator(listed, json_schema_input_type=list[str] | str),
        Entry(accepts="seconds, or metrics: [seconds, flops]"),
    ] = Field(
        [SECONDS],
        description="what is made equal: seconds, or metrics in which the program says what it "
        "spent: [seconds, flops]",
    )


class OwnReference(Section):
    """One entry of `references`: a published figure, with its value."""

    called: ClassVar[str] = "a reference of a program"
    instead: ClassVar[dict[str, str]] = {
        "figure": "value: the figure itself, in the metric's unit; those with names are of our "
        "data sets"
    }

    metric: Metric = Field(description="the metric that the figure is in")
    value: float = Field(allow_inf_nan=False, description="the figure, in the metric's own unit")
    name: Name = Field(description="what is said to have reached it: 'He et al. 2016'")
    arm: Name = Field("", description="the arm that it stands beside; without one, all")
    spread: Amount = Field(math.nan, description="its ±, a number above 0")
    band: Ends = Field(None, description="where a sound run lands: [0.92, 0.94]")
    source: str = Field("", description="where it was printed")

    def published(self, _: Mapping[str, Published]) -> Published:
        """Give the figure, whatever is known by name."""
        low, high = self.band or (math.nan, math.nan)
        return Published(
            name=self.name,
            dataset="",
            method=self.name,
            value=self.value,
            spread=self.spread,
            low=low,
            high=high,
            source=self.source,
        )


Budget = Annotated[
    Annotated[OwnBudget, Tag("parts")] | Annotated[str, Tag("axis")], form("parts", "axis")
]
OwnReferences = Annotated[
    list[OwnReference],
    BeforeValidator(listed, json_schema_input_type=list[OwnReference] | OwnReference),
]
OwnSpread = Annotated[
    Annotated[dict[str, Amount], Tag("metrics")] | Annotated[Amount, Tag("one")],
    form("metrics", "one"),
]
