"""A module as a function of one flat parameter vector."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ablate.batch_norm import BatchNorm, replace
from ablate.rng import entropy


class _Views(nn.Module):
    """Lets `functional_call` reach a module's features as well as its logits."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor, features: bool) -> Tensor:
        if features and isinstance(self.module, nn.Sequential):
            return self.module[:-1](x)  # type: ignore[no-any-return]
        if features and hasattr(self.module, "features"):
            return self.module.features(x)  # type: ignore[no-any-return,operator]
        return self.module(x)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Net:
    """An architecture without values: `net(theta, x)` maps `[P]`, `[N, ...]` to logits `[N, C]`.

    buffers: Q, the running statistics of batch norms, the last entries of theta.
    """

    views: _Views
    names: tuple[str, ...]
    shapes: tuple[torch.Size, ...]
    sizes: tuple[int, ...]
    buffers: int = 0

    def __call__(self, theta: Tensor, x: Tensor) -> Tensor:
        """Give logits `[N, C]`, as in use: batch norms read their running statistics."""
        self.views.eval()
        logits: Tensor = functional_call(self.views, self._unflat(theta), (x, False))
        return logits

    def train(self, theta: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Give logits as in training, and what the running statistics become, `[Q]`."""
        self.views.train()
        logits = functional_call(self.views, self._unflat(theta), (x, False))
        norms = [part for part in self.views.modules() if isinstance(part, BatchNorm)]
        moved = [value for norm in norms for value in norm.moved or ()]
        for norm in norms:
            norm.moved = None  # a value of this pass must not outlive it
        return logits, torch.cat(moved) if moved else theta[:0].detach()

    def objective(
        self, loss: Callable[[Tensor, Any], Tensor]
    ) -> Callable[[Tensor, Any], Tensor | tuple[Tensor, Tensor]]:
        """Give (theta, task) -> the loss of a task's rows, with new buffers where there are."""

        def of(theta: Tensor, task: Any) -> Tensor | tuple[Tensor, Tensor]:
            logits, moved = self.train(theta, task.x)
            value = loss(logits, task)
            return (value, moved) if self.buffers else value

        return of

    def features(self, theta: Tensor, x: Tensor) -> Tensor:
        """Give what the last layer reads, `[N, F]`.

        That is a Sequential without its last module, a module's own `features`, or its logits.
        """
        self.views.eval()
        found: Tensor = functional_call(self.views, self._unflat(theta), (x, True))
        return found

    def _unflat(self, theta: Tensor) -> dict[str, Tensor]:
        # split, not slices: its backward is one cat instead of a zero-filled P a parameter
        parts = zip(self.names, theta.split(self.sizes), self.shapes, strict=True)
        return {name: part.view(shape) for name, part, shape in parts}


def init_digest(seed: int) -> str:
    """Give a digest of what PyTorch's generator draws for a seed's initial values."""
    drawn = torch.rand(8, generator=torch.Generator().manual_seed(init_seed(seed)))
    return hashlib.sha256(drawn.numpy().tobytes()).hexdigest()[:16]


def init_seed(seed: int) -> int:
    """Give the seed of PyTorch's generator for the `init` stream."""
    return entropy(seed, "init") % 2**63


def initial(build: Callable[[], nn.Module], seed: int) -> tuple[Net, Tensor]:
    """Build a module from the seed's `init` stream. Gives the net and its parameters `[P]`.

    A batch norm's running statistics stand at the end of theta. PyTorch's global generator is left
    as it was. Raises ValueError for any other buffer, whose state replicas would share.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(init_seed(seed))
        module = replace(build())
    running = {
        f"{name}.{part}".lstrip("."): value
        for name, norm in module.named_modules()
        if isinstance(norm, BatchNorm)
        for part, value in norm.named_buffers()
    }
    if others := [name for name, _ in module.named_buffers() if name not in running]:
        raise ValueError(f"a model with buffers ({', '.join(others)}) cannot be stacked")
    named = {**dict(module.named_parameters()), **running}
    theta = torch.cat([value.detach().reshape(-1) for value in named.values()])
    net = Net(
        _Views(module),
        tuple(f"module.{name}" for name in named),
        tuple(value.shape for value in named.values()),
        tuple(value.numel() for value in named.values()),
        sum(value.numel() for value in running.values()),
    )
    return net, theta
