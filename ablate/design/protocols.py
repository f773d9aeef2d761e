"""The protocols that score a run: the standard ones, and those that its suite chooses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ablate.registry import Catalogue
from ablate.types import Choice, Variant


def standard_predictors(catalogue: Catalogue) -> list[Choice]:
    """Give the scoring protocols that every run reports: those that components call standard."""
    return [
        Choice("predict", name, {**_defaults(catalogue, name), **settings})
        for name in catalogue.names("predict")
        for settings in catalogue.get("predict", name).facts.get("standard", ())
    ]


def predictors(catalogue: Catalogue, variants: Sequence[Variant]) -> tuple[Choice, ...]:
    """Give the standard protocols and those that variants add, each once.

    None where all of them are somebody's own program, which scores itself.
    """
    choices = [variant.choices["predict"] for variant in variants if not variant.outside]
    standard = standard_predictors(catalogue) if choices or not variants else []
    return tuple({c.label(): c for c in [*standard, *choices]}.values())


def _defaults(catalogue: Catalogue, name: str) -> dict[str, Any]:
    fields = catalogue.get("predict", name).fields
    return {field.name: field.default for field in fields}
