"""The convolutional network of iTAML's released code."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from ablate.registry import component

from . import _sizes

if TYPE_CHECKING:
    from torch import nn

MAPS = (21, 42, 85, 170)


@component("model", "released-conv", paper="released code of Rajasegaran et al. 2020 (iTAML)")
@dataclass(frozen=True)
class ReleasedConv:
    """Input convolution, four groups of two residual blocks (21, 42, 85, 170 maps), linear.

    Convolutions are 3x3 with bias, each with its norm; where the maps change, the shortcut is a 1x1
    convolution, norm and ReLU. Max-pool after groups 2 and 3, generalised-mean pooling of power 3,
    no output bias.

    width: factor on the maps of every group, (0, 16].
    norm: `batch` (the released code), `group` in groups of maps, or `none`. Seeds of a model with
        batch norm are not stacked.
    init: `kaiming` (the released code): weights normal, fan-out; or PyTorch's default.
    heads: parts that the classes are shared out to, [1, 100000]; as many as there are tasks is one
        head a task (see `mlp`).
    head_widths: hidden units of each head's own layers, each in [1, 100000].
    """

    width: float = 1.0
    norm: Literal["batch", "group", "none"] = "batch"
    init: Literal["kaiming", "pytorch"] = "kaiming"
    heads: int = 1
    head_widths: tuple[int, ...] = ()
    alone = {"norm": "batch"}  # noqa: RUF012
    images = True
    least_side = 4  # pooled twice

    def maps(self) -> list[int]:
        """Give the maps of each group."""
        return [max(1, round(maps * self.width)) for maps in MAPS]

    def __call__(self, inputs: tuple[int, ...], classes: int) -> nn.Module:
        """Build it for images `(channels, H, W)` and C classes."""
        from torch import nn

        from . import _blocks

        maps = self.maps()
        layers = [*_blocks.convolution(inputs[0], maps[0], self.norm), nn.ReLU()]
        for group, (read, units) in enumerate(pairwise([maps[0], *maps])):
            changed = [*_blocks.convolution(read, units, self.norm, 1), nn.ReLU()]
            short = nn.Sequential(*changed) if group else nn.Identity()
            layers += [self._block(read, units, short)]
            layers += [self._block(units, units, nn.Identity())]
            layers += [nn.MaxPool2d(2)] if group in (1, 2) else []
        body = nn.Sequential(*layers, _blocks.MeanPower())
        if self.init == "kaiming":
            _blocks.kaiming(body)
        last = _blocks.head(maps[-1], classes, self.heads, self.head_widths, False)
        return nn.Sequential(*body, last)

    def _block(self, read: int, units: int, short: nn.Module) -> nn.Module:
        from torch import nn

        from . import _blocks

        first = _blocks.convolution(read, units, self.norm)
        body = nn.Sequential(*first, nn.ReLU(), *_blocks.convolution(units, units, self.norm))
        return _blocks.Residual(body, short)

    def parameters(self, inputs: tuple[int, ...], classes: int) -> int:
        """Give P, running statistics included."""
        return self._size(inputs, classes).parameters

    def products(self, inputs: tuple[int, ...], classes: int) -> int:
        """Give the multiplications of a forward pass on one row."""
        return self._size(inputs, classes).products

    def _size(self, inputs: tuple[int, ...], classes: int) -> _sizes.Size:
        maps, (high, wide) = self.maps(), inputs[1:]
        places = high * wide
        total = _sizes.convolution(inputs[0], maps[0], places, self.norm)
        for group, (read, units) in enumerate(pairwise([maps[0], *maps])):
            total += _sizes.convolution(read, units, places, self.norm)
            total += _sizes.convolution(units, units, places, self.norm) * 3
            if group:
                total += _sizes.convolution(read, units, places, self.norm, side=1)
            if group in (1, 2):
                high, wide = high // 2, wide // 2
                places = high * wide
        return total + _sizes.head(maps[-1], classes, self.heads, self.head_widths, False)
