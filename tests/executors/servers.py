"""Clusters that tests start: whoever has not the software skips, unless it is said to be there."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

REQUIRED = "ABLATE_SERVERS"
"""The variable that makes missing software a failure."""


def lacking(what: str) -> None:
    """Skip the test, or fail where the software has to be there."""
    if os.environ.get(REQUIRED):
        pytest.fail(f"{what} is not here, and {REQUIRED} says that it is")
    pytest.skip(f"{what} is not here")


@contextmanager
def ray_cluster(nodes: int = 2, **head: Any) -> Iterator[Any]:
    """Start a Ray cluster of several nodes with a processor each, all on the loopback address."""
    if importlib.util.find_spec("ray") is None:
        lacking("Ray")
    # else it binds to the machine's own address, and mixing the two hangs
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray.cluster_utils import Cluster

    Path("/tmp/ray").mkdir(exist_ok=True)  # where Ray keeps its last address
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        first = {"num_cpus": 1, "include_dashboard": False, "temp_dir": folder, **head}
        cluster = Cluster(initialize_head=True, head_node_args=first)
        try:
            for _ in range(nodes - 1):
                cluster.add_node(num_cpus=1)
            yield cluster
        finally:
            ray.shutdown()
            cluster.shutdown()
