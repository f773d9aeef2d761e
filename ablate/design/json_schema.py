"""The JSON Schema of suites, for editors that complete and check YAML.

It is made of the models that read a suite, and of the catalogue, to which they leave some parts.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from ablate.core.component_source import REQUIRED, Component
from ablate.design.factorial import FIRST, JOINED
from ablate.design.grid import OPTIONAL_KINDS
from ablate.design.path_schema import Paths, Schema, either, reference, value
from ablate.design.programs.models import LEFT_OUT, WrittenOutside
from ablate.design.protocols import standard_predictors
from ablate.design.suite_models import WrittenSuite
from ablate.design.tuning.component_search import METRICS, UNTUNABLE
from ablate.parsing.presets import presets
from ablate.parsing.published import published
from ablate.parsing.written_values import Size
from ablate.records import metrics
from ablate.registry import Catalogue
from ablate.types import TOP_KINDS

NAME = (
    r"^(?! )[^\x00-/:-@\[-`{-\x7f\u2000-\u206f]"
    r"(?:[^\x00-\x1f!-$&';<>?@\[-^`{-\x7f\u2000-\u206f]{0,58}"
    r"[^\x00-!\"-$&';<>?@\[-^`{-\x7f\u2000-\u206f])?$"
)
"""`field_schema.NAME` for an engine of patterns to which `\\w` is ASCII alone; it accepts more."""
WORDED = r"^(?![0-9]|(?:[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[Nn][Uu][Ll][Ll])$)"
"""Names that YAML takes for nothing but text."""


def suite_schema(catalogue: Catalogue) -> Schema:
    """Give the schema: the models' own, and every kind with its components and their fields.

    A suite of somebody's own program has a form of its own.
    """
    parts = {**_kinds(catalogue), **_parts(catalogue), **_metrics(catalogue)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A suite of ablate",
        "if": _OUTSIDE,
        "then": _of_programs(),
        "else": {
            **_sections(WrittenSuite),
            "dependentRequired": {"budget": ["vary"]},
            "allOf": [*_together(), *_complete(catalogue)],
        },
        "$defs": parts,
    }


_EXTERNAL = {"type": "object", "required": ["external"]}
_METHOD = {"type": "object", "required": ["method"], "properties": {"method": _EXTERNAL}}
_OUTSIDE = {"type": "object", "required": ["base"], "properties": {"base": _METHOD}}


def _of_programs() -> Schema:
    """Give the form of suites of somebody's own program; parameters have names of their own."""
    schema = _free(_sections(WrittenOutside))
    for key in LEFT_OUT:
        del schema["properties"][key]
    return {**schema, "not": {"required": ["arms", "factorial"]}}


def _free(schema: Any) -> Any:
    """Leave what the catalogue knows of components, which are not there, to the reader."""
    if isinstance(schema, list):
        return [_free(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _free(entry) for key, entry in schema.items() if key != "$ref"}


def _sections(form: type[WrittenSuite]) -> Schema:
    """Give what a form of suite says of its sections."""
    written = form.model_json_schema()
    sections = written.pop("$defs")
    linked: Schema = _linked(written, sections)
    return {key: value for key, value in linked.items() if key != "title"}


def _linked(schema: Any, sections: Schema) -> Any:
    """Put sections in their places, and references where the models leave it to the catalogue.

    Titles that pydantic makes up of keys, and defaults that say nothing, are left out.
    """
    if isinstance(schema, list):
        return [_linked(entry, sections) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        section = sections[schema["$ref"].rpartition("/")[2]]
        schema = {**section, **{key: v for key, v in schema.items() if key != "$ref"}}
    linked = {
        key: _linked(entry, sections)
        for key, entry in schema.items()
        if not (key == "title" and isinstance(entry, str)) and not (key == "default" and not entry)
    }
    part = linked.pop("catalogued", "")
    return {**linked, **reference(part)} if part else linked


def _kinds(catalogue: Catalogue) -> dict[str, Schema]:
    """Give what a slot of each kind accepts, and the settings of each component."""
    parts: dict[str, Schema] = {}
    for kind in catalogue.kinds():
        names = catalogue.names(kind)
        whole = {name: reference(f"{kind}.{name}") for name in names}
        parts[kind] = {
            "anyOf": [{"enum": names}, _mapping(whole, minProperties=1, maxProperties=1)]
        }
        for name in names:
            entry = catalogue.get(kind, name)
            fields = {field.name: value(catalogue, entry, field) for field in entry.fields}
            settings = _mapping(fields, null=True, description=entry.doc.split("\n\n")[0])
            parts[f"{kind}.{name}"] = settings
    return parts


def _mapping(properties: Schema, null: bool = False, **more: Any) -> Schema:
    """Give a mapping of these keys alone."""
    kind = ["object", "null"] if null else "object"
    return {"type": kind, "properties": properties, "additionalProperties": False, **more}


def _parts(catalogue: Catalogue) -> dict[str, Schema]:
    """Give what the models leave to the catalogue: base, arms, axes, search space, figures."""
    paths = Paths(catalogue)
    required = [kind for kind in TOP_KINDS if kind not in OPTIONAL_KINDS]
    kinds = {kind: reference(kind) for kind in paths.roots}
    preset = {"enum": sorted(presets())}
    setting = {"patternProperties": paths.values()}
    pair = {"minProperties": 2, "maxProperties": 2}
    return {
        "path": {"type": "string", "pattern": paths.pattern()},
        "axis": reference("path"),
        "over": either([{"enum": ["all"]}, reference("path"), _list("path", 1)]),
        "name": {"type": ["string", "number", "boolean", "null"]},
        "followed": _list("name", 2),
        "figure": {"enum": sorted(published())},
        "base": _mapping({**kinds, "preset": preset}, required=required),
        "settings": setting,
        "arm": {
            **_paths("preset", null=True),
            "properties": {"preset": preset},
            **reference("settings"),
        },
        "arms": _named("arm", null=True),
        "factors": {**_named("levels"), "minProperties": 1, "propertyNames": _factor()},
        "levels": {**_named("arm"), **pair},
        "also": {
            "type": "object",
            "propertyNames": reference("metric"),
            "additionalProperties": TypeAdapter(Size).json_schema(),
        },
        "vary": {**_paths(null=True), "allOf": _axes(paths)},
        "quick": {**_paths("seeds"), **reference("settings")},
        "space": {
            "propertyNames": {"pattern": paths.settings(UNTUNABLE)},
            "patternProperties": {
                path: {"items": entry, "properties": {"low": entry, "high": entry}}
                for path, entry in paths.fields(plain=True).items()
            },
        },
    }


def _list(part: str, least: int) -> Schema:
    return {"type": "array", "items": reference(part), "minItems": least, "uniqueItems": True}


def _paths(*keys: str, null: bool = False) -> Schema:
    """Give a mapping of paths, which may have some other keys."""
    names = either([{"enum": [*keys]}, reference("path")]) if keys else reference("path")
    return {"type": ["object", "null"] if null else "object", "propertyNames": names}


def _named(part: str, null: bool = False) -> Schema:
    """Give a mapping of names that the suite gives, each to one part."""
    kind = ["object", "null"] if null else "object"
    return {
        "type": kind,
        "propertyNames": {"pattern": NAME},
        "additionalProperties": reference(part),
    }


def _factor() -> Schema:
    """Give what a factor may be called: arms and effects are named by several of them."""
    joined = "|".join(sign.replace("+", r"\+") for sign in JOINED)
    return {"pattern": NAME, "not": {"anyOf": [{"enum": [FIRST]}, {"pattern": joined}]}}


def _axes(paths: Paths) -> list[Schema]:
    """Give what the levels of an axis are, as a list or by name, and what each may be."""
    listed = {"type": "array", "minItems": 1, "uniqueItems": True}
    named = {"type": "object", "minProperties": 2, "propertyNames": {"pattern": NAME}}
    values = {
        path: {"items": entry, "additionalProperties": entry}
        for path, entry in paths.values().items()
    }
    return [{"additionalProperties": either([listed, named])}, {"patternProperties": values}]


def _metrics(catalogue: Catalogue) -> dict[str, Schema]:
    """Give the names of metrics: those that every run has, and those of protocols that arms add."""
    standard, names = standard_predictors(catalogue), catalogue.names("predict")
    honest = [name for name in names if not catalogue.get("predict", name).facts.get("oracle")]
    tuned = [choice.label() for choice in standard if choice.name in honest]
    every = metrics.names(choice.label() for choice in standard)
    summary = f"(?:(?:{'|'.join(metrics.SUMMARIES)})@)?"
    return {
        "metric": either([{"enum": every}, _labels(catalogue, names, summary)]),
        "tuned": either([{"enum": [*tuned, *METRICS]}, _labels(catalogue, honest)]),
    }


def _labels(catalogue: Catalogue, names: list[str], before: str = "") -> Schema:
    """Give what labels of protocols match: a value for each of their settings."""
    counts = {name: len(catalogue.get("predict", name).fields) for name in names}
    options = [
        name + (rf"\(.+(?:, .+){{{count - 1}}}\)" if count else "")
        for name, count in counts.items()
    ]
    return {"type": "string", "pattern": f"^{before}(?:{'|'.join(options)})$"}


def _together() -> list[Schema]:
    """Say what goes with what: pooling needs axes, and a factorial has arms of its own.

    Where no arm's name looks like another value, such as `1` or `true`, names of arms are text.
    """
    pooled = {"properties": {"contrasts": {"items": {"not": {"required": ["over"]}}}}}
    text = {"type": "string"}
    sides = {"properties": {"treatment": text, "baseline": text}}
    names = {
        "contrasts": {"items": sides},
        "references": {"items": {"properties": {"arm": text}}},
        "same": text,
    }
    worded = {"properties": {"arms": {"propertyNames": {"pattern": WORDED}}}}
    return [
        either([{"required": ["vary"]}, pooled]),
        {"not": {"required": ["arms", "factorial"]}},
        {"if": {**worded, "not": {"required": ["factorial"]}}, "then": {"properties": names}},
    ]


def _complete(catalogue: Catalogue) -> list[Schema]:
    """Ask a base for the settings without a default, where an arm takes its component as it is."""
    conditions = []
    for kind in TOP_KINDS:
        needs = {
            name: must
            for name in catalogue.names(kind)
            if (must := _required(catalogue, catalogue.get(kind, name)))
        }
        if needs:
            whole = {
                "not": {"enum": sorted(needs)},
                "properties": {
                    name: {"type": "object", "required": must} for name, must in needs.items()
                },
            }
            then = {"properties": {"base": {"properties": {kind: whole}}}}
            conditions.append({"if": _untouched(kind), "then": then})
    return conditions


def _untouched(kind: str) -> Schema:
    """Say that some arm has a base's component of a kind just as the base says it."""
    inside = {"pattern": rf"^(?:{kind}(?:\.|$)|preset$)"}
    touched = {"type": "object", "not": {"propertyNames": {"not": inside}}}
    every = {"type": "object", "minProperties": 1, "additionalProperties": touched}
    return {
        "properties": {
            "arms": {"not": every},
            "vary": {"propertyNames": {"not": inside}},
            "base": {"not": {"required": ["preset"]}},
        },
        "not": {"anyOf": [{"required": ["factorial"]}, {"required": ["tuned"]}]},
    }


def _required(catalogue: Catalogue, entry: Component) -> list[str]:
    """Name the settings that must be said; a base may say a method's components for it."""
    must = [field for field in entry.fields if field.default == REQUIRED]
    shared = entry.kind == "method"
    return [field.name for field in must if not (shared and catalogue.slot(field.annotation))]
