"""Parts that were left out of a base, in words: what each is worth, and what was left behind."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ablate.analysis.leave_one_out.readings import Part, Standing, parts
from ablate.analysis.leave_one_out.screening import LEVEL, MainEffect, Screened
from ablate.core.foreign_text import Markup, markdown, plain
from ablate.flow import Study

from . import tables, words

SAID = {
    Standing.MATTERS: "matters",
    Standing.REDUNDANT: "redundant",
    Standing.DEAD: "dead",
    Standing.SPARE: "negligible beside the others",
    Standing.OPEN: "not decided",
}
MEANS = {
    Standing.MATTERS: "without it alone, the difference lies beyond the margin",
    Standing.REDUNDANT: "not missed alone; missed together with another that is not missed alone",
    Standing.DEAD: "not missed alone, nor together with any other that is not missed alone",
    Standing.SPARE: "not missed while the others are there; whether another stands in for it "
    "was not asked, or is open (`pairs: true` asks)",
    Standing.OPEN: "neither was shown, or another outcome than these",
}


def answer(study: Study) -> str:
    """Answer from the parts: what each is worth, those that matter first."""
    read = list(parts(study.suite, study.verdicts))
    places = list(dict.fromkeys((p.alone.comparison.metric, p.cell) for p in read))
    sentences = [
        _sentence([p for p in read if (p.alone.comparison.metric, p.cell) == where], where, places)
        for where in places
    ]
    if study.screened and study.screened.left_behind:
        names = ", ".join(markdown(name) for name in study.screened.left_behind)
        sentences.append(f"*Not confirmed*, after a screening: {names}.")
    if not read and not sentences:
        return "**No answer:** no part was claimed about."
    return " ".join(sentences)


def _sentence(read: Sequence[Part], where: tuple[str, str], places: Sequence[object]) -> str:
    groups = []
    for standing, phrase in SAID.items():
        chosen = [part for part in read if part.standing == standing]
        if standing == Standing.MATTERS:
            chosen.sort(key=lambda part: -abs(part.alone.estimate))
        if chosen:
            groups.append(f"{phrase}: {', '.join(map(_figure, chosen))}")
    setting = markdown(", ".join(filter(None, where))) if len(places) > 1 else ""
    text = "; ".join(groups)
    text = f"on {setting}, {text}" if setting else text
    return f"**{text[0].upper()}{text[1:]}.**"


def _figure(part: Part) -> str:
    estimate = part.alone.estimate
    known = math.isfinite(estimate)
    figure = f" ({words.of(part.alone, estimate)} without it)" if known else ""
    joined = f" with {' and '.join(map(markdown, part.partners))}" if part.partners else ""
    return f"{markdown(part.name)}{joined}{figure}"


def section(study: Study) -> list[str]:
    """Show each part alone and with others, and the screening before; nothing in other suites."""
    if not study.suite.lacks:
        return []
    read = list(parts(study.suite, study.verdicts))
    several = any(part.cell for part in read)
    head = [
        "part",
        *(["setting"] if several else []),
        "metric",
        "without it",
        "together with",
        "is",
    ]
    rows = [
        [
            part.name,
            *([part.cell] if several else []),
            part.alone.comparison.metric,
            Markup(f"{words.of(part.alone, part.alone.estimate)}, {words.decision(part.alone)}"),
            Markup(_joint(part)),
            Markup(f"**{SAID[part.standing]}**{_partners(part)}"),
        ]
        for part in read
    ]
    standings = dict.fromkeys(part.standing for part in read)
    legend = "; ".join(f"*{SAID[s]}*: {MEANS[s]}" for s in MEANS if s in standings)
    shown = [tables.table(head, rows), f"{legend[0].upper()}{legend[1:]}."] if rows else []
    return ["## What each part is worth", *shown, *_screening(study)]


def _joint(part: Part) -> str:
    """Name the outcomes of leaving two out: those that go beyond what each does alone."""
    counted: dict[str, list[str]] = {}
    for other, verdict in part.joint.items():
        counted.setdefault(words.decision(verdict), []).append(markdown(other))
    return "; ".join(f"{outcome}: {', '.join(names)}" for outcome, names in counted.items()) or "–"


def _partners(part: Part) -> str:
    return f" with {', '.join(map(markdown, part.partners))}" if part.partners else ""


def _screening(study: Study) -> list[str]:
    """Say how parts were screened, and show each main effect."""
    screened = study.screened
    if screened is None:
        return []
    several = any(effect.cell for effect in screened.effects)
    head = [
        "part",
        *(["setting"] if several else []),
        "main effect",
        f"its {LEVEL:.0%} interval",
        "then",
    ]
    kept = {*screened.carried}
    rows = [
        [
            effect.part,
            *([effect.cell] if several else []),
            *_interval(effect, of_points=not study.suite.measures),
            Markup("carried on" if effect.part in kept else "**not confirmed**"),
        ]
        for effect in screened.effects
    ]
    return [
        "### How they were screened",
        f"{screened.arms} combinations of the parts, {screened.seeds} seeds each, none of which is "
        f"used above. In {markdown(screened.metric)}: the mean without a part less the mean with "
        "it, over the combinations of the others. A part is carried on unless this interval lies "
        "inside the margin. Main effects are clear of effects of two parts; these are mixed with "
        "one another, so that the screening cannot show which two stand in for each other.",
        *_lost(screened),
        tables.table(head, rows),
        "*Not confirmed* is no verdict: nothing was claimed about these parts, and they may matter "
        "where all others are present.",
    ]


def _interval(effect: MainEffect, *, of_points: bool) -> list[str]:
    if not math.isfinite(effect.mean):
        return ["–", "too few seeds"]
    mean = words.amount(effect.mean, of_points=of_points)
    return [mean, words.interval(effect.low, effect.high, of_points=of_points)]


def _lost(screened: Screened) -> list[str]:
    if not screened.lost:
        return []
    return [f"{screened.lost} of its seeds have a run that was lost, and count nowhere here."]


def behind(study: Study) -> Iterator[str]:
    """Name the parts that nothing was claimed about, for a terminal."""
    for name in study.screened.left_behind if study.screened else ():
        yield f"  {'not confirmed':<22} {plain(name)}"
