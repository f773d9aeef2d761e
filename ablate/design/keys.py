"""The keys of a suite, each with what it is for, and those that hold one plain value."""

from __future__ import annotations

from ablate.core.component_source import Field
from ablate.design.axes import VARY
from ablate.design.grid import ARMS, BASE
from ablate.parsing.changes import QUICK

KEYS = {
    "question": "the question in one sentence, ending in '?'",
    "base": BASE,
    "arms": ARMS,
    "vary": VARY,
    "seeds": "how many seeds each arm runs; {first: 100, count: 20} says where they begin",
    "looks": "numbers of seeds at which verdicts are read, the last being `seeds`: [5, 8, 12, 20]",
    "contrasts": "treatment, baseline, metric and margin of each claim; its side, if it has one",
    "alpha": "the rate of false claims of either kind, over the whole family",
    "correction": "how p-values are adjusted over the family of contrasts",
    "precision": "floating-point format of the runs",
    "quick": QUICK,
    "factorial": "two levels of each factor, crossed: factors, metric, margin, fraction",
    "same": "an arm that is run again on other seeds, to show the rate of false claims",
    "spread": "the standard deviation that paired differences will have, for `power`: '2.0 points'",
    "tune": "what may be tuned, every arm on one budget: trials, seeds, rows, metric, space",
    "budget": "the axis of `vary` that makes training longer, to judge at equal cost too",
    "tuned": "the file with the tuned values of the arms, which `tune` writes",
    "references": "published figures shown beside what an arm reaches: arm, metric, figure",
}
SCALARS = {
    "question": Field("question", "str", None, ""),
    "alpha": Field("alpha", "float", 0.05, "[0.000001, 0.5]"),
    "correction": Field(
        "correction", "Literal['holm', 'hommel', 'bonferroni', 'bh', 'by', 'none']", "holm", ""
    ),
    "precision": Field("precision", "Literal['float32', 'float64']", "float32", ""),
}
