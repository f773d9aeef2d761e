"""Crop, flip, rotation and cutout, on a whole batch at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from ablate.registry import component


@component(
    "augment",
    "standard",
    paper="Krizhevsky et al. 2012 (crop, flip); DeVries & Taylor 2017, arXiv:1708.04552 (cutout)",
)
@dataclass(frozen=True)
class Standard:
    """Pad and crop at random, then mirror, then turn, then cut out a square, each row for itself.

    Nearest pixels are taken, as torchvision's rotation does. What comes in from outside the image
    is its darkest value in the training rows; what is cut out is 0, the mean of normalised pixels.

    pad: pixels added on every side before the crop, [0, 64]; 0 does not crop.
    flip: whether half of the rows are mirrored left to right.
    turn_degrees: rows are turned by up to so much either way, [0, 180]; iTAML's released code
        takes 10 for CIFAR-100 and SVHN.
    cutout: side of the square that is cut out, pixels, its middle anywhere in the image, [0, 512].
    """

    pad: int = 4
    flip: bool = True
    turn_degrees: float = 10.0
    cutout: int = 0
    draws = 6
    images = True

    def __call__(self, x: Tensor, u: Tensor, fill: Tensor) -> Tensor:
        """Give changed rows `[N, channels, H, W]`; u `[N, 6]` in [0, 1), fill `[channels]`."""
        fill = fill.view(1, -1, 1, 1)
        if self.pad or self.flip or self.turn_degrees:
            x = self._moved(x - fill, u) + fill
        return x * self._left(u, x.shape[2], x.shape[3]).to(x.dtype) if self.cutout else x

    def _moved(self, x: Tensor, u: Tensor) -> Tensor:
        """Look every pixel up where turn, mirror and crop, undone in this order, lead to."""
        height, width = x.shape[2:]
        down = torch.arange(height, device=x.device, dtype=x.dtype) - (height - 1) / 2
        right = torch.arange(width, device=x.device, dtype=x.dtype) - (width - 1) / 2
        angle = (2 * u[:, 3] - 1) * math.radians(self.turn_degrees)
        cos, sin = (part[:, None, None] for part in (angle.cos(), angle.sin()))
        across = cos * right - sin * down[:, None]  # [N, H, W]
        along = sin * right + cos * down[:, None]
        # beyond the cropped image there is nothing, whatever the whole one would show
        edge = torch.tensor([height, width], device=x.device) / 2
        inside = (along.abs() < edge[0]) & (across.abs() < edge[1])
        mirror = torch.where(u[:, 2] < 0.5, -1.0, 1.0) if self.flip else torch.ones_like(u[:, 2])
        steps = 2 * self.pad + 1
        shift = (u[:, :2] * steps).floor() - self.pad  # [N, 2], pixels down and right
        across = across * mirror[:, None, None] + shift[:, 1, None, None]
        along = along + shift[:, 0, None, None]
        grid = torch.stack([across / edge[1], along / edge[0]], -1).to(x.dtype)
        taken = grid_sample(x, grid, mode="nearest", padding_mode="zeros", align_corners=False)
        return taken * inside[:, None]

    def _left(self, u: Tensor, height: int, width: int) -> Tensor:
        """Give `[N, 1, H, W]`, false inside the square."""
        middle = u[:, 4:] * u.new_tensor([height, width])
        half = self.cutout / 2
        down, right = (torch.arange(n, device=u.device) + 0.5 for n in (height, width))
        rows = (down - middle[:, :1]).abs() < half
        columns = (right - middle[:, 1:]).abs() < half
        return ~(rows[:, None, :, None] & columns[:, None, None, :])
