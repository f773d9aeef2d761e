"""ResNet-18 for small images, whole and narrow."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from ablate.registry import component

from . import _sizes

if TYPE_CHECKING:
    from torch import nn


@component("model", "resnet18", paper="He et al. 2016, arXiv:1512.03385, Table 1")
@dataclass(frozen=True)
class ResNet18:
    """3x3 convolution, four groups of two basic blocks (m, 2m, 4m, 8m maps), mean, linear.

    Groups 2 to 4 start with stride 2 and a 1x1 convolution as shortcut. Unlike the paper, the stem
    is a 3x3 convolution without pooling, as is usual for images of 32 x 32.

    maps: m, maps of the first group, [1, 10000]; 64 is the paper's width, 21 a third of it, and
        GEM (Lopez-Paz & Ranzato 2017) takes 20.
    norm: `batch` (the paper), `group` in groups of maps, or `none`. Seeds of a model with batch
        norm are not stacked.
    init: `kaiming`: weights normal, fan-out (He et al. 2015); or PyTorch's default.
    heads: parts that the classes are shared out to, [1, 100000]; as many as there are tasks is one
        head a task (see `mlp`).
    head_widths: hidden units of each head's own layers, each in [1, 100000].
    """

    maps: int = 64
    norm: Literal["batch", "group", "none"] = "batch"
    init: Literal["kaiming", "pytorch"] = "kaiming"
    heads: int = 1
    head_widths: tuple[int, ...] = ()
    alone = {"norm": "batch"}  # noqa: RUF012
    images = True

    def groups(self) -> list[int]:
        """Give the maps of each group."""
        return [self.maps * 2**group for group in range(4)]

    def __call__(self, inputs: tuple[int, ...], classes: int) -> nn.Module:
        """Build it for images `(channels, H, W)` and C classes."""
        from torch import nn

        from . import _blocks

        maps = self.groups()
        layers = [*_blocks.convolution(inputs[0], maps[0], self.norm, bias=False), nn.ReLU()]
        for group, (read, units) in enumerate(pairwise([maps[0], *maps])):
            stride = 2 if group else 1
            changed = _blocks.convolution(read, units, self.norm, 1, stride=stride, bias=False)
            short = nn.Sequential(*changed) if group else nn.Identity()
            layers += [_blocks.basic(read, units, self.norm, stride, short)]
            layers += [_blocks.basic(units, units, self.norm, 1, nn.Identity())]
        body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        if self.init == "kaiming":
            _blocks.kaiming(body)
        last = _blocks.head(maps[-1], classes, self.heads, self.head_widths, True)
        return nn.Sequential(*body, last)

    def parameters(self, inputs: tuple[int, ...], classes: int) -> int:
        """Give P, running statistics included."""
        return self._size(inputs, classes).parameters

    def products(self, inputs: tuple[int, ...], classes: int) -> int:
        """Give the multiplications of a forward pass on one row."""
        return self._size(inputs, classes).products

    def _size(self, inputs: tuple[int, ...], classes: int) -> _sizes.Size:
        maps, (high, wide) = self.groups(), inputs[1:]
        total = _sizes.convolution(inputs[0], maps[0], high * wide, self.norm, bias=False)
        for group, (read, units) in enumerate(pairwise([maps[0], *maps])):
            if group:
                high, wide = -(-high // 2), -(-wide // 2)
            places, norm = high * wide, self.norm
            total += _sizes.convolution(read, units, places, norm, bias=False)
            total += _sizes.convolution(units, units, places, norm, bias=False) * 3
            if group:
                total += _sizes.convolution(read, units, places, norm, side=1, bias=False)
        return total + _sizes.head(maps[-1], classes, self.heads, self.head_widths, True)
