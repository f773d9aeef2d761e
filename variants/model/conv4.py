"""Four convolutions, the small network of few-shot learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ablate.registry import component

if TYPE_CHECKING:
    from torch import nn


@component("model", "conv4", paper="Vinyals et al. 2016, arXiv:1606.04080, Sec. 4")
@dataclass(frozen=True)
class Conv4:
    """[3x3 convolution, norm, ReLU, 2x2 max-pool] four times, mean over places, linear to C logits.

    Pooling stops where the maps are one place wide.

    width: maps of each layer, [1, 10000].
    norm: `group` normalises in groups of maps, `none` not at all. Unlike the paper, there is no
        batch norm, whose statistics are shared by the rows of a batch.
    """

    width: int = 64
    norm: Literal["group", "none"] = "group"

    def __call__(self, inputs: tuple[int, ...], classes: int) -> nn.Module:
        """Build it for images `(channels, H, W)` and C classes."""
        from torch import nn

        from . import blocks

        read, side = inputs[0], min(inputs[1:])
        layers: list[nn.Module] = []
        for _ in range(4):
            layers += [nn.Conv2d(read, self.width, 3, padding=1)]
            layers += [blocks.normaliser(self.norm, self.width), nn.ReLU()]
            read = self.width
            if side > 1:
                layers += [nn.MaxPool2d(2)]
                side //= 2
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(self.width, classes)]
        return nn.Sequential(*layers)

    def parameters(self, inputs: tuple[int, ...], classes: int) -> int:
        """Give P."""
        first, later = ((9 * read + 1) * self.width for read in (inputs[0], self.width))
        norms = 4 * 2 * self.width if self.norm == "group" else 0
        return first + 3 * later + norms + (self.width + 1) * classes
