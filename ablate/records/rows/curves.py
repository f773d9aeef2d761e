"""Learning curves beside the records: how they are written down, and what of them can be believed.

They stand in a table that nothing but their picture reads. Whatever is damaged there costs no
record: a curve that cannot be read is not shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from ablate.records.rows.record_form import Count
from ablate.records.rows.sealing import seal
from ablate.types import Json, RunResult

DIGITS = 4
"""Significant digits of a loss: the width of a line in a picture is a thousandth of its height."""

Loss = Annotated[FiniteFloat, Field(ge=0)]


class TaskCurve(BaseModel):
    """How a run learnt one task of so many `epochs`.

    at: the epochs, from 1, after whose end some `rows` of it were looked at. loss: their mean loss
    in nats; None where it was not finite. right: how many of them were classified correctly.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    epochs: Annotated[Count, Field(gt=0)]
    at: list[Annotated[Count, Field(gt=0)]]
    rows: Annotated[Count, Field(gt=0)]
    loss: list[Loss | None]
    right: list[Count]

    @model_validator(mode="after")
    def _points_fit(self) -> TaskCurve:
        ordered = self.at == sorted({*self.at}) and self.at[-1:] <= [self.epochs]
        if not ordered or not len(self.at) == len(self.loss) == len(self.right):
            raise ValueError("a loss and a count for every epoch, in their order")
        if any(count > self.rows for count in self.right):
            raise ValueError("no more rows are right than there are")
        return self


Learnt = tuple[TaskCurve, ...]
"""A run's curves, by task; a run that diverged has those of its first tasks."""

_FORM: TypeAdapter[list[TaskCurve]] = TypeAdapter(list[TaskCurve])


@dataclass(frozen=True)
class Curves:
    """The curves of runs by key, and why some that were written cannot be read; '' for none."""

    by_key: Mapping[str, Learnt] = field(default_factory=dict)
    fault: str = ""


def curve_row(result: RunResult) -> dict[str, object]:
    """Give the columns of a result's curves; a run without any has a row that says so."""
    text = json.dumps([_short(task) for task in result.curves], separators=(",", ":"))
    return {"key": result.key, "text": text, "digest": _seal(result.key.encode(), text.encode())}


def _short(task: Json) -> Json:
    """Round a curve's losses: what is written is read by eyes alone."""
    loss = [None if value is None else float(f"{value:.{DIGITS}g}") for value in task["loss"]]
    return {**task, "loss": loss}


def read_curves(rows: Iterable[tuple[object, object, object]], keys: Iterable[str]) -> Curves:
    """Read the rows of the table, of which those of some keys are wanted."""
    wanted = {key.encode(): key for key in keys}
    by_key: dict[str, Learnt] = {}
    damaged: set[bytes] = set()
    for key, text, stated in rows:
        if not isinstance(key, bytes) or key not in wanted:
            continue
        learnt = _read(key, text, stated)
        if learnt is None or wanted[key] in by_key:  # of two rows neither is believed
            damaged.add(key)
        else:
            by_key[wanted[key]] = learnt
    by_key = {key: learnt for key, learnt in by_key.items() if key.encode() not in damaged}
    runs = "1 run" if len(damaged) == 1 else f"{len(damaged)} runs"
    fault = f"the curves of {runs} are damaged in the store and not shown" if damaged else ""
    return Curves({key: learnt for key, learnt in by_key.items() if learnt}, fault)


def _read(key: bytes, text: object, stated: object) -> Learnt | None:
    if not isinstance(text, bytes) or stated != _seal(key, text).encode():
        return None
    try:
        return tuple(_FORM.validate_json(text))
    except (ValidationError, RecursionError):
        return None


def _seal(key: bytes, text: bytes) -> str:
    return seal(b"curves", key, text).decode()
