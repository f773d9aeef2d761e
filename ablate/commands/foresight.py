"""Commands before a run: what a suite can show, and how often verdicts are right."""

from __future__ import annotations

import sys
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ablate.commands.options.labour import Labour, labour_options, workforce
from ablate.commands.options.opened_suite import data_option, device_option, of_suite
from ablate.commands.shared import compile_first, end, say, say_all
from ablate.core.foreign_text import STORED, plain
from ablate.core.outcomes import Status

if TYPE_CHECKING:
    from ablate.types import RunResult, Suite


@click.command()
@of_suite
@click.option(
    "--pilot",
    type=click.IntRange(3, 1000),
    metavar="N",
    help="Run N seeds that the suite never uses, to learn the spread.",
)
@click.option(
    "--streams",
    is_flag=True,
    help="Say which random streams the variance is from, by a pilot of 25, 50 ... crossed seeds.",
)
@labour_options
@data_option
@device_option
def power(
    opened: Suite,
    results: Path,
    pilot: int | None,
    streams: bool,
    labour: Labour,
    data_root: Path,
    device: str,
) -> None:
    """Say what a suite can detect and show to be negligible at its seeds, before it is run.

    The spread of the differences is that of the pilot; else the suite's `spread`; else that of
    records of its own runs.
    """
    from ablate import flow
    from ablate.analysis import judge
    from ablate.core.random_streams import CROSSED_SEEDS
    from ablate.errors import SelectionError
    from ablate.records.store import is_there, open_store
    from ablate.registry import scan
    from ablate.streams import crossed_squares
    from ablate.workflows import power_forecast, spending_advice, variance_sources

    lost, claims, small, catalogue = 0, [], opened, scan()
    if streams and opened.measures:
        raise SelectionError(
            "--streams crosses the random streams of our own training; a program has one seed, and "
            "only it knows what it draws with it: --pilot N says how far its seeds spread"
        )
    if streams:
        runs = crossed_squares.runs_of(pilot or crossed_squares.PILOT)
        small = power_forecast.pilot(opened, runs, CROSSED_SEEDS)
    elif pilot:
        small = power_forecast.pilot(opened, pilot)
    if pilot or streams:
        records = trained(small, results, data_root, device, labour)
        lost = sum(record.status != Status.OK for record in records.values())
        if streams:
            from ablate.workflows import drawn_streams

            drawn = drawn_streams.by_claim(small, catalogue)
            claims = variance_sources.by_claim(small, records, drawn)
        source = "crossed pilot runs" if streams else "pilot seeds"
        spreads = [claim.spread for claim in claims]
        forecasts = list(
            power_forecast.forecasts(
                replace(small, spread=0.0, spreads={}), records, source, spreads
            )
        )
    else:
        there = is_there(results)
        with closing(open_store(results, create=False)) if there else nullcontext() as store:
            records = dict(flow.records(opened, store)) if store else {}
            say_all(store.damage.lines() if store else (), err=True)
        forecasts = list(power_forecast.forecasts(opened, records, "seeds of its own runs"))
    looks = judge.design(opened).looks
    spendings = spending_advice.spendings(forecasts, looks, power_forecast.hardest(opened))
    say_all(catalogue.load("report", "forecast")().lines(forecasts, opened, spendings))
    if claims:
        seconds = variance_sources.seconds_of_a_seed(small, records)
        unused = variance_sources.unused_rows(small, catalogue, data_root)
        advice = variance_sources.advice(claims, opened, seconds, unused)
        say_all(catalogue.load("report", "variance")().lines(claims, advice))
    if lost:
        say(f"{lost} runs of the pilot were lost (diverged or failed).", err=True)
    _, code = end((), lost)
    if code:
        sys.exit(code)


def trained(
    small: Suite,
    results: Path,
    data_root: Path,
    device: str,
    labour: Labour,
) -> dict[str, RunResult]:
    """Train the arms of a pilot that a claim is about, and give their records by key."""
    from ablate import flow
    from ablate.analysis import judge
    from ablate.commands.progress import Progress, show_runs
    from ablate.executors.device import checked
    from ablate.plan import dispatch
    from ablate.records.results_folder import sole_writer
    from ablate.records.store import open_store
    from ablate.registry import scan
    from ablate.types import Site

    folder = str(results.absolute() / "programs" / "pilot")  # apart from the study's
    site = Site(str(data_root.absolute()), checked(device), folder=folder, trial=True)
    claimed = {arm for arms in judge.arms_of(small) for arm in arms}
    among = {(arm, seed) for arm in claimed for seed in range(small.seeds)}
    dispatch.demand(flow.prepare(small, data_root, None, fetch=True).stacks, scan())
    with sole_writer(results), closing(open_store(results)) as store:
        work = flow.prepare(small, data_root, store, among=among)
        with workforce(labour, small, results / small.name) as crew:
            compile_first(work, site)
            events = flow.run(work, store, site, crew, labour.stack_timeout)
            show_runs(Progress(small, work, crew.size), events, results / small.name)
        return store.load(work.plan.runs)


@click.command()
@click.option(
    "--studies",
    type=click.IntRange(100),
    default=20_000,
    show_default=True,
    help="Simulated studies for each rate.",
)
@click.option(
    "--engine",
    type=click.IntRange(3),
    default=300,
    show_default=True,
    help="Studies of each kind that the engine itself judges.",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("docs/calibration_statistics.md"),
    show_default=True,
)
def calibrate(studies: int, engine: int, seed: int, out: Path) -> None:
    """Simulate studies whose truth is known, and write how often each verdict is right."""
    from ablate.calibration import study
    from ablate.registry import scan

    rates = study.calibrate(studies, engine, seed, lambda part: say(part, err=True))
    command = f"python cli.py calibrate --studies {studies} --engine {engine} --seed {seed}"
    path = scan().load("report", "calibration")().write(rates, out, command)
    say(f"Written: {plain(path, STORED)}")
