"""The arms of somebody's own program: means in its metrics' own units, and what its runs took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ablate.core.foreign_text import code, markdown
from ablate.flow import Study
from ablate.source.program import words as typed
from ablate.types import Status

from . import arm_figures, arm_names, words
from .tables import mean, table

MOST_NAMED = 3
"""Arms of which a summary says what they are."""


def section(study: Study, pictures: Sequence[str]) -> list[str]:
    """Give the section on the arms."""
    return [
        "## Arms",
        f"Mean over seeds ± half the {words.percent(study.suite.alpha)} interval of the mean, each "
        "metric in its own unit, of curves the last step. Overlap of two such intervals is no "
        "test: the arms share their seeds, and the table above uses that.",
        arms(study),
        words.picture(arm_figures.MEANS, "The arms' means", pictures),
    ]


def arms(study: Study) -> str:
    """Write one row an arm: its runs, each metric's mean, the seconds of a run."""
    names = [*study.suite.measures]
    rows = []
    for arm, runs in zip(study.arms, study.level, strict=True):
        seconds = [record.seconds for record in runs.values() if record.status == Status.OK]
        rows.append(
            [
                arm_names.shown(study, arm.variant.label),
                str(arm.statuses[Status.OK]),
                *(mean(arm.values[name], of_points=False) for name in names),
                f"{sum(seconds) / len(seconds):.3g}" if seconds else "–",
            ]
        )
    return table(["arm", "runs", *names, "seconds a run"], rows)


def used(study: Study) -> Iterator[str]:
    """Say what the program is, what it is scored by, and what each arm gives it."""
    settings = study.suite.variants[0].choices["method"].settings
    program = settings.get("function") or " ".join(settings.get("command") or ())
    origin = ", ".join(settings["imported"]["from"]) if "imported" in settings else ""
    yield f"program: {code(program) if program else f'runs read from {markdown(origin)}'}"
    shown = study.suite.variants[:MOST_NAMED]
    for variant in shown:
        params = variant.choices["method"].settings.get("params", {})
        given = ", ".join(f"{name} {typed(value)}" for name, value in params.items())
        yield f"{code(arm_names.shown(study, variant.label))}: {markdown(given) or 'no parameters'}"
    if more := len(study.suite.variants) - len(shown):
        yield f"and {more} more"
    measures = (
        f"{name} ({'lower' if m.lower else 'higher'} is better)"
        for name, m in study.suite.measures.items()
    )
    yield f"scored by {markdown(', '.join(measures))}"
