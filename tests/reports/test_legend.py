"""Every flag that a verdict may carry is explained where it stands."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ablate.analysis.calibrated import NOT_CALIBRATED
from ablate.analysis.reference_lines import CEILING, NEWEST
from ablate.types import Decision
from ablate.verdicts import decision
from ablate.verdicts.decision import COLLAPSED, ROBUST
from ablate.verdicts.family import FUTILE
from reports.first_screen import legend

FLAGS = (NOT_CALIBRATED, CEILING, NEWEST, COLLAPSED, ROBUST, FUTILE)


def written() -> set[str]:
    """Give the flags that the engine's decisions write out."""
    tree = ast.parse(Path(decision.__file__).read_text("utf-8"))
    (decide,) = (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "decide")
    return {
        node.value
        for part in ast.walk(decide)
        if isinstance(part, (ast.List, ast.IfExp, ast.Call))
        for node in ast.walk(part)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.isalpha()
        and (node.value.isupper() or node.value == "differs")
    }


@pytest.mark.parametrize("flag", sorted({*FLAGS, *written()}))
@pytest.mark.parametrize("place", ["verdicts", "effects"])
def test_a_flag_is_explained(flag: str, place: str) -> None:
    """Of a contrast as of a factorial's effect."""
    verdict = SimpleNamespace(decision=Decision.INCONCLUSIVE, flags=(flag,))
    study: Any = SimpleNamespace(**{"verdicts": (), "effects": (), place: (verdict,)})
    assert f"*{flag}*" in legend(study)


def test_the_flags_are_those_of_the_source() -> None:
    """So that the test above speaks of something."""
    assert {"INERT", "TIED", "CONSTANT", "differs"} <= written()
