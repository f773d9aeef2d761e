"""Values are built by name: no more than four things stand for themselves by their place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ("ablate", "variants", "reports")
MOST = 4


def modules() -> Iterator[tuple[Path, ast.Module]]:
    """Give every module with its syntax tree."""
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            yield path, ast.parse(path.read_text("utf-8"))


def is_value(node: ast.ClassDef) -> bool:
    """Say whether a class is a dataclass or a NamedTuple."""
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    bases = [ast.unparse(base) for base in node.bases]
    return any(text.startswith("dataclass") for text in decorators) or "NamedTuple" in bases


def test_no_value_is_built_from_many_places_or_a_bare_boolean() -> None:
    """A reader should not have to count; what is unpacked (`*parts`) has been counted."""
    trees = list(modules())
    values = {
        node.name
        for _, tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and is_value(node)
    }
    assert len(values) > 100
    built, wrong = 0, []
    for path, tree in trees:
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            if name.startswith("sa.") or name.split(".")[-1] not in values:
                continue  # SQLAlchemy's tables are no values of ours
            built += 1
            plain = [argument for argument in node.args if not isinstance(argument, ast.Starred)]
            bare = [a for a in plain if isinstance(a, ast.Constant) and isinstance(a.value, bool)]
            if len(plain) > MOST or bare:
                where = f"{path.relative_to(ROOT)}:{node.lineno}"
                wrong.append(f"{where} {ast.unparse(node.func)}({len(plain)})")
    assert built > 300
    assert not wrong, "\n".join(wrong)
