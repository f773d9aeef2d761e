"""What the kernels call of components, here as the plainest ones do it.

`build` puts the functions of the chosen components in the place of these, which say what each is
handed and what it must do. They may use `math` and NumPy, and change their first arrays in place.
"""

from __future__ import annotations

from typing import Any


def slope(logits: Any, y: Any, share: Any, own: Any, seen: Any, slopes: Any) -> None:
    """Give the slopes `[n, C]` of the loss of one task's rows at their logits `[n, C]`.

    y `[n]` class positions, share `[n]` the rows' weights in the mean, own `[C]` the task's
    classes, seen `[C]` those seen so far. Here half the square of the logits.
    """
    for i in range(logits.shape[0]):
        for c in range(logits.shape[1]):
            slopes[i, c] = share[i] * logits[i, c]


def advance(theta: Any, g: Any, state: Any, count: Any, numbers: Any, rate: Any) -> None:
    """Take an optimizer's step along -g `[P]`, in place.

    state `[M, P]` its vectors, count its steps with this one, numbers `[n]` its settings, rate the
    factor on its learning rate. Here gradient descent with the learning rate `numbers[0]`.
    """
    for i in range(theta.shape[0]):
        theta[i] -= rate * numbers[0] * g[i]


def begin(phi: Any, theta: Any, before: Any) -> None:
    """Put phi `[P]` where a task's inner loop starts, after so many tasks `before` it."""
    phi[:] = theta


def add(target: Any, phi: Any, before: Any) -> None:
    """Add a task's solution phi `[P]` to the target, after so many tasks `before` it."""
    for i in range(target.shape[0]):
        target[i] = phi[i] + (target[i] if before else 0)


def close(target: Any, phi: Any, present: Any) -> None:
    """Make the target `[P]` what it is after all tasks that are present."""
    for i in range(target.shape[0]):
        target[i] /= present
