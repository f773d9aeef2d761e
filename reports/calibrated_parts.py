"""The calibration study's part on parts that are left out, in words."""

from __future__ import annotations

from collections.abc import Iterable

from ablate.calibration.leave_one_out import PARTS, Left
from ablate.core.foreign_text import Markup

from .rates import rate, share
from .tables import table


def lines(left: Left, studies: int) -> Iterable[str]:
    """Write what each procedure came to. studies: simulated for each rate."""
    yield "## Parts that are left out, with and without a screening"
    yield (
        f"{PARTS} parts, a margin of one standard deviation of a paired difference, {studies:,} "
        "studies for each row. *All at the margin*: five parts do nothing and five are worth "
        "exactly the margin, as are the two that matter, and the two that stand in for each other "
        "where both are missing; there each claim of MATTERS is false, and most of NEGLIGIBLE. "
        "*Of twice the margin*: ten parts do nothing. A screening runs 32 combinations with five "
        "seeds, and claims are made about the parts that it carries on, on fresh seeds. Parts that "
        "it leaves behind are not confirmed, never NEGLIGIBLE. Each kind of false claim is held at "
        "alpha; *either* is of a truth exactly on the margin, which a claim can misread in both "
        "ways: .025 and .05, for one."
    )
    yield table(
        [
            "world",
            "left out",
            "screened",
            "read",
            "any false MATTERS",
            "any false NEGLIGIBLE",
            "either",
            "live parts found",
            "dead parts NEGLIGIBLE",
            "the two shown to stand in for each other",
            "runs",
        ],
        [
            [
                world,
                "one, and each two" if pairs else "one",
                "yes" if first else "no",
                read,
                *(Markup(rate(x, studies, 0.05)) for x in (done.matters, done.negligible)),
                rate(done.either, studies),
                *(share(x) for x in (done.live, done.dead, done.substitutes)),
                f"{done.runs:,.0f}",
            ]
            for (world, pairs, first, read), done in left.items()
        ],
    )
