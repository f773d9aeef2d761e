"""The sections of a suite as models: keys, what each is for, types, ranges and defaults.

A suite is checked by these, and its JSON Schema is made of them. What depends on the catalogue, the
arms or the axes is left to the reader of each section.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from ablate.design.axes import VARY
from ablate.design.claim_models import (
    ABSENT,
    Section,
    WrittenAblation,
    WrittenContrast,
    WrittenFactorial,
    WrittenReference,
    form,
)
from ablate.design.grid import ARMS, BASE
from ablate.parsing.changes import QUICK
from ablate.parsing.written_values import (
    LAST_SEED,
    Entry,
    File,
    Looks,
    Name,
    NamedSeeds,
    Path,
    Paths,
    Points,
    Question,
    catalogued,
)

RANGE = "{low: 0.001, high: 1.0, log: true}, or a list of at least two values"
SEEDS = (
    "a whole number in [1, 100000], {first: 100, count: 20}, or the seeds themselves: [1993, 1994]"
)


class WrittenSeeds(Section):
    """Where seeds begin, and how many there are."""

    called: ClassVar[str] = "seeds"
    accepts: ClassVar[str] = SEEDS
    tagged: ClassVar[bool] = True
    first: int = Field(0, ge=0, le=LAST_SEED, description="the first seed")
    count: int = Field(ge=1, le=100_000, description=SEEDS)


Count = Annotated[int, Field(ge=1, le=100_000)]
Seeds = Annotated[
    Annotated[Count, Tag("number")]
    | Annotated[WrittenSeeds, Tag("parts")]
    | Annotated[NamedSeeds, Tag("named")],
    Discriminator(
        lambda value: {dict: "parts", list: "named", tuple: "named"}.get(type(value), "number")
    ),
]


class WrittenQuick(Section):
    """What is changed for `--quick`: the seeds, and any path."""

    model_config = ConfigDict(extra="allow")

    seeds: Seeds = Field(ABSENT, description="how many seeds a quick run has")


def listed(value: Any) -> Any:
    """Put a lone entry into a list."""
    return value if isinstance(value, list) else [value]


References = Annotated[
    list[WrittenReference],
    BeforeValidator(listed, json_schema_input_type=list[WrittenReference] | WrittenReference),
]


class WrittenRange(Section):
    """A range of the search space, its ends included."""

    whole: ClassVar[str] = RANGE
    tagged: ClassVar[bool] = True

    low: float = Field(allow_inf_nan=False, description="the least value")
    high: float = Field(allow_inf_nan=False, description="the largest value")
    log: bool = Field(
        default=False, description="whether values are drawn evenly by their logarithm"
    )

    @model_validator(mode="after")
    def rises(self) -> WrittenRange:
        """Refuse a range without values, and the logarithm of 0."""
        if self.low >= self.high or (self.log and self.low <= 0):
            raise ValueError("no range")
        return self


Values = Annotated[list[Any], Field(min_length=2, json_schema_extra={"uniqueItems": True})]
Dial = Annotated[
    Annotated[WrittenRange, Tag("range")] | Annotated[Values, Tag("values")],
    form("range", "values"),
]


class Searched(Section):
    """What every section `tune` says: how much is tried, and of what."""

    called: ClassVar[str] = "tune"
    lacks: ClassVar[dict[str, str]] = {"space": "a space"}

    trials: int = Field(16, ge=1, le=10_000, description="trials that every arm gets")
    seeds: int = Field(
        3, ge=1, le=1000, description="seeds of each trial, none of them the suite's own"
    )
    space: Annotated[dict[str, Dial], Entry(accepts=RANGE)] = Field(
        min_length=1,
        description="settings by path: {low: 0.001, high: 1, log: true}, or a list of values",
        json_schema_extra={"catalogued": "space"},
    )


class WrittenSearch(Searched):
    """The section `tune` of a suite of components."""

    rows: int = Field(
        20,
        ge=1,
        le=1_000_000,
        description="training rows of each class that are held out, and that trials are scored on",
    )
    metric: Annotated[Name, catalogued("tuned")] = Field(
        "all-classes", description="what is maximised"
    )


class WrittenSuite(Section):
    """A whole suite. stand_in: a base of its form, where the written one has faults."""

    stand_in: ClassVar[dict[str, Any]] = {}

    question: Question = Field(description="the question in one sentence, ending in '?'")
    base: Annotated[Paths, catalogued("base")] = Field(description=BASE)
    arms: Annotated[Paths | None, catalogued("arms")] = Field(None, description=ARMS)
    vary: Annotated[Paths | None, catalogued("vary")] = Field(None, description=VARY)
    seeds: Seeds = Field(
        20,
        description="how many seeds each arm runs; {first: 100, count: 20} says where they begin, "
        "[1993, 1994] which they are",
    )
    looks: Looks = Field(
        (),
        description="numbers of seeds at which verdicts are read, the last being `seeds`: "
        "[5, 8, 12, 20]",
    )
    spend: Literal["flat", "linear", "quadratic"] = Field(
        "flat",
        description="how alpha is shared over the looks: by look n of N the part n / N of it is "
        "spent (linear) or (n / N)^2 (quadratic); flat reads every look at one level",
    )
    contrasts: list[WrittenContrast] = Field(
        [], description="treatment, baseline, metric and margin of each claim; its side, if any"
    )
    alpha: float = Field(
        0.05,
        ge=0.000001,
        le=0.5,
        description="the rate of false claims of either kind, over the whole family",
    )
    correction: Literal["holm", "hommel", "bonferroni", "bh", "by", "none"] = Field(
        "holm", description="how p-values are adjusted over the family of contrasts"
    )
    precision: Literal["float32", "float64"] = Field(
        "float32", description="floating-point format of the runs"
    )
    quick: WrittenQuick = Field(
        ABSENT, description=QUICK, json_schema_extra={"catalogued": "quick"}
    )
    factorial: WrittenFactorial = Field(
        ABSENT, description="two levels of each factor, crossed: factors, metric, margin, fraction"
    )
    ablate: WrittenAblation = Field(
        ABSENT,
        description="parts that are left out of the base, one at a time: parts, metric, margin",
    )
    same: Name = Field(
        "", description="an arm that is run again on other seeds, to show the rate of false claims"
    )
    spread: Points = Field(
        0.0,
        description="the standard deviation that paired differences will have, for `power`: "
        "'2.0 points'",
    )
    tune: WrittenSearch = Field(
        ABSENT,
        description="what may be tuned, every arm on one budget: trials, seeds, rows, metric, "
        "space",
    )
    budget: Path = Field(
        "", description="the axis of `vary` that makes training longer, to judge at equal cost too"
    )
    tuned: File = Field(
        "", description="the file with the tuned values of the arms, which `tune` writes"
    )
    executor: Annotated[Any, catalogued("executor")] = Field(
        ABSENT,
        description="where it runs unless `--executor` says so: ray, {slurm: {partition: short}}; "
        "no score depends on it",
    )
    references: References = Field(
        [], description="published figures shown beside what an arm reaches: arm, metric, figure"
    )


KEYS = {key: field.description or "" for key, field in WrittenSuite.model_fields.items()}
"""The keys of a suite, each with what it is for."""
