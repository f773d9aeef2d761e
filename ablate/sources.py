"""Source files as code: what a file does, and which files it brings in. Nothing is imported.

A file is read once a process, so that every statement about code is of the moment at which the
process began. A process that loads a file later reads it again first (`renew`) and makes sure
afterwards that it did not change in between (`confirm`).
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec, resolve_name
from pathlib import Path

from ablate import shipped
from ablate.errors import SourceError

Reader = Callable[[Path], bytes]

OURS = ("ablate",) if shipped.IN_WHEEL else ("ablate", "variants", "reports")
"""The top-level names that belong to this toolkit."""

BUILT_NAMES = {"shipped.module", "shipped.name", "import_module", "importlib.import_module"}
"""Calls whose literal argument names a module."""


@dataclass(frozen=True)
class Source:
    """A file as it was read: digests of its bytes and of its code, names that it may import."""

    raw: str
    code: str
    imports: tuple[str, ...]


@dataclass(frozen=True)
class Closure:
    """What a module brings in, itself included.

    files: by module name. packages: top-level names of packages whose files were not followed.
    """

    files: Mapping[str, Path]
    packages: frozenset[str]


_READ: dict[str, Source] = {}
_CLOSURES: dict[tuple[str, ...], Closure] = {}
_CONFIRMED: set[str] = set()


def closure(*modules: str) -> Closure:
    """Follow imports from modules to every file of ours, or of their own package, that they reach.

    Imports inside functions count, those for type checkers alone do not. Raises SourceError where
    a module of ours is not there.
    """
    if modules not in _CLOSURES:
        _CLOSURES[modules] = _followed(modules)
    return _CLOSURES[modules]


def digest(files: Mapping[str, Path], read: Reader | None = None) -> str:
    """Give one digest of the code of several modules, whose names count and whose folders do not.

    read: gives other bytes than the process has read, for a comparison.
    """
    codes = (
        f"{plain_name(name)} {code_digest(read(path)) if read else source(path, name).code}"
        for name, path in sorted(files.items())
    )
    return _short("\n".join(codes).encode())


def plain_name(module: str) -> str:
    """Give a module's name as in a checkout: a wheel carries components inside the engine."""
    for kind in ("variants", "reports", "cli"):
        if shipped.IN_WHEEL and f"{module}.".startswith(f"ablate.{kind}."):
            return module.removeprefix("ablate.")
    return module


def code_digest(text: bytes) -> str:
    """Give a digest of what Python source does: comments, layout and docstrings do not count.

    A file without readable source (a compiled plug-in) counts with its bytes.

    >>> code_digest(b"x = 1  # why") == code_digest(b"x  =  1") != code_digest(b"x = 1.0")
    True
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return _short(text)
    return _short("\0".join(_words(tree)).encode("utf-8", "surrogatepass"))


def source(path: Path, module: str) -> Source:
    """Read a file, once a process. Raises SourceError where it cannot be read."""
    if module not in _READ:
        text = _bytes(path)
        _READ[module] = Source(_short(text), code_digest(text), tuple(_imports(text, module, path)))
    return _READ[module]


def renew() -> None:
    """Forget the files of modules that are not loaded yet, so that they are read again."""
    for module in [module for module in _READ if module not in sys.modules]:
        del _READ[module]
    _CLOSURES.clear()


def confirm(files: Mapping[str, Path]) -> None:
    """Make sure that what was loaded of these modules is what was read before it was loaded.

    Raises SourceError for a file that changed in between: nobody can tell which of the two it was.
    """
    for name, path in files.items():
        if name in sys.modules and name not in _CONFIRMED:
            if _short(_bytes(path)) != source(path, name).raw:
                raise SourceError(f"{path} was changed while it was being loaded; run again")
            _CONFIRMED.add(name)


def _followed(modules: Iterable[str]) -> Closure:
    tops = {*OURS, *(module.split(".")[0] for module in modules)}
    files: dict[str, Path] = {}
    packages: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        top = module.split(".")[0]
        if top in sys.stdlib_module_names or module in files:
            continue
        if top not in tops and _is_installed(top):
            packages.add(top)
            continue
        path = locate(module)
        if path is not None:
            files[module] = path
            waiting += [*_parents(module), *source(path, module).imports]
        elif module in modules:
            raise SourceError(f"there is no source of the module {module}")
    return Closure(dict(sorted(files.items())), frozenset(packages))


@cache
def locate(module: str) -> Path | None:
    """Find a module's file, without importing anything; None where the name is no module's."""
    parts = module.split(".")
    for folder in _folders(parts[0]):
        stem = folder.joinpath(*parts)
        for path in (stem / "__init__.py", stem.parent / f"{stem.name}.py"):
            if path.is_file():
                return path
        for ending in ("so", "pyd"):
            if compiled := sorted(stem.parent.glob(f"{stem.name}.*{ending}")):
                return compiled[0]
    return None


def _folders(top: str) -> tuple[Path, ...]:
    """Give the folders in which a top-level name stands."""
    if top in OURS:
        return (shipped.ENGINE.parent,)
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return ()
    if spec is None:
        return ()
    if spec.submodule_search_locations is not None:
        return tuple(Path(package).parent for package in spec.submodule_search_locations)
    return (Path(spec.origin).parent,) if spec.has_location and spec.origin else ()


@cache
def _is_installed(top: str) -> bool:
    """Say whether a name is an installed package, which its version tells enough of."""
    inside = ("site-packages", "dist-packages")
    folders = _folders(top)
    return not folders or any(part in inside for folder in folders for part in folder.parts)


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _imports(text: bytes, module: str, path: Path) -> Iterator[str]:
    """Name what a file may import: `from a import b` means `a`, and `a.b` if that is a module."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    for node in _run_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from _imported_from(node, package, path)
        elif isinstance(node, ast.Call) and _dotted(node.func) in BUILT_NAMES:
            yield from _built(node)


def _imported_from(node: ast.ImportFrom, package: str, path: Path) -> Iterator[str]:
    base = node.module or ""
    if node.level:
        try:
            base = resolve_name("." * node.level + base, package)
        except ImportError:
            return
    if base.split(".")[0] in OURS and locate(base) is None and not _is_folder(base):
        raise SourceError(f"{path}:{node.lineno}: imports {base}, which is not there")
    yield base
    yield from (f"{base}.{alias.name}" for alias in node.names if alias.name != "*")


def _is_folder(module: str) -> bool:
    """Say whether a module is a folder without `__init__`."""
    parts = module.split(".")
    return any(folder.joinpath(*parts).is_dir() for folder in _folders(parts[0]))


def _built(node: ast.Call) -> Iterator[str]:
    """Read a module's name that a call is given as text."""
    name = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
    if isinstance(name, str) and name and not name.startswith("."):
        yield shipped.name(name) if "shipped" in _dotted(node.func) else name


def _run_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Walk the nodes that a running program can reach: not those under `if TYPE_CHECKING`."""
    yield node
    children: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and _dotted(node.test).endswith("TYPE_CHECKING"):
        children = node.orelse
    for child in children:
        yield from _run_nodes(child)


def _dotted(node: ast.expr) -> str:
    """Write a name such as `a.b.c`; '' where an expression is none."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _words(node: ast.AST) -> Iterator[str]:
    """Write a syntax tree without its docstrings, in the same words for every Python.

    `ast.dump` writes empty fields in some versions and not in others.
    """
    yield type(node).__name__
    for field, value in ast.iter_fields(node):
        if value is None or value == []:
            continue
        yield field
        if isinstance(value, ast.AST):
            yield from _words(value)
        elif isinstance(value, list):
            drop = field == "body" and _is_text(value[0])
            for entry in value[1:] if drop else value:
                if isinstance(entry, ast.AST):
                    yield from _words(entry)
                else:
                    yield repr(entry)
            yield "]"
        else:
            yield repr(value)
    yield ")"


def _is_text(node: ast.AST) -> bool:
    value = getattr(node, "value", None) if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error


def _short(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:16]
