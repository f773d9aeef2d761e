"""Which components go together: what a base shares with its methods, and what makes no sense."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ablate.core.component_source import Field
from ablate.core.inputs import task_count, written_sizes
from ablate.errors import nearest
from ablate.parsing.choices import find
from ablate.parsing.located_yaml import Mark, Node
from ablate.registry import Catalogue
from ablate.types import TOP_KINDS, Choice


def shared_kinds(catalogue: Catalogue) -> tuple[str, ...]:
    """Name the kinds that methods choose inside themselves, and that a base may say for all."""
    fields = (
        field
        for name in catalogue.names("method")
        for field in catalogue.get("method", name).fields
    )
    kinds = {slot for field in fields if (slot := catalogue.slot(field.annotation))}
    return tuple(sorted(kinds))


def filled(tree: Node, catalogue: Catalogue) -> Node:
    """Give the chosen method what the tree says of a kind that it has a place for and leaves open.

    So `training` and `optimizer` are said once, beside the methods, and are equal for all.
    """
    name, settings = method_of(tree, catalogue)
    if not name:
        return tree  # a fault, which reading it will tell
    method = tree.items["method"]
    more = {
        field: tree.items[kind]
        for field, kind in slots(name, catalogue).items()
        if kind in tree.items and field not in settings.items
    }
    keys = {**settings.keys, **{field: value.at for field, value in more.items()}}
    whole = replace(settings, value={**settings.items, **more}, keys=keys)
    at = method.keys.get(name, method.at)
    chosen = replace(method, value={name: whole}, keys={name: at}, text="")
    return replace(tree, value={**tree.items, "method": chosen})


def method_of(tree: Node, catalogue: Catalogue) -> tuple[str, Node]:
    """Give the name and the written settings of a tree's method; no name where it has a fault."""
    method = tree.items["method"]
    name = method.value if isinstance(method.value, str) else next(iter(method.items), "")
    settings = (
        Node({}, method.at) if isinstance(method.value, str) else method.items.get(name, method)
    )
    sound = settings.value is None or isinstance(settings.value, dict)
    if name not in catalogue.names("method") or len(method.items) > 1 or not sound:
        return "", method
    return name, settings


def slots(name: str, catalogue: Catalogue) -> dict[str, str]:
    """Give the kinds of components that a method chooses inside itself, by field."""
    fields = catalogue.get("method", name).fields
    return {field.name: kind for field in fields if (kind := catalogue.slot(field.annotation))}


def home(tree: Node, path: str, catalogue: Catalogue) -> str:
    """Give the path at which an arm really has the setting that a path names; '' where nowhere.

    Of a kind that the base says for all methods, that is inside the method where it has its own.
    """
    kind, *words = path.split(".")
    if kind not in TOP_KINDS:
        name, settings = method_of(tree, catalogue)
        places = (
            [field for field, slot in slots(name, catalogue).items() if slot == kind]
            if name
            else []
        )
        if not places:
            return ""
        if places[0] in settings.items:
            kind = f"method.{name}.{places[0]}"
    full = ".".join([kind, *words])
    parent = tuple(full.split("."))[:-1]
    return full if len(words) > 1 and find(tree, parent) is not None else ""


def unread(tree: Node, path: str, catalogue: Catalogue) -> tuple[str, str]:
    """Say why no component reads what stands at a path of an arm, and where it would be read."""
    kind, *words = path.split(".")
    name, settings = method_of(tree, catalogue)
    if kind in TOP_KINDS or not name:
        return ", as another value takes its place", ""
    fields = [field for field, slot in slots(name, catalogue).items() if slot == kind]
    if not fields:
        return f": method {name!r} has no {kind}", f"a method with {kind}"
    if fields[0] in settings.items:
        inside = ".".join(["method", name, fields[0], *words])
        return f": method {name!r} says its own {fields[0]}", inside
    return ", as another value takes its place", ""


def near(path: str, trees: Sequence[Node], catalogue: Catalogue) -> str:
    """Give the path, among those that arms have, that is most like one that leads nowhere."""
    return nearest(
        path, dict.fromkeys(route for tree in trees for route in settable(tree, catalogue))
    )


def has(tree: Node, words: tuple[str, ...], catalogue: Catalogue) -> bool:
    """Say whether an arm has what a path names: a kind, a chosen component or its setting."""
    if len(words) % 2 == 0:
        return find(tree, words) is not None
    if find(tree, words[:-1]) is None:
        return False
    return len(words) == 1 or field_at(".".join(words), catalogue) is not None


def whole_path(words: Sequence[str], tree: Node, kinds: Sequence[str], catalogue: Catalogue) -> str:
    """Give the path that is meant by one that starts with no kind: `lr`, `base.memory`, `memry`."""
    if words[0] == "base" and words[1:2] and words[1] in kinds:
        return ".".join(words[1:])
    if kind := nearest(words[0], kinds):
        return kind
    ending = f".{'.'.join(words)}"
    paths = (path for path in settable(tree, catalogue) if "*" not in path)
    return next((path for path in paths if path.endswith(ending)), "")


def settable(tree: Node, catalogue: Catalogue) -> Iterator[str]:
    """Give every path at which a tree of choices can be changed, with names and with `*`."""
    for kind, node in filled(tree, catalogue).items.items():
        yield from _inside(kind, kind, node, catalogue)


def _inside(path: str, kind: str, node: Node, catalogue: Catalogue) -> Iterator[str]:
    name = node.value if isinstance(node.value, str) else next(iter(node.items), "")
    yield path
    if name not in catalogue.names(kind):
        return
    for chosen in (name, "*"):
        yield f"{path}.{chosen}"
        for field in catalogue.get(kind, name).fields:
            inner, slot = (
                node.items.get(name, node).items.get(field.name),
                catalogue.slot(field.annotation),
            )
            if slot and inner is not None:
                yield from _inside(f"{path}.{chosen}.{field.name}", slot, inner, catalogue)
            else:
                yield f"{path}.{chosen}.{field.name}"


def field_at(path: str, catalogue: Catalogue) -> Field | None:
    """Give the field that a path names in the catalogue; None where there is none."""
    kind, *words = path.split(".")
    field = None
    while len(words) >= 2:
        name, last, *words = words
        if kind not in catalogue.kinds() or name not in catalogue.names(kind):
            return None
        field = catalogue.get(kind, name).field(last)
        if field is None:
            return None
        kind = catalogue.slot(field.annotation) or ""
    return None if words else field


def _unshared(choices: Mapping[str, Choice], catalogue: Catalogue) -> Iterator[str]:
    """Say where tasks share their outputs in the model and not in how it is scored, or in part."""
    predict, model = choices["predict"], choices["model"]
    domains = setting(model, "domains", catalogue) or 1
    tasks = setting(choices["dataset"], "tasks", catalogue)
    shares = catalogue.get("predict", predict.name).facts.get("shares", False)
    count = task_count(tasks) if tasks else domains
    if domains > 1 and domains != count:
        yield (
            f"model {model.name!r} with domains {domains}, where there are {count} tasks: all of "
            f"them share the outputs, with `domains: {count}`"
        )
    elif domains > 1 and not shares:
        yield (
            f"predict {predict.name!r} with model {model.name!r}, whose tasks share their outputs: "
            "it cannot tell their classes apart; say `predict: shared-head`"
        )
    elif domains == 1 and shares and count != 1:
        yield (
            f"predict {predict.name!r} with model {model.name!r}, whose tasks have outputs of "
            f"their own: say `domains: {count}`"
        )


def unequal(choices: Mapping[str, Choice], catalogue: Catalogue) -> Iterator[str]:
    """Say where a model cuts its outputs into equal parts and the tasks are of unequal size."""
    tasks, model = setting(choices["dataset"], "tasks", catalogue), choices["model"]
    if isinstance(tasks, int) or not tasks or len({*tasks}) == 1:
        return
    sizes = f"tasks of {written_sizes(tasks)[:60]} classes with model {model.name!r}"
    if (domains := setting(model, "domains", catalogue) or 1) > 1:
        yield f"{sizes} and domains {domains}: tasks that share all outputs have as many classes"
    heads = setting(model, "heads", catalogue) or 1
    # a stranger's `heads` may be of attention; ours have layers of their own
    if heads > 1 and catalogue.get("model", model.name).field("head_widths"):
        yield f"{sizes} and heads {heads}, which share the classes out evenly; say `heads: 1`"


def setting(choice: Choice, key: str, catalogue: Catalogue) -> Any:
    """Give a component's setting, its default where it is not said; None without such a field."""
    if key in choice.settings:
        return choice.settings[key]
    field = catalogue.get(choice.kind, choice.name).field(key)
    return field.default if field else None


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
        value = chosen.settings.get(key, facts.get(key))
        if key == "keeps" and chosen.settings.get("budget_rows") == 0:
            value = "nothing"
        if value not in accepted:
            yield f"method {method.name!r} with {kind} {chosen.name!r}: {reason}"
    yield from _unshared(choices, catalogue)
    inside = method.settings.get("training")
    if isinstance(inside, Choice) and inside.settings.get("exemplar_rows"):
        batches = setting(inside, "batches", catalogue)
        if batches != "paired":
            yield (
                f"training {inside.name!r} with exemplar_rows and batches {batches!r}: only a "
                "`paired` batch has a number of exemplars of its own"
            )
    predict = choices["predict"]
    adapts = catalogue.get("predict", predict.name).facts.get("adapts")
    wraps = "wrap" in entry.methods and "parameters" not in entry.methods
    if adapts and wraps:
        yield (
            f"predict {predict.name!r} with method {method.name!r}, which has no single vector of "
            "parameters to adapt"
        )


def tasks_at(tree: Node) -> Mark:
    """Give the place of a data set's `tasks`, or of the data set where they are not written."""
    dataset = tree.items["dataset"]
    written = [child.items["tasks"] for child in dataset.items.values() if "tasks" in child.items]
    return (written or [dataset])[0].at
