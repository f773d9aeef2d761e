"""Arms that looks closed early stand beside the others at the seeds that all have run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ablate import flow
from ablate.records.store import open_store
from ablate.types import Suite
from ablate.verdicts import futility
from reports import write
from tests.conftest import TINY
from tests.verdicts.test_family import by_look

THREE = (
    TINY.replace("seeds: 3", "seeds: 8\nlooks: [5, 8]")
    .replace("  balanced: {", "  slow: {method.meta.optimizer.sgd.lr: 0.29}\n  balanced: {")
    .replace("margin: 2.0 points", "margin: 90.0 points")
    + "  - {treatment: slow, baseline: reptile, metric: all-classes, margin: 0.3 points}\n"
)


@pytest.fixture
def raced(
    suite_of: Callable[..., Suite], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> flow.Study:
    """Two arms that went on to eight seeds beside one that needed five."""
    monkeypatch.setattr(futility, "SLIM", 0.0)
    return by_look(suite_of(text=THREE), tmp_path / "results")[0]


def test_arms_are_compared_at_seeds_that_all_have(raced: flow.Study) -> None:
    """Means, ranks and shares have five; the open claim has its eight, the closed one its five."""
    assert [len(runs) for runs in raced.runs] == [8, 8, 5]
    assert [arm.values["all-classes"].n for arm in raced.arms] == [5, 5, 5]
    assert [raced.measured(arm.variant, "all-classes").n for arm in raced.arms] == [5, 5, 5]
    assert [verdict.n for verdict in raced.verdicts] == [5, 8]
    text = write.text(raced)
    assert "over the 5 seeds that all arms have run. 2 arms ran on, to 8 at most" in text


def test_where_all_arms_have_run_the_same_nothing_is_left_out(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study], tmp_path: Path
) -> None:
    """Nor said, with an arm that has no record yet beside them."""
    study = run_suite(suite_of(), tmp_path)
    more = suite_of(("  balanced: {", "  new: {method.meta.inner_steps: 2}\n  balanced: {"))
    for seen in (study, flow.analyse(more, open_store(tmp_path))):
        assert seen.level == seen.runs
        assert "ran on" not in write.text(seen)
