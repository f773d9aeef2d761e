"""Gradients of a loss: by `torch.func` inside a stack, by plain autograd for a lone replica."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def stacked() -> bool:
    """Say whether functorch stacks what runs now, or differentiates it."""
    return torch._C._functorch.peek_interpreter_stack() is not None


def grad(loss: Callable[..., Any], has_aux: bool = False) -> Callable[..., Any]:
    """Give the function of a loss's gradient in its first argument, as `torch.func.grad` does.

    has_aux: the loss comes with something beside it, and so does the gradient. Where nothing is
    stacked functorch only costs: its transforms wrap every operation.
    """

    def slope(at: Tensor, *more: Any) -> Any:
        if stacked():
            return torch.func.grad(loss, has_aux=has_aux)(at, *more)
        # inside another gradient (MAML) the graph goes on; else it begins here
        outer = at.requires_grad and torch.is_grad_enabled()
        point = at if outer else at.detach().requires_grad_()
        with torch.enable_grad():
            result = loss(point, *more)
            value, aux = result if has_aux else (result, None)
            (gradient,) = torch.autograd.grad(value, point, create_graph=outer)
        if outer:
            return (gradient, aux) if has_aux else gradient
        return (gradient, _detached(aux)) if has_aux else gradient

    return slope


def _detached(aux: Any) -> Any:
    """Let go of the graph."""
    if isinstance(aux, Tensor):
        return aux.detach()
    if isinstance(aux, tuple):
        return tuple(_detached(part) for part in aux)
    return aux
