"""Tables that cannot be read as meant: one line says what is wrong and what to do."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.commands.test_cli import ask
from tests.tables.test_tables_as_kept import (
    BASE,
    BEST,
    MEAN,
    OURS,
    blocks,
    comma,
    dataset_scores,
    long,
    percent,
    plain,
    records,
    wide,
)


@dataclass(frozen=True)
class Refused:
    """A file that cannot be judged as it stands; says: what the one line tells."""

    name: str
    content: str | bytes
    says: str
    asked: str = ""
    file: str = "scores.csv"


SPREADS = (
    "82.1 ± 0.3",
    "82.1 +- 0.3",
    "82.1+/-0.3",
    "82.1 (0.3)",
    r"82.1 \pm 0.3",
    "82.1±0.3%",
    "$82.1_{0.3}$",
    r"$82.1_{\pm 0.3}$",
    "**82.1** ± 0.3",
    "82.1 [81.0; 83.2]",
    r"\textbf{82.1} $\pm$ 0.3",
    "$82.1^{+0.3}$",
    "82.1 ± .3",
    "82.1 +/- 0.3",
)

REFUSED = [
    *(
        Refused(
            f"a spread {cell}",
            long(score=lambda s, cell=cell: cell),
            "score of every run",
            "--margin 0.3",
        )
        for cell in SPREADS
    ),
    Refused(
        "a history",
        "seed,method,accuracy,step\n"
        + "".join(
            f"{line},{step}\n" for step in range(3) for line in long().strip().split("\n")[1:]
        ),
        "differ in 'step'",
    ),
    Refused(
        "a history of epochs",
        "seed,epoch,method,accuracy\n"
        + "".join(f"{i},{e},{arm},0.{e}{i}\n" for i in range(9) for e in range(3) for arm in "ab"),
        "--last epoch",
    ),
    Refused(
        "two data sets unsaid",
        "seed,data,method,accuracy\n"
        + "".join(f"{i},{d},{arm},0.1{i}\n" for i in range(9) for d in "xy" for arm in "ab"),
        "--block data",
    ),
    Refused(
        "folds unsaid",
        "seed,fold,method,accuracy\n"
        + "".join(f"{i},{f},{arm},0.1{i}\n" for i in range(4) for f in range(3) for arm in "ab"),
        "--pair seed --pair fold",
    ),
    Refused("the same row twice", long() + long(), "take one out"),
    Refused("an arm in percent", long(score=percent, base=plain), "mixed: 'base' from"),
    Refused(
        "rows in percent",
        long().replace("0.8368", "83.68").replace("0.8310", "83.10"),
        "mixed: 2 of 20",
    ),
    Refused(
        "a data set in percent",
        blocks(10)
        + "".join(
            f"{i},imagenet,{arm},{100 * s[i]:.2f}\n"
            for i in range(10)
            for arm, s in (("base", BASE), ("ours", OURS))
        ),
        "mixed: ",
        "--block data",
    ),
    Refused(
        "an error rate in percent",
        long(score=percent, base=plain, head=("seed", "method", "test_error")),
        "mixed: 'base' from",
        "--metric test_error",
    ),
    Refused(
        "percent signs in one arm",
        long(score=lambda s: f"{100 * s:.2f}%", base=plain),
        "mixed: 'base'",
    ),
    Refused("a margin in points", long(), "1 points are --margin 0.01", "--margin 1"),
    Refused("a margin of 200 percent", long(score=percent), "whole scale", "--margin 200"),
    Refused("no seed column", long(head=("run", "method", "accuracy")), "--pair run"),
    Refused("no seeds, data sets unsaid", dataset_scores(), "--pair dataset"),
    Refused(
        "means and spreads in columns",
        "method,mean,std\nours,0.82,0.01\nbase,0.80,0.01\n",
        "sum runs up",
    ),
    Refused("a quote left open", long().replace("3,ours", '3,"ours'), "never closed"),
    Refused("no method column", wide().replace("base,ours", "f1,auc"), "--arm f1 --arm auc"),
    Refused("another metric's name", long(head=("seed", "method", "acc")), "--metric acc"),
    Refused(
        "arms that differ in capitals",
        long() + long(ours="Ours").replace("base", "third"),
        "differ in their spelling only",
    ),
    Refused(
        "a comma of two meanings",
        long(score=lambda s: f'"{int(100 * s)},123"'),
        "write it without a comma",
        "--margin 1",
    ),
    Refused("unquoted decimal commas", long(score=comma), "Part the columns by ;"),
    Refused("words for scores", long(score=lambda s: "good"), "is no number"),
    Refused("a key left empty", long() + ",ours,0.81\n", "row 21 has no 'seed'"),
    Refused("merged cells", "seed,method,accuracy\n0,ours,0.8\n1,,0.8\n", "merged cells"),
    Refused("summaries alone", "seed,method,accuracy\n" + MEAN + BEST, "score of every run"),
    Refused(
        "one arm",
        "\n".join(line for line in long().split("\n") if "ours" not in line),
        "one arm only",
    ),
    Refused("an empty file", "", "is empty"),
    Refused("blank lines alone", "\n\n\n", "is empty"),
    Refused("a header alone", "seed,method,accuracy\n", "no rows"),
    Refused("a workbook", b"PK\x03\x04" + bytes(100), "save the sheet as CSV", file="a.xlsx"),
    Refused("a NumPy file", b"\x93NUMPY\x01\x00v\x00{}", "NumPy array", file="a.npy"),
    Refused("random bytes", bytes(range(256)) * 9, "is no text"),
    Refused("gzip cut short", gzip.compress(long().encode())[:60], "cannot be unpacked"),
    Refused("JSON cut short", json.dumps(records())[:-30], "as JSON", file="a.json"),
    Refused(
        "JSON lines cut short",
        "\n".join(map(json.dumps, records()))[:-9],
        "line 20 is no object",
        file="a.jsonl",
    ),
    Refused("a web page", "<html><table></table></html>", "as CSV", file="a.html"),
    Refused("JSON of numbers", "[1, 2, 3]", "no object with names", file="a.json"),
    Refused("JSON nested too deeply", "[" * 100_000, "JSON", file="a.json"),
    Refused("a broken Parquet", b"PAR1" + bytes(40), "as Parquet", file="a.parquet"),
    Refused("UTF-16 cut short", long().encode("utf-16")[:-1], "begins like utf-16"),
    Refused(
        "two header rows of other things",
        ",x,x,y,y\nseed,a,b,a,b\n" + "".join(f"{i},1,2,3,4\n" for i in range(6)),
        "",
    ),
    Refused("a column twice", "seed,method,accuracy,accuracy\n0,a,1,1\n0,b,1,1\n", ""),
]


@pytest.mark.parametrize("case", REFUSED, ids=[case.name for case in REFUSED])
def test_what_cannot_be_read_as_meant_is_refused_in_one_line(case: Refused, tmp_path: Path) -> None:
    """With what is wrong and what to do."""
    path = tmp_path / case.file
    path.write_bytes(case.content if isinstance(case.content, bytes) else case.content.encode())
    margin = [] if "--margin" in case.asked else ["--margin", "0.01"]
    code, text = ask("compare", path, *case.asked.split(), *margin)
    assert code == 2, text
    assert case.says.casefold() in text.casefold()
    assert text.count("\n") == 1, text
