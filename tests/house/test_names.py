"""Names are nouns of the field: pronouns and participles name nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
NOTHING = {
    *("one", "found", "said", "mine", "made", "kept", "own", "how", "told", "asked", "place"),
    *("each", "apart", "thing", "stuff", "tmp", "foo", "obj", "res", "ret", "val"),
}
MOST = 1 / 200
"""Of all bound names; in optax, optuna, structlog, import-linter, benchopt and httpx under 1 %."""


def bound(tree: ast.AST) -> Iterator[str]:
    """Give every name that a module binds: variables, parameters, functions and classes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def test_few_names_name_nothing() -> None:
    """One in two hundred, in the engine, the components and the reports."""
    names = [
        (name.strip("_"), path.relative_to(ROOT).as_posix())
        for folder in ("ablate", "variants", "reports")
        for path in (ROOT / folder).rglob("*.py")
        for name in bound(ast.parse(path.read_text("utf-8")))
    ]
    vague = sorted({(path, name) for name, path in names if name in NOTHING})
    count = sum(name in NOTHING for name, _ in names)
    assert len(names) > 10_000
    assert count <= MOST * len(names), vague
