"""What travels to a batch job: where its stacks lie, and the paths that this package is found by.

It is sent as it is written here, with nothing of ours in it: a job may start where this package is
no installed one, and learns from `paths` where it is. The environment is left alone, since programs
of other people are started in it.
"""

from __future__ import annotations

import sys
from typing import Any


class BatchJob:
    """Calls a bundle in another process, and goes on in a third where the system ends that one."""

    def __init__(self, folder: str, names: tuple[str, ...], paths: tuple[str, ...]) -> None:
        """Keep plain text alone. names: of the stacks in the folder. paths: of imports."""
        self.folder, self.names, self.paths = folder, names, paths

    def __call__(self) -> int:
        """Do what is not answered yet, and give how many stacks that were."""
        sys.path += [path for path in self.paths if path not in sys.path]
        from pathlib import Path

        from ablate.executors.slurm_bundle import Bundle

        return Bundle(Path(self.folder), self.names).work()

    def checkpoint(self) -> Any:
        """Go on in another job, where the system takes this one away or its time is over."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)
