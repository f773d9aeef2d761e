"""Replay through feedback: the generator is the main model run backwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from ablate.registry import component
from ablate.training.inner_loop import is_zero
from ablate.training.net import features_of, head_of
from ablate.training.train_step import cross_entropy, descend, mean_over_rows, soft_labels
from ablate.types import Batch, Clock, Net, Optimizer, Training

from ._plain import Taught, untaught
from ._vae import Decoder, bound, chain_size, drawn, evaluations, mixture


class Feedback(nn.Module):
    """A model whose last layer's input also codes the row, and connections back to the row."""

    def __init__(self, model: nn.Module, code: nn.Module, decoder: nn.Module) -> None:
        """Take the model, the layer that codes its features, and what decodes that."""
        super().__init__()
        self.model, self.code, self.decoder = model, code, decoder

    def forward(self, x: Tensor) -> Tensor:
        """Give the model's logits `[N, C]`."""
        return self.model(x)  # type: ignore[no-any-return]

    def features(self, x: Tensor) -> Tensor:
        """Give what the model's last layer reads."""
        return features_of(self.model, x)

    def decode(self, z: Tensor) -> Tensor:
        """Give pixels for codes `[N, Z]`, as logits `[N, D]`."""
        return self.decoder(z)  # type: ignore[no-any-return]

    def both(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give the logits, the code and the decoded rows, from one pass through the model."""
        features = features_of(self.model, x)
        code = self.code(features)
        return head_of(self.model, features), code, self.decoder(drawn(code, noise))


@component(
    "method",
    "rtf",
    paper="van de Ven & Tolias 2018 (RtF), arXiv:1809.10635, Eq. 1 to 5",
    calibrated="split MNIST, all classes, 2,000 steps a task: 91.20 ± 1.42, five seeds; published "
    "92.56 ± 0.21 (arXiv:1809.10635)",
)
@dataclass(frozen=True)
class Rtf:
    """L = s L(new rows) + (1 - s) L(rows the old model generates), s = 1 / tasks seen.

    Of a new row, L is its cross-entropy and the evidence bound per pixel; of a generated one, the
    cross-entropy with the old model's softened probabilities (times T^2), and the same bound. The
    model codes a row in what its last layer reads; that needs a model in a sequence of layers.

    optimizer: of the model with its feedback; its state is kept from task to task.
    training: batches, epochs or steps. As many rows are generated as there are in a batch.
    widths: hidden units of the feedback from the code outwards, each in [1, 100000].
    latent: Z, latent units, [1, 100000].
    temperature: T of the old model's probabilities, (0, 1000].
    generative: weight of the evidence bound, [0, 1e6]; 0 with `new_share: 1` is fine-tuning.
    new_share: s, the weight of the new rows once there are old ones, [0, 1]; null takes one over
        the tasks seen. 1 switches replay off.
    """

    optimizer: Optimizer
    training: Training
    widths: tuple[int, ...] = (400, 400)
    latent: int = 100
    temperature: float = 2.0
    generative: float = 1.0
    new_share: float | None = None

    @property
    def noise(self) -> int:
        """Ask for draws of a real row's code, of a generated row's, and of that row's own."""
        return 3 * self.latent

    def wrap(
        self, build: Callable[[], nn.Module], inputs: tuple[int, ...], classes: int
    ) -> nn.Module:
        """Add the feedback to the model."""
        model = build()
        with torch.no_grad():
            units = features_of(model.eval(), torch.zeros(1, *inputs)).shape[-1]
        decoder = Decoder(self.latent, self.widths, prod(inputs))
        return Feedback(model.train(), nn.Linear(units, 2 * self.latent), decoder)

    def size(self, parameters: int, inputs: tuple[int, ...], classes: int) -> int:
        """Give about P, the feedback included, for features as wide as the feedback begins."""
        units = [self.latent, *self.widths]
        code = (units[-1] + 1) * 2 * self.latent
        return parameters + code + chain_size([*units, prod(inputs)])

    def start(self, theta: Tensor, net: Net) -> Taught:
        """Give the state before the first batch."""
        return untaught(self, theta)

    def step(self, state: Taught, batch: Batch, net: Net) -> Taught:
        """Take one step on new and generated rows."""
        real, rows, codes, taught, share = mixture(self, state.old, batch, net)

        weights = (real.w > 0).to(real.w)  # one generated row for each real one, none for padding

        def loss(at: Tensor) -> tuple[Tensor, Tensor]:
            (logits, code, decoded), moved = net.train_part(at, "both", rows.x, codes)
            n = len(real.y)
            new = cross_entropy(logits[:n], real, real.seen)
            lost = None if is_zero(self.generative) else bound(code, decoded, rows, net)
            if lost is not None:
                new = new + self.generative * mean_over_rows(lost[:n], real.w)
            if taught is None:
                return new, moved
            soft = soft_labels(logits[n:], taught, real.before, self.temperature, real.seen)
            old = self.temperature**2 * soft  # gradients as large as those of hard labels
            if lost is not None:
                old = old + self.generative * lost[n:]
            return share * new + (1 - share) * mean_over_rows(old, weights), moved

        theta, inner = descend(loss, state.theta, state.inner, self, batch.clock)
        return state._replace(theta=theta, inner=inner)

    def finish(self, state: Taught, clock: Clock, net: Net) -> Taught:
        """Close a task: the model becomes the old one."""
        return state._replace(old=state.theta)

    def gradients(self, rows: Tensor, clock: Clock, newest: Tensor) -> Tensor:
        """Count as many generated rows as real ones."""
        return rows * evaluations(self, clock)
