"""A suite can run code: which functions it calls, where they are, and who has said yes to them."""

from __future__ import annotations

import site
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from ablate.errors import TrustError
from ablate.registry import Catalogue
from ablate.types import Choice, Suite


@dataclass(frozen=True)
class Call:
    """A function that a suite calls.

    source: `module:function`. file: where the module is, '' where there is none. beside: in the
    suite's folder. installed: in a package of this Python.
    """

    source: str
    file: str
    beside: bool
    installed: bool

    @property
    def foreign(self) -> bool:
        """Say whether it has to be asked for."""
        return bool(self.file) and not (self.beside or self.installed)


def admit(
    suite: Suite, catalogue: Catalogue, trusted: bool, ask: Callable[[str], bool] | None = None
) -> None:
    """Let a suite's functions be called, or refuse.

    Those beside the suite become importable, behind everything else on the path. trusted: the user
    has said yes. ask: puts a question to them, where there is somebody to ask. Raises TrustError.
    """
    folder = Path(suite.origin).absolute().parent
    for call in calls(suite, catalogue):
        if call.foreign and not trusted and not (ask and ask(question(suite, call))):
            raise TrustError(f"{question(suite, call)} It was not run; --trust allows it.")
        if call.beside and str(folder) not in sys.path:
            sys.path.append(str(folder))  # worker processes are given this path too


def question(suite: Suite, call: Call) -> str:
    """Say what a suite would run."""
    return (
        f"{suite.origin} calls {call.source} of {call.file}, which is neither an installed package "
        "nor in the suite's folder. A suite can run code."
    )


def calls(suite: Suite, catalogue: Catalogue) -> list[Call]:
    """Give the functions that a suite's components call, each once."""
    sources = dict.fromkeys(
        source
        for variant in suite.variants
        for choice in variant.choices.values()
        for source in (_function(choice) if variant.outside else named(choice, catalogue))
    )
    return [located(source, Path(suite.origin).absolute().parent) for source in sources]


def named(choice: Choice, catalogue: Catalogue) -> Iterator[str]:
    """Give the functions that a component names.

    A class says `calls = (field, ...)` for the settings that may be `module:function`.
    """
    for field in catalogue.get(choice.kind, choice.name).facts.get("calls", ()):
        value = choice.settings.get(field)
        if isinstance(value, str) and ":" in value and not value.lower().endswith(".npz"):
            yield value
    for value in choice.settings.values():
        if isinstance(value, Choice):
            yield from named(value, catalogue)


def _function(program: Choice) -> list[str]:
    """Give the function that somebody's own program is, if it is one and no command."""
    return [source] if (source := program.settings.get("function")) else []


def located(source: str, folder: Path) -> Call:
    """Find a function's module as an import would, without importing anything."""
    top = source.partition(":")[0].partition(".")[0]
    if top in sys.builtin_module_names:
        return Call(source=source, file="Python itself", beside=False, installed=False)
    spec = PathFinder.find_spec(top, [*sys.path, str(folder)])
    if spec is None:
        return Call(source=source, file="", beside=False, installed=False)
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or ())
    where = [Path(path).resolve() for path in places]
    installed = any(path.is_relative_to(root) for path in where for root in packages())
    beside = all(path.is_relative_to(folder.resolve()) for path in where)
    return Call(source, str(where[0]), beside and bool(where), installed)


def packages() -> set[Path]:
    """Give the folders of installed packages."""
    names = {*site.getsitepackages(), site.getusersitepackages()}
    names |= {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return {Path(name).resolve() for name in names}
