"""Named random streams: a draw depends on its meaning, never on call order.

Init, class order, batch order and exemplar choice each have a purpose; the variant is no part of
it, so one seed gives the same draws in every arm. That is what makes the seeds pairs.

A crossed seed draws each stream from a seed of its own, so that two runs may share their init and
nothing else. Twenty-five of them make a square: the streams' seeds, five of each, stand in an
orthogonal array of strength 2 (Rao 1947), the columns i, j, i + j, i + 2j, i + 3j mod 5. Any two
runs of a square share the seed of at most one stream; each seed of a stream meets each of another
once.
"""

from __future__ import annotations

import hashlib

import numpy as np

CROSSED_SEEDS = 4_000_000
"""Where crossed seeds begin: no seed of a suite, an A/A twin, a pilot or of tuning."""

SQUARES = 4_000
"""So many squares of crossed seeds there are."""

LEVELS = 5
"""Seeds of each stream in a square; a prime, so that the array below is orthogonal."""

SQUARE = LEVELS * LEVELS
"""Runs of a square."""

CROSSED = {
    "init": ("init",),
    "class order": ("order",),
    "batch order": ("batch", "replay", "augment", "noise", "review", "adapt", "validation"),
    "exemplars": ("memory",),
    "chunks": ("test",),
}
"""The streams that are crossed, with the purposes that they draw for: whatever training draws
besides goes with the order of batches; chunks are of test rows that vote together."""

_COLUMNS = ((1, 0), (0, 1), (1, 1), (1, 2), (1, 3))
_COLUMN_OF = {
    purpose: column
    for column, purposes in zip(_COLUMNS, CROSSED.values(), strict=True)
    for purpose in purposes
}


def level(seed: int, stream: str) -> int:
    """Give which seed of its square a crossed seed has for a stream, 0 to 4.

    >>> [level(CROSSED_SEEDS + 7, stream) for stream in CROSSED]
    [1, 2, 3, 0, 2]
    """
    return _level(seed, CROSSED[stream][0])


def drawn_from(seed: int, purpose: str) -> int:
    """Give the seed that a purpose draws from: another than `seed` where that is a crossed one.

    >>> drawn_from(7, "init"), drawn_from(CROSSED_SEEDS + 7, "init")
    (7, 4000001)
    """
    name = purpose.split()[0]  # `adapt 3` is of task 3
    square = (seed - CROSSED_SEEDS) // SQUARE
    if not 0 <= square < SQUARES or name not in _COLUMN_OF:
        return seed
    return CROSSED_SEEDS + SQUARE * square + _level(seed, name)


def _level(seed: int, purpose: str) -> int:
    row, column = divmod((seed - CROSSED_SEEDS) % SQUARE, LEVELS)
    a, b = _COLUMN_OF[purpose]
    return (a * row + b * column) % LEVELS


def entropy(seed: int, purpose: str, *where: int) -> int:
    """Give 128 bits that stand for (seed, purpose, where)."""
    words = ":".join([str(drawn_from(seed, purpose)), purpose, *map(str, where)])
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
