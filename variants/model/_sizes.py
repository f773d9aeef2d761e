"""What the parts of a model have and cost: parameters, and multiplications a row, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from ablate.errors import SelectionError


@dataclass(frozen=True)
class Size:
    """Parameters P, running statistics included, and multiplications of weights for one row."""

    parameters: int = 0
    products: int = 0

    def __add__(self, other: Size) -> Size:
        """Put two parts together."""
        return Size(self.parameters + other.parameters, self.products + other.products)

    def __mul__(self, times: int) -> Size:
        """Repeat a part."""
        return Size(times * self.parameters, times * self.products)


def convolution(
    read: int, units: int, places: int, kind: str, side: int = 3, bias: bool = True
) -> Size:
    """Measure a convolution of `side` x `side` and its norm, on so many places of its output."""
    weights = side * side * read * units
    return Size(weights + bias * units + norm(kind, units), weights * places)


def linear(read: int, units: int, bias: bool = True) -> Size:
    """Measure a linear layer."""
    return Size((read + bias) * units, read * units)


def norm(kind: str, maps: int) -> int:
    """Count a norm's weights and biases; for `batch` its running statistics too."""
    return {"none": 0, "group": 2 * maps, "batch": 4 * maps}[kind]


def head(read: int, classes: int, heads: int, widths: tuple[int, ...], bias: bool) -> Size:
    """Measure the last layer. Raises SelectionError where heads do not come out even."""
    check_heads(classes, heads)
    units = [read, *widths]
    hidden = sum((linear(a, b) for a, b in pairwise(units)), Size())
    return (hidden + linear(units[-1], classes // heads, bias)) * heads


def check_heads(classes: int, heads: int) -> None:
    """Refuse heads that cannot share the classes evenly, with SelectionError."""
    if classes % heads:
        fits = ", ".join(str(n) for n in range(1, classes + 1) if classes % n == 0)
        raise SelectionError(f"{heads} heads cannot share {classes} classes evenly; heads: {fits}")
