"""Keys and components are made once, whoever asks for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ablate import flow
from ablate.plan import run_keys
from ablate.plan.pending import look
from ablate.registry import Catalogue
from ablate.training import loop
from ablate.training.assembly import assemble
from ablate.types import Choice, RunSpec, Site, Suite, Variant


def test_a_key_is_computed_once_in_a_command(
    suite_of: Callable[..., Suite],
    run_suite: Callable[..., flow.Study],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Planned, run, checked for INERT, judged and reported: three seeds of two arms are six."""
    computed: list[int] = []
    compute = run_keys._specified

    def counted(variant: Variant, seed: int, precision: str) -> RunSpec:
        computed.append(seed)
        return compute(variant, seed, precision)

    monkeypatch.setattr(run_keys, "_specified", counted)
    assert run_suite(suite_of()).verdicts
    assert len(computed) == 6


def test_a_stacks_components_are_built_once(
    suite_of: Callable[..., Suite], catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not on every batch; numbers in which replicas differ are set on what was built."""
    suite = suite_of(
        ("balanced: {method.meta.update: balanced}", "half: {method.meta.optimizer.sgd.lr: 0.1}"),
        ("baseline: balanced", "baseline: half"),
    )
    facts = look(suite, catalogue, Path("data"), False)
    (stack,) = run_keys.plan(suite, catalogue, facts, width=32).stacks
    assert len(stack.runs) == 6
    built: list[str] = []
    build = Catalogue.build

    def counted(self: Catalogue, choice: Choice) -> Any:
        built.append(choice.kind)
        return build(self, choice)

    monkeypatch.setattr(Catalogue, "build", counted)
    made = assemble(stack, Site("data", "cpu"), catalogue)
    before = len(built)
    assert built.count("method") == 1
    assert [*made.program.numbers] == ["optimizer.lr"]
    assert len(list(loop.run(made.program, made.stream, made.theta))) == 5
    assert len(built) == before
