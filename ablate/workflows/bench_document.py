"""Timings as one JSON document, and two documents beside one another."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ablate.errors import SelectionError
from ablate.records import provenance
from ablate.types import Json
from ablate.workflows import rounds
from ablate.workflows.bench_cases import Arm, Setting
from ablate.workflows.bench_wholes import COPY, wholes

SCHEMA = 1
PRODUCT = "matrix product, PyTorch"

LEGEND = (
    "A model-step is one outer step of one model on a batch. Peak, copy_: shares of the rates of a",
    "matrix product and of copy_, timed in the same rounds. MiB: the most that building it and two",
    "calls add to a process. Ratios with 95 % t intervals of their logs over the rounds, below 1",
    "where the row is faster.",
)


def machine() -> dict[str, Json]:
    """Say what timings depend on: processor, versions, threads."""
    import numpy as np
    import torch

    return {
        "cpu": provenance.machine()["cpu"],
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
    }


def document(
    settings: Sequence[Setting], repeats: int, seconds: float, memory: bool = True
) -> dict[str, Json]:
    """Time all settings, and give the document.

    repeats: rounds. seconds: least time on each turn. memory: measure that too, in processes.
    """
    import torch

    torch.set_num_threads(1)
    measured = [(setting, [*setting.arms(), *wholes(setting)]) for setting in settings]
    peaks = {}
    for setting, arms in measured if memory else ():
        for arm in arms:  # before more is built here that a fork would have to copy
            peaks[setting.name, arm.label] = rounds.peak_mib(arm.build)
    return {
        "schema": SCHEMA,
        "machine": machine(),
        "rounds": repeats,
        "settings": [timed(setting, arms, repeats, seconds, peaks) for setting, arms in measured],
    }


def timed(
    setting: Setting,
    arms: Sequence[Arm],
    repeats: int,
    seconds: float,
    peaks: Mapping[tuple[str, str], float | None],
) -> dict[str, Json]:
    """Time a setting's arms together with a matrix product and a `copy_`."""
    size = setting.parameters()
    arms = [*arms, *yardsticks(size)]
    steps = {arm.label: arm.build() for arm in arms}
    work = {arm.label: _operations(arm) for arm in arms}
    taken = rounds.interleaved(steps, repeats, seconds)
    peak = 2 * rounds.SIDE**3 / _middle(taken[PRODUCT])
    bandwidth = 8 * size / _middle(taken[COPY])  # it reads and writes each number of four bytes
    rows = []
    for arm in arms:
        timings = [call / arm.steps for call in taken[arm.label]]
        row: dict[str, Json] = {
            "rule": arm.rule,
            "form": arm.form,
            "microseconds": [value * 1e6 for value in timings],
            "of_peak": work[arm.label] / _middle(timings) / peak,
            "of_copy": 4 * size * arm.passes / _middle(timings) / bandwidth,
            "peak_mib": peaks.get((setting.name, arm.label)),
            "beside": arm.beside,
        }
        if arm.beside:
            row["ratio"] = rounds.ratio(timings, taken[arm.beside])
        rows.append(row)
    return {
        "name": setting.name,
        "parameters": size,
        "tasks": setting.tasks,
        "batch_rows": setting.batch_rows,
        "peak_gigaflops": peak / 1e9,
        "copy_gigabytes": bandwidth / 1e9,
        "rows": rows,
    }


def yardsticks(size: int) -> Iterator[Arm]:
    """Give what the machine does at best: a large matrix product, a `copy_` of P numbers.

    They are rows too: beside an older document they show what has become of the machine.
    """
    yield Arm("matrix product", "PyTorch", rounds.product, lone=rounds.product)
    yield Arm("copy_", "PyTorch", partial(rounds.copying, size), passes=2)


def _operations(arm: Arm) -> int:
    """Count the operations of a model-step's products, as PyTorch counts them."""
    from torch.utils.flop_counter import FlopCounterMode

    if arm.lone is None:
        return 0
    step = arm.lone()
    with FlopCounterMode(display=False) as counter:
        step()
    return int(counter.get_total_flops())


def _middle(values: Sequence[float]) -> float:
    """Give the geometric mean."""
    return math.exp(sum(map(math.log, values)) / len(values))


def lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Write a document as tables."""
    facts = document["machine"]
    yield f"{facts['cpu']}, torch {facts['torch']}, {facts['threads']} thread(s)"
    for setting in document["settings"]:
        yield (
            f"\n{setting['name']}: {setting['parameters']:,} parameters, {setting['tasks']} tasks "
            f"of {setting['batch_rows']} rows; matrix product {setting['peak_gigaflops']:.0f} "
            f"GFLOP/s, copy_ {setting['copy_gigabytes']:.1f} GB/s"
        )
        head = f"{'rule':<16} {'form':<9} {'us/model-step':>14} {'peak':>5} {'copy_':>6}"
        yield f"{head} {'MiB':>5}  ratio to"
        for row in setting["rows"]:
            yield _line(row)
    yield from ("", *LEGEND)


def _line(row: Mapping[str, Any]) -> str:
    memory = "–" if row["peak_mib"] is None else f"{row['peak_mib']:.0f}"
    shares = f"{row['of_peak']:>5.0%} {row['of_copy']:>6.0%} {memory:>5}"
    text = f"{row['rule']:<16} {row['form']:<9} {_middle(row['microseconds']):>14,.1f} {shares}"
    return f"{text}  {_ratio(row['ratio'])} {row['beside']}" if "ratio" in row else text


def _ratio(three: Sequence[float]) -> str:
    value, low, high = three
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def read(text: str, name: str) -> dict[str, Any]:
    """Read a document of an earlier call. Raises SelectionError where it is none of this schema."""
    import json

    try:
        found = json.loads(text)
    except ValueError as error:
        raise SelectionError(f"{name} is no JSON: {error}") from error
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise SelectionError(f"{name} is no document of `bench --json`, schema {SCHEMA}")
    return found


def compared(new: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[str]:
    """Write the ratio old / new of every row that both have, and whether machines differ."""
    for fact, now in new["machine"].items():
        then = old["machine"].get(fact)
        if then != now:
            yield f"the machines differ: {fact} was {then}, is {now}"
    before = {
        (setting["name"], row["rule"], row["form"]): row
        for setting in old["settings"]
        for row in setting["rows"]
    }
    yield f"\n{'setting':<8} {'rule':<16} {'form':<9} old/new, above 1 where it is faster now"
    for setting in new["settings"]:
        for row in setting["rows"]:
            same = before.get((setting["name"], row["rule"], row["form"]))
            if same is None:
                continue
            three = rounds.between(row["microseconds"], same["microseconds"])
            yield f"{setting['name']:<8} {row['rule']:<16} {row['form']:<9} {_ratio(three)}"
    yield "95 % t intervals over the rounds of each call. What the machine did between the calls is"
    yield "in none of them: it shows in the matrix product and in copy_."
