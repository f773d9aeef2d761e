"""ResNet-32, the network of iCaRL and its successors on CIFAR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ablate.registry import component

from . import _sizes

if TYPE_CHECKING:
    from torch import nn

BLOCKS = 5


@component("model", "resnet32", paper="He et al. 2016, arXiv:1512.03385, Sec. 4.2, n = 5")
@dataclass(frozen=True)
class ResNet32:
    """3x3 convolution, three groups of five basic blocks (m, 2m, 4m maps), mean, linear.

    Groups 2 and 3 start with stride 2; their shortcut takes every other place and fills the new
    maps with zeros (the paper's option A).

    maps: m, maps of the first group, [1, 10000].
    norm: `batch` (the paper), `group` in groups of maps, or `none`. Seeds of a model with batch
        norm are not stacked.
    init: `kaiming`: weights normal, fan-out (He et al. 2015); or PyTorch's default.
    heads: parts that the classes are shared out to, [1, 100000]; as many as there are tasks is one
        head a task (see `mlp`).
    head_widths: hidden units of each head's own layers, each in [1, 100000].
    """

    maps: int = 16
    norm: Literal["batch", "group", "none"] = "batch"
    init: Literal["kaiming", "pytorch"] = "kaiming"
    heads: int = 1
    head_widths: tuple[int, ...] = ()
    alone = {"norm": "batch"}  # noqa: RUF012
    images = True

    def __call__(self, inputs: tuple[int, ...], classes: int) -> nn.Module:
        """Build it for images `(channels, H, W)` and C classes."""
        from torch import nn

        from . import _blocks

        read = self.maps
        layers = [*_blocks.convolution(inputs[0], read, self.norm, bias=False), nn.ReLU()]
        for group in range(3):
            units = self.maps * 2**group
            for block in range(BLOCKS):
                first = group > 0 and block == 0
                short = _blocks.Widened(units - read) if first else nn.Identity()
                layers += [_blocks.basic(read, units, self.norm, 2 if first else 1, short)]
                read = units
        body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        if self.init == "kaiming":
            _blocks.kaiming(body)
        return nn.Sequential(*body, _blocks.head(read, classes, self.heads, self.head_widths, True))

    def parameters(self, inputs: tuple[int, ...], classes: int) -> int:
        """Give P, running statistics included."""
        return self._size(inputs, classes).parameters

    def products(self, inputs: tuple[int, ...], classes: int) -> int:
        """Give the multiplications of a forward pass on one row."""
        return self._size(inputs, classes).products

    def _size(self, inputs: tuple[int, ...], classes: int) -> _sizes.Size:
        read, (high, wide) = self.maps, inputs[1:]
        total = _sizes.convolution(inputs[0], read, high * wide, self.norm, bias=False)
        for group in range(3):
            units = self.maps * 2**group
            if group:
                high, wide = -(-high // 2), -(-wide // 2)
            for _ in range(BLOCKS):
                for above in (read, units):
                    total += _sizes.convolution(above, units, high * wide, self.norm, bias=False)
                read = units
        return total + _sizes.head(read, classes, self.heads, self.head_widths, True)
