"""A variational autoencoder of fully connected layers, its loss, and rows drawn from it."""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from ablate.training.train_step import Rows, flat_rows
from ablate.types import Batch, Clock, Net, Number, Training

CAP = 30.0
"""From here on log(1 + e^x) is x in single precision, and e^x would grow too large."""


def chain(units: list[int]) -> list[nn.Module]:
    """Give [linear, ReLU] from each number of units to the next."""
    layers: list[nn.Module] = []
    for read, width in pairwise(units):
        layers += [nn.Linear(read, width), nn.ReLU()]
    return layers


def chain_size(units: list[int]) -> int:
    """Count the parameters of linear layers from each number of units to the next."""
    return sum((read + 1) * width for read, width in pairwise(units))


class Decoder(nn.Module):
    """z `[N, Z]` -> the logits of pixels of 0 to 1, `[N, D]`."""

    def __init__(self, latent: int, widths: tuple[int, ...], outputs: int) -> None:
        """Take the hidden widths from the code outwards."""
        super().__init__()
        units = [latent, *widths]
        self.layers = nn.Sequential(*chain(units), nn.Linear(units[-1], outputs))

    def forward(self, z: Tensor) -> Tensor:
        """Decode."""
        return self.layers(z)  # type: ignore[no-any-return]


class Vae(nn.Module):
    """x -> widths -> the mean and log variance of z; z -> widths reversed -> x."""

    def __init__(self, inputs: tuple[int, ...], widths: tuple[int, ...], latent: int) -> None:
        """Build it for inputs of a shape."""
        super().__init__()
        units = [prod(inputs), *widths]
        self.encoder = nn.Sequential(nn.Flatten(), *chain(units), nn.Linear(units[-1], 2 * latent))
        self.decoder = Decoder(latent, widths[::-1], prod(inputs))

    def forward(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Give z's mean and log variance side by side `[N, 2 Z]`, and the decoded x `[N, D]`."""
        code = self.encoder(x)
        return code, self.decoder(drawn(code, noise))


def vae_size(inputs: tuple[int, ...], widths: tuple[int, ...], latent: int) -> int:
    """Count the parameters of a `Vae`."""
    units = [prod(inputs), *widths]
    return chain_size([*units, 2 * latent]) + chain_size([latent, *units[::-1]])


def drawn(code: Tensor, noise: Tensor) -> Tensor:
    """Give z = mean + noise * sd, `[N, Z]`, from the code `[N, 2 Z]` (with the paper's Eq. 10)."""
    mean, variance = code.chunk(2, -1)
    return mean + noise * (variance / 2).exp()


def softplus(x: Tensor) -> Tensor:
    """Give log(1 + e^x); PyTorch's own takes four times as long, which generators feel."""
    return x.clamp(max=CAP).exp().add(1).log() + (x - CAP).clamp(min=0)


def bound(code: Tensor, decoded: Tensor, rows: Rows, net: Net) -> Tensor:
    """Give each row's negative evidence bound per input, `[N]`.

    (-sum_d log p(x_d | z) + KL(q(z | x), p(z))) / D: Bernoulli pixels of 0 to 1, and a standard
    normal prior (Kingma & Welling 2014, arXiv:1312.6114, Eq. 10 and Appendix B).
    """
    pixels = (rows.x.flatten(1) - net.lowest) / (net.highest - net.lowest)
    lost = softplus(decoded) - pixels * decoded  # binary cross-entropy with logits
    mean, variance = code.chunk(2, -1)
    divergence = -0.5 * (1 + variance - mean.square() - variance.exp()).sum(-1)
    bounds: Tensor = (lost.sum(-1) + divergence) / pixels.shape[-1]
    return bounds


def images(decoded: Tensor, shape: torch.Size, net: Net) -> Tensor:
    """Turn the logits of pixels `[N, D]` into inputs like the data's, `[N, ...]`."""
    pixels: Tensor = net.lowest + (net.highest - net.lowest) * decoded.sigmoid()
    return pixels.view(-1, *shape)


class Generative(Protocol):
    """A method that replays rows which a generator with a code of `latent` units draws."""

    @property
    def latent(self) -> int:
        """Give Z."""

    @property
    def new_share(self) -> float | None:
        """Give the weight of the new rows; None for one over the tasks seen."""

    @property
    def training(self) -> Training:
        """Give how it is trained."""


class Mixture(NamedTuple):
    """Real rows with generated ones behind them.

    real: the first n of `rows`. codes `[N, Z]`: the draws of the rows' codes. taught `[N - n, C]`:
    the old model's logits of the generated rows; None where there are none. share: the weight of
    the real rows' loss.
    """

    real: Rows
    rows: Rows
    codes: Tensor
    taught: Tensor | None
    share: Number


def mixture(method: Generative, old: Tensor, batch: Batch, net: Net) -> Mixture:
    """Let the old model `[P]` generate as many rows as a batch has, from the second task on.

    The batch's noise `[K, B, 3 Z]` is of a real row's code, of a generated row's, and of that
    row's own.
    """
    clock, real = batch.clock, flat_rows(batch, method.training.weights)
    first, second, third = real.noise.split(method.latent, -1)
    share = 1 / (clock.t + 1) if method.new_share is None else method.new_share
    if clock.t == 0 or (isinstance(share, (int, float)) and share == 1):
        return Mixture(real=real, rows=real, codes=first, taught=None, share=1.0)
    generated = images(net.use(old, "decode", second), real.x.shape[1:], net)
    rows = real._replace(x=torch.cat([real.x, generated]))
    codes, taught = torch.cat([first, third]), net(old, generated)
    return Mixture(real=real, rows=rows, codes=codes, taught=taught, share=share)


def evaluations(method: Generative, clock: Clock) -> int:
    """Say how often a real row counts as a gradient evaluation: twice, with a generated one."""
    share = method.new_share
    return 1 if clock.t == 0 or (isinstance(share, (int, float)) and share == 1) else 2
