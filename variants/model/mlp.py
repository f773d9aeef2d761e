"""A multilayer perceptron."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Literal

from ablate.registry import component

from . import _sizes

if TYPE_CHECKING:
    from torch import nn


@component("model", "mlp", paper="Rumelhart, Hinton & Williams 1986; ReLU units")
@dataclass(frozen=True)
class Mlp:
    """x -> [linear, ReLU] for each width -> linear to C logits.

    widths: hidden units of each layer, each in [1, 100000]; an empty list is a linear classifier.
        iTAML's released model for MNIST is `[400, 400]` without output bias.
    output_bias: whether the last layer has a bias.
    init: PyTorch's default, or `kaiming`: hidden weights normal, fan-out (He et al. 2015).
    heads: parts that the classes are shared out to, [1, 100000]; as many as there are tasks is one
        head a task. Without layers of their own, heads differ from a single one in their initial
        draws alone: what makes a task's head its own is the loss (`task-bce`, `task-ce`).
    head_widths: hidden units of each head's own layers, each in [1, 100000].
    domains: how many tasks share all outputs, [1, 100000]; as many as there are makes one head of U
        outputs, said again for every task: cross-entropy among all seen classes is then that of
        the U outputs but for a constant (`predict: shared-head`).
    """

    widths: tuple[int, ...] = (64, 64)
    output_bias: bool = True
    init: Literal["pytorch", "kaiming"] = "pytorch"
    heads: int = 1
    head_widths: tuple[int, ...] = ()
    domains: int = 1

    def __call__(self, inputs: tuple[int, ...], classes: int) -> nn.Module:
        """Build it for inputs of a shape and C classes."""
        from torch import nn

        from . import _blocks

        layers: list[nn.Module] = [nn.Flatten()]
        units = [prod(inputs), *self.widths]
        for read, width in pairwise(units):
            layers += [nn.Linear(read, width), nn.ReLU()]
        body = nn.Sequential(*layers)
        if self.init == "kaiming":
            _blocks.kaiming(body, nn.Linear)
        _sizes.check_heads(classes, self.domains)
        outputs = classes // self.domains
        last = _blocks.head(units[-1], outputs, self.heads, self.head_widths, self.output_bias)
        if self.domains > 1:
            last = _blocks.Repeated(last, self.domains)
        return nn.Sequential(*body, last)

    def chain(self, inputs: tuple[int, ...], classes: int) -> tuple[tuple[int, bool], ...] | None:
        """Give each layer's outputs and bias; None where tasks share outputs or have own heads."""
        if self.heads > 1 or self.domains > 1:
            return None
        hidden = [(width, True) for width in (*self.widths, *self.head_widths)]
        return (*hidden, (classes, self.output_bias))

    def parameters(self, inputs: tuple[int, ...], classes: int) -> int:
        """Give P."""
        return self._size(inputs, classes).parameters

    def products(self, inputs: tuple[int, ...], classes: int) -> int:
        """Give the multiplications of a forward pass on one row."""
        return self._size(inputs, classes).products

    def _size(self, inputs: tuple[int, ...], classes: int) -> _sizes.Size:
        units = [prod(inputs), *self.widths]
        hidden = sum((_sizes.linear(a, b) for a, b in pairwise(units)), _sizes.Size())
        _sizes.check_heads(classes, self.domains)
        outputs = classes // self.domains
        last = (units[-1], outputs, self.heads, self.head_widths, self.output_bias)
        return hidden + _sizes.head(*last)
