"""A store of many simulated runs, without training: `python -m tests.bench.simulated_store FOLDER`.

Writes `FOLDER/many.yaml` and `FOLDER/results`; then, say,
`time python cli.py report FOLDER/many.yaml --results FOLDER/results`.
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import numpy as np

from ablate import flow
from ablate.design.protocols import predictors
from ablate.plan.run_keys import specify
from ablate.plan.standing import current
from ablate.records.provenance import machine
from ablate.records.store import open_store
from ablate.registry import scan
from ablate.types import RunResult, Suite

SUITE = """
question: Does the step matter?
base:
  dataset: {{digits: {{tasks: 5}}}}
  model: {{mlp: {{widths: [16]}}}}
  memory: {{random: {{budget_rows: 50}}}}
  training: {{standard: {{epochs: 1, batch_rows: 64, batches: balanced}}}}
  method:
    meta:
      update: {{reptile: {{epsilon: 0.5}}}}
      inner_steps: 1
      optimizer: {{sgd: {{lr: 0.3}}}}
      loss: all-ce
arms:
{arms}
seeds: {seeds}
contrasts:
{contrasts}
"""
ROWS = (72, 72, 71, 71, 69)
STREAMS = ("init", "order", "batch", "class order", "memory", "test")
AT_ONCE = 10_000
"""Records that are written together."""


def suite_text(arms: int, seeds: int) -> str:
    """Write a suite of arms that differ in one number; each is compared with the first."""
    return SUITE.format(
        arms="\n".join(
            f"  a{i}: {{method.meta.update.reptile.epsilon: {0.1 + 0.8 * i / arms:.6f}}}"
            for i in range(arms)
        ),
        seeds=seeds,
        contrasts="\n".join(
            f"  - {{treatment: a{i}, baseline: a0, metric: all-classes, margin: 2.0 points}}"
            for i in range(1, arms)
        ),
    )


def simulate(folder: Path, arms: int, seeds: int) -> Suite:
    """Write a suite and a record for each of its runs; gives the suite."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "many.yaml").write_text(suite_text(arms, seeds), "utf-8")
    suite = flow.open_suite(folder / "many.yaml")
    work = flow.prepare(suite, Path("data"), None)
    stack, data = work.plan.stacks[0], next(iter(work.facts.values()))
    today = current(stack, work.facts)
    labels = [choice.label() for choice in predictors(scan(), suite.variants)]
    draws, rows = np.random.default_rng(0), np.array(ROWS)
    shared = {**machine(), **today.facts, "protocols": dict(today.protocols), "loaded": {}}
    shared |= {"data": data.digest, "device": "cpu", "threads": 1, "stack_width": 32}
    batch = []
    with closing(open_store(folder / "results")) as store:
        for place, variant in enumerate(suite.variants):
            for seed in range(seeds):
                run = specify(variant, seed, suite.precision)
                level = 0.5 + 0.002 * place + 0.05 * np.random.default_rng(seed).normal()
                shares = np.clip(level + 0.03 * draws.normal(size=(len(labels), 5, 5)), 0, 1)
                right = np.tril(np.floor(shares * rows)).astype(int)
                tables = dict(zip(labels, right.tolist(), strict=True))
                streams = {name: f"{seed:08x}{hash_of(name):08x}" for name in STREAMS}
                batch.append(
                    RunResult(
                        key=run.key,
                        seed=run.seed,
                        status="ok",
                        reason="",
                        rows=list(ROWS),
                        right=tables,
                        task_right=tables,
                        updates=100,
                        gradients=10_000,
                        seconds=0.5,
                        provenance={**shared, "streams": streams, "class_rows": [36] * 10},
                    )
                )
                if len(batch) == AT_ONCE:
                    store.save(batch)
                    batch = []
        store.save(batch)
    return suite


def hash_of(name: str) -> int:
    """Give a number of 32 bits for a stream's name, the same in every process."""
    return int.from_bytes(name.encode()[:4], "big")


if __name__ == "__main__":
    simulate(Path(sys.argv[1]), *(int(word) for word in sys.argv[2:4] or ("100", "1000")))
