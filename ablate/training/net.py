"""A module as a function of one flat parameter vector."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ablate.core.random_streams import entropy
from ablate.training.batch_norm import BatchNorm, replace
from ablate.types import Tasks


def features_of(module: nn.Module, x: Tensor) -> Tensor:
    """Give what a module's last layer reads.

    That is a Sequential without its last module, a module's own `features`, or its output.
    """
    if isinstance(module, nn.Sequential):
        return module[:-1](x)  # type: ignore[no-any-return]
    if hasattr(module, "features"):
        return module.features(x)  # type: ignore[no-any-return,operator]
    return module(x)  # type: ignore[no-any-return]


def head_of(module: nn.Module, features: Tensor) -> Tensor:
    """Give the logits of features. Raises ValueError for a module without a last layer."""
    if isinstance(module, nn.Sequential):
        return module[-1](features)  # type: ignore[no-any-return]
    if hasattr(module, "head"):
        return module.head(features)  # type: ignore[no-any-return,operator]
    raise ValueError(f"{type(module).__name__} is no Sequential and has no `head`")


class _Views(nn.Module):
    """Lets `functional_call` reach a module's features and methods as well as its output."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, part: str, *values: Any) -> Any:
        if part == "features" and len(values) == 1:
            return features_of(self.module, *values)
        return getattr(self.module, part)(*values) if part else self.module(*values)


@dataclass(frozen=True)
class FlatNet:
    """An architecture without values: `net(theta, x)` maps `[P]`, `[N, ...]` to logits `[N, C]`.

    buffers: Q, the running statistics of batch norms, the last entries of theta. lowest, highest:
    the least and the largest input in the training rows.
    """

    views: _Views
    names: tuple[str, ...]
    shapes: tuple[torch.Size, ...]
    sizes: tuple[int, ...]
    buffers: int = 0
    lowest: float = 0.0
    highest: float = 1.0

    def __call__(self, theta: Tensor, x: Tensor) -> Tensor:
        """Give logits `[N, C]`, as in use: batch norms read their running statistics."""
        return self.use(theta, "", x)

    def use(self, theta: Tensor, part: str, *values: Tensor) -> Tensor:
        """Call a method of the module by name, as in use; '' is the module itself."""
        self._mode(training=False)
        output: Tensor = functional_call(self.views, self._unflat(theta), (part, *values))
        return output

    def train(self, theta: Tensor, *values: Tensor) -> tuple[Tensor, Tensor]:
        """Give logits as in training, and what the running statistics become, `[Q]`."""
        return self._trained(theta, "", *values)

    def train_part(
        self, theta: Tensor, part: str, *values: Tensor
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """Do the same for a method of the module, by name, that gives several outputs."""
        return self._trained(theta, part, *values)

    def _trained(self, theta: Tensor, part: str, *values: Tensor) -> tuple[Any, Tensor]:
        self._mode(training=True)
        output = functional_call(self.views, self._unflat(theta), (part, *values))
        if not self.buffers:
            return output, theta[:0].detach()
        norms = [norm for norm in self.views.modules() if isinstance(norm, BatchNorm)]
        moved = [value for norm in norms for value in norm.moved or ()]
        for norm in norms:
            norm.moved = None  # a value of this pass must not outlive it
        return output, torch.cat(moved)

    def _mode(self, training: bool) -> None:
        if self.views.training != training:  # it visits every module
            self.views.train(training)

    def objective(
        self, loss: Callable[[Tensor, Tasks], Tensor]
    ) -> Callable[[Tensor, Tasks], Tensor | tuple[Tensor, Tensor]]:
        """Give (theta, task) -> the loss of a task's rows, with new buffers where there are."""

        def of(theta: Tensor, task: Tasks) -> Tensor | tuple[Tensor, Tensor]:
            logits, moved = self.train(theta, task.x)
            value = loss(logits, task)
            return (value, moved) if self.buffers else value

        return of

    def features(self, theta: Tensor, x: Tensor) -> Tensor:
        """Give what the last layer reads, `[N, F]` (see `features_of`)."""
        return self.use(theta, "features", x)

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


def initial(build: Callable[[], nn.Module], seed: int) -> tuple[FlatNet, Tensor]:
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
    net = FlatNet(
        views=_Views(module),
        names=tuple(f"module.{name}" for name in named),
        shapes=tuple(value.shape for value in named.values()),
        sizes=tuple(value.numel() for value in named.values()),
        buffers=sum(value.numel() for value in running.values()),
    )
    return net, theta
