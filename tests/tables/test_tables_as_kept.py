"""Tables as people keep them: read as meant, or refused in one line that says what to do."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from tests.commands.test_cli import ask

OURS = (0.8207, 0.8189, 0.8368, 0.8049, 0.7959, 0.8105, 0.8283, 0.831, 0.8294, 0.809)
BASE = (0.8038, 0.8025, 0.8102, 0.7875, 0.7718, 0.7914, 0.8036, 0.8151, 0.8061, 0.7917)
ESTIMATE = 0.02017

Write = Callable[[float], str]


def plain(score: float) -> str:
    return f"{score:.4f}"


def percent(score: float) -> str:
    return f"{100 * score:.2f}"


def comma(score: float) -> str:
    return plain(score).replace(".", ",")


def long(
    sep: str = ",",
    score: Write = plain,
    ours: str = "ours",
    head: Sequence[str] = ("seed", "method", "accuracy"),
    seed: Callable[[int], str] = str,
    base: Write | None = None,
    tail: str = "",
) -> str:
    """Write a row a score, base first."""
    rows = [
        sep.join(cells) + tail
        for i in range(10)
        for cells in (
            (seed(i), "base", (base or score)(BASE[i])),
            (seed(i), ours, score(OURS[i])),
        )
    ]
    return "\n".join([sep.join(head) + tail, *rows]) + "\n"


def wide(sep: str = ",", corner: str = "seed", score: Write = plain) -> str:
    """Write a row a seed, an arm a column."""
    rows = [sep.join([str(i), score(BASE[i]), score(OURS[i])]) for i in range(10)]
    return "\n".join([sep.join([corner, "base", "ours"]), *rows])


def upright(corner: str, prefix: str = "", extra: str = "", more: Sequence[str] = ("", "")) -> str:
    """Write a row an arm, a seed a column."""
    head = ",".join([corner, *(f"{prefix}{i}" for i in range(10))])
    rows = [
        ",".join([name, *map(plain, scores)]) + end
        for name, scores, end in zip(("base", "ours"), (BASE, OURS), more, strict=True)
    ]
    return "\n".join([head + extra, *rows])


def frame() -> pd.DataFrame:
    return pd.read_csv(StringIO(long()))


def records() -> list[dict[str, object]]:
    return frame().to_dict("records")


def pivoted(**settings: object) -> str:
    table = frame().assign(loss=lambda t: 1 - t["accuracy"])
    return str(table.pivot(index="seed", columns="method", values=["accuracy", "loss"]).to_csv())


def blocks(seeds: int, first: str = "") -> str:
    """Write three data sets."""
    rows = [
        f"{first}{i},{data},{arm},{scores[i] + place / 50:.4f}"
        for place, data in enumerate(("mnist", "cifar10", "svhn"))
        for arm, scores in (("base", BASE), ("ours", OURS))
        for i in range(seeds)
    ]
    return "\n".join(["seed,data,method,accuracy", *rows]) + "\n"


def dataset_scores(column: str = "", constant: str = "") -> str:
    rows = [
        f"{constant}{arm},ds{i},{scores[i]}"
        for arm, scores in (("base", BASE), ("ours", OURS))
        for i in range(10)
    ]
    return "\n".join([f"{column}method,dataset,accuracy", *rows])


@dataclass(frozen=True)
class Kept:
    """A file, how it is asked for, and the pairs it has; `says`: what is printed beside."""

    name: str
    content: str | bytes
    asked: str = ""
    n: int = 10
    decision: str = "MATTERS"
    says: str = ""
    file: str = "scores.csv"
    scale: float = 1.0


MEAN = f"mean,base,{sum(BASE) / 10:.4f}\nmean,ours,{sum(OURS) / 10:.4f}\n"
BEST = f"best,base,{max(BASE):.4f}\nbest,ours,{max(OURS):.4f}\n"
LATIN = long(ours="öurs").encode("latin-1")
HASHES = [f"{i * 2654435761 % 2**32:08x}" for i in range(1, 11)]

READ = [
    Kept("as it should be", long()),
    Kept("semicolons and decimal commas", long(";", comma)),
    Kept("semicolons and points", long(";")),
    Kept("tabs in a csv", long("\t")),
    Kept("tabs and decimal commas", long("\t", comma), file="a.tsv"),
    Kept("quoted decimal commas", long(score=lambda s: f'"{comma(s)}"')),
    Kept("spaces", long(" "), file="a.txt"),
    Kept("aligned columns", frame().to_string(), file="a.txt"),
    Kept("aligned without an index", frame().to_string(index=False), file="a.dat"),
    Kept(
        "markdown",
        "| seed | method | accuracy |\n|---:|:---|---|\n"
        + "\n".join(f"| {line.replace(',', ' | ')} |" for line in long().split("\n")[1:-1]),
        file="a.md",
    ),
    Kept(
        "LaTeX",
        "\\toprule\n"
        + long(" & ", tail=r" \\").replace("base", r"\textbf{base}")
        + "\\bottomrule\n",
        file="a.tex",
    ),
    Kept("sep= of Excel", "sep=;\n" + long(";", comma)),
    Kept("lines with #", "# run of Monday\n" + long() + "# end\n", says="begin with #"),
    Kept("a header behind #", "# " + long()),
    Kept("a title above", "Results of the second week\n\n" + long(), says="above the header"),
    Kept("a title with commas", "Results, second week,\n,,\n" + long(), says="above the header"),
    Kept("a line below", long() + "\nBest of three.\n", says="as no row"),
    Kept("blank lines", long().replace("\n", "\n\n")),
    Kept("rows of commas", long() + ",,\n,,\n"),
    Kept("empty columns behind", long(tail=",,")),
    Kept("empty columns before", "\n".join(f",{line}" for line in long().split("\n"))),
    Kept(
        "two files in one",
        long() + long(seed=lambda i: str(i + 10)),
        n=20,
        says="the header stands",
    ),
    Kept("carriage returns", long().replace("\n", "\r\n").encode()),
    Kept("old carriage returns", long().replace("\n", "\r").encode()),
    Kept("UTF-8 with a mark", long().encode("utf-8-sig")),
    Kept("UTF-16", long().encode("utf-16")),
    Kept("UTF-16 without a mark", long().encode("utf-16-be")),
    Kept("UTF-32", long().encode("utf-32")),
    Kept("latin-1", LATIN, says="öurs"),
    Kept("gzip", gzip.compress(long().encode()), file="a.csv.gz"),
    Kept("gzip by another name", gzip.compress(long().encode())),
    Kept("bzip2", bz2.compress(long().encode()), file="a.csv.bz2"),
    Kept("xz", lzma.compress(long().encode()), file="a.csv.xz"),
    Kept("a JSON list", json.dumps(records()), file="a.json"),
    Kept("a JSON list, indented", json.dumps(records(), indent=1), file="a.json"),
    Kept("JSON lines", "\n".join(map(json.dumps, records())), file="a.jsonl"),
    Kept("JSON under a name", json.dumps({"runs": records(), "by": "me"}), file="a.json"),
    Kept(
        "JSON with metrics inside",
        json.dumps(
            [
                {
                    "seed": row["seed"],
                    "method": row["method"],
                    "metrics": {"accuracy": row["accuracy"]},
                }
                for row in records()
            ]
        ),
        file="a.json",
    ),
    Kept(
        "JSON by arm and seed",
        json.dumps({"base": dict(enumerate(BASE)), "ours": dict(enumerate(OURS))}),
        "--arm base --arm ours",
        file="a.json",
    ),
    Kept("JSON by column", frame().to_json(), file="a.json"),
    Kept("JSON of lists", json.dumps(frame().to_dict("list")), file="a.json"),
    Kept("JSON split", frame().to_json(orient="split"), file="a.json"),
    Kept("quoted numbers", long(score=lambda s: f'"{s:.4f}"', seed=lambda i: f'"{i}"')),
    Kept("numbers quoted twice", long(score=lambda s: f'"""{s:.4f}"""')),
    Kept("percent signs", long(score=lambda s: f"{100 * s:.2f}%"), "--margin 1", scale=100),
    Kept("percent signs apart", long(score=lambda s: f"{100 * s:.2f} %"), "--margin 1", scale=100),
    Kept("percent", long(score=percent), "--margin 1", scale=100),
    Kept("thousands", long(score=lambda s: f'"{1e4 * s:,.1f}"'), "--margin 100", scale=1e4),
    Kept("whole thousands", long(score=lambda s: f'"{1e7 * s:,.0f}"'), "--margin 1e5", scale=1e7),
    Kept(
        "European thousands",
        long(";", lambda s: f"{1e4 * s:,.1f}".translate(str.maketrans(",.", ".,"))),
        "--margin 100",
        scale=1e4,
    ),
    Kept(
        "thousands by spaces",
        long(score=lambda s: f"{1e4 * s:,.1f}".replace(",", "\u202f")),
        "--margin 100",
        scale=1e4,
    ),
    Kept("bold markdown", long(score=lambda s: f"**{s:.4f}**")),
    Kept("bold LaTeX", long(score=lambda s: rf"\textbf{{{s:.4f}}}")),
    Kept("a formula", long(score=lambda s: rf"$\mathbf{{{s:.4f}}}$")),
    Kept("foot notes", long(score=lambda s: f"{s:.4f}†")),
    Kept("real minus signs", long(score=lambda s: f"\u2212{1 - s:.4f}")),
    Kept("columns in capitals", long(head=("Seed", "METHOD", " Accuracy "))),
    Kept("a column that pandas wrote", frame().to_csv()),
    Kept("more columns", long(tail=",x", head=("seed", "method", "accuracy"))),
    Kept("wide", wide(), "--arm base --arm ours"),
    Kept(
        "wide, an unnamed index",
        wide(corner=""),
        "--arm base --arm ours",
        says="the first column has no name",
    ),
    Kept("an arm a row", upright("method"), says="each column is taken for a seed"),
    Kept("an arm a row, named seeds", upright("method", "seed_"), says="taken for a seed"),
    Kept("an arm a row, under seed", upright("seed"), says="each column is taken for a seed"),
    Kept("an arm a row, no corner", upright(""), says="each column is taken for a seed"),
    Kept(
        "an arm a row, with its mean",
        upright("method", extra=",mean,std", more=(",0.7984,0.01", ",0.8185,0.01")),
        says="left out whose seed is 'mean', 'std'",
    ),
    Kept("turned by pandas", frame().T.to_csv(), says="lies on its side"),
    Kept("turned, no header", frame().T.to_csv(header=False), says="lies on its side"),
    Kept("two headers of pandas", pivoted(), says="the header has several rows"),
    Kept(
        "two headers by hand",
        "seed,base,,ours,\n,loss,accuracy,loss,accuracy\n".replace("seed,", ",", 1).replace(
            "\n,loss", "\nseed,loss", 1
        )
        + "\n".join(f"{i},0.1,{BASE[i]},0.2,{OURS[i]}" for i in range(10)),
    ),
    Kept(
        "two headers, data sets and arms",
        str(
            pd.read_csv(StringIO(blocks(10)))
            .pivot(index="seed", columns=["data", "method"], values="accuracy")
            .to_csv()
        ),
        "--block data",
    ),
    Kept(
        "one row a metric",
        "seed,method,metric,value\n"
        + "\n".join(
            f"{i},{arm},{name},{s if name == 'accuracy' else 1 - s}"
            for i in range(10)
            for arm, s in (("base", BASE[i]), ("ours", OURS[i]))
            for name in ("accuracy", "loss")
        ),
    ),
    Kept("keys that begin with #", long(seed=lambda i: f"#{i}")),
    Kept(
        "a unit in the header",
        long(head=("seed", "method", "Accuracy (%)"), score=percent),
        "--margin 1",
        scale=100,
    ),
    Kept(
        "an arm a row, a data set a column",
        upright("method", "set").replace("set", "data ", 5),
        "--block dataset",
        says="each dataset is a pair",
    ),
    Kept(
        "an arm a row, named data sets",
        upright("method").replace(
            "0,1,2,3,4,5,6,7,8,9", "mnist,svhn,cifar,omniglot,cub,cars,pets,food,dtd,sun"
        ),
        "--pair dataset",
        says="each column is taken for a dataset",
    ),
    Kept("summaries below", long() + MEAN + BEST, says="left out whose seed is 'mean', 'best'"),
    *(
        Kept(f"a row {word}", long() + MEAN.replace("mean", word), says="left out whose seed is")
        for word in (
            "Average",
            "avg",
            "AVG±",
            "Median",
            "std. dev.",
            "total",
            "Overall",
            "all",
            "**Mean**",
            "mean (10 seeds)",
            "Ø",
            "MeanAcc",
            "MAX",
            "ensemble",
            "mean±std",
        )
    ),
    Kept(
        "summaries with spreads",
        long() + "mean,base,0.80 ± 0.01\nmean,ours,0.82 ± 0.01\n",
        says="left out",
    ),
    Kept(
        "described by pandas",
        long()
        + "".join(
            f"{word},{arm},0.8\n"
            for word in ("count", "mean", "std", "min", "25%", "50%", "75%", "max")
            for arm in ("base", "ours")
        ),
        says="left out",
    ),
    Kept("hashes and a mean", long(seed=lambda i: HASHES[i]) + MEAN, says="left out"),
    Kept("named seeds and a mean", long(seed=lambda i: f"seed-{i}") + MEAN, says="left out"),
    Kept("seeds as floats", long(seed=lambda i: f"{i}.0")),
    Kept(
        "an arm that is the mean",
        long() + "".join(f"{i},average,{(OURS[i] + BASE[i]) / 2:.5f}\n" for i in range(10)),
        says="it sums up the others",
    ),
    Kept("white space in arms", long().replace("0,ours", "0,ours ")),
    Kept("hard spaces in arms", long().replace("2,base", "2,base\u00a0")),
    Kept("capitals in arms", long().replace("\n3,ours", "\n3,Ours"), says="taken for the arm"),
    Kept(
        "a data set's average",
        blocks(10)
        + "".join(
            f"{i},Average,{arm},{s[i]}\n"
            for i in range(10)
            for arm, s in (("base", BASE), ("ours", OURS))
        ),
        "--block data",
        says="whose data is 'Average'",
    ),
    Kept(
        "a history, its last step",
        "seed,method,accuracy,step\n"
        + "\n".join(
            f"{line.rsplit(',', 1)[0]},{float(line.rsplit(',', 1)[1]) - 0.3 + step / 10:.4f},{step}"
            for step in (3, 1, 2)
            for line in long().strip().split("\n")[1:]
        ),
        "--last step",
    ),
    Kept(
        "a key of two columns",
        "repeat,fold,method,accuracy\n"
        + "\n".join(
            f"{i // 5},{i % 5},{arm},{s[i]}"
            for i in range(10)
            for arm, s in (("base", BASE), ("ours", OURS))
        ),
        "--pair repeat --pair fold",
        says="share training rows",
    ),
    Kept("one score a data set", dataset_scores(), "--block dataset", says="critical difference"),
    Kept(
        "one score a data set, one seed",
        dataset_scores("seed,", "0,"),
        "--block dataset",
        says="Average ranks over 10",
    ),
    Kept("one score a data set, as pairs", dataset_scores(), "--pair dataset"),
    Kept("several seeds a data set", blocks(10), "--block data", says="Average ranks over 3"),
    *(
        Kept(f"a run that says {word}", long() + f"10,base,0.8\n10,ours,{word}\n", says="lost")
        for word in ("nan", "-", "OOM", "diverged", "N/A", "#DIV/0!", "—", "timeout")
    ),
    Kept("a run without a score", long() + "10,base,0.8\n10,ours,\n", says="Pairs were lost"),
]


@pytest.mark.parametrize("case", READ, ids=[case.name for case in READ])
def test_a_table_is_read_as_it_is_meant(case: Kept, tmp_path: Path) -> None:
    """The same ten pairs, however they are written down; in words and as JSON."""
    path = tmp_path / case.file
    path.write_bytes(case.content if isinstance(case.content, bytes) else case.content.encode())
    margin = [] if "--margin" in case.asked else ["--margin", "0.01"]
    words = [*case.asked.split(), *margin]
    code, text = ask("compare", path, *words)
    assert code == 0, text
    assert case.says.casefold() in text.casefold()
    code, plain_data = ask("compare", path, *words, "--json")
    found = json.loads(plain_data)["contrasts"]
    assert [(one["verdict"], one["n"]) for one in found] == [(case.decision, case.n)]
    if case.n == 10 and "minus" not in case.name:
        assert abs(found[0]["estimate"]) == pytest.approx(ESTIMATE * case.scale, rel=1e-3)
