"""Which combinations of parts are screened: a fraction of a two-level factorial.

Each part's column is the product of an odd number of base columns, so that turning all base columns
turns every part: such a folded-over design is of resolution IV (Box & Wilson 1951; Montgomery,
*Design and Analysis of Experiments*, ch. 8). Main effects are clear of all effects of two parts;
effects of two parts are mixed with one another.
"""

from __future__ import annotations

import itertools
from math import prod

MOST_PARTS = 64

LEVEL = 0.8
"""Of the interval of a main effect that has to lie inside the margin for a part to be left behind.

A part at the margin is then carried on nine times of ten, one that does nothing is left behind as
soon as the interval is half a margin wide.
"""


def base_columns(parts: int) -> int:
    """Give how many columns are free: the fewest whose odd products are as many as the parts.

    >>> [base_columns(k) for k in (1, 2, 3, 4, 5, 8, 9, 16, 17)]
    [1, 2, 3, 3, 4, 4, 5, 5, 6]
    """
    return next(m for m in itertools.count(1) if 2 ** (m - 1) >= parts)


def fraction(parts: int) -> list[tuple[int, ...]]:
    """Give the arms: for each, 1 where a part is left out, else -1; the whole base first.

    Every two columns are orthogonal, every column is half 1.

    >>> fraction(2)
    [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    >>> len(fraction(4)), len(fraction(14))
    (8, 32)
    """
    free = base_columns(parts)
    odd = [
        group
        for size in range(1, free + 1, 2)
        for group in itertools.combinations(range(free), size)
    ]
    return [
        tuple(prod(signs[i] for i in group) for group in odd[:parts])
        for signs in itertools.product((-1, 1), repeat=free)
    ]
