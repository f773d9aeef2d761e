"""The verdicts on somebody's table, in plain lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ablate.core.foreign_text import NAME, STORED, plain
from ablate.registry import component
from ablate.stats.across_datasets import Settings
from ablate.tables.compared import Compared
from ablate.types import Decision, Verdict
from ablate.verdicts import undeclared

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
    yield from (plain(sentence(note), STORED) for note in compared.notes)
    yield ""
    for verdict in compared.verdicts:
        yield from _told(verdict, compared)
    yield from (f"  {line}" for line in levels(compared))
    for block, verdicts in compared.blocks.items():
        yield f"\nin {plain(block, NAME)}, a family of its own:"
        for verdict in verdicts:
            yield from _told(verdict, compared)
    if compared.settings:
        yield from ranks(compared.settings, compared)
    if compared.warnings:
        yield "\nWarnings:"
        yield from (f"  {plain(warning, STORED)}" for warning in compared.warnings)


def levels(compared: Compared) -> Iterator[str]:
    """Say at which level the intervals are; without a margin, that there is no verdict."""
    verdicts, design = compared.verdicts, compared.design
    if any(map(readings.is_estimate, verdicts)):
        together = len(verdicts) > 1 and design.correction not in undeclared.UNCORRECTED
        at_once = f"; the intervals hold for all {len(verdicts)} differences at once (Bonferroni)"
        yield sentence(f"{undeclared.WHY}{at_once if together else ''}")
    elif any(v.decided or v.decision == Decision.INCONCLUSIVE for v in verdicts):
        yield words.levels(design.correction, len(verdicts))


def sentence(note: str) -> str:
    """Write a note as a sentence.

    >>> sentence("one unit?"), sentence("read")
    ('One unit?', 'Read.')
    """
    return f"{note[:1].upper()}{note[1:]}{'' if note.endswith('?') else '.'}"


def sample(verdict: Verdict) -> str:
    """Say what a verdict rests on: pairs, or the runs of two arms that are no pairs."""
    comparison = verdict.comparison
    if comparison.unpaired:
        first, second = len(comparison.treatment_values), len(comparison.baseline_values)
        return f"{first} and {second} runs, unpaired"
    if verdict.rule in verdict.tests and "clusters" in verdict.tests[verdict.rule].assumes:
        return f"{verdict.n} pairs in {verdict.tests[verdict.rule].n} clusters"
    return f"{verdict.n} pairs"


def items(verdict: Verdict) -> str:
    """Say which arm alone had how many items right; '' where scores are not 0 and 1."""
    seen = verdict.items
    if seen is None:
        return ""
    comparison = verdict.comparison
    treatment, baseline = (plain(n, NAME) for n in (comparison.treatment, comparison.baseline))
    return (
        f"{treatment} alone right in {seen.treatment_only}, {baseline} alone in "
        f"{seen.baseline_only}, both in {seen.both}, neither in {seen.neither}; exact p of equal "
        f"rates {words.p_value(seen.p)} ({'McNemar' if 'items' in seen.assumes else 'by clusters'})"
    )


def title(verdict: Verdict, lower: bool) -> str:
    """Write a decision with its direction and flags; nothing where no margin was declared."""
    if not verdict.comparison.margin > 0:
        return ""
    way = f" ({_way(verdict, lower)})" if verdict.decision == Decision.MATTERS else ""
    flags = f" ({', '.join(verdict.flags)})" if verdict.flags else ""
    return f"{verdict.decision}{way}{flags}"


def _told(verdict: Verdict, compared: Compared) -> Iterator[str]:
    comparison = verdict.comparison
    treatment, baseline, metric = (
        plain(name, NAME) for name in (comparison.treatment, comparison.baseline, comparison.metric)
    )
    side = f", claim: {comparison.claim}" if comparison.claim else ""
    name = f"{treatment} − {baseline}  [{metric}{side}]"
    yield "  ".join(filter(None, (title(verdict, compared.lower), name)))
    estimated = readings.is_estimate(verdict)
    if verdict.decision != Decision.UNTESTABLE or estimated:
        estimate, interval = readings.figures(verdict, readings.in_units)
        known = f", interval {interval}" if interval != "–" else ""
        p = readings.p(verdict, compared.design.alpha)
        read = f", {verdict.rule}" if verdict.rule not in ("", "Student t") else ""
        margin = "" if estimated else f", margin {readings.margin(verdict)}"
        yield (
            f"  {estimate}{known}{margin}, {sample(verdict)}{read}"
            + ("" if p == "–" else f", corrected p {p}")
        )
    if not estimated:  # why there is no verdict is said once, for all
        yield f"  {plain(verdict.why, STORED)}{excluded(verdict)}"
    if counted := items(verdict):
        yield f"  items: {counted}"
    if beside := readings.robust(verdict, readings.in_units):
        yield f"  robust: {beside}"
    if margins := readings.afterwards(verdict):
        yield f"  chosen afterwards: {margins}"


def excluded(verdict: Verdict) -> str:
    """Say what an undecided verdict's interval answers all the same; '' where nothing."""
    above, below = readings.excluded(verdict)
    if above == below:
        return ""
    return f"; a difference {'above +' if above else 'below −'}margin is excluded"


def _way(verdict: Verdict, lower: bool) -> str:
    """Say in which direction the treatment lies, and whether that helps or hurts."""
    above = verdict.estimate > 0
    return f"{'higher' if above else 'lower'}: {'hurts' if above == lower else 'helps'}"


def ranks(settings: Settings, compared: Compared) -> Iterator[str]:
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
