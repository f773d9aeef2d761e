"""One run of somebody's program -> RunResult: started, limited, read, tried again if it may be."""

from __future__ import annotations

import math
import re
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ablate.core.foreign_text import STORED, of_error, plain
from ablate.executors.programs import process, readings
from ablate.records import fingerprints, provenance
from ablate.source import functions, program, surroundings
from ablate.source.program import Program
from ablate.types import Json, RunResult, RunSpec, Site, Status

Point = tuple[float, float]
Scores = Mapping[str, list[Point]]


class Lost(Exception):
    """A run without scores: why, in a line."""


def attempt(run: RunSpec, site: Site) -> RunResult:
    """Run a program with a seed; whatever it does, there is a result."""
    spec = program.read(run.choices["method"].settings)
    folder = run_folder(site, run)
    if spec.function:  # what is imported once is the cost of no run; a fault is told below
        with suppress(Exception, SystemExit):
            functions.resolve(spec.function)
    started, tries, reason = time.monotonic(), 0, ""
    scores: Scores = {}
    drawn: dict[str, str] = {}
    while tries <= spec.retries:
        tries += 1
        try:
            scores, drawn, reason = *_once(spec, run, folder), ""
            break
        except Lost as error:
            reason = str(error)
    status = Status.FAILED if reason else Status.OK
    if not reason and (wrong := _not_finite(scores)):
        status, reason, scores = Status.DIVERGED, wrong, {}
    seconds, known = time.monotonic() - started, facts(run, spec)
    if status == Status.OK and run.key == site.twice:
        known["again"] = _again(spec, run, folder.with_name(f"{folder.name}-again"), scores)
    return RunResult(
        key=run.key,
        seed=run.seed,
        status=status,
        reason=plain(reason, STORED),
        rows=[],
        right={},
        task_right={},
        updates=0,
        gradients=0,
        seconds=seconds,
        provenance={**known, "streams": drawn, "tries": tries},
        scores=scores,
    )


def run_folder(site: Site, run: RunSpec) -> Path:
    """Give the folder that is a run's own: its working files, its parameters, its log."""
    return Path(site.folder or ".").absolute() / "runs" / run.key


def facts(run: RunSpec, spec: Program) -> Json:
    """Give what a program's scores rest on beside its parameters, and what it was run with."""
    return {
        **{name: provenance.machine()[name] for name in ("system", "cpu", "cores", "host")},
        **fingerprints.program_facts(run),
        "record_version": provenance.RECORD_VERSION,
        "git": surroundings.repository(Path(spec.folder).absolute()),
        "command": " ".join(spec.command) or spec.function,
        # a function of a notebook has no process of its own: what one run leaves, the next meets
        "in_process": functions.is_of_notebook(spec.function),
    }


def _once(spec: Program, run: RunSpec, folder: Path) -> tuple[Scores, dict[str, str]]:
    """Run a program once and read its scores. Raises Lost."""
    if spec.function:
        return _called(spec, run.seed), {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        program.write_config(spec, run.seed, folder)
        known = program.values(spec, run.seed, folder)
        arguments = program.arguments(spec, run.seed, folder)
        ended = process.run(
            " ".join(arguments) if spec.shell else arguments,
            Path(spec.folder).absolute(),
            {name: program.filled(text, known) for name, text in spec.environment.items()},
            spec.limit,
            folder / "log.txt",
            str(folder),  # the same run may be made in another study's folder at once
        )
    except OSError as error:
        name = spec.command[0] if spec.command else ""
        raise Lost(f"{name} cannot be started: {error.strerror or error}") from error
    if ended.code is None:
        raise Lost(f"timed out after {spec.limit:g} s (its log: {folder / 'log.txt'})")
    if ended.code:
        raise Lost(f"{_exit(ended.code)}{': ' + ended.last if ended.last else ''}")
    try:
        return (
            readings.scores(spec.metrics, ended.lines, folder),
            readings.digests(spec.draws, ended.lines),
        )
    except (readings.Unread, re.error) as error:
        raise Lost(str(error)) from error


def _again(spec: Program, run: RunSpec, folder: Path, scores: Scores) -> Json:
    """Make a run a second time with its seed: {} where it scores the same, else what it did."""
    try:
        second, _ = _once(spec, run, folder)
    except Lost as error:
        return {"lost": plain(str(error), STORED)}
    apart = {name: _last_apart(curve, second[name]) for name, curve in scores.items()}
    return {"scores": there} if (there := {k: v for k, v in apart.items() if v}) else {}


def _last_apart(first: Sequence[Point], second: Sequence[Point]) -> list[float]:
    """Give the last two values in which two curves differ; [] where none do."""
    ends = zip_longest(first, second, fillvalue=(math.nan, math.nan))
    values = [[a, b] for (_, a), (_, b) in ends]
    return next((pair for pair in reversed(values) if repr(pair[0]) != repr(pair[1])), [])


def _exit(code: int) -> str:
    """Say how a process ended."""
    if code < 0:
        try:
            return f"ended by signal {-code} ({signal.Signals(-code).name})"
        except ValueError:
            return f"ended by signal {-code}"
    return f"exit code {code}"


def _called(spec: Program, seed: int) -> Scores:
    """Call a function with the parameters and the seed. Raises Lost."""
    try:
        answer = functions.resolve(spec.function)(**spec.params, seed=seed)
    except BaseException as error:  # whatever somebody's function raises, exits included
        if isinstance(error, KeyboardInterrupt):
            raise
        raise Lost(f"{spec.function}: {of_error(error)}") from error
    return returned(spec, answer)


def returned(spec: Program, answer: Any) -> Scores:
    """Read what a function returned: a number for the only metric, or a mapping. Raises Lost."""
    names = [metric.name for metric in spec.metrics]
    if answer is None:
        raise Lost("it returned None, and no score")
    if not isinstance(answer, Mapping):
        if len(names) != 1:
            raise Lost(
                f"one value for {len(names)} metrics: return a mapping of {', '.join(names)}"
            )
        answer = {names[0]: answer}
    entry = {str(key): _plain(value) for key, value in answer.items()}
    curves: dict[str, list[tuple[float, float]]] = {}
    for metric in spec.metrics:
        value = entry.get(metric.key or metric.name)
        if value is None:
            raise Lost(f"no {metric.key or metric.name!r} in what it returned: {sorted(entry)[:8]}")
        points = value if isinstance(value, list) else [value]
        try:
            curves[metric.name] = [(float(i), float(point)) for i, point in enumerate(points)]
        except (TypeError, ValueError) as error:
            raise Lost(f"{str(value)[:40]!r} for {metric.name!r}, which is no number") from error
        if not points:
            raise Lost(f"an empty list for {metric.name!r}")
    return curves


def _plain(value: Any) -> Any:
    """Turn numbers and arrays of any library into Python's."""
    return (
        value.tolist()
        if hasattr(value, "tolist")
        else list(value)
        if isinstance(value, tuple)
        else value
    )


def _not_finite(scores: Scores) -> str:
    """Say which score is not finite at its last step; '' where all are."""
    for name, curve in scores.items():
        if not math.isfinite(curve[-1][1]):
            return f"{name} is {curve[-1][1]:g}"
    return ""
