"""What a process was like before a job and after: what counts as changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ablate.core.process_state import VARIABLES, State, changes


def state(modules: int, **variables: str) -> State:
    values: dict[str, Any] = {VARIABLES: variables, "umask": 0}
    return State(values, {}, frozenset(), modules)


@pytest.mark.parametrize(
    ("now", "named"),
    [
        (state(11, A="1"), []),
        (state(11, A="1", KMP_INIT="FALSE"), []),
        (state(10, A="1", SEED="3"), [VARIABLES]),
        (state(11, A="2"), [VARIABLES]),
        (state(11), [VARIABLES]),
        (state(11, A="2", B="1"), [VARIABLES]),
    ],
)
def test_variables_that_come_with_a_library_are_no_change(now: State, named: list[str]) -> None:
    """Those that are changed or taken are, and new ones where nothing was imported."""
    before = state(10, A="1")
    assert changes(before, now) == named
    other = replace(now, values={**now.values, "umask": 1})
    assert changes(before, other) == [*named, "umask"]


def test_an_environment_that_cannot_be_read_counts() -> None:
    """Nobody knows what is in it."""
    before = state(10, A="1")
    unread = replace(before, values={**before.values, VARIABLES: "cannot be read"}, modules=11)
    assert changes(before, unread) == [VARIABLES]
