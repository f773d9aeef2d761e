"""Located YAML -> component Choices, and dotted paths that change one place of a tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ablate.core.component_source import REQUIRED, Component, Field
from ablate.errors import Problem, mistyped, nearest
from ablate.parsing.located_yaml import Mark, Node
from ablate.registry import Catalogue
from ablate.source.field_schema import allowed, check, meant, shown
from ablate.types import Choice

Path = tuple[str, ...]


class Fault(Exception):
    """A path that leads nowhere; carries its problem."""

    def __init__(self, at: Mark, fault: str, allowed: str = "", nearest: str = "") -> None:
        super().__init__(fault)
        self.problem = Problem(
            line=at.line, column=at.column, found=fault, allowed=allowed, nearest=nearest
        )


class OffPath(Exception):
    """A path through a component that this arm does not choose."""


class ChoiceReader:
    """Reads Choices against the catalogue, collecting every problem.

    arms: the trees of the arms that a choice may name, by the arms' names.
    """

    def __init__(self, catalogue: Catalogue, arms: Mapping[str, Node] | None = None) -> None:
        self.catalogue = catalogue
        self.arms = arms or {}
        self.sources: set[str] = set()
        """The declarations whose values have been read; a value that is not read has no effect."""
        self.problems: list[Problem] = []

    def among(self, arms: Mapping[str, Node]) -> ChoiceReader:
        """Give a reader of one of these arms, which notes its problems beside this one's."""
        reader = ChoiceReader(self.catalogue, arms)
        reader.problems = self.problems
        return reader

    def note(self, at: Mark, fault: str, accepts: str = "", guess: str = "") -> None:
        """Add a problem."""
        self.problems.append(
            Problem(line=at.line, column=at.column, found=fault, allowed=accepts, nearest=guess)
        )

    def read(self, node: Node, kind: str, path: Path, via: Path = ()) -> Choice | None:
        """Read the component chosen at a node; None where it has a problem.

        via: the arms followed so far, which must not close a circle.
        """
        names = self.catalogue.names(kind)
        self.sources.add(node.source)
        if isinstance(node.value, str):
            name, settings = node.value, Node({}, node.at)
            at = node.at
        elif len(node.items) == 1:
            name, settings = next(iter(node.items.items()))
            at = node.keys[name]
        else:
            subject = "several keys" if node.items else shown(node.plain())
            self.note(node.at, f"{subject} for {kind}", f"one component: {', '.join(names)}")
            return None
        if name not in names:
            self.note(at, f"unknown {kind} {name!r}", ", ".join(names), nearest(name, names))
            return None
        entry = self.catalogue.get(kind, name)
        return self.settings(entry, settings, at, path, via)

    def settings(
        self, entry: Component, node: Node, at: Mark, path: Path, via: Path
    ) -> Choice | None:
        """Read a component's settings, every field filled in."""
        self.sources.add(node.source)
        if node.value is not None and not isinstance(node.value, dict):
            fields = ", ".join(field.name for field in entry.fields)
            self.note(node.at, f"{shown(node.plain())} for {entry.name}", f"settings: {fields}")
            return None
        names = [field.name for field in entry.fields]
        before = len(self.problems)
        for key in node.items:
            if key not in names:
                accepts = ", ".join(names) or "no settings"
                # a setting that has gone to another place is named by it
                guess = entry.facts.get("moved", {}).get(key) or nearest(key, names)
                # a setting that stands where its component does was carried over from another
                carried = ", which `*` carries over" if node.keys[key] == at else ""
                self.note(node.keys[key], f"{entry.name} has no {key!r}{carried}", accepts, guess)
        values: dict[str, Any] = {}
        for field in entry.fields:
            if field.name in node.items:
                child = node.items[field.name]
                values[field.name] = self.value(entry, field, child, path, via)
            elif field.default == REQUIRED and not mistyped(field.name, node.items, names):
                slot = self.catalogue.slot(field.annotation)
                accepts = ", ".join(self.catalogue.names(slot)) if slot else allowed(field)
                self.note(at, f"{entry.name} without {field.name!r}", accepts)
            elif field.default != REQUIRED:
                default = field.default
                values[field.name] = list(default) if isinstance(default, tuple) else default
        choice = Choice(entry.kind, entry.name, values)
        self.needs(entry, choice, at)
        return choice if len(self.problems) == before else None

    def value(self, entry: Component, field: Field, node: Node, path: Path, via: Path) -> Any:
        """Read one field: a nested component, an arm's name, or plain data."""
        kind = self.catalogue.slot(field.annotation)
        self.sources.add(node.source)
        if kind is None:
            plain = node.plain()
            accepted, fault = check(field, plain)
            if fault:
                self.note(node.at, fault, allowed(field), meant(field, plain))
            return list(accepted) if isinstance(accepted, tuple) else accepted
        if node.value is None and "None" in field.annotation:
            return None
        if kind == entry.kind and isinstance(node.value, str):
            return self.arm(node, kind, path, via)
        return self.read(node, kind, (*path, entry.name, field.name), via)

    def arm(self, node: Node, kind: str, path: Path, via: Path) -> Choice | None:
        """Read what another arm has at this place; else a component of that name."""
        name = node.value
        there = find(self.arms[name], path) if name in self.arms else None
        if there is None:
            names = list(dict.fromkeys([*self.arms, *self.catalogue.names(kind)]))
            if name not in names:
                guess = nearest(name, names)
                self.note(node.at, f"unknown arm or {kind} {name!r}", ", ".join(names), guess)
                return None
            return self.read(node, kind, path, via)
        if name in via:
            circle = " -> ".join([*via, name])
            self.note(node.at, f"arms that follow each other in a circle: {circle}")
            return None
        return self.read(there, kind, path, (*via, name))

    def needs(self, entry: Component, choice: Choice, at: Mark) -> None:
        """Refuse settings that need what the chosen component cannot do.

        A class says `needs = {(field, value): (slot, ability)}`, where the value `"*"` is any but
        null; a component is able when it defines a method of that name or lists it in `can`.
        """
        for (field, value), (slot, ability) in entry.facts.get("needs", {}).items():
            chosen, given = choice.settings.get(slot), choice.settings.get(field)
            need = given is not None if value == "*" else given == value
            if not need or not isinstance(chosen, Choice):
                continue
            having = [
                name
                for name in self.catalogue.names(chosen.kind)
                if _able(self.catalogue.get(chosen.kind, name), ability)
            ]
            if chosen.name not in having:
                label = "a component" if value == "*" else value
                fault = f"{field}: {label} with {slot} {chosen.name!r}, which cannot {ability}"
                self.note(at, fault, f"{slot}: {', '.join(having)}")


def _able(entry: Component, ability: str) -> bool:
    return ability in entry.methods or ability in entry.facts.get("can", ())


def find(tree: Node, path: Path) -> Node | None:
    """Give what stands at a path, or None.

    A component written as a bare name counts as a mapping without settings.
    """
    here = tree
    for word in path:
        here = _opened(here)
        if word not in here.items:
            return None
        here = here.items[word]
    return here


def put(tree: Node, path: Path, value: Node, at: Mark) -> Node:
    """Give a copy of a tree of choices with another value at a path.

    Paths alternate: kind, component, field, component, field ... Raises OffPath where the path
    names a component that is not the chosen one, Fault where it names nothing.
    """
    return _put(tree, path, 0, value, at)


def _put(here: Node, path: Path, depth: int, value: Node, at: Mark) -> Node:
    here = _opened(here)
    word = path[depth]
    last = depth == len(path) - 1
    names_component = depth % 2 == 1
    if names_component and word not in here.items:
        raise OffPath(f"{'.'.join(path[:depth])} is {', '.join(here.items) or 'nothing'}")
    if not isinstance(here.value, dict):
        raise Fault(here.at, f"{shown(here.plain())} for {path[depth - 1]}", "settings")
    if not last and word not in here.items:
        known = list(here.items)
        raise Fault(
            at, f"nothing at {'.'.join(path[: depth + 1])}", ", ".join(known), nearest(word, known)
        )
    child = value if last else _put(here.items[word], path, depth + 1, value, at)
    keys = {**here.keys, word: at if last else here.keys.get(word, at)}
    return replace(here, value={**here.items, word: child}, keys=keys)


def _opened(node: Node) -> Node:
    """Read a bare component name as a mapping without settings, and null as no settings."""
    if isinstance(node.value, str):
        inner = replace(node, value={}, text="")
        return replace(node, value={node.value: inner}, keys={node.value: node.at}, text="")
    return replace(node, value={}) if node.value is None else node
