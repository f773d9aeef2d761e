"""Results of EleutherAI's lm-evaluation-harness."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablate.registry import component
from ablate.types import TrackedRun

from ._files import fault, flat, json_object, number, scalar, start, text, walk
from ._rows import relative

RESULTS = "results*.json"
SEEDS = {"random_seed": "seed", "numpy_seed": "numpy_seed", "torch_seed": "torch_seed"}


@component(
    "reader", "lm-eval", paper="Gao et al. 2024, lm-evaluation-harness, doi:10.5281/zenodo.12608602"
)
@dataclass(frozen=True)
class LmEval:
    """`results_*.json`: a file is a run, `task/metric` a metric, its standard error `.._stderr`.

    Settings are the model, its arguments, the number of examples shown and the seeds. Items
    (`samples_*.jsonl`) are read by `compare` with `--pair doc_id`.
    """

    def recognises(self, path: Path) -> bool:
        """Say whether it is a file of results, or a folder with some in it."""
        files = walk(path, [RESULTS])[:20] if path.is_dir() else [path]
        return any(_is_results(file) for file in files)

    def read(self, path: Path) -> Sequence[TrackedRun]:
        """Read every file. Raises DataError."""
        files = walk(path, [RESULTS]) if path.is_dir() else [path]
        root = path if path.is_dir() else path.parent
        return [_run(file, root) for file in files] or fault(path, "", f"no {RESULTS} is in it")


def _is_results(file: Path) -> bool:
    head = start(file, 1 << 16)
    return head.lstrip()[:1] == b"{" and b'"results"' in head and b'"eval"' not in head


def _run(file: Path, root: Path) -> TrackedRun:
    document = json_object(file, text(file))
    results = document.get("results")
    if not isinstance(results, dict):
        fault(file, "key results", "it is missing, or no object")
    config = document.get("config") or {}
    if not isinstance(config, dict):
        fault(file, "key config", f"no object but {type(config).__name__}")
    curves = {
        name: [(0.0, value)]
        for task, scores in results.items()
        for name, value in _scores(file, str(task), scores).items()
    }
    spent = number(document.get("total_evaluation_time_seconds"))
    return TrackedRun(
        run=relative(file, root),
        params=_settings(file, document, config),
        curves=curves,
        lost="" if curves else "it has no scores",
        seconds=math.nan if spent is None else spent,
    )


def _scores(file: Path, task: str, scores: Any) -> dict[str, float]:
    """Give a task's metrics: `acc,none` is `acc`, another filter stays behind its comma."""
    if not isinstance(scores, Mapping):
        fault(file, f"key results.{task}", f"no object but {type(scores).__name__}")
    read = {}
    for key, value in scores.items():
        if key in ("alias", "name", "sample_len", " ") or value in ("N/A", None):
            continue
        score = number(value)
        if score is None:
            fault(file, f"key results.{task}.{key}", f"{str(value)[:40]!r} is no number")
        read[f"{task}/{key.removesuffix(',none')}"] = score
    return read


def _settings(file: Path, document: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    model = document.get("model_name") or config.get("model")
    params: dict[str, Any] = {"model": scalar(model)}
    arguments = config.get("model_args")
    if isinstance(arguments, str):
        pairs = [part.partition("=") for part in arguments.split(",") if "=" in part]
        params |= {f"model_args.{name.strip()}": scalar(value) for name, _, value in pairs}
    elif isinstance(arguments, Mapping):
        params |= flat(file, {"model_args": arguments})
    shown = config.get("num_fewshot")
    counts = document.get("n-shot")
    if shown is None and isinstance(counts, Mapping):
        shown = (
            next(iter({*map(str, counts.values())}), None)
            if len({*map(str, counts.values())}) == 1
            else None
        )
    params["num_fewshot"] = scalar(shown)
    params |= {ours: scalar(config[name]) for name, ours in SEEDS.items() if name in config}
    return params
