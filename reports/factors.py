"""A factorial in words: the sentence that answers the question, and what an effect goes between."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ablate.core.foreign_text import markdown
from ablate.flow import Study
from ablate.types import Decision, Effect, FactorialEffect, Verdict

from .words import named, of


def answer(study: Study) -> str:
    """Answer from a factorial: what matters, the largest first, then every factor by its name.

    Interactions, and effects at one level of another factor, are counted where they do not matter.
    Each metric has a sentence of its own.
    """
    names = list(dict.fromkeys(effect.metric for effect, _ in study.factors))
    return " ".join(_on(study, name, several=len(names) > 1) for name in names)


def _on(study: Study, metric: str, *, several: bool) -> str:
    effects = [(e, v) for e, v in study.factors if e.metric == metric]
    parts = []
    for name, phrase in (
        (Decision.MATTERS, "beyond the margin"),
        (Decision.NEGLIGIBLE, "inside it"),
        (Decision.NO_GAIN, "no gain beyond it"),
        (Decision.NO_HARM, "no harm beyond it"),
        (Decision.INCONCLUSIVE, "not decided"),
        (Decision.UNTESTABLE, "untestable"),
    ):
        chosen = [(e, v) for e, v in effects if v.decision == name]
        chosen.sort(
            key=lambda pair: -abs(pair[1].estimate) if math.isfinite(pair[1].estimate) else 0
        )
        if chosen:
            parts.append(f"{phrase}: {_counted(study, chosen, every=name == 'MATTERS')}")
    if not any(v.decision == Decision.MATTERS for _, v in effects):
        parts.insert(0, f"none of {len(effects)} effects was shown beyond the margin")
    text = f"{f'on {markdown(metric)}, ' if several else ''}{'; '.join(parts)}"
    return f"**{text[0].upper()}{text[1:]}.**"


def _counted(
    study: Study, chosen: Sequence[tuple[FactorialEffect, Verdict]], *, every: bool
) -> str:
    """Name effects with their estimates; of others than a factor's own the number, unless all."""
    shown = [(e, v) for e, v in chosen if every or e.factor]
    figures = [f"{markdown(named(study, e))} ({_figure(e, v, from_to=every)})" for e, v in shown]
    rest = len(chosen) - len(shown)
    others = f"{rest} interactions and effects at one level" if figures else f"{rest} effects"
    return " and ".join(filter(None, (", ".join(figures), others if rest else "")))


def levels(effect: Effect) -> str:
    """Say from which level to which an effect goes; '' of an interaction, and what is pooled."""
    if isinstance(effect, FactorialEffect) and len(effect.factors[0]) == 1:
        return f"{effect.low} → {effect.high}"
    return ""


def _figure(effect: FactorialEffect, verdict: Verdict, *, from_to: bool) -> str:
    between, figure = markdown(levels(effect)) if from_to else "", of(verdict, verdict.estimate)
    return f"{between}: {figure}" if between else figure
