"""The building blocks of the models: norms, residual blocks, pooling, heads, initial values."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from ._sizes import check_heads

GROUPS = 8
"""The most groups of a group norm; fewer where the maps do not divide."""

MAPS_A_GROUP = 4
"""The fewest maps of a group: a group of one value has no spread to divide by."""


def group_norm(maps: int) -> nn.GroupNorm:
    """Give a group norm of at most eight groups that divide the maps (Wu & He 2018)."""
    fitting = (g for g in range(1, min(GROUPS, maps // MAPS_A_GROUP) + 1) if maps % g == 0)
    return nn.GroupNorm(max(fitting, default=1), maps)


def normaliser(kind: str, maps: int) -> nn.Module:
    """Give the normalisation that `group`, `batch` or `none` stands for."""
    if kind == "batch":
        return nn.BatchNorm2d(maps)
    return group_norm(maps) if kind == "group" else nn.Identity()


class Repeated(nn.Module):
    """A layer whose outputs are said again for every task: `[N, U]` -> `[N, T U]`."""

    def __init__(self, layer: nn.Module, times: int) -> None:
        """Take the layer, and T."""
        super().__init__()
        self.layer, self.times = layer, times

    def forward(self, x: Tensor) -> Tensor:
        """Give the outputs T times."""
        return self.layer(x).repeat(1, self.times)  # type: ignore[no-any-return]


def convolution(
    read: int, maps: int, norm: str, side: int = 3, **more: int | bool
) -> list[nn.Module]:
    """Give a convolution that keeps the places, and its norm."""
    layer = nn.Conv2d(read, maps, side, padding=side // 2, **more)  # type: ignore[arg-type]
    return [layer, normaliser(norm, maps)]


class Residual(nn.Module):
    """relu(body(x) + shortcut(x))."""

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        """Put the two together."""
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Map `[N, read, H, W]` to `[N, maps, H', W']`."""
        return torch.relu(self.body(x) + self.shortcut(x))


def basic(read: int, maps: int, norm: str, stride: int, shortcut: nn.Module) -> Residual:
    """Give a basic block of He et al. 2016: two 3x3 convolutions without bias."""
    body = [
        *convolution(read, maps, norm, stride=stride, bias=False),
        nn.ReLU(),
        *convolution(maps, maps, norm, bias=False),
    ]
    return Residual(nn.Sequential(*body), shortcut)


class Widened(nn.Module):
    """A shortcut without parameters: every other place, new maps of zeros."""

    def __init__(self, more: int) -> None:
        """Take how many maps are added."""
        super().__init__()
        self.more = more

    def forward(self, x: Tensor) -> Tensor:
        """Map `[N, read, H, W]` to `[N, read + more, H / 2, W / 2]`."""
        return nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, self.more))


class MeanPower(nn.Module):
    """Generalised-mean pooling (mean of x^3)^(1/3) over the places (Radenovic et al. 2019)."""

    def forward(self, x: Tensor) -> Tensor:
        """Map `[N, maps, H, W]` to `[N, maps]`."""
        return x.clamp(min=1e-6).pow(3).mean((2, 3)).pow(1 / 3)


class Heads(nn.Module):
    """Several heads over the same features, their logits side by side."""

    def __init__(self, heads: list[nn.Module]) -> None:
        """Take the heads in the order of their classes."""
        super().__init__()
        self.heads = nn.ModuleList(heads)

    def forward(self, x: Tensor) -> Tensor:
        """Map `[N, F]` to `[N, C]`."""
        return torch.cat([head(x) for head in self.heads], 1)


def head(read: int, classes: int, heads: int, widths: tuple[int, ...], bias: bool) -> nn.Module:
    """Give the last layer: one head of all classes, or `heads` of equal parts of them.

    widths: hidden units of each head's own layers. Raises SelectionError where the classes cannot
    be shared out evenly.
    """
    check_heads(classes, heads)

    def one() -> nn.Module:
        layers: list[nn.Module] = []
        for source, units in pairwise([read, *widths]):
            layers += [nn.Linear(source, units), nn.ReLU()]
        last = nn.Linear([read, *widths][-1], classes // heads, bias=bias)
        return nn.Sequential(*layers, last) if layers else last

    return one() if heads == 1 else Heads([one() for _ in range(heads)])


def kaiming(module: nn.Module, kind: type[nn.Module] = nn.Conv2d) -> None:
    """Draw the weights of one kind of layer as He et al. 2015 do: normal, fan-out, for ReLU."""
    for part in module.modules():
        if isinstance(part, kind):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")  # type: ignore[arg-type]
