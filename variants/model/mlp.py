"""A multilayer perceptron."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

from ablate.registry import component

if TYPE_CHECKING:
    from torch import nn


@component("model", "mlp", paper="Rumelhart, Hinton & Williams 1986; ReLU units, PyTorch's init")
@dataclass(frozen=True)
class Mlp:
    """x -> [linear, ReLU] for each width -> linear to C logits.

    widths: hidden units of each layer, each in [1, 100000]; an empty list is a linear classifier.
    output_bias: whether the last layer has a bias.
    """

    widths: tuple[int, ...] = (64, 64)
    output_bias: bool = True

    def __call__(self, inputs: tuple[int, ...], classes: int) -> nn.Module:
        """Build it for inputs of a shape and C classes."""
        from torch import nn

        layers: list[nn.Module] = [nn.Flatten()]
        for read, units in pairwise([prod(inputs), *self.widths]):
            layers += [nn.Linear(read, units), nn.ReLU()]
        last = [prod(inputs), *self.widths][-1]
        return nn.Sequential(*layers, nn.Linear(last, classes, bias=self.output_bias))

    def parameters(self, inputs: tuple[int, ...], classes: int) -> int:
        """Give P."""
        layers = pairwise([prod(inputs), *self.widths])
        hidden = sum((read + 1) * units for read, units in layers)
        last = [prod(inputs), *self.widths][-1]
        return hidden + (last + self.output_bias) * classes
