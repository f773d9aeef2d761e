"""What the core and the extra `train` install, against what the code imports."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ablate.records.fingerprints import DISTRIBUTIONS
from ablate.source import extras

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CALLED = {**DISTRIBUTIONS, "yaml": "pyyaml", "pydantic_core": "pydantic"}
"""What is not called as it is imported; pydantic brings its core."""

TRACKERS = {"tensorboard", "google", "wandb"}
OTHERS = {"ablate", "variants", "reports", "cli", *sys.stdlib_module_names}
TRAINING = ("ablate/training", "ablate/compiled", "ablate/testing", "ablate/streams", "variants")
"""Where packages of the extra may be imported when a module is."""


def declared(requirements: list[str]) -> set[str]:
    """Give the names of requirements, without versions."""
    return {re.split(r"[<>=\[; ]", requirement)[0].lower() for requirement in requirements}


def imported() -> Iterator[tuple[Path, str, bool]]:
    """Give every package that a module of ours imports, and whether when it is itself."""
    for folder in ("ablate", "variants", "reports"):
        for path in (ROOT / folder).rglob("*.py"):
            tree = ast.parse(path.read_text("utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    names = [node.module or ""]
                else:
                    continue
                tops = {name.partition(".")[0] for name in names}
                for top in tops - OTHERS - {""}:
                    yield path.relative_to(ROOT), top, node in tree.body


def test_the_extra_is_the_one_that_messages_name() -> None:
    """And `dev` and `tune` bring it, so that the tests are whole."""
    optional = PROJECT["optional-dependencies"]
    assert declared(optional["train"]) == {*extras.TRAIN.values()}
    assert {"ablate-study[tune]", "ablate-study[ray,slurm]"} <= {*optional["dev"]}
    assert "ablate-study[train]" in optional["tune"]
    assert not declared(PROJECT["dependencies"]) & declared(optional["train"])


def test_every_package_that_is_imported_is_declared_and_the_other_way_round() -> None:
    """In the core or in an extra; the conformance kit is pytest's.

    pyarrow is what pandas reads Parquet with; text that is compiled imports Numba. Trackers' own
    libraries are there where somebody tracks with them.
    """
    packages = {CALLED.get(top, top).lower() for _, top, _ in imported()}
    optional = PROJECT["optional-dependencies"]
    extra = ("train", "ray", "slurm")
    assert packages - {"pytest", *TRACKERS} | {"pyarrow", "numba"} == set().union(
        declared(PROJECT["dependencies"]), {"optuna"}, *(declared(optional[e]) for e in extra)
    )


def test_outside_training_no_module_imports_the_extra_when_it_is_imported() -> None:
    """But those that only training and its timing reach."""
    early = {path.as_posix() for path, top, early in imported() if early and top in extras.TRAIN}
    outside = sorted(path for path in early if not path.startswith(TRAINING))
    assert len(early) > 50
    assert outside == [
        "ablate/core/process_state.py",
        "ablate/workflows/bench_cases.py",
        "ablate/workflows/bench_wholes.py",
        "ablate/workflows/drawn_streams.py",
        "ablate/workflows/reference_steps.py",
        "ablate/workflows/rounds.py",
    ]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModuleNotFoundError("No module", name="no_such_package"), None),
        (ModuleNotFoundError("No module", name="torch.of_another_version"), None),
        (ValueError("torch"), None),
    ],
)
def test_other_faults_are_not_taken_for_a_missing_extra(error: Exception, said: None) -> None:
    """Nor a part that an installed package does not have: the extra would not mend it."""
    assert extras.explained(error) is said


def test_all_that_is_missing_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the names that pip takes."""
    monkeypatch.setattr(extras.locating, "folders", lambda _name: ())
    error = extras.missing(["sklearn", "json", "torch"])
    assert error
    assert error.text() == (
        f"training takes scikit-learn and torch, which are not installed: {extras.REMEDY}"
    )
