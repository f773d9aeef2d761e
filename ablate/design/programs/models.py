"""A suite of somebody's own program as models: its base, metrics, margins in their own unit."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from ablate.design.claim_models import (
    ABSENT,
    Section,
    WrittenAblation,
    WrittenContrast,
    WrittenFactorial,
)
from ablate.design.programs.study_models import Budget, OwnReferences, OwnSearch, OwnSpread
from ablate.design.programs.values import (
    NUMBER,
    Amount,
    Ends,
    OwnMargin,
    Parameter,
    Switches,
    Word,
)
from ablate.design.suite_models import WrittenSuite
from ablate.parsing.written_values import Entry, Paths

ARGUMENT = Entry("argument {}", "text or a number")


def _pattern(value: str) -> str:
    try:
        groups = re.compile(value).groups
    except re.error as error:
        raise ValueError("no pattern") from error
    if value and not groups:
        raise ValueError("no group")
    return value


def _command(value: list[Any]) -> list[Any]:
    if value and (type(value[0]) is not str or not value[0].strip()):
        raise ValueError("no program")
    return value


class WrittenMetric(Section):
    """Where a metric is read, and which way it is better."""

    called: ClassVar[str] = "a metric"

    source: str = Field(
        "stdout",
        alias="from",
        description="stdout, or a file in the run's folder: .json, .jsonl, .csv, .parquet, text",
    )
    key: str = Field(ABSENT, description="its name there, dotted where it lies inside others")
    pattern: Annotated[str, AfterValidator(_pattern)] = Field(
        "", description="a regular expression with one group, instead of a key"
    )
    step: str = Field("", description="the name of the step beside it, of a curve")
    better: Literal["higher", "lower"] = Field("higher", description="which way it is better")
    range: Ends = Field(
        None, description="the least and the largest score that there can be: [0, 1]"
    )


class WrittenImport(Section):
    """Where runs were read that nobody can repeat here; `import` writes it."""

    called: ClassVar[str] = "imported"

    readers: list[str] = Field(min_length=1, description="the readers that read them")
    sources: list[str] = Field(
        alias="from", min_length=1, description="the names of the files or folders"
    )
    step: str = Field("last", description="the step whose scores count: last, best or a number")
    seeds: list[Any] = Field(
        [], description="the tracker's seeds in order, where they are no row of numbers"
    )


class WrittenProgram(Section):
    """Somebody's program: `external` of the base's method."""

    called: ClassVar[str] = "external"

    metrics: dict[str, WrittenMetric] = Field(
        min_length=1, description="what it is scored by: {accuracy: {from: stdout, better: higher}}"
    )
    command: Annotated[list[Word], AfterValidator(_command), ARGUMENT] = Field(
        [], description="its arguments: [python, train.py, --lr, '{lr}', --seed, '{seed}']"
    )
    function: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")] = Field(
        ABSENT, description="package.module:train, called as train(seed=..., **params)"
    )
    imported: WrittenImport = Field(
        ABSENT, description="where finished runs were read, instead of a program; see `import`"
    )
    params: dict[str, Parameter] = Field(
        {}, description="free parameters, each with its base value"
    )
    environment: dict[str, Word] = Field({}, description="variables that the command gets")
    config: Annotated[str, Field(pattern=r"^[\w-]+\.(yaml|yml|json|toml)$")] = Field(
        ABSENT, description="a file of the parameters: config.yaml, .json or .toml"
    )
    folder: str = Field(".", description="the folder in which the command works")
    pairs: list[str] = Field([], description="digests that it prints of what it drew")
    shell: bool = Field(default=False, description="whether the command is a line for a shell")
    limit_seconds: float = Field(86_400.0, gt=0, le=1e7, description="how long it may take")
    retries: int = Field(0, ge=0, le=10, description="how often a failed run is tried again")


class WrittenMethod(Section):
    """The method of such a base."""

    called: ClassVar[str] = "method"

    external: WrittenProgram = Field(description="the program: command or function, and metrics")


class WrittenBase(Section):
    """The base of such a suite: no data, no model and no memory of ours."""

    called: ClassVar[str] = "a base of somebody's own program"
    instead: ClassVar[dict[str, str]] = {"preset": "parameters; presets set components of ours"}

    method: WrittenMethod = Field(description="{external: {command: [...], metrics: {...}}}")


class OwnContrast(WrittenContrast):
    """A contrast in a metric's own unit."""

    margin: OwnMargin = Field(description=f"the smallest difference that would matter: {NUMBER}")
    worst: Amount = Field(0.0, description="the largest difference that a seed may show")


class OwnFactorial(WrittenFactorial):
    """A factorial in a metric's own unit."""

    margin: OwnMargin = Field(description=f"the smallest effect that would matter: {NUMBER}")
    worst: Amount = Field(0.0, description="the largest difference that a seed may show")
    also: Annotated[dict[str, OwnMargin], Entry("the margin in {!r}", NUMBER)] = Field(
        {}, description="other metrics in which the same effects are claims, each with its margin"
    )


class OwnAblation(WrittenAblation):
    """Parts that are left out, in a metric's own unit."""

    parts: Switches = Field(
        description="parameters that are true in the base, [warmup, ema]; or parts by name, each "
        "with what it is without: {ema: {ema_decay: 0}}"
    )
    margin: OwnMargin = Field(description=f"the smallest difference that would matter: {NUMBER}")
    worst: Amount = Field(0.0, description="the largest difference that a seed may show")


class WrittenOutside(WrittenSuite):
    """A whole suite of somebody's own program."""

    stand_in: ClassVar[dict[str, Any]] = {
        "method": {"external": {"command": ["-"], "metrics": {"-": {}}}}
    }

    base: WrittenBase = Field(  # type: ignore[assignment]
        description="method: {external: {...}}"
    )
    arms: Paths | None = Field(None, description="each arm: its name and its parameters")
    vary: Paths | None = Field(None, description="parameters crossed with the arms, with values")
    contrasts: list[OwnContrast] = Field(  # type: ignore[assignment]
        [], description="treatment, baseline, metric and margin of each claim; its side, if any"
    )
    factorial: OwnFactorial = Field(
        ABSENT, description="two levels of each factor, crossed: factors, metric, margin, fraction"
    )
    ablate: OwnAblation = Field(
        ABSENT, description="parts that are left out, one at a time: parts, metric, margin"
    )
    spread: OwnSpread = Field(  # type: ignore[assignment]
        0.0, description="the sd that paired differences will have; of several metrics, by name"
    )
    tune: OwnSearch = Field(  # type: ignore[assignment]
        ABSENT,
        description="parameters that may be tuned, every arm on one budget: trials, seeds, metric, "
        "space, held_out",
    )
    budget: Budget = Field(  # type: ignore[assignment]
        "",
        description="the axis of `vary` that makes training longer, to judge at equal cost too; "
        "{axis: epochs, by: [seconds, flops]} says what that is",
    )
    references: OwnReferences = Field(  # type: ignore[assignment]
        [], description="published figures beside what the arms reach: metric, value, name, arm"
    )


LEFT_OUT = {"precision": "a parameter that the program reads, as in params: {precision: float64}"}
"""Keys that say nothing to a program of somebody's own, with what to write instead."""
