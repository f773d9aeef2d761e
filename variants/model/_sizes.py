"""How many parameters the parts of a model have, without torch."""

from __future__ import annotations

from itertools import pairwise

from ablate.errors import SelectionError


def norm(kind: str, maps: int) -> int:
    """Count a norm's weights and biases; for `batch` its running statistics too."""
    return {"none": 0, "group": 2 * maps, "batch": 4 * maps}[kind]


def head(read: int, classes: int, heads: int, widths: tuple[int, ...], bias: bool) -> int:
    """Count the last layer's parameters. Raises SelectionError where heads do not come out even."""
    check_heads(classes, heads)
    units = [read, *widths]
    hidden = sum((a + 1) * b for a, b in pairwise(units))
    return heads * (hidden + (units[-1] + bias) * (classes // heads))


def check_heads(classes: int, heads: int) -> None:
    """Refuse heads that cannot share the classes evenly, with SelectionError."""
    if classes % heads:
        fits = ", ".join(str(n) for n in range(1, classes + 1) if classes % n == 0)
        raise SelectionError(f"{heads} heads cannot share {classes} classes evenly; heads: {fits}")
