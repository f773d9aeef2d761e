"""The functions that a suite's arms are: which there are, and where they can be run."""

from __future__ import annotations

from ablate.source import functions
from ablate.types import Suite


def named(suite: Suite) -> list[str]:
    """Name the functions that are a suite's programs, each once."""
    programs = [v.choices["method"].settings for v in suite.variants if v.outside]
    return list(
        dict.fromkeys(settings["function"] for settings in programs if "function" in settings)
    )


def of_notebook(suite: Suite) -> list[str]:
    """Name those that are known to one process alone."""
    return [name for name in named(suite) if functions.is_of_notebook(name)]


def reread(suite: Suite) -> None:
    """Read the files of the others again: workers load them as they are now."""
    for name in named(suite):
        if not functions.is_of_notebook(name):
            functions.reread(name)
