"""A plain PyTorch script with its own seeds, data and loop: what it reaches is a line of JSON."""

from __future__ import annotations

import argparse
import hashlib
import json

import torch
from torch import nn


def main() -> None:
    """Train a small net on two noisy spirals; print its accuracy, and what the seed drew."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--warmup", choices=("true", "false"), default="true")
    parser.add_argument("--ema", choices=("true", "false"), default="true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    x, y = spirals(200)
    x_test, y_test = spirals(2000)
    net = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 2))
    mean = {name: value.detach().clone() for name, value in net.named_parameters()}
    optimizer = torch.optim.Adam(net.parameters(), lr=given.lr)
    for step in range(200):
        if given.warmup == "true":
            optimizer.param_groups[0]["lr"] = given.lr * min(1.0, (step + 1) / 20)
        rows = torch.randint(0, len(x), (16,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
        optimizer.step()
        for name, value in net.named_parameters():
            mean[name].lerp_(value.detach(), 0.1)
    if given.ema == "true":
        net.load_state_dict(mean)
    with torch.no_grad():
        accuracy = (net(x_test).argmax(1) == y_test).float().mean().item()
    drawn = hashlib.sha256(x.numpy().tobytes()).hexdigest()[:16]
    print(json.dumps({"accuracy": 100 * accuracy, "data": drawn}))


def spirals(rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Give points `[rows, 2]` of two noisy spirals, and which spiral each is of."""
    y = torch.arange(rows) % 2
    turn = 4 * torch.rand(rows) + 0.5
    angle = turn + torch.pi * y
    x = torch.stack([turn * angle.cos(), turn * angle.sin()], 1) / 4
    return x + 0.15 * torch.randn(rows, 2), y


if __name__ == "__main__":
    main()
