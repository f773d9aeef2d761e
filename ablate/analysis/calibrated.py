"""Which methods reproduce a published figure; what an arm's others are marked with.

A method's label states the figure (`@component(..., calibrated=...)`). One that states none, ours
or a third party's, may be right and may be broken: whoever reads a table with it is told.
"""

from __future__ import annotations

from collections.abc import Sequence

from ablate.registry import Catalogue
from ablate.types import Variant

METHOD = "method"
NOT_CALIBRATED = "not calibrated"
"""The flag of a verdict on such an arm, and the mark behind its name."""


def uncalibrated(catalogue: Catalogue, variant: Variant) -> list[str]:
    """Name the methods of an arm, that of an alias included, whose label states no figure."""
    if METHOD not in variant.choices or variant.outside:
        return []
    used = catalogue.used(variant.choices[METHOD]).values()
    return sorted(entry.name for entry in used if entry.kind == METHOD and not entry.calibrated)


def uncalibrated_arms(catalogue: Catalogue, variants: Sequence[Variant]) -> dict[str, list[str]]:
    """Name such methods by the arm's label, for the arms that have one."""
    methods = {variant.label: uncalibrated(catalogue, variant) for variant in variants}
    return {label: names for label, names in methods.items() if names}
