"""Four convolutions, the small network of few-shot learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ablate.registry import component

from . import _sizes

if TYPE_CHECKING:
    from torch import nn


@component("model", "conv4", paper="Vinyals et al. 2016, arXiv:1606.04080, Sec. 4")
@dataclass(frozen=True)
class Conv4:
    """[3x3 convolution, norm, ReLU, 2x2 max-pool] four times, mean over places, linear to C logits.

    Pooling stops where the maps are one place wide.

    width: maps of each layer, [1, 10000].
    norm: `group` normalises in groups of maps, `batch` over the rows of a batch (the paper), `none`
        not at all. Seeds of a model with batch norm are not stacked.
    init: PyTorch's default, or `kaiming`: weights normal, fan-out (He et al. 2015).
    heads: parts that the classes are shared out to, [1, 100000]; as many as there are tasks is one
        head a task (see `mlp`).
    head_widths: hidden units of each head's own layers, each in [1, 100000].
    """

    width: int = 64
    norm: Literal["group", "batch", "none"] = "group"
    init: Literal["pytorch", "kaiming"] = "pytorch"
    heads: int = 1
    head_widths: tuple[int, ...] = ()
    alone = {"norm": "batch"}  # noqa: RUF012
    images = True

    def __call__(self, inputs: tuple[int, ...], classes: int) -> nn.Module:
        """Build it for images `(channels, H, W)` and C classes."""
        from torch import nn

        from . import _blocks

        read, side = inputs[0], min(inputs[1:])
        layers: list[nn.Module] = []
        for _ in range(4):
            layers += [*_blocks.convolution(read, self.width, self.norm), nn.ReLU()]
            read = self.width
            if side > 1:
                layers += [nn.MaxPool2d(2)]
                side //= 2
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        body = nn.Sequential(*layers)
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
        total, read, (high, wide) = _sizes.Size(), inputs[0], inputs[1:]
        for _ in range(4):
            total += _sizes.convolution(read, self.width, high * wide, self.norm)
            read = self.width
            if min(high, wide) > 1:
                high, wide = high // 2, wide // 2
        return total + _sizes.head(read, classes, self.heads, self.head_widths, True)
