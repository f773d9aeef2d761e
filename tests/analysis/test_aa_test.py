"""A/A: an arm against itself on other seeds claims about alpha, and a broken test shows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ablate import flow
from ablate.analysis.aa_test import DRAWS, Same, false_claims
from ablate.design.common_sections import TWIN_SEEDS
from ablate.errors import SuiteError
from ablate.types import Suite
from reports import answers, write


def test_the_rate_of_false_claims_is_near_alpha() -> None:
    """For scores of any spread; beyond a margin there are fewer."""
    scores = [float(x) for x in np.random.default_rng(3).normal(70, 3, 40)]
    differs, matters = false_claims(scores, 0.5, 0.05, 0.01)
    slack = 4 * (0.05 * 0.95 / DRAWS) ** 0.5
    assert abs(differs - 0.05) < slack
    assert matters <= differs


def test_the_rate_follows_alpha() -> None:
    """A claim is made where p is at most alpha, so half of the pairings at alpha = 0.5."""
    scores = [float(x) for x in np.random.default_rng(4).normal(70, 3, 40)]
    assert 0.4 < false_claims(scores, 0.5, 0.5, 0.01)[0] < 0.6


def test_the_twin_runs_on_seeds_of_its_own(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study]
) -> None:
    """Its rate is in the report and in the terminal, and it changes no verdict."""
    plain = run_suite(suite_of(("seeds: 3", "seeds: 5")))
    study = run_suite(suite_of(("seeds: 3", "seeds: 5\nsame: balanced")))
    assert study.suite.twins == ((1, 2),)
    twin = study.runs[2]
    assert [twin[i].seed for i in range(5)] == [TWIN_SEEDS + i for i in range(5)]
    assert not {r.key for r in twin.values()} & {r.key for r in study.runs[1].values()}
    assert repr(study.verdicts) == repr(plain.verdicts)
    (found,) = study.same
    assert (found.runs, found.metric, found.margin) == (10, "all-classes", 2.0)
    assert found.differs < 0.2
    text = write.text(study)
    assert "## A/A: one arm against itself" in text
    assert answers.twins(found) in text
    assert any("A/A: 10 runs" in line for line in answers.told(study))


def test_too_many_false_claims_are_said() -> None:
    """Three standard errors above alpha."""
    fine = Same("a", "all-classes", 1.0, 40, 0.05, 0.06, 0.0, 0.0097)
    assert "TOO MANY" not in answers.twins(fine)
    assert "TOO MANY" in answers.twins(Same("a", "all-classes", 1.0, 40, 0.05, 0.09, 0.0, 0.0097))


def test_an_unknown_arm_has_no_twin(suite_of: Callable[..., Suite]) -> None:
    """The nearest name is offered."""
    with pytest.raises(SuiteError, match="unknown arm 'balancd' for same") as caught:
        suite_of(("seeds: 3", "seeds: 3\nsame: balancd"))
    assert "balanced" in str(caught.value)
