"""A suite as a whole, in words: which axis explains the scores, and what all settings say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from ablate.core.foreign_text import markdown
from ablate.flow import Study
from ablate.stats.across_datasets import Settings
from ablate.types import Status

from . import arm_names, words
from .tables import stamped, table

RANKS, SHARES = "ranks.png", "shares.png"
MOST_LEVELS = 40


def importance(study: Study, pictures: Sequence[str]) -> list[str]:
    """Show which factor matters and by how much, by shares of variance and by level."""
    if not study.importance:
        return []
    level = words.percent(study.suite.alpha)
    parts = ["## Which component matters, and by how much"]
    for analysis in study.importance:
        full = analysis.shares.full
        rows = [
            [
                term.name,
                share(term.share),
                f"{share(term.low)} to {share(term.high)}" if full and term.of_means >= 0 else "–",
                share(term.of_means),
                str(term.df),
                "∞" if math.isinf(term.f) else words.plain(term.f),
                words.p_value(term.p),
            ]
            for term in analysis.shares.terms
        ]
        rows.append(
            [
                "not explained",
                share(analysis.shares.residual),
                "–",
                "–",
                str(analysis.shares.residual_df),
                "–",
                "–",
            ]
        )
        parts.append(f"**{markdown(stamped(study, analysis.metric))}**")
        head = [
            "component",
            "of all variance",
            f"{level} interval",
            "of the arms' means",
            "df",
            "F",
            "p",
        ]
        parts.append(table(head, rows))
    parts.append(words.picture(SHARES, "Shares of variance, and levels", pictures))
    lost = [analysis.metric for analysis in study.importance if not analysis.shares.full]
    ended = all(arm.statuses[Status.OK] == study.suite.seeds for arm in study.arms)
    why = "The arms are a fraction of all combinations" if ended else "Runs were lost or not run"
    kinds = (
        f"{why} ({markdown(', '.join(lost))}): these are type II sums of "
        "squares, which do not add up. "
        if lost
        else "Every combination ran in every seed, so that the shares add up. "
    )
    parts.append(
        f"Analysis of variance with the seeds as blocks. {kinds}*Of the arms' means*: without the "
        "seeds' luck (functional ANOVA). Intervals resample whole seeds; no share can be below 0, "
        "so that they lean upwards where little is explained. F and p are uncorrected and say only "
        "whether there is any effect, not whether it is worth caring about: margins and verdicts "
        "are in the tables above."
    )
    return parts


def settings(study: Study, pictures: Sequence[str]) -> list[str]:
    """Show ranks, what is told apart, and each pair over all settings."""
    if not study.settings:
        return []
    parts, level = ["## All settings together"], words.percent(study.suite.alpha)
    for ranking in study.settings:
        parts += [
            f"**{markdown(stamped(study, ranking.metric))}**",
            _ranks(study, ranking, level),
            _tested(ranking),
        ]
        if ranking.across:
            parts.append(_across(study, ranking, level))
    parts.append(words.picture(RANKS, "Average ranks and performance profiles", pictures))
    shared = all(ranking.shared for ranking in study.settings)
    parts.append(
        "Ranks are of an arm's mean in each setting, 1 the best. *IQM*: the interquartile mean of "
        "all runs. *Probability of improvement*: that a run of the treatment beats one of the "
        "baseline in the same setting. *Mixed model*: the mean difference with the setting drawn "
        "at random, which speaks for settings like these; the verdicts speak for these settings. "
        "*Signed rank*: posterior probabilities of the settings' mean differences, below, inside "
        "and above the margin."
        + (" All settings ran the same seeds, which are resampled whole." if shared else "")
    )
    return parts


def share(value: float) -> str:
    """Write a share as a percentage.

    >>> share(0.1234), share(float("nan"))
    ('12.3 %', '–')
    """
    return "–" if math.isnan(value) else f"{100 * value:.1f} %"


def _ranks(study: Study, ranking: Settings, level: str) -> str:
    order = sorted(range(len(ranking.arms)), key=lambda i: ranking.test.ranks[i])
    of_points = not study.suite.measures
    rows = [
        [
            arm_names.shown(study, ranking.arms[i]),
            f"{ranking.test.ranks[i]:.2f}",
            words.amount(mid.value, of_points=of_points, signed=False),
            words.interval(mid.low, mid.high, of_points=of_points, signed=False),
        ]
        for i in order
        for mid in [ranking.iqm[i]]
    ]
    return table(["arm", "average rank", "IQM", f"{level} interval, alone"], rows)


def _tested(ranking: Settings) -> str:
    test, k = ranking.test, len(ranking.arms)
    names = [markdown(", ".join(ranking.arms[i] for i in clique)) for clique in ranking.cliques]
    outcome = f"not told apart: {'; '.join(names)}" if names else "all arms are told apart"
    few = (
        f" With {test.blocks} settings no rank difference can reach Nemenyi's, which is more than "
        f"{k - 1} ranks: it can separate nothing here."
        if ranking.critical > k - 1
        else ""
    )
    return (
        f"Friedman over {test.blocks} settings: χ² = {test.statistic:.2f}, p "
        f"{words.p_value(test.p)}; Iman-Davenport p {words.p_value(test.f_p)}"
        f"{words.exactly(test.exact)}. Nemenyi's "
        f"critical difference {ranking.critical:.2f}; by Wilcoxon with Holm {outcome}.{few}"
    )


def _across(study: Study, ranking: Settings, level: str) -> str:
    alone = f"{level} interval, alone"
    head = [
        "contrast",
        "probability of improvement",
        alone,
        "mixed model",
        alone,
        "sd between, within",
        "signed rank: below, inside, above",
    ]
    rows, of_points = [], not study.suite.measures
    size = partial(words.amount, of_points=of_points)
    for pair in ranking.across:
        fit, up, sides = pair.mixed, pair.improvement, pair.sides
        names = (arm_names.shown(study, side) for side in (pair.treatment, pair.baseline))
        rows.append(
            [
                " − ".join(names),
                f"{up.value:.2f}",
                f"{up.low:.2f} to {up.high:.2f}",
                size(fit.estimate) if fit else "–",
                words.interval(fit.low, fit.high, of_points=of_points) if fit else "–",
                ", ".join(size(sd, signed=False) for sd in (fit.sd_between, fit.sd_residual))
                if fit
                else "–",
                f"{sides.below:.2f}, {sides.inside:.2f}, {sides.above:.2f}",
            ]
        )
    return table(head, rows)
