"""Dotted paths as JSON Schema: which lead somewhere in the catalogue, and what may stand there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ablate.core.component_source import Component, Field
from ablate.parsing.compatibility import shared_kinds
from ablate.registry import Catalogue
from ablate.source.field_schema import json_schema
from ablate.types import TOP_KINDS

Schema = dict[str, Any]


@dataclass(frozen=True)
class Paths:
    """The paths of a catalogue: a kind, a component, a field, a component of that field's kind ...

    `*` stands for any component.
    """

    catalogue: Catalogue

    @cached_property
    def roots(self) -> list[str]:
        """Name the kinds that a path may start with."""
        return [*TOP_KINDS, *shared_kinds(self.catalogue)]

    @cached_property
    def slots(self) -> dict[str, list[str]]:
        """Give the words at which a component is chosen, each with its kinds."""
        slots = {kind: [kind] for kind in self.roots}
        for kind in self.catalogue.kinds():
            for entry in self.entries(kind):
                for field in entry.fields:
                    chosen = self.catalogue.slot(field.annotation)
                    if chosen and chosen not in slots.setdefault(field.name, []):
                        slots[field.name].append(chosen)
        return slots

    def entries(self, kind: str) -> list[Component]:
        """Give the components of a kind."""
        return [self.catalogue.get(kind, name) for name in self.catalogue.names(kind)]

    def pattern(self) -> str:
        """Give what every path matches."""
        ends = _any(
            rf"{word}\.{_any(map(_literal, [*self.names(word), '*']))}" for word in self.slots
        )
        return rf"{self._start(self.roots)}{self._steps()}(?:[^.]+|{ends})$"

    def settings(self, without: Iterable[str]) -> str:
        """Give what the paths of plain settings match, but for some kinds; without `*`."""
        roots = [kind for kind in self.roots if kind not in without]
        last = rf"(?={self._step(lambda field: not self.catalogue.slot(field.annotation))}$)"
        return rf"{self._start(roots)}(?!.*\*){self._steps()}{last}[^.]+\.[^.]+\.[^.]+$"

    def names(self, word: str) -> list[str]:
        """Name the components that may be chosen at a word."""
        return [name for kind in self.slots[word] for name in self.catalogue.names(kind)]

    def _start(self, roots: Iterable[str]) -> str:
        return rf"^(?={_any(roots)}(?:\.|$))"

    def _steps(self) -> str:
        step = self._step(lambda _: True)
        return rf"(?:(?={step}(?:\.|$))[^.]+\.[^.]+\.)*"

    def _step(self, chosen: Callable[[Field], bool]) -> str:
        """Give what matches the word of a slot, a component there, and a field of it."""
        steps = []
        for word, kinds in self.slots.items():
            entries = [entry for kind in kinds for entry in self.entries(kind)]
            fields = {e.name: [f.name for f in e.fields if chosen(f)] for e in entries}
            every = dict.fromkeys(name for names in fields.values() for name in names)
            fields["*"] = [*every]
            options = [
                rf"{_literal(name)}\.{_any(map(_literal, names))}"
                for name, names in fields.items()
                if names
            ]
            if options:
                steps.append(rf"{word}\.{_any(options)}")
        return _any(steps)

    def values(self) -> Schema:
        """Give what may stand at the end of a path, by a pattern of the path."""
        ends = _any(rf"{w}\.{_any(map(_literal, self.names(w)))}" for w in self.slots)
        return {
            **{f"^{kind}$": reference(kind) for kind in self.roots},
            rf"(?:^|\.){ends}$": {"type": ["object", "null"]},
            **{
                rf"(?:^|\.){word}\.\*$": either(map(reference, kinds))
                for word, kinds in self.slots.items()
            },
            **self.fields(),
        }

    def fields(self, plain: bool = False) -> Schema:
        """Give what each field accepts, by a pattern of its path. plain: no components."""
        owners: dict[tuple[str, str], list[str]] = {}
        for (word, name, field), options in self._options(plain).items():
            key = field, json.dumps(either(options))
            owners.setdefault(key, []).append(rf"{word}\.{_literal(name)}")
        return {
            rf"(?:^|\.){_any(places)}\.{_literal(field)}$": json.loads(schema)
            for (field, schema), places in owners.items()
        }

    def _options(self, plain: bool) -> dict[tuple[str, str, str], list[Schema]]:
        """Refer to what each field accepts, by the word and the component before it."""
        first: dict[str, Schema] = {}
        options: dict[tuple[str, str, str], list[Schema]] = {}
        for word, kinds in self.slots.items():
            for entry in (entry for kind in kinds for entry in self.entries(kind)):
                for field in entry.fields:
                    if plain and self.catalogue.slot(field.annotation):
                        continue
                    content = json.dumps([field.name, value(self.catalogue, entry, field)])
                    place = f"{entry.kind}.{entry.name}/properties/{field.name}"
                    schema = first.setdefault(content, reference(place))
                    for name in (entry.name, "*"):
                        options.setdefault((word, name, field.name), []).append(schema)
        return options


def value(catalogue: Catalogue, entry: Component, field: Field) -> Schema:
    """Give what a field of a component accepts."""
    kind = catalogue.slot(field.annotation)
    if kind is None:
        return json_schema(field)
    options: list[Schema] = [reference(kind)]
    if kind == entry.kind:
        options.append({"type": "string", "description": "the name of an arm"})
    if "None" in field.annotation:
        options.append({"type": "null"})
    return {**either(options), "description": field.doc}


def reference(part: str) -> Schema:
    """Give a reference to a part of the schema."""
    return {"$ref": f"#/$defs/{part}"}


def either(options: Iterable[Schema]) -> Schema:
    """Give what accepts any of these, each once; their descriptions are left to the component."""
    texts = dict.fromkeys(json.dumps(option, sort_keys=True) for option in options)
    schemas = [json.loads(text) for text in texts]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _any(patterns: Iterable[str]) -> str:
    return f"(?:{'|'.join(patterns)})"


def _literal(text: str) -> str:
    """Escape a name for a pattern; `re.escape` escapes `-`, too, which JavaScript refuses."""
    return re.sub(r"([.*+?^$(){}|\[\]\\])", r"\\\1", text)
