"""What components of every kind must say of themselves, and how they are written."""

from __future__ import annotations

import re
from dataclasses import is_dataclass
from pathlib import Path

import pytest

from ablate.core.component_source import REQUIRED, Component, Unreadable, read_components
from ablate.core.interfaces import KINDS
from ablate.source.field_schema import check
from ablate.source.hooks import hooks
from ablate.testing.cases import CATALOGUE, all_of


def test_no_component_was_refused() -> None:
    """What the catalogue leaves out of a package it says here, with the reason."""
    assert not CATALOGUE.warnings, "\n".join(CATALOGUE.warnings)


@pytest.mark.parametrize("entry", all_of(KINDS))
def test_components_say_what_they_are(entry: Component) -> None:
    """A sentence, a source, and for every setting what it is for and which values it takes."""
    assert entry.doc, "a docstring: one line, the formula, the settings"
    assert entry.paper, "paper= in the label: authors, year, identifier, equation"
    for field in entry.fields:
        assert field.doc, f"{field.name}: its line in the docstring, `{field.name}: ...`"
        slot = CATALOGUE.slot(field.annotation)
        assert slot or field.default != REQUIRED, f"{field.name}: a default; only slots have none"
        if re.search(r"\b(int|float)\b", field.annotation):
            assert field.range, f"{field.name}: its range in the docstring: `(0, 1]`, `>= 0`"
        if not slot and field.default != REQUIRED:
            assert not check(field, field.default)[1], f"{field.name}: a default that it accepts"


@pytest.mark.parametrize("entry", all_of(KINDS))
def test_components_are_frozen_values_written_in_literals(entry: Component) -> None:
    """They are hashed, shared between runs, and listed without an import."""
    cls = CATALOGUE.load(entry.kind, entry.name)
    assert is_dataclass(cls), "@dataclass(frozen=True) under the label"
    assert cls.__dataclass_params__.frozen, "frozen=True: a component is a value"  # type: ignore[union-attr]
    try:
        source = Path(entry.origin).read_text("utf-8")
        read = [found.name for found in read_components(source, entry.module, entry.origin)]
    except Unreadable as error:
        pytest.fail(f"what is no literal makes every command import the module: {error}")
    assert entry.name in read


@pytest.mark.parametrize("entry", all_of(KINDS))
def test_hooks_name_their_parameters_as_the_protocols_do(entry: Component) -> None:
    """So that a reader of one component reads them all."""
    for name, parameters in hooks(entry.kind).items():
        if parameters is not None and name in entry.signatures:
            assert entry.signatures[name] == parameters, f"{name}{parameters}"
