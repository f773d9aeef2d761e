"""A model whose layers exist several times, and the sum of the active ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class Layer(nn.Module):
    """sum_m active_m layer_m(x): parallel layers of one shape."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        """Take the parallel layers."""
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor, active: Tensor) -> Tensor:
        """Sum the outputs of the layers whose entry in active `[M]` is 1."""
        if all(isinstance(layer, nn.Linear) for layer in self.layers):
            # linear layers add up before they are applied: one product instead of M
            weight, bias = (self._summed(name, active) for name in ("weight", "bias"))
            return functional.linear(x, weight, bias)  # type: ignore[arg-type]
        if all(hasattr(layer, "body") and hasattr(layer, "shortcut") for layer in self.layers):
            # residual blocks share one way past them, or it would count once a path
            bodies = sum(a * layer.body(x) for a, layer in zip(active, self.layers, strict=True))  # type: ignore[operator]
            return torch.relu(bodies + self.layers[0].shortcut(x))  # type: ignore[operator]
        return sum(a * layer(x) for a, layer in zip(active, self.layers, strict=True))  # type: ignore[no-any-return]

    def _summed(self, name: str, active: Tensor) -> Tensor | None:
        parts: list[Any] = [getattr(layer, name) for layer in self.layers]
        if parts[0] is None:
            return None
        if len(parts) == 1:
            return parts[0]  # type: ignore[no-any-return]
        return torch.einsum("m,m...->...", active, torch.stack(parts))


class Paths(nn.Module):
    """A sequence of layers, each that has parameters M times, and one last layer for all."""

    def __init__(self, models: Sequence[nn.Sequential]) -> None:
        """Take M models of one shape; the last layer is the first one's."""
        super().__init__()
        self.head = models[0][-1]
        self.steps = nn.ModuleList(
            Layer(parts) if trains(parts[0]) else parts[0]
            for parts in zip(*(list(model[:-1]) for model in models), strict=True)
        )

    def forward(self, x: Tensor, active: Tensor) -> Tensor:
        """Give logits `[N, C]` along the active layers `[L, M]`."""
        return self.head(self.features(x, active))  # type: ignore[no-any-return]

    def features(self, x: Tensor, active: Tensor) -> Tensor:
        """Give what the last layer reads."""
        row = iter(active)
        for part in self.steps:
            x = part(x, next(row)) if isinstance(part, Layer) else part(x)
        return x


def trains(module: nn.Module) -> bool:
    """Say whether a module has parameters."""
    return any(True for _ in module.parameters())
