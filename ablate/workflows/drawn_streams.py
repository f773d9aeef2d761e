"""Which random streams an arm draws from at all: the others cannot vary its scores."""

from __future__ import annotations

import numpy as np
import torch

from ablate.analysis import judge
from ablate.core.random_streams import CROSSED
from ablate.design.protocols import predictors
from ablate.records import metrics
from ablate.registry import Catalogue
from ablate.types import Choice, Memory, Suite, Variant

ROWS = 6
"""Of each class of a trial memory."""


def by_claim(suite: Suite, catalogue: Catalogue) -> list[frozenset[str]]:
    """Name the streams that any arm of each claim draws from."""
    asked = [claim.metric for claim in (*suite.contrasts, *suite.effects)]
    return [
        frozenset().union(*(drawn(suite, catalogue, arm, metric) for arm in arms))
        for arms, metric in zip(judge.arms_of(suite), asked, strict=True)
    ]


def drawn(suite: Suite, catalogue: Catalogue, arm: int, metric: str) -> frozenset[str]:
    """Name the streams that an arm's scores in a metric may depend on, of those that are crossed.

    Init and batch order: always. Class order: unless it is natural. Exemplars: where a memory
    chooses by its priorities. Chunks: where test rows vote together.
    """
    variant = suite.variants[arm]
    skipped = {
        "class order": _orders(variant, catalogue) == "natural",
        "exemplars": not draws_exemplars(variant.choices["memory"], catalogue),
        "chunks": not _votes(suite, catalogue, variant, metric),
    }
    return frozenset(stream for stream in CROSSED if not skipped.get(stream))


def draws_exemplars(choice: Choice, catalogue: Catalogue) -> bool:
    """Say whether other priorities make a memory keep other rows, by trying it on a few.

    One that cannot be tried may draw.
    """
    try:
        return _differs(catalogue.build(choice))
    except Exception:  # a component's, on rows that are not its data set's
        return True


def _differs(memory: Memory) -> bool:
    draws = np.random.default_rng(0)
    features = torch.as_tensor(draws.normal(size=(ROWS, 2)))
    valid = torch.ones(ROWS, dtype=torch.bool)
    kept = []
    for _ in range(4):
        priorities = [draws.random(ROWS) for _ in range(3)]
        if not memory.quota(priorities).any():
            return False
        priority = torch.as_tensor(priorities[0])
        ranks = memory.rank(features, valid, priority, 1).tolist()
        kept.append((memory.quota(priorities).tolist(), ranks))
    return any(other != kept[0] for other in kept)


def _orders(variant: Variant, catalogue: Catalogue) -> str:
    return str(catalogue.build(variant.choices["dataset"]).class_order)


def _votes(suite: Suite, catalogue: Catalogue, variant: Variant, metric: str) -> bool:
    """Say whether the rows of a chunk are scored together."""
    label = metrics.protocol_of(metric, variant.choices["predict"].label())
    choices = {choice.label(): choice for choice in predictors(catalogue, suite.variants)}
    return int(choices[label].settings.get("rows", 1)) > 1
