"""Verdicts in words: the sentence that answers the question, and what each figure is called."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ablate.analysis.pairing import in_cell
from ablate.core.foreign_text import STORED, Markup, code, markdown, plain as shown, unmarked
from ablate.records.metrics import lower_is_better
from ablate.types import Contrast, Effect, Verdict, cell_words

from . import readings

if TYPE_CHECKING:  # the store comes with it, which `compare` does not need
    from ablate.analysis.aa_test import Same
    from ablate.flow import Study

MEANINGS = {
    "MATTERS": "the difference is larger than the margin declared as worth caring about",
    "NEGLIGIBLE": "the difference is shown to be smaller than that margin",
    "NO GAIN": "a gain above the margin is excluded, and nothing else was asked: it may hurt",
    "NO HARM": "a loss above the margin is excluded, and nothing else was asked: it may help",
    "INCONCLUSIVE": "neither could be shown with these seeds; it is no proof of equality",
    "UNTESTABLE": "there were too few comparable runs, or the comparison would not be fair",
}


def points(value: float, signed: bool = True) -> str:
    """Write points with two decimals and a real minus sign.

    >>> points(-1.234), points(0.5), points(float("nan")), points(float("-inf"))
    ('−1.23', '+0.50', '–', '−∞')
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "+∞" if value > 0 else "−∞"
    text = f"{value:+.2f}" if signed else f"{value:.2f}"
    return text.replace("-", "−")


def interval(low: float, high: float, signed: bool = True) -> str:
    """Write an interval."""
    return "–" if math.isnan(low) else f"{points(low, signed)} to {points(high, signed)}"


def p_value(p: float) -> Markup:
    """Write a p-value; never as 0.

    >>> p_value(0.04321), p_value(1e-9)
    ('0.043', '< 0.001')
    """
    if math.isnan(p):
        return Markup("–")
    return Markup("< 0.001" if p < 0.001 else f"{p:.3f}")


def procedure(correction: str) -> str:
    """Name a correction as a heading does.

    >>> procedure("holm"), procedure("bh")
    ('Holm', 'BH')
    """
    return correction.upper() if correction in ("bh", "by") else correction.capitalize()


def percent(alpha: float) -> str:
    """Write the level of an interval.

    >>> percent(0.05)
    '95 %'
    """
    return f"{100 * (1 - alpha):g} %"


def decision(verdict: Verdict) -> Markup:
    """Write a verdict with its direction and flags."""
    direction = ""
    if verdict.decision == "MATTERS":
        direction = " (helps)" if better(verdict) else " (hurts)"
    flags = f" ({', '.join(verdict.flags)})" if verdict.flags else ""
    return Markup(f"**{verdict.decision}**{direction}{flags}")


def better(verdict: Verdict) -> bool:
    """Say whether the treatment does better, in the metric's own direction."""
    lower = lower_is_better(verdict.comparison.metric)
    return (verdict.estimate < 0) if lower else (verdict.estimate > 0)


def asked(verdict: Verdict) -> bool:
    """Say whether a verdict that MATTERS goes the way that was asked about: better, if none was."""
    return better(verdict) != (verdict.comparison.claim == "hurts")


def answer(study: Study) -> str:
    """Answer the suite's question in one sentence, from the contrast that it declares first."""
    from . import factors

    if study.pooled:
        return _pooled(study)
    if study.factors and not study.verdicts:
        return factors.answer(study)
    if not study.verdicts:
        return "**No answer:** the suite declares no contrast."
    first = primary(study)
    mine = [study.verdicts[i] for i in first]
    contrast = study.suite.contrasts[first[0]]
    arms = [study.suite.variants[i].name for i in (contrast.treatment, contrast.baseline)]
    told = "; ".join(_told(study, i) for i in first)
    metric = markdown(scoring(study, contrast))
    return f"**{lead(mine)}** {code(arms[0])} against {code(arms[1])}, {metric}: {told}."


def told(study: Study) -> Iterator[str]:
    """Say the answer and every verdict in plain lines, for a terminal."""
    from .factors import levels
    from .floors import qualifiers

    yield f"\n{shown(study.suite.question, STORED)}\n{unmarked(answer(study))}"
    yield from map(unmarked, qualifiers(study))
    for verdict in study.verdicts:
        one = verdict.comparison
        said = decision(verdict).replace("**", "")
        names = f"{shown(one.treatment)}  −  {shown(one.baseline)}  [{shown(one.metric)}]"
        yield f"  {said:<22} {names}"
    for effect, verdict in zip(study.suite.effects, study.effects, strict=True):
        said = decision(verdict).replace("**", "")
        name = " ".join(filter(None, (shown(named(study, effect)), shown(levels(effect)))))
        yield f"  {said:<22} {name}  [{shown(effect.metric)}]"
    yield from (f"  {unmarked(twins(found))}" for found in study.same)


def named(study: Study, effect: Effect) -> str:
    """Name an effect or a pooled contrast, with the setting it is about where there are several."""
    where = setting(study, effect)
    return f"{effect.name} {where}" if effect.over else f"{effect.name}{where}"


def setting(study: Study, effect: Effect) -> str:
    """Say over which axes an effect is pooled, and the cell of the others."""
    cell = study.suite.variants[effect.plus[0]].cell
    kept = {axis: value for axis, value in cell.items() if axis not in effect.over}
    axes = [axis.rsplit(".", 1)[-1] for axis in effect.over]
    over = f"over {', '.join(axes)}" if axes else ""
    return f"{over}{in_cell(kept)}"


def _pooled(study: Study) -> str:
    """Answer from the first contrast that is pooled over settings, then tell the settings apart."""
    first = study.pooled[0][0]
    claim = (first.name, first.metric, first.over)
    mine = [pair for pair in study.pooled if (pair[0].name, pair[0].metric, pair[0].over) == claim]
    told = "; ".join(f"{markdown(setting(study, one))} {_figures(v)}" for one, v in mine)
    arms = f"{code(first.high)} against {code(first.low)}"
    return f"**{lead([v for _, v in mine])}** {arms}, {markdown(first.metric)}, {told}."


def twins(same: Same) -> str:
    """Say an A/A result in one sentence."""
    error = f"± {100 * same.error:.1f}"
    return (
        f"A/A: {same.runs} runs of {markdown(same.label)} against one another, "
        f"{markdown(same.metric)}: a difference was claimed in "
        f"{100 * same.differs:.1f} % of random pairings, one beyond {same.margin:g} points in "
        f"{100 * same.matters:.1f} % (at most {100 * same.alpha:g} "
        f"{error} is expected)" + ("; TOO MANY" if same.suspicious else "")
    )


def scoring(study: Study, contrast: Contrast) -> str:
    """Name a contrast's metric, the protocols behind `accuracy`, and any oracle among them."""
    from ablate.analysis.judge import scored_by

    labels = sorted(scored_by(study.suite, contrast))
    named = f"{contrast.metric}: {' / '.join(labels)}" if contrast.metric == "accuracy" else ""
    oracle = " (ORACLE)" if study.oracles.intersection(labels) else ""
    return f"{named or contrast.metric}{oracle}"


def primary(study: Study) -> list[int]:
    """Give the places of the first declared contrast, one for each cell."""

    def declared(contrast: Contrast) -> tuple[str, str, str]:
        arms = (contrast.treatment, contrast.baseline)
        a, b = (study.suite.variants[i].arm for i in arms)
        return a, b, contrast.metric

    contrasts = study.suite.contrasts
    return [i for i, one in enumerate(contrasts) if declared(one) == declared(contrasts[0])]


def lead(verdicts: Sequence[Verdict]) -> str:
    """Give the answer's first words.

    A mixture says so; MATTERS in the wrong direction is never a yes.
    """
    found = {verdict.decision for verdict in verdicts}
    effects = [verdict for verdict in verdicts if verdict.decision == "MATTERS"]
    if effects and not any(map(asked, effects)):
        return (
            "It matters, but the other way:" if found == {"MATTERS"} else "In part, the other way:"
        )
    if found == {"MATTERS"}:
        return "Yes." if all(map(asked, effects)) else "It depends:"
    if effects:
        return "In part:"
    if found <= {"NEGLIGIBLE", "NO GAIN", "NO HARM"}:
        return "No."
    alone = {"INCONCLUSIVE": "Not decided.", "UNTESTABLE": "Cannot be told."}
    return alone[found.pop()] if len(found) == 1 else "Not shown:"


def _told(study: Study, place: int) -> str:
    verdict = study.verdicts[place]
    cell = cell_words(study.suite.variants[study.suite.contrasts[place].treatment].cell)
    where = f"at {markdown(', '.join(cell))} " if cell else ""
    return f"{where}{_figures(verdict)}"


def _figures(verdict: Verdict) -> str:
    if verdict.decision == "UNTESTABLE":
        return f"UNTESTABLE, {markdown(verdict.why)}"
    inert = "INERT" in verdict.flags
    name = f"{verdict.decision}, INERT: the same in every seed" if inert else verdict.decision
    estimate, interval = readings.figures(verdict)
    read = f"interval {interval}, " if interval != "–" else ""
    nothing = math.isinf(verdict.low) or not read
    open_for = f": {markdown(verdict.why)}" if nothing else excluded(verdict)
    return (
        f"{name} ({estimate} points, {read}margin {readings.margin(verdict)}, {verdict.n} seeds)"
        f"{open_for}"
    )


def excluded(verdict: Verdict) -> str:
    """Say what an undecided verdict's interval answers all the same; '' where nothing."""
    above, below = readings.excluded(verdict)
    if above == below:
        return ""
    lower = lower_is_better(verdict.comparison.metric)
    return f", and a {'gain' if above != lower else 'loss'} above the margin is excluded"


ALONE = "There is one claim, which has the whole of alpha: nothing else is to hold with it."


LEVELS = {
    "holm": "The level is that of Holm's step for the claim, of an undecided one where the "
    "procedure over the {claims} claims stopped; the simultaneous interval is Bonferroni's, which "
    "stands among the details.",
    "bonferroni": "The level is Bonferroni's for {claims} claims: the intervals are simultaneous.",
    "hommel": "It is per claim, at the level to which Hommel's procedure over the {claims} claims "
    "came; Hommel's has no simultaneous interval.",
    "bh": "It is per claim, at the level to which Benjamini and Hochberg's procedure over the "
    "{claims} claims came: where the false share of the claims is held, there is no simultaneous "
    "interval.",
    "by": "It is per claim, at the level to which Benjamini and Yekutieli's procedure over the "
    "{claims} claims came: where the false share of the claims is held, there is no simultaneous "
    "interval.",
    "none": "It is per claim: nothing is corrected for there being {claims}.",
}


def levels(correction: str, claims: int) -> str:
    """Say at which level the intervals of a family are, and whether they hold all at once."""
    return LEVELS[correction].format(claims=claims) if claims > 1 else ALONE


def exactly(p: float) -> str:
    """Say an exact p beside its approximations, where it could be counted.

    >>> exactly(0.0625), exactly(math.nan)
    (', exact p 0.062', '')
    """
    return "" if math.isnan(p) else f", exact p {p_value(p)}"


def plain(value: float) -> str:
    """Write a figure without a unit.

    >>> plain(3.14159), plain(float("nan"))
    ('3.14', '–')
    """
    return "–" if math.isnan(value) else f"{value:.2f}"


def picture(name: str, title: str, pictures: Sequence[str]) -> str:
    """Show a picture if it was drawn."""
    return f"![{title}]({name})" if name in pictures else ""
