"""The answer to a suite's question: a sentence for a page, plain lines for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ablate.analysis.aa_test import Same
from ablate.analysis.study import Study
from ablate.core.foreign_text import STORED, code, markdown, plain as shown, unmarked
from ablate.registry import component
from ablate.types import Contrast, Decision, Verdict, cell_words

from . import factors, floors, left_out, readings, words


@component("report", "answer")
@dataclass(frozen=True)
class Answer:
    """The answer to a suite's question and every verdict, for a terminal."""

    def lines(self, study: Study) -> Iterator[str]:
        """Say them in plain lines."""
        return told(study)


def asked(verdict: Verdict) -> bool:
    """Say whether a verdict that MATTERS goes the way that was asked about: better, if none was."""
    return words.better(verdict) != (verdict.comparison.claim == "hurts")


def answer(study: Study) -> str:
    """Answer the suite's question in one sentence, from the contrast that it declares first."""
    if study.suite.lacks:
        return left_out.answer(study)
    if study.pooled:
        return _pooled(study)
    if study.factors and not study.verdicts:
        return factors.answer(study)
    if not study.verdicts:
        return "**No answer:** the suite declares no contrast."
    first = primary(study)
    verdicts = [study.verdicts[i] for i in first]
    contrast = study.suite.contrasts[first[0]]
    arms = [study.suite.variants[i].name for i in (contrast.treatment, contrast.baseline)]
    outcomes = "; ".join(_told(study, i) for i in first)
    metric = markdown(words.scoring(study, contrast))
    return f"**{lead(verdicts)}** {code(arms[0])} against {code(arms[1])}, {metric}: {outcomes}."


def told(study: Study) -> Iterator[str]:
    """Say the answer and every verdict in plain lines, for a terminal."""
    yield f"\n{shown(study.suite.question, STORED)}\n{unmarked(answer(study))}"
    yield from map(unmarked, floors.qualifiers(study))
    for verdict in study.verdicts:
        comparison = verdict.comparison
        decision = words.decision(verdict).replace("**", "")
        names = (
            f"{shown(comparison.treatment)}  −  {shown(comparison.baseline)}  "
            f"[{shown(comparison.metric)}]"
        )
        yield f"  {decision:<22} {names}"
    yield from left_out.behind(study)
    for effect, verdict in zip(study.suite.effects, study.effects, strict=True):
        decision = words.decision(verdict).replace("**", "")
        name = " ".join(
            filter(None, (shown(words.named(study, effect)), shown(factors.levels(effect))))
        )
        yield f"  {decision:<22} {name}  [{shown(effect.metric)}]"
    yield from (f"  {unmarked(twins(same))}" for same in study.same)


def _pooled(study: Study) -> str:
    """Answer from the first contrast that is pooled over settings, then tell the settings apart."""
    first = study.pooled[0][0]
    claim = (first.name, first.metric, first.over)
    pairs = [pair for pair in study.pooled if (pair[0].name, pair[0].metric, pair[0].over) == claim]
    outcomes = "; ".join(
        f"{markdown(words.setting(study, effect))} {_figures(v)}" for effect, v in pairs
    )
    arms = f"{code(first.treatment)} against {code(first.baseline)}"
    return f"**{lead([v for _, v in pairs])}** {arms}, {markdown(first.metric)}, {outcomes}."


def twins(same: Same) -> str:
    """Say an A/A result in one sentence."""
    error, unit = f"± {100 * same.error:.1f}", " points" if same.points else ""
    return (
        f"A/A: {same.runs} runs of {markdown(same.label)} against one another, "
        f"{markdown(same.metric)}: a difference was claimed in "
        f"{100 * same.differs:.1f} % of random pairings, one beyond {same.margin:g}{unit} in "
        f"{100 * same.matters:.1f} % (at most {100 * same.alpha:g} "
        f"{error} is expected)" + ("; TOO MANY" if same.suspicious else "")
    )


def primary(study: Study) -> list[int]:
    """Give the places of the first declared contrast, one for each cell."""

    def declared(contrast: Contrast) -> tuple[str, str, str]:
        arms = (contrast.treatment, contrast.baseline)
        a, b = (study.suite.variants[i].arm for i in arms)
        return a, b, contrast.metric

    contrasts = study.suite.contrasts
    return [
        i for i, contrast in enumerate(contrasts) if declared(contrast) == declared(contrasts[0])
    ]


def lead(verdicts: Sequence[Verdict]) -> str:
    """Give the answer's first words.

    A mixture says so; MATTERS in the wrong direction is never a yes.
    """
    decisions = {verdict.decision for verdict in verdicts}
    effects = [verdict for verdict in verdicts if verdict.decision == Decision.MATTERS]
    if effects and not any(map(asked, effects)):
        return (
            "It matters, but the other way:"
            if decisions == {Decision.MATTERS}
            else "In part, the other way:"
        )
    if decisions == {Decision.MATTERS}:
        return "Yes." if all(map(asked, effects)) else "It depends:"
    if effects:
        return "In part:"
    if decisions <= {Decision.NEGLIGIBLE, Decision.NO_GAIN, Decision.NO_HARM}:
        return "No."
    alone = {Decision.INCONCLUSIVE: "Not decided.", Decision.UNTESTABLE: "Cannot be told."}
    return alone[decisions.pop()] if len(decisions) == 1 else "Not shown:"


def _told(study: Study, index: int) -> str:
    verdict = study.verdicts[index]
    cell = cell_words(study.suite.variants[study.suite.contrasts[index].treatment].cell)
    where = f"at {markdown(', '.join(cell))} " if cell else ""
    return f"{where}{_figures(verdict)}"


def _figures(verdict: Verdict) -> str:
    if verdict.decision == Decision.UNTESTABLE:
        return f"UNTESTABLE, {markdown(verdict.why)}"
    inert = "INERT" in verdict.flags
    name = f"{verdict.decision}, INERT: the same in every seed" if inert else verdict.decision
    estimate, interval = readings.figures(verdict)
    read = f"interval {interval}, " if interval != "–" else ""
    nothing = math.isinf(verdict.low) or not read
    open_for = f": {markdown(verdict.why)}" if nothing else excluded(verdict)
    return (
        f"{name} ({estimate}{readings.unit(verdict)}, {read}margin {readings.margin(verdict)}, "
        f"{verdict.n} seeds)"
        f"{open_for}"
    )


def excluded(verdict: Verdict) -> str:
    """Say what an undecided verdict's interval answers all the same; '' where nothing."""
    above, below = readings.excluded(verdict)
    if above == below:
        return ""
    lower = verdict.comparison.lower
    return f", and a {'gain' if above != lower else 'loss'} above the margin is excluded"
