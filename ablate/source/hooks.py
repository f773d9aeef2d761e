"""The public names that a component of each kind may have; what is nearly one of them is a slip.

The engine asks for hooks by name, so that a misspelt one would never be called and never be missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

ANY_KIND = frozenset(
    {"alone", "can", "expand", "fits", "images", "later", "needs", "own", "standard", "stackable"}
)
"""Facts that the catalogue reads of every component, and the hook of aliases."""

STREAM = ("epochs", "first_epochs", "batch_rows", "batches", "steps", "exemplar_rows", "weights")

HOOKS: Mapping[str, frozenset[str]] = {
    kind: ANY_KIND | frozenset(names)
    for kind, names in {
        "augment": ("draws",),
        "dataset": ("look", "load", "fetch", "calls", "tasks", "class_order"),
        "executor": ("map", "kept", "workers"),
        "gather": ("reach",),
        "loss": ("own_task",),
        "memory": ("quota", "rank", "keeps", "reads_features", "budget_rows"),
        "method": (
            *("start", "step", "finish", "logits", "features", "parameters", "wrap", "size"),
            *("gradients", "review", "reviews", "review_rows", "review_limit"),
            *("review_gradients", "noise", "optimizer", "training", "loss"),
            *("select", "select_rule", "select_epochs", "validation_rows", *STREAM),
        ),
        "model": ("parameters", "maps", "groups", "least_side", "norm", "domains"),
        "optimizer": ("init", "step", "lr"),
        "predict": ("adapts", "adapted", "seats", "mixes", "oracle", "inside_task", "shares"),
        "report": ("lines", "write"),
        "schedule": (),
        "step": ("scale",),
        "test": (),
        "training": ("rate", *STREAM),
        "update": ("carry", "scale", "queries"),
    }.items()
}
"""By kind: hooks, and class attributes that the engine reads. See the protocols of the kinds."""

ALIKE = 0.8
"""Of `difflib.SequenceMatcher.ratio`: `gradient` is nearly `gradients`, `step_size` not `step`."""


def slip(kind: str, public: Iterable[str], fields: Iterable[str]) -> tuple[str, str] | None:
    """Give a public name that is nearly a hook of the kind and is none, with the hook.

    A name beside its own hook is none: a component may have `features` and `feature`.

    >>> slip("method", ["start", "gradient"], [])
    ('gradient', 'gradients')
    """
    names, known = {*public}, HOOKS.get(kind, ANY_KIND)
    free = sorted(known - names - {*fields})
    for name in sorted(names - known - {*fields}):
        if name.startswith("_"):
            continue
        anagrams = [hook for hook in free if sorted(hook) == sorted(name.casefold())]
        if near := [*anagrams, *get_close_matches(name.casefold(), free, n=1, cutoff=ALIKE)]:
            return name, near[0]
    return None
