"""How runs end, and what verdicts decide: the words, each once. From `ablate.types`, too."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """How a run ended: with scores, without any that can be used, or not at all."""

    OK = "ok"
    DIVERGED = "diverged"
    FAILED = "failed"


class Decision(StrEnum):
    """What is decided about a contrast; NO GAIN and NO HARM of a claim with a declared side."""

    MATTERS = "MATTERS"
    NEGLIGIBLE = "NEGLIGIBLE"
    NO_GAIN = "NO GAIN"
    NO_HARM = "NO HARM"
    INCONCLUSIVE = "INCONCLUSIVE"
    UNTESTABLE = "UNTESTABLE"


def calm(claim: str) -> Decision:
    """Give what is decided where no difference matters: of a declared side, only that side's.

    >>> str(calm("")), str(calm("helps"))
    ('NEGLIGIBLE', 'NO GAIN')
    """
    sides = {"helps": Decision.NO_GAIN, "hurts": Decision.NO_HARM}
    return sides.get(claim, Decision.NEGLIGIBLE)


@dataclass(frozen=True)
class RunResult:
    """What one run left behind.

    status: `ok`, `diverged` (it cannot be scored) or `failed`; reason: why, for the last two; of an
    `ok` run what it is marked with, '' for nothing.
    rows: test rows of each task, `[T]`. right, task_right: by protocol, rows whose class, and whose
    task, is right, `[t][k]`. row_right: by protocol, which of them, after the last task, packed.
    updates: outer steps. gradients: gradient evaluations. seconds: this run's share of its stack.
    provenance: packages, git state, machine, stack width, data digest, stream digests.
    scores: of other people's programs, whose rows nobody sees: by metric, steps and values.
    curves: while each task was learnt (`training/learning_curves`); no part of the record.
    """

    key: str
    seed: int
    status: str
    reason: str
    rows: Sequence[int]
    right: Mapping[str, Sequence[Sequence[int]]]
    task_right: Mapping[str, Sequence[Sequence[int]]]
    updates: int
    gradients: int
    seconds: float
    provenance: Mapping[str, Any]
    row_right: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    curves: Sequence[Any] = field(default=(), compare=False)


@dataclass(frozen=True)
class Lost:
    """Why a job has no results.

    reason: in a line. by_system: what it ran in was taken away (a process was killed, a node died),
    so that another try may end well.
    """

    reason: str
    by_system: bool = False


@dataclass(frozen=True)
class TrackedRun:
    """A finished run as its tracker has it.

    run: what the tracker calls it, unique in what was read. params: its settings by dotted name, as
    plain data; its seed is one of them. curves: by metric, the steps and values that were logged,
    in the order of logging; values may be nan. lost: why it has no final score (`crashed`), '' for
    a run that ended well. seconds: how long it took, nan where nobody knows.
    """

    run: str
    params: Mapping[str, Any]
    curves: Mapping[str, Sequence[tuple[float, float]]]
    lost: str = ""
    seconds: float = math.nan


@dataclass(frozen=True)
class Site:
    """Where a stack is run; nothing of it enters a key.

    data_root: folder of the data files. device: `auto`, `cpu`, ... compiled: use compiled forms.
    folder: where other people's programs have their runs' folders. twice: the key of a run of
    such a program that is made again, to see whether its seed settles its scores. trial: its runs
    are of a search or a pilot, of which none is made again.
    """

    data_root: str
    device: str = "auto"
    compiled: bool = True
    folder: str = ""
    twice: str = ""
    trial: bool = False
