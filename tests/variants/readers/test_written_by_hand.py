"""Readers over files written from the formats' documentation, whole and broken."""

from __future__ import annotations

import json
import math
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ablate.errors import DataError, ExtraError
from tests.variants.readers.test_written_by_libraries import read, recognised


def write(path: Path, text: str | bytes) -> Path:
    """Write a file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def mlflow(root: Path, run: str = "r1", status: int = 3, stage: str = "active") -> Path:
    """Write a run of MLflow's file store."""
    folder = root / "mlruns" / "77" / run
    write(root / "mlruns" / "77" / "meta.yaml", "experiment_id: '77'\nname: nets\n")
    write(
        folder / "meta.yaml",
        f"run_id: {run}\nstatus: {status}\nlifecycle_stage: {stage}\n"
        "start_time: 1000\nend_time: 3500\n",
    )
    write(folder / "params" / "lr", "0.1")
    write(folder / "params" / "net" / "name", "wide")
    write(folder / "tags" / "mlflow.user", "me")
    write(folder / "metrics" / "val" / "acc", "1 0.25 0\n2 0.5 10\n3 nan 20\n")
    return folder


def test_mlflow_folders_are_what_was_logged(tmp_path: Path) -> None:
    """Names with slashes are folders; a store, an experiment or a run may be named."""
    mlflow(tmp_path)
    mlflow(tmp_path, "r2", 4)
    mlflow(tmp_path, "r3", 1)
    folder = mlflow(tmp_path, "r4", 3, "deleted")
    assert recognised(tmp_path / "mlruns") == ["mlflow"]
    runs = read("mlflow", tmp_path / "mlruns")
    run = runs["r1"]
    assert run.params == {"lr": 0.1, "net/name": "wide", "experiment": "nets"}
    assert run.curves["val/acc"][:2] == [(0.0, 0.25), (10.0, 0.5)]
    assert math.isnan(run.curves["val/acc"][2][1])
    assert run.seconds == 2.5
    lost = {name: run.lost for name, run in runs.items()}
    assert lost == {"r1": "", "r2": "failed", "r3": "running", "r4": "deleted in MLflow"}
    assert {*read("mlflow", folder)} == {"r4"}
    assert {*read("mlflow", folder.parent)} == {*runs}


def test_mlflow_databases_and_tables(tmp_path: Path) -> None:
    """The tables that its migrations make, and the table that `search_runs` gives."""
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(path)) as link:
        link.executescript(
            "CREATE TABLE experiments (experiment_id, name);"
            "CREATE TABLE runs (run_uuid, name, status, start_time, end_time, lifecycle_stage,"
            " experiment_id);"
            "CREATE TABLE params (run_uuid, key, value);"
            "CREATE TABLE metrics (run_uuid, key, value, timestamp, step, is_nan);"
            "INSERT INTO experiments VALUES (1, 'e');"
            "INSERT INTO runs VALUES ('a', 'n', 'FINISHED', 0, 5, 'active', 1);"
            "INSERT INTO runs VALUES ('b', 'n', 'KILLED', 1, 5, 'active', 1);"
            "INSERT INTO params VALUES ('a', 'seed', '3');"
            "INSERT INTO metrics VALUES ('a', 'acc', 0.1, 1, 0, 0);"
            "INSERT INTO metrics VALUES ('a', 'acc', 0.0, 1, 2, 1);"
        )
        link.commit()
    assert recognised(path) == ["mlflow"]
    runs = read("mlflow", path)
    assert runs["a"].params == {"seed": 3, "experiment": "e"}
    assert runs["a"].curves["acc"][0] == (0.0, 0.1)
    assert math.isnan(runs["a"].curves["acc"][1][1])
    assert runs["b"].lost == "killed"
    table = write(
        tmp_path / "runs.csv",
        "run_id,status,params.lr,metrics.acc\nx,FINISHED,0.1,0.75\ny,FAILED,0.2,\n",
    )
    assert recognised(table) == ["mlflow", "table"]
    runs = read("mlflow", table)
    assert (runs["x"].params, runs["x"].curves) == ({"lr": 0.1}, {"acc": [(0.0, 0.75)]})
    assert (runs["y"].lost, runs["y"].curves) == ("failed", {})


def test_lightning_logs(tmp_path: Path) -> None:
    """Rows with gaps, and a tag for an object of Python, which is text."""
    folder = tmp_path / "lightning_logs" / "version_0"
    write(
        folder / "metrics.csv", "epoch,step,train_loss,val_acc\n0,9,0.5,\n0,9,,0.25\n1,19,,0.75\n"
    )
    write(folder / "hparams.yaml", "lr: 0.1\nseed: 3\nkind: !!python/name:os.system ''\n")
    assert recognised(tmp_path) == ["lightning"]
    (run,) = read("lightning", tmp_path / "lightning_logs").values()
    assert run.curves == {"train_loss": [(9.0, 0.5)], "val_acc": [(9.0, 0.25), (19.0, 0.75)]}
    assert (run.params["lr"], run.params["seed"], run.params["kind"]) == (0.1, 3, None)


def hydra(root: Path, name: str, file: str, text: str) -> Path:
    """Write a job of a sweep."""
    write(root / name / ".hydra" / "overrides.yaml", "- optimizer=adam\n- +seed=3\n")
    write(root / name / ".hydra" / "config.yaml", "optimizer: {lr: 0.1}\nseed: 3\n")
    return write(root / name / file, text)


def test_hydra_jobs(tmp_path: Path) -> None:
    """Scores in one file, or a curve; a job without any is lost."""
    hydra(tmp_path, "0", "results.json", '{"acc": 0.5, "inner": {"f1": 0.25}}')
    hydra(tmp_path, "1", "metrics.jsonl", '{"step": 1, "acc": 0.1}\n{"step": 2, "acc": 0.2}\n')
    hydra(tmp_path, "2", "scores.csv", "epoch,acc\n0,0.5\n1,0.75\n")
    hydra(tmp_path, "3", "train.log", "")
    assert recognised(tmp_path) == ["hydra"]
    runs = read("hydra", tmp_path)
    assert runs["0"].params == {"optimizer": "adam", "seed": 3, "optimizer.lr": 0.1}
    assert runs["0"].curves == {"acc": [(0.0, 0.5)], "inner.f1": [(0.0, 0.25)]}
    assert runs["1"].curves == {"acc": [(1.0, 0.1), (2.0, 0.2)]}
    assert runs["2"].curves == {"acc": [(0.0, 0.5), (1.0, 0.75)]}
    assert runs["3"].lost == "no file of scores in its folder"


def test_wandb_exports(tmp_path: Path) -> None:
    """The table, a chart, and runs of the API."""
    table = write(
        tmp_path / "table.csv",
        '"Name","State","Created","Runtime","lr","seed","acc"\n'
        '"a","finished","2024","12","0.1","0","0.5"\n"a","crashed","2024","7","0.1","1",""\n',
    )
    assert "wandb-export" in recognised(table)
    runs = read("wandb-export", table)
    assert [(r.params, r.lost, r.seconds) for r in runs.values()] == [
        ({"lr": 0.1, "seed": 0, "acc": 0.5}, "", 12.0),
        ({"lr": 0.1, "seed": 1, "acc": None}, "crashed", 7.0),
    ]
    assert next(iter(runs.values())).curves["acc"] == [(0.0, 0.5)]
    chart = write(
        tmp_path / "chart.csv",
        '"Step","adam-seed3 - acc","adam-seed3 - acc__MIN","adam-seed3 - acc__MAX"\n'
        '"0","0.5","0.1","0.9"\n"5","0.75","0.1","0.9"\n',
    )
    assert "wandb-export" in recognised(chart)
    (run,) = read("wandb-export", chart).values()
    assert run.params == {"seed": 3, "folder": "adam"}
    assert run.curves == {"acc": [(0.0, 0.5), (5.0, 0.75)]}
    entry = {
        "id": "x1",
        "state": "finished",
        "config": {"lr": {"value": 0.1, "desc": None}, "seed": 2, "_wandb": {}},
        "summary": {"acc": 0.9, "f1": 0.5, "_runtime": 3.5, "_step": 4},
        "history": [{"_step": 0, "acc": 0.1}, {"_step": 4, "acc": 0.9}],
    }
    for text in (json.dumps([entry]), json.dumps({"runs": [entry]}), json.dumps(entry)):
        path = write(tmp_path / "runs.json", text)
        assert "wandb-export" in recognised(path)
        (run,) = read("wandb-export", path).values()
        assert (run.params, run.seconds) == ({"lr": 0.1, "seed": 2}, 3.5)
        assert run.curves == {"acc": [(0.0, 0.1), (4.0, 0.9)], "f1": [(4.0, 0.5)]}


def test_offline_runs_say_to_export_where_wandb_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line."""
    monkeypatch.setitem(__import__("sys").modules, "wandb", None)
    path = write(tmp_path / "offline-run-1" / "run-x.wandb", b":W&B\x00\x00\x00")
    assert recognised(tmp_path) == ["wandb-offline"]
    with pytest.raises(ExtraError, match="export them instead: `wandb sync`"):
        read("wandb-offline", path)


def test_lm_eval_results(tmp_path: Path) -> None:
    """Metrics by task, with their standard errors."""
    document = {
        "results": {
            "arc": {"alias": "arc", "acc,none": 0.5, "acc_stderr,none": 0.01, "em,strict": 1}
        },
        "config": {"model": "hf", "model_args": "pretrained=tiny,dtype=float", "random_seed": 7},
        "n-shot": {"arc": 5},
    }
    path = write(tmp_path / "tiny" / "results_2024.json", json.dumps(document))
    assert recognised(tmp_path) == ["lm-eval"]
    (run,) = read("lm-eval", path).values()
    scores = {name: curve[0][1] for name, curve in run.curves.items()}
    assert scores == {"arc/acc": 0.5, "arc/acc_stderr": 0.01, "arc/em,strict": 1.0}
    assert run.params["model_args.pretrained"] == "tiny"
    assert (run.params["seed"], run.params["num_fewshot"]) == (7, 5)


def inspect(status: str = "success") -> dict[str, Any]:
    """Give what a log of Inspect says."""
    return {
        "version": 2,
        "status": status,
        "eval": {"task": "arc", "model": "m", "task_args": {"n": 3}, "model_args": {}},
        "plan": {"config": {"seed": 4}},
        "results": {"scores": [{"name": "match", "metrics": {"accuracy": {"value": 0.75}}}]},
        "stats": {
            "started_at": "2024-01-01T00:00:00+00:00",
            "completed_at": "2024-01-01T00:01:00+00:00",
        },
    }


def test_inspect_logs(tmp_path: Path) -> None:
    """As JSON, zipped, and one that never ended."""
    write(tmp_path / "a.json", json.dumps(inspect()))
    for name, member in (("b", "header.json"), ("c", "_journal/start.json")):
        with zipfile.ZipFile(tmp_path / f"{name}.eval", "w") as members:
            document = inspect()
            if name == "c":
                del document["status"], document["results"]
            members.writestr(member, json.dumps(document))
    write(tmp_path / "d.json", json.dumps(inspect("error") | {"error": {"message": "oom"}}))
    assert recognised(tmp_path) == ["inspect"]
    runs = read("inspect", tmp_path)
    for name in ("a.json", "b.eval"):
        assert runs[name].curves == {"match/accuracy": [(0.0, 0.75)]}
        assert (runs[name].params["seed"], runs[name].params["task_args.n"]) == (4, 3)
        assert (runs[name].lost, runs[name].seconds) == ("", 60.0)
    assert runs["c.eval"].lost == "started"
    assert runs["d.json"].lost == "error: oom"


def table(text: str | bytes, name: str = "t.csv") -> Callable[[Path], Path]:
    return lambda root: write(root / name, text)


def metric(text: str | bytes) -> Callable[[Path], Path]:
    def written(root: Path) -> Path:
        write(mlflow(root) / "metrics" / "acc", text)
        return root / "mlruns"

    return written


def log(text: str | bytes) -> Callable[[Path], Path]:
    return lambda root: write(root / "v" / "metrics.csv", text).parent


def job(text: str | bytes, file: str = "results.json") -> Callable[[Path], Path]:
    def written(root: Path) -> Path:
        write(hydra(root, "0", file, ""), text)
        return root

    return written


LOG = json.dumps(inspect())
BROKEN = [
    ("mlflow", metric("1 x 0\n"), "acc, line 1"),
    ("mlflow", metric("1 0.5 0\n1 0.5\n1\n"), "acc, line 3"),
    ("mlflow", metric(b"1 0.5 0\n\xff\n"), "acc, line 2, byte 8"),
    ("mlflow", lambda root: write(mlflow(root) / "meta.yaml", "a: [1").parent, "meta.yaml, line 1"),
    ("mlflow", lambda root: write(mlflow(root) / "meta.yaml", "- 1").parent, "meta.yaml, line 1"),
    ("mlflow", table("run_id,metrics.a\nx,abc\n"), "t.csv, line 2: 'abc' for a"),
    ("lightning", log("epoch,step,acc\n0,1,0.5\n0,2\n"), "metrics.csv, line 3: 2 cells under 3"),
    ("lightning", log("epoch,step,acc\n0,one,0.5\n"), "metrics.csv, line 2: 'one' for step"),
    ("lightning", log("step,acc,acc\n1,2,3\n"), "line 1: two columns are called 'acc'"),
    ("lightning", log(b"step,acc\n1,\xff\n"), "metrics.csv, line 2, byte 11"),
    ("lightning", log(b"step,acc\n1,\x00\n"), "metrics.csv, line 2: a zero byte"),
    ("hydra", job('{"acc": 0.5'), "results.json, line 1, column 12"),
    ("hydra", job("[1, 2]"), "results.json, entry 1: no object but int"),
    ("hydra", job('{"step": 1, "a": 1}\n{"step": 2, "a"', "m.jsonl"), "m.jsonl, line 2, column 16"),
    ("hydra", job("", "results.csv"), "results.csv: it is empty"),
    ("hydra", job("[" * 100_000), "results.json, line 1"),
    ("wandb-export", table("[1]", "r.json"), "r.json, run 1: no object"),
    ("wandb-export", table('[{"config": 3}]', "r.json"), "r.json, run 1, key config"),
    ("wandb-export", table('[{"config": {}, "history": 3}]', "r.json"), "run 1, key history"),
    ("wandb-export", table('{"config": {}}\n{"config"', "r.jsonl"), "r.jsonl, line 2, column 10"),
    ("wandb-export", table("Step,a - x\n0,no\n"), "t.csv, line 2: 'no' for a - x"),
    ("lm-eval", table("{}", "r.json"), "r.json, key results"),
    ("lm-eval", table('{"results": {"t": 1}}', "r.json"), "r.json, key results.t"),
    ("lm-eval", table('{"results": {"t": {"acc": "x"}}}', "r.json"), "key results.t.acc: 'x'"),
    ("inspect", table('{"status": "success"}', "r.json"), "r.json, key eval"),
    ("inspect", table(LOG[:-9], "r.json"), "r.json, line 1, column"),
    ("inspect", table(LOG.replace("0.75", '"x"'), "r.json"), "scores.0.metrics.accuracy: 'x'"),
    ("inspect", table(b"PK\x03\x04 and no more", "r.eval"), "r.eval: no zip file"),
    ("table", table("run,metric,value\na,acc,0.5\nb,acc,abc\n"), "t.csv"),
    ("table", table("run,step,acc\na,0,0.5\na,one,0.6\n"), "t.csv, row 2"),
    ("table", table(""), "t.csv is empty"),
    ("table", table("run,acc\n"), "t.csv"),
    ("table", table("PAR1 is cut", "t.parquet"), "t.parquet cannot be read as Parquet"),
    ("optuna", table('{"op_code": 0}\n{"op', "j.log"), "j.log, line 2, column"),
    ("optuna", table('{"op_code": 0}\n{"x": 1}\n', "j.log"), "j.log, line 2: no operation"),
    ("tensorboard", table(b"\x01" * 40, "e.tfevents.1"), "e.tfevents.1, byte 0"),
    ("wandb-offline", table(b"nothing", "run-x.wandb"), "run-x.wandb, byte 0"),
]


@pytest.mark.parametrize(("reader", "written", "sentence"), BROKEN)
def test_broken_files_name_the_file_and_the_place(
    reader: str, written: Callable[[Path], Path], sentence: str, tmp_path: Path
) -> None:
    """Cut, of a wrong type, no UTF-8, empty, nested too deeply."""
    path = written(tmp_path)
    with pytest.raises(DataError) as caught:
        read(reader, path)
    assert sentence in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_log_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it is unpacked."""
    from ablate.core import resources

    module = __import__(f"{resources.name('variants')}.reader.inspect", fromlist=["MOST_BYTES"])
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "a.eval", "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr("header.json", " " * 10**6)
    with pytest.raises(DataError, match=r"header.json: 1,000,000 bytes; at most 1,000"):
        read("inspect", tmp_path / "a.eval")


def zstandard(path: Path, document: dict[str, Any], extra: bytes = b"") -> bytes:
    """Write a zipped log as Inspect does where Python cannot: packed by Zstandard, method 93."""
    import io
    import zlib

    import pyarrow

    text = json.dumps(document).encode()
    packed = pyarrow.Codec("zstd").compress(text, asbytes=True)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as members:
        about = zipfile.ZipInfo("header.json")
        about.extra = extra
        members.writestr(about, packed)
    raw = bytearray(buffer.getvalue())
    sizes = [zlib.crc32(text), len(packed), len(text)]
    for start in (0, raw.index(b"PK\x01\x02")):
        first = start + (8 if start == 0 else 10)
        raw[first : first + 2] = (93).to_bytes(2, "little")
        for place, value in enumerate(sizes):
            at = start + (14 if start == 0 else 16) + 4 * place
            raw[at : at + 4] = value.to_bytes(4, "little")
    write(path, bytes(raw))
    return packed


@pytest.mark.parametrize("extra", [b"", b"\x99\x99\x04\x00abcd"])
def test_logs_packed_by_zstandard_are_read(tmp_path: Path, extra: bytes) -> None:
    """Whatever stands beside the member's name."""
    zstandard(tmp_path / "a.eval", inspect(), extra)
    write(tmp_path / "b.json", json.dumps(inspect()))
    runs = read("inspect", tmp_path)
    assert runs["a.eval"].curves == runs["b.json"].curves
    assert runs["a.eval"].params == runs["b.json"].params


@pytest.mark.parametrize("place", [5, 20, -1])
def test_a_damaged_log_packed_by_zstandard_is_refused(tmp_path: Path, place: int) -> None:
    """With its name; a check sum tells what unpacks all the same."""
    packed = zstandard(tmp_path / "a.eval", inspect())
    raw = (tmp_path / "a.eval").read_bytes()
    broken = bytearray(packed)
    broken[place] ^= 0x55
    write(tmp_path / "a.eval", raw.replace(packed, bytes(broken)))
    with pytest.raises(DataError, match=r"a\.eval"):
        read("inspect", tmp_path / "a.eval")
