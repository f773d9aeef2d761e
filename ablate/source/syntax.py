"""Syntax trees: the words of what code does, and what its literals name."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

LONGEST_NAME = 200
"""Characters of a text that may name a file."""


def words(node: ast.AST) -> Iterator[str]:
    """Write a syntax tree without its docstrings, in the same words for every Python.

    `ast.dump` writes empty fields in some versions and not in others.
    """
    yield type(node).__name__
    for field, value in ast.iter_fields(node):
        if value is None or value == []:
            continue
        yield field
        if isinstance(value, ast.AST):
            yield from words(value)
        elif isinstance(value, list):
            drop = field == "body" and _is_text(value[0])
            for entry in value[1:] if drop else value:
                if isinstance(entry, ast.AST):
                    yield from words(entry)
                else:
                    yield repr(entry)
            yield "]"
        else:
            yield repr(value)
    yield ")"


def run_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Walk the nodes that a running program can reach: not those under `if TYPE_CHECKING`."""
    yield node
    children: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and dotted(node.test).endswith("TYPE_CHECKING"):
        children = node.orelse
    for child in children:
        yield from run_nodes(child)


def dotted(node: ast.expr) -> str:
    """Write a name such as `a.b.c`; '' where an expression is none."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def named_files(tree: ast.AST, path: Path) -> dict[str, Path]:
    """Find files that the literals of a module name, by their place beside it.

    They stand in the module's folder or that of a package around it, or in a folder there that
    another literal names: tables that a component reads, code that it executes.
    """
    literals = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _may_name(node.value)
    }
    files: dict[str, Path] = {}
    for base in _bases(path):
        folders = [base, *(base / text for text in literals if (base / text).is_dir())]
        for folder in folders:
            for text in literals:
                file = folder / text
                if Path(text).suffix and file != path and file.is_file():
                    files[file.relative_to(base).as_posix()] = file
    return files


def _bases(path: Path) -> Iterator[Path]:
    yield path.parent
    for folder in path.parents:
        if not (folder / "__init__.py").is_file():
            return
        if folder != path.parent:
            yield folder


def _may_name(text: str) -> bool:
    parts = Path(text).parts
    return bool(
        parts
        and len(text) <= LONGEST_NAME
        and text.isprintable()
        and not Path(text).is_absolute()
        and ".." not in parts
    )


def _is_text(node: ast.AST) -> bool:
    value = getattr(node, "value", None) if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)
