"""The command `status`: how far a suite has come, here and on other machines."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ablate.commands.options.opened_suite import of_suite
from ablate.commands.shared import under_own_name
from ablate.commands.terminal import say
from ablate.core.foreign_text import STORED, plain

if TYPE_CHECKING:
    from ablate.types import Suite
    from ablate.workflows.upkeep.overview import Overview

MOST_REASONS = 10


@click.command()
@of_suite
@click.option(
    "--watch",
    type=click.FloatRange(0.5),
    is_flag=False,
    flag_value=5.0,
    metavar="[SECONDS]",
    help="Say it again every so many seconds [5], until nothing is left to run.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def status(opened: Suite, results: Path, watch: float | None, as_json: bool) -> None:
    """Say what of a suite is done, lost and left, by arm and seed, and what is at work on it."""
    from ablate.records.store import open_store
    from ablate.workflows.upkeep.overview import overview

    while True:
        with closing(open_store(results, create=False)) as store:
            suite = under_own_name(opened, store, results)
            seen = overview(suite, store, results / suite.name)
        if as_json:
            say(document(seen))
        else:
            for line in lines(seen):
                say(line)
        if watch is None or not seen.left:
            return
        time.sleep(watch)
        say("")


def lines(seen: Overview) -> Iterator[str]:
    """Say how far a suite has come, the whole first."""
    from ablate.records.spans import seeds, spans
    from ablate.workflows.upkeep.overview import reasons

    yield plain(seen.suite.question, STORED)
    yield f"{seen.done} of {seen.total} runs done, {seen.lost} lost, {seen.left} left"
    width = max(len(plain(arm.label)) for arm in seen.arms)
    for arm in seen.arms:
        parts = [f"{len(arm.done)} done"]
        parts += [f"{len(arm.lost)} lost"] if arm.lost else []
        parts += [f"left: {seeds(sorted(arm.left))}"] if arm.left else []
        yield f"  {plain(arm.label):<{width}}  {', '.join(parts)}"
    for index, (reason, runs) in enumerate(reasons(seen.arms)):
        if index == MOST_REASONS:
            yield "  and other reasons; the report has them all"
            break
        yield f"  lost: {plain(reason, STORED)} ({spans(runs)})"
    for host in seen.hosts:
        hours = host.seconds / 3600
        yield f"  {plain(host.name)}: {host.runs} runs, {hours:.3g} hours of a worker"
    for driver in seen.drivers:
        when = "" if math.isnan(driver.seconds_left) else f", {span(driver.seconds_left)} left"
        yield (
            f"At work: {plain(driver.host)}, process {driver.pid}, {driver.workers} at a time: "
            f"{driver.done} of {driver.total} runs done, {driver.lost} lost{when}"
        )
    if seen.left and not seen.drivers:
        guess = seen.left * seen.seconds
        long = "" if math.isnan(guess) else f"; about {span(guess)} of one worker"
        yield f"Nothing is at work on it{long}. `ablate-study run` goes on"


def span(seconds: float) -> str:
    """Write a span of time.

    >>> span(42), span(754), span(12_000)
    ('42 s', '13 min', '3.3 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def document(seen: Overview) -> str:
    """Write it as JSON: `arms` by label with `done`, `lost` and `left`, `hosts`, `drivers`."""
    import json
    from dataclasses import asdict

    arms = {
        arm.label: {
            "done": [*arm.done],
            "lost": {seed: f"{r.status}: {r.reason}" for seed, r in arm.lost.items()},
            "left": [*arm.left],
        }
        for arm in seen.arms
    }
    drivers = [
        {name: None if value != value else value for name, value in asdict(driver).items()}
        for driver in seen.drivers
    ]
    return json.dumps(
        {
            "schema": 1,
            "suite": seen.suite.name,
            "total": seen.total,
            "done": seen.done,
            "lost": seen.lost,
            "left": seen.left,
            "arms": arms,
            "hosts": [asdict(host) for host in seen.hosts],
            "drivers": drivers,
        },
        indent=1,
    )
