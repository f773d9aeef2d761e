"""The section on a factorial's effects."""

from __future__ import annotations

from ablate.core.claim_values import TIMES
from ablate.core.foreign_text import markdown
from ablate.flow import Study

from . import tables


def factorial(study: Study) -> list[str]:
    """Show main effects and interactions, if the suite is a factorial."""
    if not study.factors:
        return []
    names = dict.fromkeys(effect.metric for effect, _ in study.factors)
    first, *others = (
        [f"## Effects on {markdown(tables.stamped(study, name))}", tables.effects(study, name)]
        for name in names
    )
    said = (
        "A factor's effect is the mean over the arms at its second level less that over the arms "
        "at its first, seed by seed; that of A × B is half of how much B changes the effect of A. "
        "Effects that this design cannot tell apart share a row. All belong to one family of "
        "claims, in every metric, with the contrasts if there are any."
    )
    return [first[0], said, first[1], aliases(study), *(part for one in others for part in one)]


def aliases(study: Study) -> str:
    """Name the interactions of three factors and more that a fraction adds to an effect."""
    mixed = {effect.name: effect.aliases for effect, _ in study.factors if effect.aliases}
    if not mixed:
        return ""
    lines = [f"- {name}: {', '.join(map(TIMES.join, others))}" for name, others in mixed.items()]
    return (
        "The design is a fraction of all combinations: what stands behind an effect here cannot be "
        "told from it, and is taken to be small.\n\n" + "\n".join(lines)
    )
