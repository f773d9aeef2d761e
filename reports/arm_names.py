"""An arm's name in a table, marked where its method is not calibrated."""

from __future__ import annotations

from ablate.analysis.calibrated import NOT_CALIBRATED
from ablate.flow import Study
from ablate.types import Verdict


def shown(study: Study, label: str) -> str:
    """Name an arm, by its label or its name, and mark it where its method is not calibrated."""
    if not study.uncalibrated:  # labels of a hundred arms cost more than a table
        return label
    names = {
        variant.name for variant in study.suite.variants if variant.label in study.uncalibrated
    }
    unknown = label in names or label in study.uncalibrated
    return f"{label} ({NOT_CALIBRATED})" if unknown else label


def versus(study: Study, verdict: Verdict) -> str:
    """Name the two arms of a verdict, each marked where its method is not calibrated."""
    comparison = verdict.comparison
    return f"{shown(study, comparison.treatment)} − {shown(study, comparison.baseline)}"
