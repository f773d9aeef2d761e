"""The perceptron, and nets as functions of a flat vector."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.func import grad, vmap
from torch.utils.flop_counter import FlopCounterMode

from ablate.training.net import initial
from variants.model._blocks import MeanPower, Residual
from variants.model.conv4 import Conv4
from variants.model.mlp import Mlp
from variants.model.released_conv import ReleasedConv
from variants.model.resnet18 import ResNet18
from variants.model.resnet32 import ResNet32


@pytest.mark.parametrize("model", [Mlp(), Mlp((7,), output_bias=False), Mlp(())])
def test_the_parameter_count_is_the_modules(model: Mlp) -> None:
    """The planner counts without torch what torch then builds."""
    expected = sum(value.numel() for value in model((1, 4, 4), 10).parameters())
    assert expected == model.parameters((1, 4, 4), 10)


@pytest.mark.parametrize("inputs", [(1, 9, 9), (3, 32, 32), (1, 28, 21)])
@pytest.mark.parametrize(
    "model",
    [
        *(Mlp(), Mlp((5,), heads=2, head_widths=(3,))),
        *(Conv4(width=4), Conv4(width=4, norm="batch", heads=2)),
        *(ReleasedConv(0.1), ReleasedConv(0.1, norm="none", head_widths=(3,))),
        *(ResNet18(maps=4), ResNet18(maps=4, norm="none"), ResNet32(maps=4), ResNet32(2, "group")),
    ],
)
def test_multiplications_are_those_that_torch_counts(model: Any, inputs: tuple[int, ...]) -> None:
    """The planner's price of a row is half the operations of a forward pass; P is the module's."""
    module = model(inputs, 10).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.zeros(1, *inputs))
    assert 2 * model.products(inputs, 10) == counter.get_total_flops()
    values = [*module.parameters(), *(b for b in module.buffers() if b.is_floating_point())]
    assert model.parameters(inputs, 10) == sum(value.numel() for value in values)


def test_the_released_network_has_478_000_parameters() -> None:
    """784-400-400-10 without output bias: 784 * 400 + 400 + 400 * 400 + 400 + 4000."""
    assert Mlp((400, 400), output_bias=False).parameters((1, 28, 28), 10) == 478_400


@pytest.mark.parametrize("norm", ["group", "none"])
@pytest.mark.parametrize("inputs", [(1, 8, 8), (3, 32, 32)])
@pytest.mark.parametrize("make", [Conv4, ReleasedConv])
def test_convolutional_models_count_themselves_and_stack(
    make: Any, inputs: tuple[int, ...], norm: str
) -> None:
    """P without torch; gradients of stacked replicas are those of each alone."""
    model = make(width=8 if make is Conv4 else 0.3, norm=norm)
    pairs = [initial(lambda: model(inputs, 10), seed) for seed in (0, 1)]
    net, theta = pairs[0][0], torch.stack([pair[1] for pair in pairs]).double()
    assert theta.shape[1] == model.parameters(inputs, 10)
    x = torch.rand(2, *inputs, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    slope = grad(lambda at: net(at, x).square().sum())
    together = vmap(slope)(theta)
    alone = torch.stack([slope(at) for at in theta])
    assert float((together - alone).abs().max()) < 1e-9 * float(alone.abs().max())
    assert float(alone[0].abs().max()) > 0


def test_the_released_network_has_its_published_maps() -> None:
    """21, 42, 85 and 170; pooled by the mean of cubes, no output bias."""
    module = ReleasedConv()((3, 32, 32), 100)
    assert [b.body[0].out_channels for b in module if isinstance(b, Residual)] == [  # type: ignore[attr-defined]
        21,
        21,
        42,
        42,
        85,
        85,
        170,
        170,
    ]
    assert module[-1].bias is None  # type: ignore[index]
    cubes = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    assert float(MeanPower()(cubes)) == pytest.approx(((1 + 8 + 27 + 64) / 4) ** (1 / 3))


def test_a_net_of_a_flat_vector_is_the_module() -> None:
    """Logits, and features as what the last layer reads."""
    module = Mlp((6, 5))((4,), 3)
    net, theta = initial(lambda: module, seed=0)
    x = torch.rand(9, 4)
    assert theta.shape == (Mlp((6, 5)).parameters((4,), 3),)
    assert torch.equal(module(x), net(theta, x))
    assert torch.equal(module[:-1](x), net.features(theta, x))  # type: ignore[index]
    assert not torch.allclose(net(theta + 0.1, x), net(theta, x))


def test_initial_values_depend_on_the_seed_alone() -> None:
    """Not on the global generator, which stays as it was."""
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = initial(lambda: Mlp()((4,), 3), seed=1)[1]
    assert torch.equal(state, torch.get_rng_state())
    torch.rand(3)
    assert torch.equal(first, initial(lambda: Mlp()((4,), 3), seed=1)[1])
    assert not torch.equal(first, initial(lambda: Mlp()((4,), 3), seed=2)[1])


def test_a_module_with_its_own_features_is_asked_for_them() -> None:
    """Other modules than Sequential say what their features are, or give their logits."""

    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Linear(2, 3)

        def features(self, x: torch.Tensor) -> torch.Tensor:
            return 2 * x

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(self.features(x))

    x = torch.rand(4, 2)
    net, theta = initial(Own, seed=0)
    assert torch.equal(2 * x, net.features(theta, x))
    plain, values = initial(lambda: nn.Linear(2, 3), seed=0)
    assert torch.equal(plain(values, x), plain.features(values, x))


def test_modules_with_buffers_are_refused() -> None:
    """Whatever they hold would be shared between replicas."""

    class Counting(nn.Linear):
        def __init__(self) -> None:
            super().__init__(3, 3)
            self.register_buffer("seen", torch.zeros(1))

    with pytest.raises(ValueError, match="buffers"):
        initial(Counting, seed=0)
