"""Learning curves of runs -> each arm's mean loss and accuracy against epochs, over all tasks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ablate.analysis.chance import CLASS_ROWS
from ablate.analysis.study import Study
from ablate.records.rows.curves import Learnt
from ablate.types import Floats, Status, Variant


@dataclass(frozen=True)
class Course:
    """Loss and accuracy while training: epochs are counted on over the tasks.

    epochs `[N]`, loss `[N]` in nats, accuracy `[N]` in points; `nan` where there is none.
    """

    epochs: Floats
    loss: Floats
    accuracy: Floats


@dataclass(frozen=True)
class ArmCourse:
    """How one variant's runs learn.

    mean: over the n runs that ended well and were looked at after the same epochs. diverged: the
    others one by one. ends: the epoch at which each task ends. guess: the loss of a guess among
    all classes, in nats.
    """

    variant: Variant
    mean: Course
    n: int
    diverged: tuple[Course, ...]
    ends: tuple[int, ...]
    guess: float


def courses(study: Study, curves: Mapping[str, Learnt]) -> list[ArmCourse]:
    """Give the course of every arm that may stand beside the others and has curves.

    curves: by key of the run.
    """
    arms = []
    for index, (variant, runs) in enumerate(zip(study.suite.variants, study.runs, strict=True)):
        if index not in study.beside:
            continue
        by_status: dict[str, list[Learnt]] = {status: [] for status in Status}
        for record in runs.values():
            if record.key in curves:
                by_status[record.status].append(curves[record.key])
        whole = _alike(by_status[Status.OK])
        lost = by_status[Status.DIVERGED]
        if whole or lost:
            longest = max([*whole[:1], *lost], key=len)
            classes = max(len(run.provenance.get(CLASS_ROWS, ())) for run in runs.values())
            arms.append(
                ArmCourse(
                    variant=variant,
                    mean=_mean([_course(learnt) for learnt in whole]),
                    n=len(whole),
                    diverged=tuple(map(_course, lost)),
                    ends=tuple(np.cumsum([task.epochs for task in longest]).tolist()),
                    guess=math.log(max(classes, 2)),
                )
            )
    return arms


def _alike(learnt: Sequence[Learnt]) -> list[Learnt]:
    """Give the runs that were looked at after the same epochs, of the most common choice."""
    looks = [tuple((task.epochs, *task.at) for task in run) for run in learnt]
    usual = Counter(looks).most_common(1)
    return [run for run, at in zip(learnt, looks, strict=True) if at == usual[0][0]]


def _course(learnt: Learnt) -> Course:
    starts = np.cumsum([0, *(task.epochs for task in learnt)])
    epochs = [start + at for start, task in zip(starts, learnt, strict=False) for at in task.at]
    loss = [np.nan if value is None else value for task in learnt for value in task.loss]
    accuracy = [100 * right / task.rows for task in learnt for right in task.right]
    return Course(np.array(epochs, float), np.array(loss, float), np.array(accuracy))


def _mean(courses: Sequence[Course]) -> Course:
    if not courses:
        return Course(*(np.zeros(0) for _ in range(3)))

    def over(read: Callable[[Course], Floats]) -> Floats:
        """Give the mean of what is finite; `nan` where nothing is."""
        values = np.array([read(course) for course in courses])
        there = np.isfinite(values)
        counts = there.sum(0)
        total = np.where(there, values, 0).sum(0)
        mean: Floats = np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
        return mean

    return Course(courses[0].epochs, over(lambda c: c.loss), over(lambda c: c.accuracy))
