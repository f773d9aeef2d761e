"""The convolutional network of iTAML's released code."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from ablate.registry import component

if TYPE_CHECKING:
    from torch import nn

MAPS = (21, 42, 85, 170)


@component("model", "released-conv", paper="released code of Rajasegaran et al. 2020 (iTAML)")
@dataclass(frozen=True)
class ReleasedConv:
    """Input convolution, four groups of two residual blocks (21, 42, 85, 170 maps), linear.

    Max-pool after groups 2 and 3, generalised-mean pooling of power 3, no output bias; Kaiming
    initialisation, fan-out.

    width: factor on the maps of every group, (0, 16].
    norm: `group` normalises in groups of maps, `none` not at all. Unlike the released code, which
        uses batch norm: its running statistics are neither restarted nor averaged there.
    """

    width: float = 1.0
    norm: Literal["group", "none"] = "group"

    def maps(self) -> list[int]:
        """Give the maps of each group."""
        return [max(1, round(maps * self.width)) for maps in MAPS]

    def __call__(self, inputs: tuple[int, ...], classes: int) -> nn.Module:
        """Build it for images `(channels, H, W)` and C classes."""
        from torch import nn

        from . import blocks

        maps = self.maps()
        layers: list[nn.Module] = [nn.Conv2d(inputs[0], maps[0], 3, padding=1, bias=False)]
        layers += [blocks.normaliser(self.norm, maps[0]), nn.ReLU()]
        for group, (read, units) in enumerate(pairwise([maps[0], *maps])):
            layers += [blocks.Residual(read, units, self.norm)]
            layers += [blocks.Residual(units, units, self.norm)]
            layers += [nn.MaxPool2d(2)] if group in (1, 2) else []
        head = nn.Linear(maps[-1], classes, bias=False)
        module = nn.Sequential(*layers, blocks.MeanPower(), head)
        blocks.kaiming(module)
        return module

    def parameters(self, inputs: tuple[int, ...], classes: int) -> int:
        """Give P."""
        maps = self.maps()
        norm = 2 if self.norm == "group" else 0
        total = 9 * inputs[0] * maps[0] + norm * maps[0]
        for read, units in pairwise([maps[0], *maps]):
            shortcut = read * units if read != units else 0
            total += 9 * read * units + 3 * 9 * units * units + 4 * norm * units + shortcut
        return total + maps[-1] * classes
