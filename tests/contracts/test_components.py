"""The conformance kit over our own components, as another package would run it."""

from ablate.testing.cases import numbers, of
from ablate.testing.contracts import *  # noqa: F403


def test_the_kit_has_cases() -> None:
    """A kind without any would pass in silence."""
    assert len(numbers("update")) >= 4
    kinds = ("update", "optimizer", "loss", "memory", "predict", "model", "dataset", "method")
    assert all(len(of(kind)) >= 3 for kind in kinds)
