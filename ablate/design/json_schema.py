"""The JSON Schema of suites, made from the catalogue, for editors that complete and check YAML."""

from __future__ import annotations

from typing import Any

from ablate.core.component_source import REQUIRED, Component, Field
from ablate.design.contrasts import CLAIM, CONTRAST_HELP, CONTRAST_KEYS, OVER
from ablate.design.factorial import KEYS as FACTORIAL_KEYS
from ablate.design.grid import OPTIONAL_KINDS
from ablate.design.keys import KEYS, SCALARS
from ablate.design.tuning_keys import KEYS as TUNE_KEYS, NUMBERS
from ablate.parsing.compatibility import shared_kinds
from ablate.parsing.presets import presets
from ablate.parsing.seed_range import seeds_schema
from ablate.registry import Catalogue
from ablate.source.field_schema import json_schema
from ablate.types import ENOUGH_PAIRS, SIDES, TOP_KINDS


def suite_schema(catalogue: Catalogue) -> dict[str, Any]:
    """Give the schema: every kind with its components, every component with its fields."""
    base = {kind: _of(kind) for kind in (*TOP_KINDS, *shared_kinds(catalogue))}
    fields: dict[str, Any] = {
        key: {"type": "string", "description": words} for key, words in CONTRAST_HELP.items()
    }
    axes = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    fields[OVER] = {"anyOf": [{"type": "string"}, axes], "description": CONTRAST_HELP[OVER]}
    ends = {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}
    fields["margin"] = {"anyOf": [{"type": "string"}, ends], "description": CONTRAST_HELP["margin"]}
    fields[CLAIM] = {"enum": list(SIDES), "description": CONTRAST_HELP[CLAIM]}
    contrast = {
        "type": "object",
        "properties": fields,
        "required": list(CONTRAST_KEYS),
        "additionalProperties": False,
    }
    properties: dict[str, Any] = {key: {"description": text} for key, text in KEYS.items()}
    for key, field in SCALARS.items():
        properties[key] |= {"description": KEYS[key], **json_schema(field)}
    properties["seeds"] = seeds_schema(KEYS["seeds"])
    properties["base"] |= {
        "type": "object",
        "properties": {**base, "preset": {"enum": sorted(presets())}},
        "required": [kind for kind in TOP_KINDS if kind not in OPTIONAL_KINDS],
        "additionalProperties": False,
    }
    properties["arms"] |= {"type": "object", "additionalProperties": {"type": ["object", "null"]}}
    properties["factorial"] |= {
        "type": "object",
        "properties": {key: {"description": v} for key, v in FACTORIAL_KEYS.items()},
        "required": ["factors", "metric", "margin"],
        "additionalProperties": False,
    }
    properties["tune"] |= _tune()
    properties |= {key: {**properties[key], "type": "string"} for key in ("tuned", "budget")}
    properties["same"] |= {"type": "string"}
    levels = {"anyOf": [{"type": "array", "minItems": 1}, {"type": "object", "minProperties": 2}]}
    properties["vary"] |= {"type": "object", "additionalProperties": levels}
    properties["looks"] |= {"type": "array", "items": {"type": "integer", "minimum": ENOUGH_PAIRS}}
    properties["contrasts"] |= {"type": "array", "items": contrast}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A suite of ablate",
        "type": "object",
        "properties": properties,
        "required": ["question", "base"],
        "additionalProperties": False,
        "$defs": {kind: _kind(catalogue, kind) for kind in catalogue.kinds()},
    }


def _tune() -> dict[str, Any]:
    """Give what the key `tune` accepts."""
    ends: dict[str, Any] = {"low": {"type": "number"}, "high": {"type": "number"}}
    span = {
        "type": "object",
        "properties": {**ends, "log": {"type": "boolean"}},
        "required": [*ends],
        "additionalProperties": False,
    }
    space = {"anyOf": [span, {"type": "array", "minItems": 2}]}
    properties: dict[str, Any] = {key: {"description": words} for key, words in TUNE_KEYS.items()}
    properties |= {
        name: {**properties[name], **json_schema(field)} for name, field in NUMBERS.items()
    }
    properties["metric"] |= {"type": "string"}
    properties["space"] |= {"type": "object", "additionalProperties": space, "minProperties": 1}
    return {
        "type": "object",
        "properties": properties,
        "required": ["space"],
        "additionalProperties": False,
    }


def _of(kind: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{kind}"}


def _kind(catalogue: Catalogue, kind: str) -> dict[str, Any]:
    """Give what a slot of a kind accepts: one component as a one-key mapping, or a bare name."""
    entries = [catalogue.get(kind, name) for name in catalogue.names(kind)]
    bare = [entry.name for entry in entries if not _required(catalogue, entry)]
    return {
        "anyOf": [
            {"enum": bare},
            *(
                {
                    "type": "object",
                    "properties": {entry.name: _component(catalogue, entry)},
                    "required": [entry.name],
                    "additionalProperties": False,
                }
                for entry in entries
            ),
        ]
    }


def _component(catalogue: Catalogue, entry: Component) -> dict[str, Any]:
    return {
        "type": ["object", "null"],
        "description": entry.doc.split("\n\n")[0],
        "properties": {field.name: _field(catalogue, entry, field) for field in entry.fields},
        "required": _required(catalogue, entry),
        "additionalProperties": False,
    }


def _required(catalogue: Catalogue, entry: Component) -> list[str]:
    """Name the settings that must be said; a base may say a method's components for it."""
    must = [field for field in entry.fields if field.default == REQUIRED]
    shared = entry.kind == "method"
    return [field.name for field in must if not (shared and catalogue.slot(field.annotation))]


def _field(catalogue: Catalogue, entry: Component, field: Field) -> dict[str, Any]:
    kind = catalogue.slot(field.annotation)
    if kind is None:
        return json_schema(field)
    options = [_of(kind)]
    if kind == entry.kind:
        options.append({"type": "string", "description": "the name of an arm"})
    if "None" in field.annotation:
        options.append({"type": "null"})
    return {"anyOf": options, "description": field.doc}
