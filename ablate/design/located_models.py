"""A suite read by its models: each error of pydantic's as a problem, at the place it stands at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from ablate.design.claim_models import Section
from ablate.design.suite_models import WrittenSuite
from ablate.errors import mistyped, nearest
from ablate.parsing.located_yaml import Mark, Node
from ablate.parsing.written_values import WRITTEN, Entry
from ablate.source.field_schema import shown

OUT_OF_RANGE = ("greater_than_equal", "less_than_equal", "finite_number")
Location = tuple[int | str, ...]
Note = Callable[..., None]
Told = tuple[Mark, str, str, str]


@dataclass(frozen=True)
class Written:
    """What is sound in a suite: its values, and the nodes that they stand at.

    faulty: the keys whose values, or some of them, had a problem and were left out.
    """

    suite: WrittenSuite
    root: Node
    faulty: frozenset[str] = frozenset()


def read_sections(root: Node, note: Note, form: type[WrittenSuite] = WrittenSuite) -> Written:
    """Check a suite, a mapping, by the models of a form; every fault is noted at its place."""
    try:
        return Written(form.model_validate(_data(root, form)), root)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
    for problem in dict.fromkeys(
        _problem(_Place(root, form), e["loc"], e["type"], e["msg"]) for e in errors
    ):
        if problem:
            note(*problem)
    places = [e["loc"] for e in errors]
    rest = _without(root, places)
    lacking: dict[str, Any] = {"question": "?", "base": form.stand_in}
    suite = form.model_validate({**lacking, **_data(rest, form)})
    return Written(suite, rest, frozenset(str(loc[0]) for loc in places))


def _without(root: Node, places: Iterable[Location]) -> Node:
    """Leave out what has faults: an entry of a list of sections, else all that stands at a key."""
    entries = dict(root.items)
    for key in {str(loc[0]) for loc in places} & {*entries}:
        wrong = {loc[1] for loc in places if loc[0] == key and len(loc) > 1}
        written = entries.pop(key)
        if isinstance(written.value, list) and wrong and all(type(i) is int for i in wrong):
            sound = [child for i, child in enumerate(written.value) if i not in wrong]
            entries[key] = replace(written, value=sound)
    return replace(root, value=entries)


def _data(node: Node, section: type[Section] | None) -> Any:
    """Give the value without its places; names as they were written."""
    if isinstance(node.value, list):
        return [_data(child, section) for child in node.value]
    if not isinstance(node.value, dict) or not section:
        return node.plain()
    return {
        key: child.text if WRITTEN in _marks(section, key) else _data(child, _inner(section, key))
        for key, child in node.items.items()
    }


def _marks(section: type[Section], key: str) -> list[Any]:
    field = section.model_fields.get(key)
    return field.metadata if field else []


def _inner(section: type[Section], key: str) -> type[Section] | None:
    """Give the section that stands at a key, or in the entries of what stands there."""
    field = section.model_fields.get(key)
    return next(_sections(field.annotation), None) if field else None


def _sections(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for argument in get_args(annotation):
        yield from _sections(argument)


@dataclass(frozen=True)
class _Place:
    """A place of a suite. section: whose keys are at it or, where it is a value, around it.

    called: what a message calls it. key: of its section; '' where it is a section itself. tag:
    whether pydantic's next word tells a form of the value, and stands nowhere in the file.
    """

    node: Node
    section: type[Section] = WrittenSuite
    called: str = ""
    key: str = ""
    tag: bool = False

    def step(self, word: int | str) -> _Place:
        """Go one word of an error's location on; a key that is missing leads nowhere."""
        if self.tag:
            return replace(self, tag=False)
        listed = isinstance(word, int)  # a lone entry may stand there without its list
        entries = self.node.value if isinstance(self.node.value, list) else [self.node]
        child = entries[word] if isinstance(word, int) else self.node.items.get(word)
        if child is None or self.section.whole:
            return self
        inner = _inner(self.section, self.key or str(word))
        if self.key:  # an entry of what stands at a key
            called = inner.called if inner and listed else self.entry.called.format(word)
        else:
            called = str(word)
            inner = None if get_origin(self.field(called).annotation) in (list, dict) else inner
        if inner:
            return _Place(child, inner, called, tag=inner.tagged)
        return replace(self, node=child, called=called, key=self.key or str(word))

    def field(self, key: str) -> FieldInfo:
        """Give what the section says of a key."""
        return self.section.model_fields[key]

    @property
    def entry(self) -> Entry:
        """Give what the section says of the entries of what stands here."""
        return next((m for m in _marks(self.section, self.key) if isinstance(m, Entry)), Entry())

    def accepts(self) -> str:
        """Say what may stand here."""
        keys = ", ".join(self.section.model_fields)
        if not self.key:
            return self.section.whole or self.section.accepts or f"a mapping: {keys}"
        field = self.field(self.key)
        listed = get_origin(field.annotation) is list
        return (
            self.entry.accepts
            or _limits(field)
            or ("a list of mappings" if listed else field.description or "")
        )


def _problem(root: _Place, loc: Location, kind: str, words: str) -> Told | None:
    """Give an error as place, fault, what is accepted and what was meant; None if told already."""
    around = reduce(_Place.step, loc[:-1], root)
    if kind == "extra_forbidden":
        return _unknown(around, str(loc[-1]))
    if kind == "missing" and not around.section.whole:
        return _missing(around, str(loc[-1]))
    if kind == "missing" and {*around.node.items} - {*around.section.model_fields}:
        return None
    place = around.step(loc[-1])
    fault = words if kind == "empty" else f"{shown(place.node.plain())} for {place.called}"
    fault += ", which is out of range" if kind in OUT_OF_RANGE else ""
    return place.node.at, fault, place.accepts(), _meant(place)


def _unknown(around: _Place, key: str) -> Told:
    """Tell a key that a section does not have, at the key itself."""
    section, keys = around.section, around.section.model_fields
    if instead := section.instead.get(key):
        return around.node.keys[key], f"{key} in {section.called}", instead, ""
    several = section.called.startswith("a ")
    fault = f"unknown key {key!r}" if several else f"{section.called} has no {key!r}"
    return around.node.keys[key], fault, section.whole or ", ".join(keys), nearest(key, keys)


def _missing(around: _Place, key: str) -> Told | None:
    """Tell a key that is missing, at its section, where it was not mistyped."""
    section = around.section
    if mistyped(key, around.node.items, section.model_fields):
        return None
    fault = f"{section.called} without {section.lacks.get(key, repr(key))}"
    return around.node.at, fault, around.field(key).description or "", ""


def _meant(place: _Place) -> str:
    """Give the one of a field's words that is most like what stands there."""
    words = get_args(place.field(place.key).annotation) if place.key else ()
    return nearest(place.node.text, [word for word in words if isinstance(word, str)])


def _limits(field: FieldInfo) -> str:
    """Say what a number or a word may be; '' of anything else."""
    if get_origin(field.annotation) is Literal:
        *words, last = get_args(field.annotation)
        return f"{', '.join(words)} or {last}"
    names: dict[Any, str] = {int: "a whole number", float: "a number"}
    ends = [str(getattr(m, end)) for end in ("ge", "le") for m in field.metadata if hasattr(m, end)]
    name = names.get(field.annotation) if len(ends) == 2 else None
    return f"{name} in [{', '.join(ends)}]" if name else ""
