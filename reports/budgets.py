"""Contrasts as they stand, at equal gradient evaluations and at equal seconds, side by side."""

from __future__ import annotations

from ablate.analysis.equal_budgets import AtEqual, flips
from ablate.core.foreign_text import Markup, code, markdown
from ablate.flow import Study
from ablate.types import Verdict, cell_words

from . import tables, words

WORDS = {"gradients": "equal gradient evaluations"}


def notes(study: Study) -> list[str]:
    """Name the verdicts that depend on the budget, for the first screen."""
    changed = [
        markdown(f"{verdict.comparison.treatment} − {verdict.comparison.baseline}")
        for index, verdict in enumerate(study.verdicts)
        if flips(index, verdict, study.equal)
    ]
    return (
        [f"**Budget-dependent** (decided otherwise at an equal budget): {'; '.join(changed)}."]
        if changed
        else []
    )


def section(study: Study) -> list[str]:
    """Show every contrast at each kind of budget."""
    if not study.equal:
        return []
    by_all = study.suite.costs
    head = [
        "contrast",
        "setting",
        "as declared",
        *(word for by in by_all for word in (f"cost ({by})", f"at {WORDS.get(by, f'equal {by}')}")),
        "",
    ]
    rows = []
    for index, verdict in enumerate(study.verdicts):
        contrast = study.suite.contrasts[index]
        arms = [study.suite.variants[i] for i in (contrast.treatment, contrast.baseline)]
        by_budget = {equal.by: equal for equal in study.equal if equal.place == index}
        cells = [word for by in by_all for word in shown(by_budget[by])]
        label = Markup("**budget-dependent**" if flips(index, verdict, study.equal) else "")
        setting = ", ".join(cell_words(arms[0].cell))
        rows.append([f"{arms[0].name} − {arms[1].name}", setting, in_words(verdict), *cells, label])
    return [
        "## At equal budgets",
        f"Every arm runs at several lengths of training ({code(study.suite.budget)}). The "
        "baseline's score at the treatment's cost is read between two of its own, seed by seed, "
        "linear in the logarithm of the cost; where it was never run at that cost, the "
        "treatment's at the baseline's. *cost*: the treatment's over the baseline's as declared. "
        f"{counted(study)} What is read at equal cost is a family of its own, corrected like the "
        "first.",
        tables.table(head, rows),
    ]


def counted(study: Study) -> str:
    """Say what the costs are."""
    if not study.suite.measures:
        return (
            "Gradient evaluations count rows through a gradient; seconds are those of the machine "
            "that ran them."
        )
    counters = [by for by in study.suite.costs if by in study.suite.measures]
    sentences = []
    if "seconds" in study.suite.costs and "seconds" not in counters:
        sentences.append(
            "Seconds are those of the machine that ran a program, with its start, with every try "
            "of a run, and with whatever ran beside it."
        )
    if counters:
        sentences.append(f"What the program says that it spent: {markdown(', '.join(counters))}.")
    return " ".join(sentences)


def shown(equal: AtEqual) -> tuple[str, str]:
    """Show the ratio of costs, and the verdict at equal cost."""
    ratio = f"× {equal.ratio:.2f}" if equal.ratio == equal.ratio else "–"
    return ratio, in_words(equal.verdict) if equal.verdict else "no run of either at that cost"


def in_words(verdict: Verdict) -> Markup:
    """Show a difference and its verdict."""
    return Markup(f"{words.of(verdict, verdict.estimate)} {words.decision(verdict)}")
