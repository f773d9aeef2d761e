"""Published figures beside what the arms reach: rows of a table, sentences, lines of a picture."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ablate.core.claim_values import Published
from ablate.core.foreign_text import Markup, code, markdown
from ablate.flow import Study
from ablate.types import Reference, Variant

from . import arm_names, tables, words


def section(study: Study) -> list[str]:
    """Show published figures beside those measured, if the suite asks for it."""
    if not study.suite.references:
        return []
    return [
        "## Beside published figures",
        "Published figures come from other code, data splits and protocols: a check of "
        "calibration, not a target. No test is made against them.",
        table(study),
    ]


def table(study: Study) -> str:
    """Write each published figure beside the arms' own, in every cell of the grid."""
    head = ["arm", "metric", "measured", "published", "difference", "band", "source"]
    of_points, rows = not study.suite.measures, []
    for reference, variant in beside(study):
        figure, ours = reference.figure, study.measured(variant, reference.metric)
        source = f"{markdown(figure.source)}." if figure.source else "–"
        suspect = f" **suspect**: {markdown(figure.suspect)}" if figure.suspect else ""
        rows.append(
            [
                arm_names.shown(study, variant.label),
                tables.stamped(study, reference.metric),
                tables.mean(ours, of_points=of_points),
                printed(figure, of_points=of_points),
                words.amount(ours.mean - figure.value, of_points=of_points),
                _band(figure, ours.mean) if of_data(reference, variant) else "other data",
                Markup(f"{source}{suspect}"),
            ]
        )
    return tables.table(head, rows)


def beside(study: Study) -> Iterator[tuple[Reference, Variant]]:
    """Give every published figure with each variant that it stands beside; no A/A twin is one."""
    twins = {twin for _, twin in study.suite.twins}
    for reference in study.suite.references:
        for place, variant in enumerate(study.suite.variants):
            if place not in twins and reference.arm in ("", variant.arm):
                yield reference, variant


def of_data(reference: Reference, variant: Variant) -> bool:
    """Say whether a figure was reached on a variant's data set, as far as anybody says."""
    dataset = variant.choices.get("dataset")
    return reference.figure.dataset in ("", dataset.name if dataset else "")


def printed(figure: Published, *, of_points: bool) -> str:
    """Write a published figure with what reached it.

    >>> printed(Published("a", "mnist", "LwF", 24.17, 0.33), of_points=True)
    '24.17 ± 0.33 (LwF, mnist)'
    >>> printed(Published("a", "", "He et al.", 0.9312), of_points=False)
    '0.9312 (He et al.)'
    """
    known = [size for size in (figure.value, figure.spread) if not math.isnan(size)]
    sizes = " ± ".join(words.amount(size, of_points=of_points, signed=False) for size in known)
    return f"{sizes} ({', '.join(filter(None, (figure.method, figure.dataset)))})"


def _band(figure: Published, value: float) -> str:
    inside = figure.inside(value)
    if inside is None or math.isnan(value):
        return "–"
    return f"{'inside' if inside else 'OUTSIDE'} {figure.low:g} to {figure.high:g}"


def claimed(study: Study) -> Iterator[str]:
    """Say what was published, a sentence a figure."""
    of_points = not study.suite.measures
    for reference in study.suite.references:
        figure = reference.figure
        suspect = f" (suspect: {markdown(figure.suspect)})" if figure.suspect else ""
        where = f" on {markdown(figure.dataset)}" if figure.dataset else ""
        value = words.amount(figure.value, of_points=of_points, signed=False)
        arms = code(reference.arm) if reference.arm else "every arm"
        yield (
            f"Published: {markdown(figure.method)} reaches {value}{where}{suspect}, held against "
            f"{arms} in {markdown(reference.metric)}."
        )


def reached(study: Study) -> Iterator[str]:
    """Say how far each arm is from each figure beside it."""
    of_points = not study.suite.measures
    for reference, variant in beside(study):
        figure, ours = reference.figure, study.measured(variant, reference.metric)
        apart = words.amount(ours.mean - figure.value, of_points=of_points)
        value = words.amount(figure.value, of_points=of_points, signed=False)
        yield (
            f"{code(arm_names.shown(study, variant.label))} reaches "
            f"{words.amount(ours.mean, of_points=of_points, signed=False)} in "
            f"{markdown(tables.stamped(study, reference.metric))}, {apart} from the published "
            f"{value} ({markdown(figure.method)})."
        )
