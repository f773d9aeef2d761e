"""Slopes of the usual losses at the logits, as kernels call them (see `forms.slope`)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def among_seen(logits: Any, y: Any, share: Any, own: Any, seen: Any, slopes: Any) -> None:
    """Cross-entropy among all classes seen so far: softmax minus the label's 1."""
    for i in range(logits.shape[0]):
        most = -np.inf
        for c in range(logits.shape[1]):
            if seen[c]:
                most = max(most, logits[i, c])
        total = share[i] * 0  # of the precision that the rows have
        for c in range(logits.shape[1]):
            slopes[i, c] = math.exp(logits[i, c] - most) if seen[c] else 0.0
            total += slopes[i, c]
        for c in range(logits.shape[1]):
            slopes[i, c] *= share[i] / total
        slopes[i, y[i]] -= share[i]


def among_own(logits: Any, y: Any, share: Any, own: Any, seen: Any, slopes: Any) -> None:
    """Cross-entropy among the task's own classes."""
    for i in range(logits.shape[0]):
        most = -np.inf
        for c in range(logits.shape[1]):
            if own[c]:
                most = max(most, logits[i, c])
        total = share[i] * 0
        for c in range(logits.shape[1]):
            slopes[i, c] = math.exp(logits[i, c] - most) if own[c] else 0.0
            total += slopes[i, c]
        for c in range(logits.shape[1]):
            slopes[i, c] *= share[i] / total
        slopes[i, y[i]] -= share[i]


def binary(logits: Any, y: Any, share: Any, own: Any, seen: Any, slopes: Any) -> None:
    """Binary cross-entropy with logits over the task's own logits: sigmoid minus the label."""
    width = 0
    for c in range(logits.shape[1]):
        width += own[c]
    for i in range(logits.shape[0]):
        part = share[i] / width
        for c in range(logits.shape[1]):
            slopes[i, c] = part / (1 + math.exp(-logits[i, c])) if own[c] else 0.0
        slopes[i, y[i]] -= part
