"""Which components go together: what a base shares with its methods, and what makes no sense."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ablate.document import Node
from ablate.registry import Catalogue
from ablate.types import Choice


def shared_kinds(catalogue: Catalogue) -> tuple[str, ...]:
    """Name the kinds that methods choose inside themselves, and that a base may say for all."""
    fields = (
        field
        for name in catalogue.names("method")
        for field in catalogue.get("method", name).fields
    )
    found = {slot for field in fields if (slot := catalogue.slot(field.annotation))}
    return tuple(sorted(found))


def filled(tree: Node, catalogue: Catalogue) -> Node:
    """Give the chosen method what the tree says of a kind that it has a place for and leaves open.

    So `training` and `optimizer` are said once, beside the methods, and are equal for all. A method
    that says itself what a component is for (its own `epochs`) keeps to that.
    """
    method = tree.items["method"]
    name = method.value if isinstance(method.value, str) else next(iter(method.items), "")
    if name not in catalogue.names("method") or len(method.items) > 1:
        return tree  # a fault, which reading it will tell
    own = Node({}, method.at) if isinstance(method.value, str) else method.items[name]
    if own.value is not None and not isinstance(own.value, dict):
        return tree
    more = {
        field.name: tree.items[slot]
        for field in catalogue.get("method", name).fields
        if (slot := catalogue.slot(field.annotation) or "") in tree.items
        and field.name not in own.items
        and not (said_in(catalogue, slot) & {*own.items})
    }
    said = Node({**own.items, **more}, own.at, {**own.keys, **{k: v.at for k, v in more.items()}})
    at = method.keys.get(name, method.at)
    return replace(tree, value={**tree.items, "method": Node({name: said}, method.at, {name: at})})


def said_in(catalogue: Catalogue, kind: str) -> set[str]:
    """Name the settings of a kind's components."""
    names = catalogue.names(kind)
    return {field.name for name in names for field in catalogue.get(kind, name).fields}


def misfits(choices: Mapping[str, Choice], catalogue: Catalogue) -> Iterator[str]:
    """Say why a method and the components beside it make no sense together.

    A class says `fits = ((kind, key, accepted values, reason), ...)`: the chosen component of that
    kind must have one of the values in its setting of that name or, without one, in its class's
    attribute (null where it has neither).
    """
    method = choices["method"]
    entry = catalogue.get("method", method.name)
    for kind, key, accepted, reason in entry.facts.get("fits", ()):
        chosen = choices[kind]
        facts = catalogue.get(kind, chosen.name).facts
        if chosen.settings.get(key, facts.get(key)) not in accepted:
            yield f"method {method.name!r} with {kind} {chosen.name!r}: {reason}"
    predict = choices["predict"]
    adapts = catalogue.get("predict", predict.name).facts.get("adapts")
    if adapts and "parameters" not in entry.methods and "expand" not in entry.methods:
        yield (
            f"predict {predict.name!r} with method {method.name!r}, which has no single vector of "
            "parameters to adapt"
        )
