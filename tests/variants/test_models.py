"""The perceptron, and nets as functions of a flat vector."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ablate.net import initial
from variants.model.mlp import Mlp


@pytest.mark.parametrize("model", [Mlp(), Mlp((7,), output_bias=False), Mlp(())])
def test_the_parameter_count_is_the_modules(model: Mlp) -> None:
    """The planner counts without torch what torch then builds."""
    expected = sum(value.numel() for value in model((1, 4, 4), 10).parameters())
    assert expected == model.parameters((1, 4, 4), 10)


def test_the_released_network_has_478_000_parameters() -> None:
    """784-400-400-10 without output bias: 784 * 400 + 400 + 400 * 400 + 400 + 4000."""
    assert Mlp((400, 400), output_bias=False).parameters((1, 28, 28), 10) == 478_400


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
    """Running statistics would be shared between replicas."""
    with pytest.raises(ValueError, match="buffers"):
        initial(lambda: nn.BatchNorm1d(3), seed=0)
