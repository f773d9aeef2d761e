"""What code and which packages a run's scores depend on, as digests and versions."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from ablate.core.component_source import Component
from ablate.records import provenance
from ablate.registry import Catalogue
from ablate.source import closure, functions, surroundings
from ablate.source.closure import Closure
from ablate.types import Choice, RunSpec, Stack

ENTRY = "ablate.executors.jobs"
"""What a worker runs; all that it imports decides a score, but for these."""

BESIDE = {
    "ablate.errors": "the words of refusals: a run that is refused leaves no score",
    "ablate.core.verdict_values": "conclusions, which `types` hands on; a worker draws none",
    "ablate.core.claim_values": "what a suite claims; a worker concludes nothing",
    "ablate.core.tuning_values": "values of tuning; a worker tunes nothing",
    "ablate.core.foreign_text": "the words in which errors are stored; no number goes through it",
    "ablate.core.naming": "the names of folders, which a worker does not make",
    "ablate.executors.inline": "hands plain data to `jobs` and its answer back",
    "ablate.executors.processes": "sends plain data to a worker and takes its answer",
    "ablate.executors.worker": "hands plain data to `jobs` and its answer back",
    "ablate.executors.worker_process": "a worker as its parent sees it",
}
"""Modules that a worker imports and that decide no score, with the reason."""

DISTRIBUTIONS = {"PIL": "pillow", "fontTools": "fonttools", "sklearn": "scikit-learn"}
"""Packages that are not called as they are imported; others are asked for, which takes a while."""


def begin() -> None:
    """Read the engine's code before it is loaded."""
    closure.renew()
    engine()


def engine() -> Mapping[str, Path]:
    """Give the files of the engine that decide a run's scores, by module."""
    return {name: path for name, path in closure.closure(ENTRY).files.items() if name not in BESIDE}


def code_facts(run: RunSpec, catalogue: Catalogue) -> dict[str, Any]:
    """Give digests of the code and versions of the packages that a run's scores depend on.

    engine: of the files that every run goes through. components: of each component with all that it
    imports. helpers: of each file that components import, one by one, since arms without a common
    component may share it. packages: see `provenance.PACKAGES`, and what components import.
    Of somebody's own program: its files, its interpreter and that one's packages.
    """
    if run.outside:
        return program_facts(run)
    return _facts(used(run.choices.values(), catalogue))


def program_facts(run: RunSpec) -> dict[str, Any]:
    """Give what the scores of somebody's own program rest on beside its parameters.

    A function rests on its module with all that it imports of its own, or, of a notebook, on its
    source and on what that reads; and on the versions of the packages that are imported there.
    """
    settings = run.choices["method"].settings
    if function := settings.get("function"):
        brought = functions.basis(function)
        return {
            "outside": True,
            "python": platform.python_version(),
            "packages": {
                name: provenance.version_of(name) for name in distributions(brought.packages)
            },
            "components": dict(brought.digests),
        }
    command, folder = settings.get("command") or (), Path(settings.get("folder", ".")).absolute()
    python = surroundings.interpreter(command[0], folder) if command else {}
    return {
        "outside": True,
        "python": python.get("python", ""),
        "packages": dict(line.rsplit(" ", 1) for line in python.get("packages", ())),
        "components": surroundings.files(command, folder),
    }


def protocol_facts(predictors: Sequence[Choice], catalogue: Catalogue) -> dict[str, str]:
    """Give a digest of the code behind each scoring protocol, by its label."""
    return {
        choice.label(): provenance.digest(
            f"{name} {closure.digest(_part(entry))}".encode()
            for name, entry in sorted(catalogue.used(choice).items())
        )
        for choice in predictors
    }


def used(choices: Iterable[Choice], catalogue: Catalogue) -> dict[str, Component]:
    """Give the components of several choices, those inside them included, by `kind.name`."""
    components: dict[str, Component] = {}
    for choice in choices:
        components |= catalogue.used(choice)
    return dict(sorted(components.items()))


def confirm(stack: Stack, catalogue: Catalogue) -> None:
    """Make sure that the code loaded so far is what is stated. Raises SourceError otherwise."""
    closure.confirm(engine())
    choices = [*stack.runs[0].choices.values(), *stack.predictors]
    for entry in used(choices, catalogue).values():
        closure.confirm(_part(entry))


def loaded(stack: Stack, catalogue: Catalogue) -> dict[str, str]:
    """Give digests of what other people's packages have loaded that no import of theirs names."""
    choices = [*stack.runs[0].choices.values(), *stack.predictors]
    parts = [_part(entry) for entry in used(choices, catalogue).values()]
    known = {name for part in parts for name in part}
    files = closure.loaded_beside(known, known)
    return {name: closure.source(path, name).code for name, path in files.items()}


def changed(stated: Mapping[str, Any]) -> list[str]:
    """Name the modules that were loaded, by name, and are not today what they were."""
    return [name for name, code in stated.items() if code != closure.today(name)]


def _facts(components: Mapping[str, Component]) -> dict[str, Any]:
    helpers: dict[str, Path] = {}
    names = set(closure.closure(ENTRY).packages)
    for entry in components.values():
        helpers |= {name: path for name, path in _part(entry).items() if name != entry.module}
        names |= _closure(entry).packages
    return {
        "engine": closure.digest(engine()),
        "components": {name: closure.digest(_part(entry)) for name, entry in components.items()},
        "helpers": {
            closure.plain_name(name): closure.source(path, name).code
            for name, path in sorted(helpers.items())
            if path.stat().st_size
        },
        "packages": provenance.machine()["packages"]
        | {name: provenance.version_of(name) for name in distributions(frozenset(names))},
    }


@cache
def distributions(tops: frozenset[str]) -> tuple[str, ...]:
    """Name the distributions that hold top-level names.

    >>> distributions(frozenset({"sklearn", "numpy"}))
    ('numpy', 'scikit-learn')
    """
    named = {DISTRIBUTIONS.get(top, top) for top in tops}
    if all(provenance.version_of(name) != provenance.ABSENT for name in named):
        return tuple(sorted(named))
    known = packages_distributions()
    return tuple(sorted({name for top in tops for name in known.get(top, (top,))}))


def _closure(entry: Component) -> Closure:
    return closure.closure(entry.module)


def _part(entry: Component) -> dict[str, Path]:
    """Give a component's file and those that it imports, without the engine's."""
    beside = {*engine(), *BESIDE}
    files = {name: path for name, path in _closure(entry).files.items() if name not in beside}
    return files | {entry.module: Path(entry.origin)}
