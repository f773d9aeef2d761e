"""The verdicts on somebody's table, in plain lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ablate.core.foreign_text import NAME, STORED, plain
from ablate.registry import component
from ablate.stats.across_datasets import Settings
from ablate.tables.compared import Compared
from ablate.types import Decision, Verdict

from . import readings, words

MOST_NAMED = 6


@component("report", "comparison")
@dataclass(frozen=True)
class ComparisonLines:
    """Verdicts on a table of other people's scores, for a terminal."""

    def lines(self, compared: Compared) -> Iterator[str]:
        """Say them, and what makes them doubtful."""
        return lines(compared)


def lines(compared: Compared) -> Iterator[str]:
    """Say how the table was read, each verdict with its figures, the ranks, then the warnings."""
    yield from (plain(_sentence(note), STORED) for note in compared.notes)
    yield ""
    for verdict in compared.verdicts:
        yield from _told(verdict, compared)
    if any(
        verdict.decided or verdict.decision == Decision.INCONCLUSIVE
        for verdict in compared.verdicts
    ):
        yield f"  {words.levels(compared.design.correction, len(compared.verdicts))}"
    for block, verdicts in compared.blocks.items():
        yield f"\nin {plain(block, NAME)}, a family of its own:"
        for verdict in verdicts:
            yield from _told(verdict, compared)
    if compared.settings:
        yield from _ranks(compared.settings, compared)
    if compared.warnings:
        yield "\nWarnings:"
        yield from (f"  {plain(warning, STORED)}" for warning in compared.warnings)


def _sentence(note: str) -> str:
    """Write a note as a sentence.

    >>> _sentence("one unit?"), _sentence("read")
    ('One unit?', 'Read.')
    """
    return f"{note[:1].upper()}{note[1:]}{'' if note.endswith('?') else '.'}"


def _told(verdict: Verdict, compared: Compared) -> Iterator[str]:
    comparison = verdict.comparison
    way = f" ({_way(verdict, compared.lower)})" if verdict.decision == Decision.MATTERS else ""
    flags = f" ({', '.join(verdict.flags)})" if verdict.flags else ""
    treatment, baseline, metric = (
        plain(name, NAME) for name in (comparison.treatment, comparison.baseline, comparison.metric)
    )
    side = f", claim: {comparison.claim}" if comparison.claim else ""
    yield f"{verdict.decision}{way}{flags}  {treatment} − {baseline}  [{metric}{side}]"
    if verdict.decision != Decision.UNTESTABLE:
        estimate, interval = readings.figures(verdict, readings.in_units)
        known = f", interval {interval}" if interval != "–" else ""
        p = readings.p(verdict, compared.design.alpha)
        yield (
            f"  {estimate}{known}, margin {readings.margin(verdict)}, {verdict.n} pairs"
            + ("" if p == "–" else f", corrected p {p}")
        )
    yield f"  {plain(verdict.why, STORED)}{_excluded(verdict)}"
    if beside := readings.robust(verdict, readings.in_units):
        yield f"  robust: {beside}"
    if margins := readings.afterwards(verdict):
        yield f"  chosen afterwards: {margins}"


def _excluded(verdict: Verdict) -> str:
    """Say what an undecided verdict's interval answers all the same; '' where nothing."""
    above, below = readings.excluded(verdict)
    if above == below:
        return ""
    return f"; a difference {'above +' if above else 'below −'}margin is excluded"


def _way(verdict: Verdict, lower: bool) -> str:
    """Say in which direction the treatment lies, and whether that helps or hurts."""
    above = verdict.estimate > 0
    return f"{'higher' if above else 'lower'}: {'hurts' if above == lower else 'helps'}"


def _ranks(settings: Settings, compared: Compared) -> Iterator[str]:
    """Say the arms' average ranks over the blocks, and what of them differs."""
    test, alpha = settings.test, compared.design.alpha
    best = "lowest" if compared.lower else "highest"
    arms = [plain(arm, NAME) for arm in settings.arms]
    some = ", ".join(plain(name, NAME) for name in settings.settings[:MOST_NAMED])
    metric = plain(settings.metric, NAME)
    more = ", ..." if test.blocks > MOST_NAMED else ""
    yield f"\nAverage ranks over {test.blocks} ({some}{more}), 1 is the {best} {metric}:"
    for i in sorted(range(len(arms)), key=lambda i: test.ranks[i]):
        yield f"  {test.ranks[i]:.2f}  {arms[i]}"
    yield (
        f"  critical difference {settings.critical:.2f} (Nemenyi, {100 * alpha:g} %); "
        f"Friedman p {words.p_value(test.p)}, Iman-Davenport p {words.p_value(test.f_p)}"
        + words.exactly(test.exact)
    )
    for clique in settings.cliques_nemenyi:
        yield f"  not told apart: {', '.join(arms[i] for i in clique)}"
    if not settings.cliques_nemenyi:
        yield "  all arms differ in rank"
