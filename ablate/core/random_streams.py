"""Named random streams: a draw depends on its meaning, never on call order.

Init, class order, batch order and exemplar choice each have a purpose; the variant is no part of
it, so one seed gives the same draws in every arm. That is what makes the seeds pairs.
"""

from __future__ import annotations

import hashlib

import numpy as np


def entropy(seed: int, purpose: str, *where: int) -> int:
    """Give 128 bits that stand for (seed, purpose, where)."""
    words = ":".join([str(seed), purpose, *map(str, where)])
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:16], "big")


def stream(seed: int, purpose: str, *where: int) -> np.random.Generator:
    """Open the random stream of a purpose, at a place (task, epoch, class ...).

    >>> a, b = stream(1, "batch", 0), stream(1, "batch", 0)
    >>> bool(a.random() == b.random())
    True
    """
    return np.random.Generator(np.random.PCG64(entropy(seed, purpose, *where)))


def digest(seed: int, purpose: str) -> str:
    """Give a digest of what the stream really draws on this installation.

    Two records with equal seeds and different digests came from different generators, and are
    not a pair.
    """
    drawn = stream(seed, purpose)
    return hashlib.sha256(drawn.random(8).tobytes() + drawn.permutation(16).tobytes()).hexdigest()[
        :16
    ]
