"""A worker on a Ray cluster: the same jobs as in a local process, answers as text."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from ablate.types import Json


class Actor:
    """Does one job after the other. Its class needs no Ray, which makes a process of it."""

    def __init__(self, paths: Sequence[str]) -> None:
        """Make the components of the driver's import path known; scan them as every worker does.

        paths: of the driver; those that are not here are left out by the import system.
        """
        sys.path += [path for path in paths if path not in sys.path]
        from ablate.executors.worker import watcher
        from ablate.records import fingerprints
        from ablate.registry import scan

        fingerprints.begin()
        scan()
        self.watch = watcher()

    def code(self) -> str:
        """Give a digest of the engine's code on this node."""
        from ablate.records import fingerprints
        from ablate.source import closure

        return closure.digest(fingerprints.engine())

    def perform(self, payload: Json) -> str:
        """Do a job: `answer` as JSON, and what it left changed in the process.

        Text, since what a component makes of its results must run nothing in the driver.
        """
        from ablate.executors.jobs import perform
        from ablate.executors.worker import done

        answer = done(perform, payload)
        changed = self.watch() if payload.get("watched", True) else []
        return json.dumps({"answer": answer, "changed": changed[:20]})
