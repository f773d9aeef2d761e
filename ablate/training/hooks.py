"""What a method does beyond its steps: by its own hooks, or as a method without them does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ablate.types import Clock, Method, Net

Learner = Method[Any]
"""A method, whatever its state is."""


def finish(method: Learner, state: Any, clock: Clock, net: Net) -> Any:
    """Close a task; without the hook nothing changes."""
    hook = getattr(method, "finish", None)
    return hook(state, clock, net) if hook else state


def logits(method: Learner, state: Any, x: Tensor, net: Net) -> Tensor:
    """Score rows `[N, ...]`: logits `[N, C]`; without the hook, the net's at `state.theta`."""
    hook = getattr(method, "logits", None)
    scores: Tensor = hook(state, x, net) if hook else net(state.theta, x)
    return scores


def features(method: Learner, state: Any, x: Tensor, net: Net) -> Tensor:
    """Represent rows `[N, ...]`, `[N, F]`; without the hook, by the net at `state.theta`."""
    hook = getattr(method, "features", None)
    outputs: Tensor = hook(state, x, net) if hook else net.features(state.theta, x)
    return outputs


def parameters(method: Learner, state: Any) -> Tensor | None:
    """Give the parameters `[P]` that protocols may adapt; None where there is no such vector.

    Without the hook it is `state.theta`, unless the method wraps the model: then theta holds more.
    """
    if hook := getattr(method, "parameters", None):
        return hook(state)  # type: ignore[no-any-return]
    return None if hasattr(method, "wrap") else state.theta


def gradients(method: Learner, rows: Tensor, clock: Clock, newest: Tensor) -> Tensor:
    """Count the gradient evaluations of a step, in rows `[S]`; without the hook, one for each."""
    hook = getattr(method, "gradients", None)
    counts: Tensor = hook(rows, clock, newest) if hook else rows
    return counts


def review_gradients(method: Learner, rows: Tensor, classes: int) -> Tensor:
    """Count the gradient evaluations of a review, in rows `[S]`; without the hook, none."""
    hook = getattr(method, "review_gradients", None)
    counts: Tensor = hook(rows, classes) if hook else torch.zeros_like(rows)
    return counts


def reviews(method: Learner) -> str:
    """Say which rows a method is shown once more: `new`, `memory`, or '' for none."""
    return getattr(method, "reviews", "")


def trained(
    method: Learner, build: Callable[[], nn.Module], inputs: tuple[int, ...], classes: int
) -> nn.Module:
    """Give the module that is trained: the model, or what the method wraps around it."""
    hook = getattr(method, "wrap", None)
    module: nn.Module = hook(build, inputs, classes) if hook else build()
    return module
