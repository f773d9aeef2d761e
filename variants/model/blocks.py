"""The building blocks of the convolutional models."""

from __future__ import annotations

import torch
from torch import Tensor, nn

GROUPS = 8
"""The most groups of a group norm; fewer where the maps do not divide."""

MAPS_A_GROUP = 4
"""The fewest maps of a group: a group of one value has no spread to divide by."""


def group_norm(maps: int) -> nn.GroupNorm:
    """Give a group norm of at most eight groups that divide the maps (Wu & He 2018)."""
    fitting = (g for g in range(1, min(GROUPS, maps // MAPS_A_GROUP) + 1) if maps % g == 0)
    return nn.GroupNorm(max(fitting, default=1), maps)


def normaliser(kind: str, maps: int) -> nn.Module:
    """Give the normalisation that `group` or `none` stands for."""
    return group_norm(maps) if kind == "group" else nn.Identity()


class Residual(nn.Module):
    """Two 3x3 convolutions around a shortcut; a 1x1 convolution where the maps change."""

    def __init__(self, read: int, maps: int, norm: str) -> None:
        """Build a block from `read` to `maps` feature maps."""
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(read, maps, 3, padding=1, bias=False),
            normaliser(norm, maps),
            nn.ReLU(),
            nn.Conv2d(maps, maps, 3, padding=1, bias=False),
            normaliser(norm, maps),
        )
        changed = read != maps
        self.short = nn.Conv2d(read, maps, 1, bias=False) if changed else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map `[N, read, H, W]` to `[N, maps, H, W]`."""
        return torch.relu(self.body(x) + self.short(x))


class MeanPower(nn.Module):
    """Generalised-mean pooling (mean of x^3)^(1/3) over the places (Radenovic et al. 2019)."""

    def forward(self, x: Tensor) -> Tensor:
        """Map `[N, maps, H, W]` to `[N, maps]`."""
        return x.clamp(min=1e-6).pow(3).mean((2, 3)).pow(1 / 3)


def kaiming(module: nn.Module) -> None:
    """Draw convolution weights as He et al. 2015 do: normal, fan-out, for ReLU."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
