"""What a worker does: a job of plain data in, plain data out."""

from __future__ import annotations

from ablate.types import Json


def perform(payload: Json) -> list[Json]:
    """Do what a payload asks for: train and score a stack, unless it says another job.

    Each is imported when it is asked for: programs of other people need no torch.
    """
    job = payload.get("job", "stack")
    if job == "program":
        from ablate.executors.programs.run import execute as run

        return run(payload)
    if job == "first-steps":
        from ablate.training.first_steps import ties

        return ties(payload)
    from ablate.training.execute import execute

    return execute(payload)
