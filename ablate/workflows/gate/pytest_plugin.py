"""Claims as tests: pytest loads this where the toolkit is installed (entry point `pytest11`).

What is heavy is imported when a claim is held, so that other people's test runs start as before.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MARKER = (
    "ablate(source, *expectations, undecided='fail', **settings): the test runs only if all that "
    "is expected of two arms is kept by a suite's stored runs, a report, or a table of scores, as "
    "in 'no-aug - full: not worse than 0.5 points'"
)
UNDECIDED = ("fail", "skip")

Hold = Callable[..., None]


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Hold the claims of a test's markers before it runs."""
    for mark in item.iter_markers("ablate"):
        hold(item.config.rootpath, *mark.args, **mark.kwargs)


@pytest.fixture
def ablate_gate(pytestconfig: pytest.Config) -> Hold:
    """Give what holds claims: `ablate_gate("scores.csv", "a - b: within 0.5", metric="loss")`.

    The test fails where a claim is broken, or open: `undecided="skip"` skips it then.
    """

    def gate(source: str | Path, *expectations: str, **settings: Any) -> None:
        hold(pytestconfig.rootpath, source, *expectations, **settings)

    return gate


def hold(
    root: Path, source: str | Path, *expectations: str, undecided: str = "fail", **settings: Any
) -> None:
    """Fail or skip the test that is running unless all expectations are kept.

    root: where a source is looked for that is not in the current folder. settings: alpha; results,
    of a suite; those of `compare`, of a table. Raises ValueError for what cannot be meant.
    """
    from ablate.errors import AblateError
    from ablate.registry import scan
    from ablate.workflows.gate import sources
    from ablate.workflows.gate.expectations import BROKEN, OPEN, read

    if undecided not in UNDECIDED or not expectations:
        words = f"undecided={undecided!r}, {len(expectations)} expectations"
        raise ValueError(f"{words}: one expectation at least, and undecided='fail' or 'skip'")
    named = Path(source)
    path = named if named.exists() or not (root / named).exists() else root / named
    try:
        outcomes = sources.of(str(path), [read(text) for text in expectations], **settings)
    except AblateError as error:
        pytest.fail(error.text(), pytrace=False)
    lines = "\n".join(scan().load("report", "gate")().lines(outcomes))
    words_of = {outcome.word for outcome in outcomes}
    if BROKEN in words_of or (OPEN in words_of and undecided == "fail"):
        pytest.fail(f"not all that is expected is kept:\n{lines}", pytrace=False)
    if OPEN in words_of:
        pytest.skip(f"undecided:\n{lines}")
