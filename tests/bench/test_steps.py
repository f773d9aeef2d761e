"""Timings of update steps, for `make bench`; they are looked at, never asserted."""

from __future__ import annotations

from typing import Any

import pytest

from ablate.workflows.bench_cases import Arm, settings
from ablate.workflows.bench_wholes import wholes

ARMS = {
    f"{setting.name}: {arm.label}": arm
    for setting in settings()
    for arm in (*setting.arms(), *wholes(setting))
}


@pytest.fixture(autouse=True)
def only_on_demand(request: pytest.FixtureRequest) -> None:
    """Leave them out where timing is off, as in the ordinary run: some take seconds."""
    if not request.config.getoption("benchmark_enable"):
        pytest.skip("timings are `make bench`")


@pytest.mark.parametrize("arm", ARMS.values(), ids=ARMS)
def test_step(benchmark: Any, arm: Arm) -> None:
    """What `bench` shows, by pytest-benchmark."""
    benchmark(arm.build())
