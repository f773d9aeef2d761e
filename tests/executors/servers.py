"""Clusters that tests start: whoever has not the software skips, unless it is said to be there."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
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


@contextmanager
def slurm_cluster(nodes: int = 2) -> Iterator[Any]:
    """Start a Slurm controller and several nodes with a processor each, all on this machine.

    Gives a function that starts a node's daemon again, by its number.
    """
    if not all(map(shutil.which, ("slurmctld", "slurmd", "sbatch", "munged"))) or os.getuid():
        lacking("Slurm (slurmctld, slurmd, slurm-client and munge, as root)")
    with tempfile.TemporaryDirectory(prefix="slurm", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # munged lets others in
        ports = [_free_port() for _ in range(nodes + 1)]
        (folder / "slurm.conf").write_text(
            SLURM.format(folder=folder, host=socket.gethostname(), port=ports[0], user="root")
            + "\n".join(
                f"NodeName=n{i} NodeHostname={socket.gethostname()} NodeAddr=127.0.0.1 "
                f"Port={port} CPUs=1 RealMemory=8000"
                for i, port in enumerate(ports[1:])
            )
            + f"\nPartitionName=main Nodes=n[0-{nodes - 1}] Default=YES State=UP MaxTime=INFINITE\n"
        )
        before = os.environ.get("SLURM_CONF")
        os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
        daemons: list[subprocess.Popen[bytes]] = []

        def start(*command: str) -> subprocess.Popen[bytes]:
            log = (folder / f"{command[0]}.log").open("ab")
            daemons.append(subprocess.Popen(command, stdout=log, stderr=log))
            return daemons[-1]

        def node(number: int) -> subprocess.Popen[bytes]:
            return start("slurmd", "-D", "-N", f"n{number}")

        try:
            Path("/run/munge").mkdir(exist_ok=True)
            shutil.chown("/run/munge", "munge", "munge")
            if not Path("/run/munge/munge.socket.2").exists():
                start("runuser", "-u", "munge", "--", "munged", "--foreground")
            start("slurmctld", "-D", "-i")
            started = [node(number) for number in range(nodes)]
            _await(lambda: _states().count("idle") == nodes, 60, folder)
            yield SimpleNamespace(node=node, daemons=started, folder=folder)
        finally:
            for daemon in reversed(daemons):
                daemon.terminate()
                with suppress(subprocess.TimeoutExpired):
                    daemon.wait(10)
                daemon.kill()
            os.environ.pop("SLURM_CONF")
            if before is not None:
                os.environ["SLURM_CONF"] = before


SLURM = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmdTimeout=10
MinJobAge=20
JobRequeue=1
SchedulerParameters=sched_interval=1
SlurmdParameters=config_overrides
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
"""


def _states() -> list[str]:
    """Give the states of the nodes."""
    command = ["sinfo", "-h", "-N", "-o", "%t"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await(holds: Callable[[], bool], seconds: float, folder: Path) -> None:
    """Wait for a cluster to stand. Fails with its logs' ends."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            logs = "\n".join(path.read_text()[-1500:] for path in folder.glob("*.log"))
            pytest.fail(f"the cluster does not start:\n{logs}")
        time.sleep(0.2)
