"""Logs the same runs with the libraries that are installed here, and reads them back.

`python log_with_libraries.py write DIR` logs, and leaves `DIR/logged.json`: by library, where it
has logged to, and `{run: [params, {metric: [[step, value], ...]}]}`. A library that is not there is
left out. `... read DIR` reads with our readers, and prints every difference.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Runs = dict[str, Any]

APP = """
import json
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig


@hydra.main(version_base=None, config_path=None)
def main(config):
    logged = json.loads((Path(__file__).parent / "known.json").read_text())
    folder = Path(HydraConfig.get().runtime.output_dir)
    with (folder / "metrics.jsonl").open("w") as file:
        for name, curve in logged[f"{config.optimizer}-{config.seed}"][1].items():
            for step, value in curve:
                print(json.dumps({"step": step, name: value}), file=file)


main()
"""


def runs() -> Runs:
    """Give runs of two arms and three seeds: curves of awkward numbers."""
    draw = random.Random(5)
    logged = {}
    for arm in ("adam", "sgd"):
        for seed in range(3):
            curve = [[10 * i, draw.gauss(0.8, 0.05)] for i in range(4)]
            awkward = [[0, 1e-30], [30, 0.1 + 0.2 + seed]]
            params = {"optimizer": arm, "seed": seed, "lr": 1e-3}
            logged[f"{arm}-{seed}"] = [params, {"val/acc": curve, "loss": awkward}]
    return logged


def mlflow(folder: Path, logged: Runs) -> Path:
    """Log to a file store."""
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    _mlflow((folder / "mlruns").as_uri(), logged)
    return folder / "mlruns"


def mlflow_database(folder: Path, logged: Runs) -> Path:
    """Log to a database."""
    _mlflow(f"sqlite:///{folder / 'mlflow.db'}", logged)
    return folder / "mlflow.db"


def _mlflow(uri: str, logged: Runs) -> None:
    import mlflow as library

    library.set_tracking_uri(uri)
    library.set_experiment("study")
    for params, metrics in logged.values():
        with library.start_run():
            library.log_params(params)
            for name, curve in metrics.items():
                for step, value in curve:
                    library.log_metric(name, value, step=step)


def wandb(folder: Path, logged: Runs) -> Path:
    """Log offline."""
    import wandb as library

    for name, (params, metrics) in logged.items():
        run = library.init(
            project="study", name=name, dir=str(folder), mode="offline", config=params
        )
        for step in sorted({step for curve in metrics.values() for step, _ in curve}):
            run.log({m: v for m, curve in metrics.items() for s, v in curve if s == step}, step)
        run.finish()
    return folder / "wandb"


def lightning(folder: Path, logged: Runs) -> Path:
    """Log with its CSV logger."""
    from lightning.pytorch.loggers import CSVLogger

    for params, metrics in logged.values():
        logger = CSVLogger(str(folder))
        logger.log_hyperparams(params)
        for name, curve in metrics.items():
            for step, value in curve:
                logger.log_metrics({name: value}, step)
        logger.save()
        logger.finalize("success")
    return folder / "lightning_logs"


def hydra(folder: Path, logged: Runs) -> Path:
    """Sweep over a job that writes what it has reached."""
    (folder / "app.py").write_text(APP)
    (folder / "known.json").write_text(json.dumps(logged))
    overrides = ["+optimizer=adam,sgd", "+seed=0,1,2", "+lr=0.001"]
    command = [sys.executable, "app.py", "-m", *overrides, "hydra.sweep.dir=multirun"]
    subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)
    return folder / "multirun"


def inspect(folder: Path, logged: Runs) -> Path:
    """Evaluate words that are right in four of seven samples, in both of its formats."""
    from inspect_ai import Task, eval as evaluate, task
    from inspect_ai.dataset import Sample
    from inspect_ai.model import ModelOutput
    from inspect_ai.scorer import match
    from inspect_ai.solver import solver

    @solver
    def fixed() -> Any:
        async def solve(state: Any, generate: Any) -> Any:
            state.output = ModelOutput.from_content("none", "yes")
            return state

        return solve

    @task
    def words(optimizer: str = "", lr: float = 0.0) -> Any:
        samples = [Sample(input=str(i), target="yes" if i % 3 else "no") for i in range(7)]
        return Task(dataset=samples, solver=fixed(), scorer=match(location="begin"))

    kept = dict(logged)
    logged.clear()
    for number, (name, (params, _)) in enumerate(kept.items()):
        arguments = {"optimizer": params["optimizer"], "lr": params["lr"]}
        done = evaluate(
            words(**arguments),
            model="mockllm/model",
            log_dir=str(folder),
            log_format="eval" if number % 2 else "json",
            display="none",
            seed=params["seed"],
        )[0]
        scores = done.results.scores[0].metrics.items()
        said = {f"task_args.{key}": value for key, value in arguments.items()}
        reached = {f"match/{metric}": [[0, score.value]] for metric, score in scores}
        logged[name] = [{**said, "seed": params["seed"]}, reached]
    return folder


WRITERS: dict[str, tuple[tuple[str, ...], str, Callable[[Path, Runs], Path]]] = {
    # what has to be installed, our reader, what logs
    "mlflow": (("mlflow",), "mlflow", mlflow),
    "mlflow-database": (("mlflow", "alembic"), "mlflow", mlflow_database),
    "wandb": (("wandb",), "wandb-offline", wandb),
    "lightning": (("lightning",), "lightning", lightning),
    "hydra": (("hydra",), "hydra", hydra),
    "inspect": (("inspect_ai",), "inspect", inspect),
}


def write(root: Path) -> None:
    """Log with every library that is there."""
    done = {}
    for name, (modules, _, writer) in WRITERS.items():
        if all(map(find_spec, modules)):
            folder, logged = root / name, runs()
            folder.mkdir()
            path = writer(folder, logged)
            done[name] = [str(path), logged]
    (root / "logged.json").write_text(json.dumps(done))


def read(root: Path) -> None:
    """Print each run that was not read as it was logged."""
    from ablate.registry import scan
    from ablate.types import Choice

    for library, (path, logged) in json.loads((root / "logged.json").read_text()).items():
        reader = scan().build(Choice("reader", WRITERS[library][1], {}))
        if not reader.recognises(Path(path)):
            print(f"{library}: not recognised")
        tracked = reader.read(Path(path))
        if len(tracked) != len(logged):
            print(f"{library}: {len(tracked)} runs of {len(logged)}")
        for params, metrics in logged.values():
            fitting = [
                run
                for run in tracked
                if all(run.params.get(name) == value for name, value in params.items())
                and all(
                    [[step, value] for step, value in run.curves.get(name, [])] == curve
                    for name, curve in metrics.items()
                )
                and not run.lost
            ]
            if len(fitting) != 1:
                print(f"{library}: {len(fitting)} runs with {params} and {metrics}")


if __name__ == "__main__":
    {"write": write, "read": read}[sys.argv[1]](Path(sys.argv[2]))
