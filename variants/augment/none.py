"""Rows as they are."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ablate.registry import component


@component("augment", "none", paper="training on the rows as they are")
@dataclass(frozen=True)
class NoAugment:
    """Changes nothing."""

    draws = 0

    def __call__(self, x: Tensor, u: Tensor, fill: Tensor) -> Tensor:
        """Give the rows themselves."""
        return x
