"""Deep generative replay: a generator stands for the rows that are gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from ablate.registry import component
from ablate.training.net import features_of
from ablate.training.train_step import Rows, cross_entropy, descend, mean_over_rows, soft_labels
from ablate.types import Batch, Clock, Net, Optimizer, Training

from ._plain import Taught, untaught
from ._vae import Vae, bound, evaluations, mixture, vae_size


class Pair(nn.Module):
    """A solver and a generator, side by side."""

    def __init__(self, solver: nn.Module, generator: nn.Module) -> None:
        """Take both."""
        super().__init__()
        self.solver, self.generator = solver, generator

    def forward(self, x: Tensor) -> Tensor:
        """Give the solver's logits `[N, C]`."""
        return self.solver(x)  # type: ignore[no-any-return]

    def features(self, x: Tensor) -> Tensor:
        """Give what the solver's last layer reads."""
        return features_of(self.solver, x)

    def decode(self, z: Tensor) -> Tensor:
        """Give the generator's pixels for codes `[N, Z]`, as logits `[N, D]`."""
        return self.generator.decoder(z)  # type: ignore[no-any-return,operator]

    def both(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give the solver's logits, and the generator's code and decoded rows."""
        return (self.solver(x), *self.generator(x, noise))


@component(
    "method",
    "dgr",
    paper="Shin et al. 2017 (DGR), arXiv:1705.08690, Eq. 2; VAE generator",
    calibrated="split MNIST, all classes, 2,000 steps a task: 90.42 ± 2.11, five seeds; published "
    "91.24 ± 0.33 (arXiv:1809.10635)",
)
@dataclass(frozen=True)
class Dgr:
    """L = s L(new rows) + (1 - s) L(generated rows, the old solver's labels), s = 1 / tasks seen.

    Solver and generator are trained on the same mixture: cross-entropy, and the evidence bound per
    pixel. The two share no parameter, so one optimizer over both is two optimizers.
    Unlike the paper, whose generator is a WGAN, it is a variational autoencoder (as in van de Ven &
    Tolias 2018, arXiv:1809.10635, who also set s so), its rows come drawn from the prior, and
    solver and generator are trained together, not one after the other.

    optimizer: of the solver and the generator; its state is kept from task to task.
    training: batches, epochs or steps; a generator wants thousands of steps a task. As many rows
        are generated as there are real ones in a batch.
    widths: hidden units of the generator's encoder, each in [1, 100000]; its decoder has them in
        reverse.
    latent: Z, latent units, [1, 100000].
    labels: of generated rows: the old solver's best class (`hard`, the paper), or its softened
        probabilities (`soft`).
    temperature: T of soft labels, whose loss is multiplied by T^2, (0, 1000].
    new_share: s, the weight of the new rows once there are old ones, [0, 1]; null takes one over
        the tasks seen (the paper's Eq. 2). 1 switches replay off.
    """

    optimizer: Optimizer
    training: Training
    widths: tuple[int, ...] = (400, 400)
    latent: int = 100
    labels: Literal["hard", "soft"] = "hard"
    temperature: float = 2.0
    new_share: float | None = None

    @property
    def noise(self) -> int:
        """Ask for draws of a real row's code, of a generated row's, and of that row's own."""
        return 3 * self.latent

    def wrap(
        self, build: Callable[[], nn.Module], inputs: tuple[int, ...], classes: int
    ) -> nn.Module:
        """Put a generator beside the model."""
        return Pair(build(), Vae(inputs, self.widths, self.latent))

    def size(self, parameters: int, inputs: tuple[int, ...], classes: int) -> int:
        """Give P, the generator included."""
        return parameters + vae_size(inputs, self.widths, self.latent)

    def start(self, theta: Tensor, net: Net) -> Taught:
        """Give the state before the first batch."""
        return untaught(self, theta)

    def step(self, state: Taught, batch: Batch, net: Net) -> Taught:
        """Take one step of solver and generator on new and generated rows."""
        real, rows, codes, taught, share = mixture(self, state.old, batch, net)

        weights = (real.w > 0).to(real.w)  # one generated row for each real one, none for padding

        def loss(at: Tensor) -> tuple[Tensor, Tensor]:
            (logits, code, decoded), moved = net.train_part(at, "both", rows.x, codes)
            lost = bound(code, decoded, rows, net)
            n = len(real.y)
            new = mean_over_rows(lost[:n], real.w) + cross_entropy(logits[:n], real, real.seen)
            if taught is None:
                return new, moved
            old = lost[n:] + self._judged(logits[n:], taught, rows)
            return share * new + (1 - share) * mean_over_rows(old, weights), moved

        theta, inner = descend(loss, state.theta, state.inner, self, batch.clock)
        return state._replace(theta=theta, inner=inner)

    def _judged(self, logits: Tensor, old: Tensor, rows: Rows) -> Tensor:
        """Give each generated row's classification loss, `[N]`."""
        if self.labels == "soft":
            soft = soft_labels(logits, old, rows.before, self.temperature, rows.seen)
            return self.temperature**2 * soft  # gradients as large as those of hard labels
        y = old.masked_fill(~rows.before, float("-inf")).argmax(-1)
        masked = logits.masked_fill(~rows.seen, float("-inf"))
        return masked.logsumexp(-1) - logits.gather(1, y[:, None])[:, 0]

    def finish(self, state: Taught, clock: Clock, net: Net) -> Taught:
        """Close a task: solver and generator become the old ones."""
        return state._replace(old=state.theta)

    def gradients(self, rows: Tensor, clock: Clock, newest: Tensor) -> Tensor:
        """Count solver and generator, and as many generated rows as real ones."""
        return rows * 2 * evaluations(self, clock)
