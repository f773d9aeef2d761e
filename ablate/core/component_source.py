"""Reads components from source text, so that the catalogue needs no import (and no torch).

A component file says all that a suite needs in literals: the decorator, the fields with their
annotations and defaults, the docstring. What is not written in literals cannot be read this way,
and `Unreadable` sends the caller to a real import.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

REQUIRED = "<required>"
"""Stands for the default of a field that has none."""


class Unreadable(Exception):
    """The source does not say in literals what the catalogue needs."""


@dataclass(frozen=True)
class Range:
    """An interval of numbers; an end is open where its flag says so."""

    low: float
    high: float
    open_low: bool
    open_high: bool

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.open_low else value >= self.low
        return above and (value < self.high if self.open_high else value <= self.high)

    def __str__(self) -> str:
        left, right = "(" if self.open_low else "[", ")" if self.open_high else "]"
        return f"{left}{self.low:g}, {self.high:g}{right}"


@dataclass(frozen=True)
class Field:
    """One hyper-parameter: its annotation as text, its default, its line of the docstring."""

    name: str
    annotation: str
    default: Any
    doc: str

    @property
    def range(self) -> Range | None:
        """The range that the docstring states, if it states one."""
        return read_range(self.doc)


@dataclass(frozen=True)
class Component:
    """A labelled class: what the catalogue knows of it before it is imported.

    calibrated: of a method, the figure that it reproduces, if any.
    facts: the class's own literal attributes (`stackable`, `oracle`, ...).
    methods: the names it defines. origin: the file, for messages. signatures: the parameters after
    self of those methods that take a fixed number of them, all by position.
    """

    kind: str
    name: str
    paper: str
    calibrated: str
    doc: str
    fields: tuple[Field, ...]
    facts: dict[str, Any]
    methods: frozenset[str]
    module: str
    attribute: str
    origin: str
    signatures: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    def field(self, name: str) -> Field | None:
        """Find a field by name."""
        return next((field for field in self.fields if field.name == name), None)


_NUMBER = r"[-+]?(?:inf|\d+(?:\.\d+)?(?:e[-+]?\d+)?)"
_INTERVAL = re.compile(rf"([\[(])\s*({_NUMBER})\s*,\s*({_NUMBER})\s*([\])])")
_BOUND = re.compile(rf"(>=|<=|>|<)\s*({_NUMBER})")


def read_range(text: str) -> Range | None:
    """Find an interval such as `(0, 1]`, or a bound such as `>= 0`, in a line of prose.

    >>> str(read_range("outer step, (0, 1]; 1 is all the way"))
    '(0, 1]'
    >>> 0 in read_range("how stiff, >= 0")
    True
    """
    if match := _INTERVAL.search(text):
        left, low, high, right = match.groups()
        return Range(float(low), float(high), left == "(", right == ")")
    if match := _BOUND.search(text):
        sign, end = match[1], float(match[2])
        if sign.startswith(">"):
            return Range(low=end, high=float("inf"), open_low=sign == ">", open_high=True)
        return Range(low=float("-inf"), high=end, open_low=True, open_high=sign == "<")
    return None


def read_components(source: str, module: str, origin: str) -> list[Component]:
    """Give the components that a module's source defines, in order.

    Raises Unreadable where a `@component` class is not written in literals.
    """
    tree = ast.parse(source, filename=origin)
    components = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and (label := _label(node)):
            components.append(_component(node, label, module, origin))
    return components


def docs_by_field(doc: str, names: list[str]) -> dict[str, str]:
    """Take from a docstring the text of each `name: text` entry, continuation lines joined."""
    entries: dict[str, str] = {}
    current = ""
    for line in map(str.strip, doc.splitlines()):
        start = re.match(r"(\w+): (.*)", line)
        if start and start[1] in names:
            current = start[1]
            entries[current] = start[2]
        elif not line:
            current = ""
        elif current:
            entries[current] += " " + line
    return entries


def _label(node: ast.ClassDef) -> ast.Call | None:
    for call in node.decorator_list:
        if isinstance(call, ast.Call):
            target = call.func
            called = target.attr if isinstance(target, ast.Attribute) else ast.unparse(target)
            if called == "component":
                return call
    return None


def _component(node: ast.ClassDef, label: ast.Call, module: str, origin: str) -> Component:
    parts = [_literal(argument, origin) for argument in label.args]
    named = {word.arg: _literal(word.value, origin) for word in label.keywords if word.arg}
    if node.bases or len(parts) != 2:
        raise Unreadable(f"{origin}: {node.name} inherits, or its label is not (kind, name)")
    doc = ast.get_docstring(node) or ""
    declared = [
        child
        for child in node.body
        if isinstance(child, ast.AnnAssign) and not _is_class_variable(child)
    ]
    docs = docs_by_field(doc, [ast.unparse(child.target) for child in declared])
    return Component(
        kind=parts[0],
        name=parts[1],
        paper=str(named.get("paper", "")),
        calibrated=str(named.get("calibrated", "")),
        doc=doc,
        fields=tuple(_field(child, docs, origin) for child in declared),
        facts=_facts(node, origin),
        methods=frozenset(c.name for c in node.body if isinstance(c, ast.FunctionDef)),
        module=module,
        attribute=node.name,
        origin=origin,
        signatures=_signatures(node),
    )


def _signatures(node: ast.ClassDef) -> dict[str, tuple[str, ...]]:
    signatures = {}
    for child in node.body:
        if isinstance(child, ast.FunctionDef) and not child.decorator_list:
            a = child.args
            if not (a.vararg or a.kwarg or a.kwonlyargs or a.defaults):
                names = [argument.arg for argument in (*a.posonlyargs, *a.args)]
                signatures[child.name] = tuple(names[1:])
    return signatures


def _field(node: ast.AnnAssign, docs: dict[str, str], origin: str) -> Field:
    name = ast.unparse(node.target)
    default = REQUIRED if node.value is None else _literal(node.value, origin)
    annotation = ast.unparse(node.annotation).strip("'\"")
    return Field(name, annotation, default, docs.get(name, ""))


def _facts(node: ast.ClassDef, origin: str) -> dict[str, Any]:
    facts = {}
    for child in node.body:
        if isinstance(child, ast.Assign) and len(child.targets) == 1:
            facts[ast.unparse(child.targets[0])] = _literal(child.value, origin)
        elif isinstance(child, ast.AnnAssign) and _is_class_variable(child):
            facts[ast.unparse(child.target)] = _literal(child.value, origin)
    return facts


def _is_class_variable(node: ast.AnnAssign) -> bool:
    return "ClassVar" in ast.unparse(node.annotation)


def _literal(node: ast.expr | None, origin: str) -> Any:
    if node is None:
        return None
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise Unreadable(f"{origin}:{node.lineno}: {ast.unparse(node)} is no literal") from error
