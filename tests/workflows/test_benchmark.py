"""Timings: the references take the same steps as the rules beside them; documents compare."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from ablate.commands import catalogue
from ablate.core import malloc
from ablate.errors import SelectionError
from ablate.training import replicas
from ablate.workflows import bench_document, reference_steps, rounds
from ablate.workflows.bench_cases import Setting, settings

SMALL = replace(settings()[0], batch_rows=4, rules=("reptile", "joint"), width=2)


@pytest.mark.parametrize(
    ("rule", "how"),
    [
        ("reptile", "idiom"),
        ("reptile", "mean"),
        ("reptile-chain", "chain"),
        ("joint", "rows"),
        ("replay", "rows"),
    ],
)
def test_a_reference_takes_the_step_of_the_rule_beside_it(rule: str, how: str) -> None:
    """From the same parameters, on the same rows, two steps in a row."""
    program, stream, state = SMALL.ready(rule, 1)
    module = SMALL.module()
    vector_to_parameters(state.theta[0], module.parameters())
    batch = next(iter(stream.epochs(SMALL.tasks - 1, program.method)[0]))
    step = bench_step(how, module)
    for _ in range(2):
        state = replicas.step(program, state, batch)
        step()
    after = parameters_to_vector(module.parameters())
    torch.testing.assert_close(after, state.theta[0], rtol=1e-4, atol=1e-6)


def bench_step(how: str, module: Any) -> Any:
    """Give a reference's step of a given module."""

    class Given(Setting):
        def module(self) -> Any:
            return module

    return Given(
        **{field: getattr(SMALL, field) for field in SMALL.__dataclass_fields__}
    ).by_others(how)


def test_a_ratio_has_the_interval_of_its_logs() -> None:
    """Rounds that are slow for both say nothing about the ratio; one round has no interval."""
    value, low, high = rounds.ratio([2.0, 20.0, 8.0], [1.0, 10.0, 4.0])
    assert (value, low, high) == pytest.approx((2, 2, 2))
    # logs 0, 0.1, 0.2: mean 0.1, standard error 0.1 / sqrt(3), t(2) 4.3027
    value, low, high = rounds.ratio([1, math.exp(0.1), math.exp(0.2)], [1, 1, 1])
    assert value == pytest.approx(math.exp(0.1))
    assert high == pytest.approx(math.exp(0.1 + 4.3027 * 0.1 / math.sqrt(3)), rel=1e-4)
    assert rounds.ratio([1.0], [2.0]) == (0.5, 0.0, math.inf)


def test_two_calls_are_compared_by_welch() -> None:
    """Old 2, new 1: twice as fast; the interval holds it."""
    value, low, high = rounds.between([1.0, 1.01, 0.99], [2.0, 2.02, 1.98])
    assert value == pytest.approx(2, rel=1e-3)
    assert low < value < high
    assert rounds.between([1.0, 1.0], [2.0, 2.0])[1] == pytest.approx(2)


def test_turns_go_forth_and_back() -> None:
    """A B B A in every round."""
    seen: list[str] = []
    steps = {name: lambda name=name: seen.append(name) for name in "AB"}  # type: ignore[misc]
    taken = rounds.interleaved(steps, 2, 0.0)
    assert "".join(seen[4:]) == "ABBAABBA"
    assert {name: len(values) for name, values in taken.items()} == {"A": 2, "B": 2}


def test_a_document_is_versioned_read_again_and_compared() -> None:
    """Every row has its rounds, ratios name what they are to, and another machine is told."""
    made = bench_document.document([SMALL], 2, 0.0, memory=False)
    read = bench_document.read(json.dumps(made), "old.json")
    assert read["schema"] == 1
    rows = read["settings"][0]["rows"]
    assert {row["form"] for row in rows} == {"PyTorch", "compiled", "stacked", "alone"}
    assert all(len(row["microseconds"]) == 2 for row in rows)
    assert all(row["of_peak"] > 0 or row["rule"] == "copy_" for row in rows)
    best = {row["rule"]: row for row in rows[-2:]}
    assert best["matrix product"]["of_peak"] == pytest.approx(1)
    assert best["copy_"]["of_copy"] == pytest.approx(1)
    other = copy.deepcopy(read)
    other["machine"] |= {"cpu": "another", "threads": 64}
    text = "\n".join(bench_document.compared(read, other))
    assert "cpu was another" in text
    assert "threads was 64, is 1" in text
    assert text.count("1.00 [") == len(rows)
    assert "machines differ" not in "\n".join(bench_document.compared(read, read))
    assert any("released idiom" in line for line in bench_document.lines(read))


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 2}', "{}"])
def test_a_document_of_something_else_is_refused(text: str) -> None:
    """With the file's name."""
    with pytest.raises(SelectionError, match=r"old\.json"):
        bench_document.read(text, "old.json")


def test_peak_memory_is_that_of_the_step() -> None:
    """Thirty-two MiB that a step touches are seen, where the heap holds freed ones too."""
    malloc.keep()
    freed = [torch.ones(1 << 20) for _ in range(64)]
    freed.clear()
    held = rounds.peak_mib(lambda: lambda: torch.ones(8 << 20).sum())
    if held is None:
        pytest.skip("the system does not say")
    assert 30 < held < 40


def test_the_command_prints_json_or_tables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """--json is one document and nothing else on standard output."""
    made = bench_document.document([SMALL], 2, 0.0, memory=False)
    monkeypatch.setattr(bench_document, "document", lambda *_: made)
    runner, old = CliRunner(), tmp_path / "old.json"
    printed = runner.invoke(catalogue.bench, ["--json"])
    assert json.loads(printed.stdout) == json.loads(json.dumps(made))
    old.write_text(printed.stdout)
    assert "old/new" in runner.invoke(catalogue.bench, ["--compare", str(old)]).stdout
    both = runner.invoke(catalogue.bench, ["--json", "--compare", str(old)])
    assert json.loads(both.stdout)
    assert "old/new" in both.stderr


def test_reference_optimizers_are_those_of_torch() -> None:
    """The settings reach torch.optim.SGD."""
    module = torch.nn.Linear(2, 2)
    group = reference_steps.Descent(0.1, 0.9, 0.01).over(module).param_groups[0]
    assert (group["lr"], group["momentum"], group["weight_decay"]) == (0.1, 0.9, 0.01)
