"""Markdown tables of a study."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ablate.analysis.arm_summary import Estimate
from ablate.core.companions import Rate
from ablate.core.foreign_text import Markup, markdown
from ablate.flow import Study
from ablate.types import Status, Verdict, cell_words

from . import arm_names, floors, readings, words

CELL = 1000
"""Letters of a cell; a reason that names every arm of a factorial is long."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a markdown table. A cell that is not `Markup` is somebody's text, and is escaped."""
    lines = [[_cell(word) for word in line] for line in (head, *rows)]
    lines.insert(1, ["---"] * len(head))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return text if isinstance(text, Markup) else markdown(text, CELL)


def verdicts(study: Study) -> str:
    """Write one row a contrast: what was compared, the difference, the verdict."""
    suite = study.suite
    crossed = any(variant.cell for variant in suite.variants)
    every = [*(pooled for _, pooled in study.pooled), *study.verdicts]
    head = [
        *("contrast", *(["setting"] if crossed else []), "metric", *_claimed(every)),
        f"p ({words.procedure(suite.correction)})",
    ]
    rows = [
        _claim([effect.name, words.setting(study, effect), effect.metric], verdict, suite.alpha)
        for effect, verdict in study.pooled
    ]
    for contrast, verdict in zip(suite.contrasts, study.verdicts, strict=True):
        treatment, baseline = (suite.variants[i] for i in (contrast.treatment, contrast.baseline))
        cell = [", ".join(cell_words(treatment.cell))] if crossed else []
        name = f"{treatment.name} − {baseline.name}"
        about = [name, *cell, words.scoring(study, contrast)]
        rows.append(_claim(about, verdict, suite.alpha))
    return table(head, rows)


def _claimed(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """Name the columns of a claim; differences of a program of somebody's own have its units."""
    unit = " (points)" if all(verdict.comparison.points for verdict in verdicts) else ""
    return (f"difference{unit}", "its interval", "margin", "verdict", "seeds")


def claims(verdicts: Sequence[Verdict], alpha: float) -> str:
    """Write one row a verdict, by the names of its comparison."""
    rows = [
        _claim(
            [f"{v.comparison.treatment} − {v.comparison.baseline}", v.comparison.metric], v, alpha
        )
        for v in verdicts
    ]
    return table(["contrast", "metric", *_claimed(verdicts), "p"], rows)


def _claim(about: Sequence[str], verdict: Verdict, alpha: float) -> list[str]:
    return [
        *about,
        *readings.figures(verdict),
        " ".join(filter(None, (readings.margin(verdict), _asked(verdict)))),
        words.decision(verdict),
        str(verdict.n),
        Markup(readings.p(verdict, alpha)),
    ]


def _asked(verdict: Verdict) -> str:
    return f"({verdict.comparison.claim})" if verdict.comparison.claim else ""


def effects(study: Study, metric: str) -> str:
    """Write one row an effect of the factorial on a metric, the largest first."""
    suite = study.suite
    claimed = _claimed(verdict for _, verdict in study.factors)
    head = ["effect", "from → to", *claimed, f"p ({words.procedure(suite.correction)})", "why"]
    ranked = sorted(
        (pair for pair in study.factors if pair[0].metric == metric),
        key=lambda pair: -abs(pair[1].estimate) if math.isfinite(pair[1].estimate) else 0,
    )
    rows = [
        [
            *_claim(
                [words.named(study, effect), f"{effect.low} → {effect.high}"], verdict, suite.alpha
            ),
            verdict.why,
        ]
        for effect, verdict in ranked
    ]
    return table(head, rows)


def reasons(study: Study) -> str:
    """Write why each verdict is what it is, with the tests behind it."""
    level = words.percent(study.suite.alpha)
    head = [
        *("contrast", "metric", "why", f"simultaneous {level} interval", "p effect > margin"),
        *("p effect < margin", "p sign-flip", "p paired t", "detectable", "chosen afterwards"),
        *("robust", f"d_z ({level} interval, alone)", "r between arms"),
    ]
    every = [*(pooled for _, pooled in study.pooled), *study.verdicts]
    return table(head, [_reason(study, verdict) for verdict in every])


def _reason(study: Study, verdict: Verdict) -> list[str]:
    compared, tests = verdict.comparison, verdict.tests
    names = ("minimal-effect", "equivalence", "sign-flip", "paired-t")
    p = [words.p_value(tests[name].p) if name in tests else "–" for name in names]
    if verdict.worst.size:
        p[1] = "–"  # Student's t of the pairs that were seen is not what ties are read by
    size = tests.get("effect-size")
    effect = (
        f"{words.points(size.estimate)} ({words.interval(size.low, size.high)})" if size else "–"
    )
    return [
        arm_names.versus(study, verdict),
        compared.metric,
        verdict.why,
        words.interval(*verdict.simultaneous, of_points=compared.points),
        *p,
        words.of(verdict, verdict.detectable, signed=False),
        readings.afterwards(verdict) or "–",
        readings.robust(verdict) or "–",
        effect,
        "–" if math.isnan(compared.correlation) else f"{compared.correlation:.2f}",
    ]


def collapses(study: Study) -> str:
    """Write how often runs collapsed, arm by arm of each contrast, and what the rest says."""
    head = [
        *("contrast", "metric", "treatment collapsed", "baseline collapsed"),
        *("p of equal rates", "difference, conditional on no collapse"),
    ]
    rows = [
        [
            arm_names.versus(study, verdict),
            verdict.comparison.metric,
            *(_rate(arm) for arm in (verdict.collapses.treatment, verdict.collapses.baseline)),
            f"{words.p_value(verdict.collapses.p)} (not under {verdict.collapses.floor:.2g})",
            f"{words.of(verdict, verdict.collapses.conditional)} ({verdict.collapses.left} seeds)",
        ]
        for verdict in (*(pooled for _, pooled in study.pooled), *study.verdicts)
        if verdict.collapses
    ]
    return table(head, rows) if rows else ""


def _rate(arm: Rate) -> str:
    return f"{arm.count} of {arm.n} ({100 * arm.low:.1f} % to {100 * arm.high:.1f} %)"


def arms(study: Study) -> str:
    """Write one row an arm: its accuracy by each protocol, its seeds and its speed."""
    protocols = [stamped(study, label) for label in study.protocols]
    head = ["arm", "runs", *protocols, "updates / s", "gradients"]
    rows = [
        [
            arm_names.shown(study, arm.variant.label),
            str(arm.statuses[Status.OK]),
            *(mean(arm.values[label]) for label in study.protocols),
            "–" if math.isnan(arm.updates_per_second) else f"{arm.updates_per_second:,.0f}",
            "–" if math.isnan(arm.gradients) else f"{arm.gradients:,.0f}",
        ]
        for arm in study.arms
    ]
    rows += [[*row, "–", "–"] for row in floors.rows(study)]
    return table(head, rows)


def summaries(study: Study) -> str:
    """Write the summary metrics of each arm, and the two factors of its accuracy."""
    names = [name for name in study.arms[0].values if name not in study.protocols]
    rows = [
        [arm_names.shown(study, arm.variant.label), *(mean(arm.values[name]) for name in names)]
        for arm in study.arms
    ]
    return table(["arm", *names], rows)


def lost(study: Study) -> str:
    """Write every run that did not end well and every pair that is missing for it."""
    by_key: dict[str, list[str]] = {}
    shown = set()
    for variant, runs in zip(study.suite.variants, study.runs, strict=True):
        for seed, record in sorted(runs.items()):
            if record.status != Status.OK:  # arms that share a run share its loss
                row = [
                    arm_names.shown(study, variant.label),
                    str(seed),
                    record.status,
                    record.reason,
                ]
                if by_key.setdefault(record.key, row) is row:
                    shown.add((variant.label, seed))
    for verdict in study.verdicts:
        comparison = verdict.comparison
        for pair in comparison.lost:  # of runs that ended, but have no score in this metric
            unseen = [side for side in pair.sides if (side, pair.seed) not in shown]
            if unseen:
                key = f"{unseen}{pair.seed}{comparison.metric}"
                names = ", ".join(arm_names.shown(study, side) for side in unseen)
                by_key[key] = [names, str(pair.seed), "no score", pair.reason]
    rows = list(by_key.values())
    return table(["arm", "seed", "status", "reason"], rows) if rows else ""


def stamped(study: Study, metric: str) -> str:
    """Mark what only an oracle can score."""
    return f"{metric} (ORACLE)" if metric in study.oracles else metric


def mean(estimate: Estimate, *, of_points: bool = True) -> str:
    """Write a mean with half of its interval: in points, or with two digits of that half.

    >>> mean(Estimate(81.234, 80.111, 82.357, 5), of_points=True)
    '81.23 ± 1.12'
    >>> mean(Estimate(0.81234, 0.80111, 0.82357, 5), of_points=False)
    '0.812 ± 0.011'
    """
    half = (estimate.high - estimate.low) / 2
    if math.isnan(half) or (not half and not of_points):
        return words.amount(estimate.mean, of_points=of_points, signed=False)
    decimals = 2 if of_points else max(0, 1 - math.floor(math.log10(half)))
    return readings.minus(f"{estimate.mean:.{decimals}f} ± {half:.{decimals}f}")
