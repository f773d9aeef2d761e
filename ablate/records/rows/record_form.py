"""The form of a record: what is read has it, whoever computed the digest of its row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from ablate.records.rows.counts import Counts, Tables, packed, unpacked

Count = Annotated[int, Field(ge=0, lt=2**53)]
"""What is counted: rows, steps, tasks; a number that a float holds exactly."""

Real = Annotated[float, Field(allow_inf_nan=False)]

Point = Annotated[list[Real], Field(min_length=2, max_length=2)]
"""A step and the value at it."""

Table = dict[str, list[list[Count]]]

Digests = dict[str, str] | str | None
"""Digests by name; before record version 4 also one for all."""


class Provenance(BaseModel):
    """What a record rests on. Nothing has to be there: what lacks a fact goes with nothing else."""

    model_config = ConfigDict(strict=True, extra="allow")

    record_version: Count | None = None
    python: str = ""
    packages: dict[str, str] = Field(default_factory=dict)
    git: dict[str, JsonValue] | None = None
    system: str = ""
    cpu: str = ""
    cores: Count = 0
    threads: Count = 0
    stack_width: Count = 0
    device: str = ""
    data: str = ""
    data_mark: str | None = None
    data_warnings: list[str] = Field(default_factory=list)
    engine: Digests = None
    components: Digests = None
    helpers: Digests = None
    protocols: Digests = None
    loaded: Digests = None
    streams: dict[str, str] | None = None
    class_rows: list[Count] = Field(default_factory=list)
    task_classes: list[Annotated[Count, Field(gt=0)]] = Field(default_factory=list)


TABLES = ("right", "task_right")


class Rest(BaseModel):
    """A run's record without its scores."""

    model_config = ConfigDict(strict=True, extra="forbid")

    key: str
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    status: Literal["ok", "diverged", "failed"]
    reason: str
    rows: list[Annotated[Count, Field(gt=0)]]
    updates: Count
    gradients: Count
    provenance: Provenance
    row_right: dict[str, str] = Field(default_factory=dict)
    scores: dict[str, Annotated[list[Point], Field(min_length=1)]] = Field(default_factory=dict)
    """Of somebody's own program: by metric, steps and values."""


class Head(Rest):
    """A run's record beside its scores, with the protocols that these are of."""

    protocols: list[str]


class Record(Rest):
    """A run's record as layouts up to 3 have it: the seconds have a column of their own."""

    right: Table
    task_right: Table

    @model_validator(mode="after")
    def _scores_fit(self) -> Record:
        """Make sure of scores after every task, each of rows that there are."""
        scored = self.right or self.scores
        if self.right.keys() != self.task_right.keys() or (self.status == "ok") is not bool(scored):
            raise ValueError("scores are of runs that ended well, in classes and in tasks")
        for scores in (*self.right.values(), *self.task_right.values()):
            if len(scores) != len(self.rows) or not all(map(self._fit, scores)):
                raise ValueError("scores are those of other rows")
        return self

    def _fit(self, counts: list[int]) -> bool:
        return len(counts) == len(self.rows) and not any(map(int.__gt__, counts, self.rows))


def scores(text: bytes, content: Any, counts: object, layout: int) -> tuple[Tables, Tables] | None:
    """Read a record's scores; None where it is no record: its fields, their types and ranges.

    content: what its text says as plain data. counts: the column, which layouts up to 3 lack.
    """
    if layout > 3:
        return _counted(content, counts)
    if not has_form(text, content):
        return None
    labels, counts = packed(content["right"], content["task_right"])
    return _labelled(labels, unpacked(len(labels), len(content["rows"]), counts))


def _counted(content: Any, counts: object) -> tuple[Tables, Tables] | None:
    """Read the scores of a record as it is stored today: those of rows that there are."""
    try:
        Head.model_validate(content)
    except (ValidationError, RecursionError):
        return None
    labels, rows = content["protocols"], content["rows"]
    right = unpacked(len(labels), len(rows), counts)
    if (
        right is None
        or len({*labels}) < len(labels)
        or (content["status"] == "ok") is not bool(labels or content.get("scores"))
        or (right > np.array(rows)).any()
    ):
        return None
    return _labelled(labels, right)


def _labelled(labels: Sequence[str], right: Counts | None) -> tuple[Tables, Tables] | None:
    """Give the rows whose class, and those whose task is right."""
    return None if right is None else (Tables(labels, right[0]), Tables(labels, right[1]))


def has_form(text: bytes, content: Any) -> bool:
    """Say whether a text is a record of a layout up to 3: its form, and scores of its rows.

    content: what it says as plain data.
    """
    try:
        if _plainly(text, content):
            Rest.model_validate({name: content[name] for name in content.keys() - {*TABLES}})
            return True
        Record.model_validate_json(text)
    except (ValidationError, RecursionError):
        return False
    return True


def _plainly(text: bytes, content: Any) -> bool:
    """Try `_is_plainly_counted`: whatever it stumbles over is not plain."""
    try:
        return _is_plainly_counted(text, content)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return False


def _is_plainly_counted(text: bytes, content: Any) -> bool:
    """Say whether all scores are counts of the rows that there are, as whole tables of numbers.

    What is not so plain (a run without scores, a fault) is for the models to judge; so is a text
    with a truth value in it, which NumPy takes for a number.
    """
    if b"true" in text or b"false" in text or content.get("status") != "ok":
        return False
    right, task_right, rows = content["right"], content["task_right"], content["rows"]
    if not right or right.keys() != task_right.keys():
        return False
    scores = np.array([*right.values(), *task_right.values()])
    size = len(rows)
    return (
        scores.dtype == np.int64
        and scores.shape == (2 * len(right), size, size)
        and bool((scores >= 0).all() and (scores <= np.array(rows)).all())
    )


def is_provenance(text: bytes) -> bool:
    """Say whether a text is what runs rest on."""
    try:
        Provenance.model_validate_json(text)
    except (ValidationError, RecursionError):
        return False
    return True
