"""The names that a component of each kind may have, from the protocols of its kind.

The engine asks for hooks by name, so that a misspelt one would never be called and never be missed,
and one with other parameters would fail in every run. Both are refused when a component is found.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache

from ablate.core.component_source import Component
from ablate.core.interfaces import KINDS

ANY_KIND = frozenset(
    {"alone", "can", "expand", "fits", "images", "later", "moved", "needs", "stackable"}
)
"""Facts that the catalogue reads of every component, and the hook of aliases."""

FACTS: Mapping[str, tuple[str, ...]] = {
    "dataset": ("fetch", "calls", "own"),
    "executor": ("crew", "map", "size", "workers"),
    "loss": ("own_task",),
    "memory": ("keeps", "reads_features", "budget_rows"),
    "method": ("reviews", "optimizer", "loss"),
    "model": ("maps", "groups", "least_side", "norm", "domains"),
    "optimizer": ("lr",),
    "predict": ("adapts", "seats", "mixes", "oracle", "inside_task", "shares", "standard"),
    "report": ("lines", "write", "data", "suite", "study", "comparison"),
    "update": ("queries",),
}
"""By kind: what the engine reads beside the members of the protocols, or where there is none."""

ALIKE = 0.8
"""Of `difflib.SequenceMatcher.ratio`: `gradient` is nearly `gradients`, `step_size` not `step`."""


@cache
def members(protocol: type) -> Mapping[str, tuple[str, ...] | None]:
    """Give a protocol's members: a method's parameters after self, None for an attribute."""
    public = {
        name: value
        for name, value in vars(protocol).items()
        if not name.startswith("_") or name == "__call__"
    }
    return {
        name: tuple(inspect.signature(value).parameters)[1:] if callable(value) else None
        for name, value in public.items()
        if callable(value) or isinstance(value, property)
    }


@cache
def hooks(kind: str) -> Mapping[str, tuple[str, ...] | None]:
    """Give the members of all protocols of a kind."""
    return {
        name: parameters
        for protocol in KINDS.get(kind, ())
        for name, parameters in members(protocol).items()
    }


def slip(kind: str, public: Iterable[str], fields: Iterable[str]) -> tuple[str, str] | None:
    """Give a public name that is nearly a hook of the kind and is none, with the hook.

    A name beside its own hook is none: a component may have `features` and `feature`.

    >>> slip("method", ["start", "gradient"], [])
    ('gradient', 'gradients')
    """
    names, known = {*public}, ANY_KIND.union(hooks(kind), FACTS.get(kind, ()))
    free = sorted(known - names - {*fields})
    for name in sorted(names - known - {*fields}):
        if name.startswith("_"):
            continue
        anagrams = [hook for hook in free if sorted(hook) == sorted(name.casefold())]
        if near := [*anagrams, *get_close_matches(name.casefold(), free, n=1, cutoff=ALIKE)]:
            return name, near[0]
    return None


def faults(entry: Component) -> Iterator[str]:
    """Say what keeps a component from being one of its kind: a hook that is misspelt or missing.

    An alias is only what it expands into.
    """
    kinds = {*KINDS, *FACTS}
    if entry.kind not in kinds and (
        like := get_close_matches(entry.kind, kinds, n=1, cutoff=ALIKE)
    ):
        yield f"is of a kind {entry.kind!r}, which nothing asks for; nearest: {like[0]!r}"
    fields = [field.name for field in entry.fields]
    public = [*entry.methods, *entry.facts]
    if near := slip(entry.kind, public, fields):
        yield (
            f"has {near[0]!r}, which nothing asks for; nearest: {near[1]!r} (a helper's name "
            "begins with an underscore)"
        )
    if "expand" in entry.methods:
        return
    for name, parameters in members(KINDS[entry.kind][0]).items() if entry.kind in KINDS else ():
        if name not in public and name not in fields:
            what = "field or attribute" if parameters is None else "method"
            yield f"has no {what} {name!r}, which every {entry.kind} has"
    for name, parameters in hooks(entry.kind).items():
        given = entry.signatures.get(name)
        if parameters is not None and given is not None and len(given) != len(parameters):
            yield (
                f"has {name}({', '.join(given)}), which is called as "
                f"{name}({', '.join(parameters)})"
            )
