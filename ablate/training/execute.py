"""One Stack -> RunResults: plain data in, plain data out. This is all that a worker is sent."""

from __future__ import annotations

import logging
import signal
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ablate.core import malloc, process_state, random_streams
from ablate.core.foreign_text import plain as plain_text
from ablate.errors import Stopped
from ablate.records import fingerprints, provenance
from ablate.records.payload import failed, unpack
from ablate.records.rows import row_scores
from ablate.registry import Catalogue, scan
from ablate.training import loop, scoring, test_time_adaptation
from ablate.training.assembly import Alone, Assembled, assemble, load, rows_mark
from ablate.training.net import init_digest
from ablate.training.replicas import logits
from ablate.types import Json, RunResult, RunSpec, Site, Stack, Status

_LOG = logging.getLogger(__name__)

LOGIT_LIMIT = 1e4
"""A run with logits beyond this is marked: a sigmoid is flat from 40 on. Its scores count."""

STREAMS = (
    *("order", "batch", "replay", "memory", "augment"),
    *("validation", "adapt", "test", "noise", "review"),
)


def execute(payload: Json) -> list[Json]:
    """Train and score a stack; an exception becomes `failed` results, never silence."""
    torch.set_num_threads(1)
    malloc.keep()
    stack, site = unpack(payload)
    return [dict(vars(result)) for result in attempt(stack, site, scan())]


def attempt(stack: Stack, site: Site, catalogue: Catalogue) -> list[RunResult]:
    """Run a stack; one whose cells do not go together is run cell by cell, or run by run.

    One that memory does not hold is run half by half.
    """
    try:
        return _attempt(stack, site, catalogue)
    except Alone:
        parts = [replace(stack, runs=(run,)) for run in stack.runs]
    except BaseException as error:
        if users(error):
            raise
        load.cache_clear()  # whatever was done to the data: it is read anew
        reason = describe(error)
        if takes_too_much(error):
            parts, reason = halves(stack), f"memory: {reason}"
        else:
            parts = cells(stack)
    # here the exception is gone, and with its frames what they held of memory
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if len(parts) <= 1:
        return failed(stack, reason)
    return [result for part in parts for result in attempt(part, site, catalogue)]


def _attempt(stack: Stack, site: Site, catalogue: Catalogue) -> list[RunResult]:
    # each attempt begins in the same state, whatever a component did in the one before
    with process_state.held(int(stack.runs[0].key[:12], 16)) as changed:
        ready = assemble(stack, site, catalogue)
        fingerprints.confirm(stack, catalogue)
        results = train(ready)
        fingerprints.confirm(stack, catalogue)  # functions import, too
        results = [with_loaded(result, stack, catalogue) for result in results]
        if rows_mark(ready.data) != ready.mark:
            raise ValueError("a component changed the data in place, which all runs share")
    if changed:
        method = stack.runs[0].choices["method"].label()
        _LOG.warning("%s changed %s; it was put back", method, ", ".join(changed))
    return results


def cells(stack: Stack) -> list[Stack]:
    """Cut a stack into its cells: runs that differ in nothing but the seed."""
    together: dict[str, list[RunSpec]] = {}
    for run in stack.runs:
        together.setdefault(str(run.choices["method"].plain()), []).append(run)
    return [replace(stack, runs=tuple(runs)) for runs in together.values()]


def halves(stack: Stack) -> list[Stack]:
    """Cut a stack in two; a lone run is its only part."""
    runs, half = stack.runs, len(stack.runs) // 2
    return [replace(stack, runs=part) for part in (runs[:half], runs[half:]) if part]


def takes_too_much(error: BaseException) -> bool:
    """Say whether there was not the memory for what was asked, on the device or beside it.

    The CPU's allocator of PyTorch raises a RuntimeError, whose words alone tell.
    """
    words = str(error) if isinstance(error, RuntimeError) else ""
    named = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return named or "DefaultCPUAllocator: can't allocate memory" in words


def with_loaded(result: RunResult, stack: Stack, catalogue: Catalogue) -> RunResult:
    """Add to a record what was loaded by names that stand in no source."""
    names = fingerprints.loaded(stack, catalogue)
    return replace(result, provenance={**result.provenance, "loaded": names}) if names else result


def users(error: BaseException) -> bool:
    """Say whether an exception is the user's wish to stop, and not a component's doing.

    Workers ignore Ctrl-C and the commands raise `Stopped` for it, so that there any other
    KeyboardInterrupt was raised by a component.
    """
    ours = signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    return isinstance(error, Stopped) or (isinstance(error, KeyboardInterrupt) and not ours)


def describe(error: BaseException) -> str:
    """Say an exception in one line, with the place that raised it."""
    try:
        frames = traceback.extract_tb(error.__traceback__)
        where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
        text = plain_text((str(error).strip().splitlines() or [""])[0])
    except Exception as second:  # an exception of a component's may not even have a text
        where, text = "", f"its text cannot be had: {type(second).__name__}"
    return f"{plain_text(type(error).__name__)}: {text}{where}"


@dataclass(frozen=True)
class Spent:
    """What one run cost: outer steps, gradient evaluations, its share of the stack's seconds."""

    updates: int
    gradients: int
    seconds: float


def train(assembled: Assembled) -> list[RunResult]:
    """Run an assembled stack to its end, or until every replica has diverged."""
    started = time.perf_counter()
    cut, stack = assembled.stream.cut, assembled.stack
    x_test = torch.as_tensor(assembled.data.x_test).to(assembled.theta)
    shuffled = [
        random_streams.stream(run.seed, "test").permutation(len(x_test)) for run in stack.runs
    ]
    truth = [
        scoring.positions(assembled.data.y_test[rows], order)
        for rows, order in zip(shuffled, cut.orders, strict=True)
    ]
    counts: list[list[dict[str, scoring.Counts]]] = [[] for _ in stack.runs]
    by_row: list[dict[str, str]] = [{} for _ in stack.runs]
    reasons, marks = [""] * len(stack.runs), [""] * len(stack.runs)
    spent = [Spent(0, 0, 0.0)] * len(stack.runs)
    curves: list[list[Json]] = []  # [task][replica]
    for after in loop.run(assembled.program, assembled.stream, assembled.theta):
        counted = zip(after.steps.tolist(), after.gradients.tolist(), strict=True)
        curves.append(after.curves)
        scores = plain(logits(assembled.program, after.state, x_test))
        reasons = [had or divergence(scores[s], after.t) for s, had in enumerate(reasons)]
        marks = [had or excess(scores[s], after.t) for s, had in enumerate(marks)]
        tuned = {
            label: plain(
                test_time_adaptation.adapted(
                    assembled.program, assembled.stream, after, protocol, x_test
                )
            )
            for label, protocol in assembled.protocols.items()
            if test_time_adaptation.adapts(protocol) and not all(reasons)
        }
        for s, rows in enumerate(shuffled):
            if not reasons[s]:
                adapted = {label: values[s][rows] for label, values in tuned.items()}
                scored = scores[s][rows], truth[s]
                counts[s].append(
                    scoring.count(*scored, after.t, cut.by_task, assembled.protocols, adapted)
                )
                if after.t == cut.tasks - 1:
                    right = scoring.right_rows(*scored, cut.by_task, assembled.protocols, adapted)
                    by_row[s] = {
                        label: row_scores.pack(hits[np.argsort(rows)], assembled.data.y_test)
                        for label, hits in right.items()
                    }
        share = (time.perf_counter() - started) / len(stack.runs)
        spent = [Spent(steps, gradients, share) for steps, gradients in counted]
        if all(reasons):
            break
    results = [
        replace(
            result(assembled, s, (reasons[s], marks[s]), truth[s], counts[s], spent[s]),
            row_right={} if reasons[s] else by_row[s],
        )
        for s in range(len(truth))
    ]
    by_run = zip(*curves, strict=True)
    return [replace(run, curves=learnt) for run, learnt in zip(results, by_run, strict=True)]


def plain(values: Tensor) -> np.ndarray:
    """Bring values to the CPU in double precision."""
    return values.double().cpu().numpy()


def divergence(logits: np.ndarray, t: int) -> str:
    """Say why a run cannot be scored; '' where it can."""
    return "" if np.isfinite(logits).all() else f"logits are not finite after task {t + 1}"


def excess(logits: np.ndarray, t: int) -> str:
    """Say how far the logits of a run that is scored have run away; '' where they have not."""
    worst = np.abs(logits).max() if np.isfinite(logits).all() else 0.0
    if worst <= LOGIT_LIMIT:
        return ""
    return f"logits reach {worst:.1e} after task {t + 1}, beyond {LOGIT_LIMIT:.0e}"


def result(
    assembled: Assembled,
    s: int,
    words: tuple[str, str],
    truth: np.ndarray,
    counts: Sequence[Mapping[str, scoring.Counts]],
    spent: Spent,
) -> RunResult:
    """Give one replica's result. words: why it is lost, and what it is marked with."""
    reason, mark = words
    run, cut = assembled.stack.runs[s], assembled.stream.cut
    drawn = {name: random_streams.digest(run.seed, name) for name in STREAMS}
    drawn["init"] = init_digest(run.seed)
    drawn["class order"] = provenance.digest([cut.orders[s].tobytes()])
    labels = [] if reason else list(assembled.protocols)
    by_class = np.bincount(truth, minlength=cut.classes).tolist()
    return RunResult(
        key=run.key,
        seed=run.seed,
        status=Status.DIVERGED if reason else Status.OK,
        reason=reason or mark,
        rows=scoring.rows_by_task(truth, cut.by_task),
        right={label: [after[label].right for after in counts] for label in labels},
        task_right={label: [after[label].task_right for after in counts] for label in labels},
        updates=spent.updates,
        gradients=spent.gradients,
        seconds=spent.seconds,
        provenance={
            **assembled.facts,
            "streams": drawn,
            "class_rows": by_class,
            **({} if cut.by_task.equal else {provenance.TASK_CLASSES: list(cut.by_task.sizes)}),
            "effective_step": assembled.effective_steps[s],
        },
    )
