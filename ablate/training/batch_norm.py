"""Batch norm without in-place writes: its running statistics are values that go in and come out."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ablate.training.gradient import stacked


class BatchNorm(nn.Module):
    """(x - mean) / sqrt(var + epsilon) * weight + bias, per map (Ioffe & Szegedy 2015).

    In training mode the statistics are the batch's, and `moved` holds what the running ones become;
    else they are the running ones. Numbers as in torch.nn.BatchNorm: the running variance is the
    unbiased one.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, like: Any) -> None:
        """Take over a torch.nn.BatchNorm's values."""
        super().__init__()
        self.weight, self.bias = like.weight, like.bias
        self.epsilon, self.momentum = float(like.eps), float(like.momentum)
        self.register_buffer("running_mean", like.running_mean)
        self.register_buffer("running_var", like.running_var)
        self.moved: tuple[Tensor, Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Normalise `[N, maps, ...]`."""
        if self.training and x.numel() > x.shape[1] and not stacked():
            return self._fused(x)  # which refuses a single value a map
        shape = (1, -1, *[1] * (x.dim() - 2))
        mean, var = self.running_mean, self.running_var
        if self.training and not len(x):  # an absent task's rows tell nothing
            self.moved = mean.detach(), var.detach()
        elif self.training:
            places = [d for d in range(x.dim()) if d != 1]
            mean = x.mean(places)
            var = (x - mean.view(shape)).pow(2).mean(places)
            self.moved = self._after(mean.detach(), var.detach(), x.numel() // x.shape[1])
        scale = torch.rsqrt(var + self.epsilon)
        scale = scale if self.weight is None else self.weight * scale
        shift = -mean * scale if self.bias is None else self.bias - mean * scale
        return x * scale.view(shape) + shift.view(shape)

    def _fused(self, x: Tensor) -> Tensor:
        """Do the same by PyTorch's own, in one pass; functorch cannot have it write into values."""
        mean, var = self.running_mean.detach().clone(), self.running_var.detach().clone()
        normal = functional.batch_norm(
            *(x, mean, var, self.weight, self.bias),
            training=True,
            momentum=self.momentum,
            eps=self.epsilon,
        )
        self.moved = mean, var
        return normal

    def _after(self, mean: Tensor, var: Tensor, count: int) -> tuple[Tensor, Tensor]:
        unbiased = var * (count / max(count - 1, 1))
        keep, take = 1 - self.momentum, self.momentum
        return (
            keep * self.running_mean.detach() + take * mean,
            keep * self.running_var.detach() + take * unbiased,
        )


def replace(module: nn.Module) -> nn.Module:
    """Put our batch norm in the place of every torch.nn.BatchNorm with running statistics."""
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    if isinstance(module, kinds) and module.track_running_stats and module.momentum is not None:
        return BatchNorm(module)
    for name, child in module.named_children():
        if (new := replace(child)) is not child:
            setattr(module, name, new)
    return module
