"""Source files as code: what a file does, and which files it brings in. Nothing is imported.

A file is read once a process, so that every statement about code is of the moment at which the
process began. A process that loads a file later reads it again first (`renew`) and makes sure
afterwards that it did not change in between (`confirm`).
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import resolve_name
from pathlib import Path

from ablate.core import resources
from ablate.errors import SourceError
from ablate.source.locating import OURS, is_folder, is_installed, locate
from ablate.source.syntax import dotted, named_files, run_nodes, words

BESIDE = "/"
"""Between a module's name and that of a file beside it."""

Reader = Callable[[Path], bytes]

IMPORTERS = ("import_module", "__import__")
BUILT_NAMES = ("resources.module", "resources.name")
"""Calls whose literal argument names a module; the first two under any other name, too."""


@dataclass(frozen=True)
class Source:
    """A file as it was read: digests of its bytes and of its code, names that it may import.

    files: files beside it that its literals name, which are code or data that it uses.
    """

    raw: str
    code: str
    imports: tuple[str, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Closure:
    """What a module brings in, itself included.

    files: by module name, and by `module/name` what a module names in its literals.
    packages: top-level names of packages whose files were not followed.
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
        if resources.IN_WHEEL and f"{module}.".startswith(f"ablate.{kind}."):
            return module.removeprefix("ablate.")
    return module


def code_digest(text: bytes) -> str:
    """Give a digest of what Python source does: comments, layout and docstrings do not count.

    A file without readable source (a compiled plug-in) counts with its bytes.

    >>> code_digest(b"x = 1  # why") == code_digest(b"x  =  1") != code_digest(b"x = 1.0")
    True
    """
    return _code(text, _parsed(text))


def _code(text: bytes, tree: ast.AST | None) -> str:
    try:
        what = "\0".join(words(tree)).encode("utf-8", "surrogatepass") if tree else text
    except (ValueError, RecursionError):  # a number of 5,000 digits, a formula of 500 terms
        what = text
    return _short(what)


def _parsed(text: bytes) -> ast.AST | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def source(path: Path, module: str) -> Source:
    """Read a file, once a process. Raises SourceError where it cannot be read."""
    if module not in _READ:
        text = _bytes(path)
        raw, tree = _short(text), None if BESIDE in module else _parsed(text)
        _READ[module] = Source(raw, raw)
        if BESIDE not in module:
            files = named_files(tree, path) if tree and module.split(".")[0] != "ablate" else {}
            imports = tuple(_imports(tree, module, path)) if tree else ()
            _READ[module] = Source(raw, _code(text, tree), imports, files)
    return _READ[module]


def today(module: str) -> str:
    """Give the digest of a module's code as it is now; '' where it is gone."""
    path = locate(module)
    return source(path, module).code if path else ""


def renew(*modules: str) -> None:
    """Forget the files of modules that are not loaded yet, so that they are read again.

    modules: others that are forgotten, since processes of their own load them anew.
    """
    for module in [name for name in _READ if name in modules or not _is_loaded(name)]:
        del _READ[module]
    _CLOSURES.clear()


def confirm(files: Mapping[str, Path]) -> None:
    """Make sure that what was loaded of these modules is what was read before it was loaded.

    Raises SourceError for a file that changed in between: nobody can tell which of the two it was.
    """
    for name, path in files.items():
        if _is_loaded(name) and name not in _CONFIRMED:
            if _short(_bytes(path)) != source(path, name).raw:
                raise SourceError(f"{path} was changed while it was being loaded; run again")
            if BESIDE not in name:  # what a module reads, it may read again
                _CONFIRMED.add(name)


def loaded_beside(modules: Iterable[str], known: Iterable[str]) -> dict[str, Path]:
    """Give what was loaded of the packages of modules, beside the files that are known.

    Names of modules that a program puts together are in no literal; what was loaded is.
    """
    tops = {module.split(".")[0] for module in modules} - {*OURS}
    names = {name for name in sys.modules if name.split(".")[0] in tops} - {*known}
    files = {name: locate(name) for name in sorted(names)}
    return {name: path for name, path in files.items() if path is not None}


def _is_loaded(name: str) -> bool:
    return name.partition(BESIDE)[0] in sys.modules


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
        if top not in tops and is_installed(top):
            packages.add(top)
            continue
        path = locate(module)
        if path is not None:
            files[module] = path
            read = source(path, module)
            files |= {f"{module}{BESIDE}{name}": file for name, file in read.files.items()}
            waiting += [*_parents(module), *read.imports]
        elif module in modules:
            raise SourceError(f"there is no source of the module {module}")
    return Closure(dict(sorted(files.items())), frozenset(packages))


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _imports(tree: ast.AST, module: str, path: Path) -> Iterator[str]:
    """Name what a file may import: `from a import b` means `a`, and `a.b` if that is a module."""
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    nodes = list(run_nodes(tree))
    importers = {*BUILT_NAMES, *IMPORTERS, *_renamed(nodes)}
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from _imported_from(node, package, path)
        elif isinstance(node, ast.Call) and _is_one_of(dotted(node.func), importers):
            yield from _built(node, package)


def _renamed(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Give the names under which a file has what imports: `import_module as load`."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            names = (alias for alias in node.names if alias.name in IMPORTERS)
            yield from (alias.asname or alias.name for alias in names)
        elif isinstance(node, ast.Assign) and _is_one_of(dotted(node.value), {*IMPORTERS}):
            yield from filter(None, map(dotted, node.targets))


def _is_one_of(name: str, importers: Container[str]) -> bool:
    return name in importers or name.rpartition(".")[2] in IMPORTERS


def _imported_from(node: ast.ImportFrom, package: str, path: Path) -> Iterator[str]:
    base = node.module or ""
    if node.level:
        try:
            base = resolve_name("." * node.level + base, package)
        except ImportError:
            return
    if base.split(".")[0] in OURS and locate(base) is None and not is_folder(base):
        raise SourceError(f"{path}:{node.lineno}: imports {base}, which is not there")
    yield base
    yield from (f"{base}.{alias.name}" for alias in node.names if alias.name != "*")


def _built(node: ast.Call, package: str) -> Iterator[str]:
    """Read a module's name that a call is given as text; a relative one with its package."""
    texts = [arg.value if isinstance(arg, ast.Constant) else None for arg in node.args[:2]]
    name = texts[0] if texts else None
    if not isinstance(name, str) or not name:
        return
    base = texts[1] if isinstance(texts[-1], str) and len(texts) > 1 else package
    try:
        full = resolve_name(name, str(base)) if name.startswith(".") else name
    except ImportError:
        return
    yield resources.name(full) if "resources" in dotted(node.func) else full


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error


def _short(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:16]
