"""How far a batch moves the parameters to first order: lr K eta / (1 - m) and its kind, measured.

The functions that the kernels are made of run as plain Python on one parameter whose loss has the
slope 1 everywhere. So whatever composes a step counts: the learning rate, inner steps, momentum
that has come to rest, tasks that a chain adds up, the outer step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ablate.compiled.engine import Form, factors, form_of
from ablate.types import Clock, Method, OverTasks

MOST_BATCHES = 2000
"""Batches after which a velocity that has not come to rest is taken as it is."""

STEADY = 1e-9
"""The relative change from batch to batch below which a velocity is at rest."""


def effective_step(method: Method[Any], present: Sequence[int]) -> float | None:
    """Give the mean over the tasks of how far a batch moves theta, in slopes of the mean loss.

    present: the tasks in a batch while each task is learnt, `[T]`. Learning-rate schedules and
    outer steps are those of a task's first batch. None where the method has no compiled form, or
    where twice the slope does not move it twice as far, as with optimizers that scale slopes away.
    """
    form = form_of(method)
    if form is None:
        return None
    far = [
        _displacement(method, form, tasks, Clock(t, len(present)), slope)
        for t, tasks in enumerate(present)
        for slope in (1.0, 2.0)
    ]
    single, twice = far[::2], far[1::2]
    linear = all(math.isclose(2 * a, b, rel_tol=1e-6) for a, b in zip(single, twice, strict=True))
    return float(np.mean(single)) if linear and all(map(math.isfinite, single)) else None


def _displacement(method: Method[Any], form: Form, tasks: int, clock: Clock, slope: float) -> float:
    """Give how far one batch goes once the optimizer's state has come to rest."""
    optimizer, starts = form.optimizer, np.array(form.optimizer.starts)[:, None]
    rate, outer = factors(method, form, np.ones(tasks, np.int64), clock)
    gradient, numbers = np.array([slope]), np.array(optimizer.numbers)
    state, count, before = starts.copy(), 0, 0.0

    def descend(theta: Any, steps: int) -> None:
        nonlocal count
        for _ in range(steps):
            count += 1
            optimizer.advance(theta, gradient, state, count, numbers, rate)

    for _ in range(MOST_BATCHES):
        theta = np.zeros(1)
        if isinstance(form.update, OverTasks):
            target, phi = np.zeros(1), np.zeros(1)
            last = clock.t == clock.T - 1 and form.step.last_steps
            for k in range(tasks):
                form.update.target.begin(phi, theta, k)
                if form.step.fresh:
                    state[:], count = starts, 0
                newest = last if last and k == tasks - 1 else form.step.steps
                descend(phi, newest)
                form.update.target.add(target, phi, k)
            form.update.target.close(target, phi, tasks)
            theta += outer * (target - theta)
        else:
            if form.step.fresh:
                state[:], count = starts, 0
            descend(theta, 1 if form.update.once else form.step.steps)
        if math.isclose(theta[0], before, rel_tol=STEADY):
            break
        before = theta[0]
    return -float(theta[0])
