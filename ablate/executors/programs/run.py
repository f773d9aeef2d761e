"""What a worker does with a job of programs: plain data in, plain data out, without torch."""

from __future__ import annotations

from ablate.executors.programs.attempt import attempt
from ablate.records.payload import unpack
from ablate.types import Json


def execute(payload: Json) -> list[Json]:
    """Run the programs of a job, one after the other."""
    stack, site = unpack(payload)
    return [dict(vars(attempt(run, site))) for run in stack.runs]
