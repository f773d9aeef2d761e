"""What a worker does: a job of plain data in, plain data out."""

from __future__ import annotations

from collections.abc import Callable

from ablate.executors.programs.run import execute as programs
from ablate.training.execute import execute
from ablate.training.first_steps import ties
from ablate.types import Json

JOBS: dict[str, Callable[[Json], list[Json]]] = {
    "stack": execute,
    "first-steps": ties,
    "program": programs,
}


def perform(payload: Json) -> list[Json]:
    """Do what a payload asks for: train and score a stack, unless it says another job."""
    return JOBS[payload.get("job", "stack")](payload)
