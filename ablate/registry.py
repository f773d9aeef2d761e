"""`@component` labels a class; `scan` finds the labelled classes; the Catalogue holds them.

Scanning reads source text (see `reading`); a component is imported when it is built. Third parties
register modules, packages or classes under the entry-point group `ablate.components`.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ablate.core import resources
from ablate.core.component_source import (
    REQUIRED,
    Component,
    Field,
    Unreadable,
    docs_by_field,
    read_components,
)
from ablate.core.foreign_text import of_error
from ablate.core.interfaces import KINDS
from ablate.errors import CatalogueError, SelectionError, unknown
from ablate.source.foreign_code import contained
from ablate.source.hooks import faults
from ablate.source.label import component as component
from ablate.types import Choice

GROUP = "ablate.components"


@dataclass(frozen=True)
class Catalogue:
    """All components found, by (kind, name); `warnings` names what could not be read."""

    components: Mapping[tuple[str, str], Component]
    warnings: tuple[str, ...] = ()

    @cached_property
    def _kinds(self) -> list[str]:
        return sorted({kind for kind, _ in self.components})

    def kinds(self) -> list[str]:
        """Name the kinds, sorted."""
        return [*self._kinds]

    def names(self, kind: str) -> list[str]:
        """Name the components of a kind, sorted."""
        return sorted(name for have, name in self.components if have == kind)

    def get(self, kind: str, name: str) -> Component:
        """Look one up. Raises SelectionError with the nearest name."""
        if kind not in self._kinds:
            raise SelectionError(unknown("kind of component", kind, self.kinds()))
        if (kind, name) not in self.components:
            raise SelectionError(unknown(kind, name, self.names(kind)))
        return self.components[kind, name]

    def slot(self, annotation: str) -> str | None:
        """Give the kind that an annotation stands for: `Update | None` is a slot for an update."""
        word = annotation.replace("| None", "").strip().rsplit(".", 1)[-1].lower()
        return word if word in self._kinds else None

    def build(self, choice: Choice) -> Any:
        """Make the component that a Choice describes; an alias becomes what it stands for."""
        instance = self.load(choice.kind, choice.name)(
            **{name: self._setting(value) for name, value in choice.settings.items()}
        )
        return self.build(instance.expand()) if hasattr(instance, "expand") else instance

    def expanded(self, choice: Choice) -> Choice:
        """Give a choice in which every alias, inner ones too, is what it stands for."""
        if "expand" in self.get(choice.kind, choice.name).methods:
            return self.expanded(self._alias(choice).expand())
        settings = {
            name: self.expanded(value) if isinstance(value, Choice) else value
            for name, value in choice.settings.items()
        }
        return replace(choice, settings=settings)

    def _alias(self, choice: Choice) -> Any:
        settings = {name: self._setting(value) for name, value in choice.settings.items()}
        return self.load(choice.kind, choice.name)(**settings)

    def used(self, choice: Choice) -> dict[str, Component]:
        """Give a choice's components by `kind.name`, those that aliases stand for included."""
        inner = [value for value in choice.settings.values() if isinstance(value, Choice)]
        if "expand" in self.get(choice.kind, choice.name).methods:
            inner.append(self._alias(choice).expand())
        components = {f"{choice.kind}.{choice.name}": self.get(choice.kind, choice.name)}
        for value in inner:
            components |= self.used(value)
        return components

    def load(self, kind: str, name: str) -> Any:
        """Import a component's class."""
        entry = self.get(kind, name)
        return getattr(import_module(entry.module), entry.attribute)

    def _setting(self, value: Any) -> Any:
        if isinstance(value, Choice):
            return self.build(value)
        return tuple(value) if isinstance(value, list) else value


@cache
def scan() -> Catalogue:
    """Find every component: shipped, the reports, the engine's executors and tests, third parties'.

    Raises CatalogueError where a shipped file cannot be read or two components claim one name;
    a third party's fault becomes a warning.
    """
    components: dict[tuple[str, str], Component] = {}
    warnings = []
    places = {
        resources.name("variants"): resources.ROOT / "variants",
        resources.name("reports"): resources.ROOT / "reports",
        "ablate.executors": resources.ENGINE / "executors",
        "ablate.stats": resources.ENGINE / "stats",
    }
    for package, folder in places.items():
        for entry in _from_folder(folder, package):
            _in_place(entry, folder)
            _add(components, entry)
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            with contained(f"entry point {point.name}"):
                entries = _from_entry_point(point)
            for entry in entries:
                _add(components, entry)
        except Exception as error:  # a third party's import may raise anything
            warnings.append(f"entry point {point.name} = {point.value}: {error}")
    return Catalogue(components, tuple(warnings))


def _add(components: dict[tuple[str, str], Component], entry: Component) -> None:
    key = entry.kind, entry.name
    if not all(isinstance(word, str) and word for word in key):
        raise CatalogueError(
            f"{entry.origin}: a label is @component(kind, name), both of them text"
        )
    for fault in faults(entry):
        raise CatalogueError(f"{entry.origin}: {entry.kind}.{entry.name} {fault}")
    if key in components:
        raise CatalogueError(
            f"two components are called {entry.kind}.{entry.name}: "
            f"{components[key].origin} and {entry.origin}; rename one"
        )
    components[key] = entry


def _in_place(entry: Component, root: Path) -> None:
    """Refuse a component whose kind is not its folder's name: it is a slip of the pen."""
    folder = (*Path(entry.origin).relative_to(root).parts[:-1], entry.kind)[0]
    if entry.kind != folder:
        raise CatalogueError(f"{entry.origin}: kind {entry.kind!r} in the folder {folder!r}")


def _from_folder(folder: Path, package: str) -> Iterator[Component]:
    for path in sorted(folder.rglob("*.py")):
        inside = path.relative_to(folder).with_suffix("").parts
        if path.stem != "__init__" or path.stat().st_size > 0:
            words = inside[:-1] if path.stem == "__init__" else inside
            yield from _from_file(path, ".".join([package, *words]))


def _from_file(path: Path, module: str) -> list[Component]:
    try:
        return read_components(path.read_text("utf-8"), module, str(path))
    except Unreadable:
        try:
            return _imported(module)
        except Exception as error:  # whatever a stranger's module raises
            raise CatalogueError(f"{path}: cannot be imported: {of_error(error)}") from error
    except (SyntaxError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path}: cannot be read as Python: {error}") from error


def _from_entry_point(point: EntryPoint) -> list[Component]:
    top, *rest = point.module.split(".")
    spec = find_spec(top)
    if spec is None or spec.origin is None:
        raise CatalogueError(f"no module {top!r} is installed")
    path = Path(spec.origin)
    if rest or spec.submodule_search_locations:
        path = path.parent.joinpath(*rest)
    if path.is_dir():
        components = list(_from_folder(path, point.module))
        for entry in components:
            if Path(entry.origin).parent.name in KINDS:  # others' folders need not be kinds
                _in_place(entry, Path(entry.origin).parent.parent)
    else:
        components = _from_file(path.with_suffix(".py"), point.module)
    wanted = [c for c in components if point.attr in (None, "", c.attribute)] or [
        c for c in _imported(point.module) if point.attr in (None, "", c.attribute)
    ]
    if not wanted:
        raise CatalogueError(f"{point.value} labels no class with @component")
    return wanted


def _imported(module: str) -> list[Component]:
    """Describe the labelled classes of a module by importing it."""
    classes = vars(import_module(module)).values()
    return [
        _described(cls) for cls in classes if isinstance(cls, type) and "__ablate__" in vars(cls)
    ]


def _described(cls: Any) -> Component:
    kind, name, paper, calibrated = cls.__ablate__
    doc = inspect.getdoc(cls) or ""
    fields = dataclasses.fields(cls)
    docs = docs_by_field(doc, [field.name for field in fields])
    return Component(
        kind=kind,
        name=name,
        paper=paper,
        calibrated=calibrated,
        doc=doc,
        fields=tuple(
            Field(
                field.name,
                field.type if isinstance(field.type, str) else _written(field.type),
                REQUIRED if field.default is dataclasses.MISSING else field.default,
                docs.get(field.name, ""),
            )
            for field in fields
        ),
        facts={k: v for k, v in vars(cls).items() if not k.startswith("_") and not callable(v)},
        methods=frozenset(k for k, v in inspect.getmembers(cls, callable) if k not in vars(object)),
        module=cls.__module__,
        attribute=cls.__name__,
        origin=inspect.getfile(cls),
        signatures=_signatures(cls),
    )


def _signatures(cls: type) -> dict[str, tuple[str, ...]]:
    signatures = {}
    for name, function in inspect.getmembers(cls, inspect.isfunction):
        parameters = list(inspect.signature(function).parameters.values())[1:]
        fixed = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        if all(p.kind in fixed and p.default is p.empty for p in parameters):
            signatures[name] = tuple(p.name for p in parameters)
    return signatures


def _written(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
