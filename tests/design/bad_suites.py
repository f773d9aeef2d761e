"""A table of bad suites and of odd ones, made from one good suite whose places are known."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

Path = tuple[Any, ...]
Place = tuple[int, int]

GOOD: dict[str, Any] = {
    "question": "Does the update rule matter?",
    "base": {
        "dataset": {"digits": {"tasks": "5", "class_order": "seeded"}},
        "augment": "none",
        "model": {"mlp": {"widths": "[16]"}},
        "memory": {"random": {"budget_rows": "50"}},
        "training": {"standard": {"epochs": "1", "batch_rows": "64", "batches": "balanced"}},
        "method": {
            "meta": {
                "update": {"reptile": {"epsilon": "0.5"}},
                "inner_steps": "1",
                "optimizer": {"sgd": {"lr": "0.3"}},
                "loss": "all-ce",
            }
        },
        "predict": "all-classes",
    },
    "arms": {
        "reptile": "{}",
        "balanced": {"method.meta.update": "balanced"},
        "first": {"memory.*": "first"},
    },
    "vary": {"method.meta.inner_steps": "[1, 4]"},
    "seeds": {"first": "3", "count": "12"},
    "looks": "[5, 8, 12]",
    "contrasts": [
        {
            "treatment": "reptile",
            "baseline": "balanced",
            "metric": "all-classes",
            "margin": "2.0 points",
        },
        {
            "treatment": "reptile",
            "baseline": "first",
            "metric": "forgetting",
            "margin": "1 point",
            "over": "all",
        },
    ],
    "alpha": "0.05",
    "correction": "holm",
    "precision": "float32",
    "spread": "2 points",
    "same": "reptile",
    "references": [{"arm": "reptile", "metric": "all-classes", "figure": "mnist-joint"}],
    "quick": {"seeds": "5", "training.standard.epochs": "2"},
    "tune": {
        "trials": "4",
        "seeds": "2",
        "rows": "5",
        "metric": "all-classes",
        "space": {
            "method.meta.optimizer.sgd.lr": {"low": "0.01", "high": "1.0", "log": "true"},
            "training.standard.batches": "[balanced, natural]",
        },
    },
}
DESIGN: dict[str, Any] = {
    **{key: GOOD[key] for key in ("question", "base")},
    "factorial": {
        "factors": {
            "memory": {"random": "{}", "first": {"memory.*": "first"}},
            "steps": {"one": "{}", "two": {"method.meta.inner_steps": "2"}},
            "rule": {"reptile": "{}", "balanced": {"method.meta.update": "balanced"}},
        },
        "fraction": {"rule": "[memory, steps]"},
        "metric": "all-classes",
        "margin": "2 points",
        "also": {"forgetting": "5 points"},
    },
    "seeds": "5",
}


@dataclass(frozen=True)
class Bad:
    """A suite that is refused. found: a part of what is said of `place`; near: the name meant.

    problems: how many faults it has, where it is not one.
    """

    what: str
    data: bytes
    place: Place
    found: str = ""
    near: str = ""
    problems: int = 1


@dataclass(frozen=True)
class Written:
    """A suite as text, with the places of its keys and values by path."""

    text: str
    keys: dict[Path, Place]
    values: dict[Path, Place]


def write(tree: Any) -> Written:
    """Write a tree of mappings, lists of mappings and YAML scalars, a line for each scalar."""
    lines: list[str] = []
    keys: dict[Path, Place] = {}
    values: dict[Path, Place] = {}

    def put(node: Any, path: Path, indent: int, first: str = "") -> None:
        for number, (key, child) in enumerate(node.items()):
            head = first if number == 0 and first else " " * indent
            keys[*path, key] = (len(lines) + 1, indent + 1)
            if number == 0:
                values.setdefault(path, (len(lines) + 1, indent + 1))
            if isinstance(child, str):
                values[*path, key] = (len(lines) + 1, indent + len(key) + 3)
                lines.append(f"{head}{key}: {child}")
                continue
            lines.append(f"{head}{key}:")
            if isinstance(child, dict):
                put(child, (*path, key), indent + 2)
                continue
            values[*path, key] = (len(lines) + 1, indent + 3)
            for place, entry in enumerate(child):
                put(entry, (*path, key, place), indent + 4, " " * (indent + 2) + "- ")

    put(tree, (), 0)
    return Written("\n".join(lines) + "\n", keys, values)


def paths(tree: Any, path: Path = ()) -> Iterator[Path]:
    """Give the path of every key."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, child in entries:
        if isinstance(tree, dict):
            yield (*path, key)
        if not isinstance(child, str):
            yield from paths(child, (*path, key))


def at(tree: Any, path: Path) -> Any:
    """Give what stands at a path."""
    for key in path:
        tree = tree[key]
    return tree


def with_value(tree: Any, path: Path, value: Any) -> Any:
    """Give a copy of a tree with another value at a path."""
    made = copy.deepcopy(tree)
    at(made, path[:-1])[path[-1]] = value
    return made


def with_key(tree: Any, path: Path, key: str) -> Any:
    """Give a copy of a tree with another key in the place of one."""
    made = copy.deepcopy(tree)
    parent = at(made, path[:-1])
    entries = [(key if name == path[-1] else name, child) for name, child in parent.items()]
    parent.clear()
    parent.update(entries)
    return made


def changed(
    what: str,
    tree: Any,
    path: Path,
    value: Any,
    found: str = "",
    near: str = "",
    problems: int = 1,
    key: bool = False,
) -> Bad:
    """Make a bad suite by a value; its fault stands at the value, or at its key."""
    made = write(with_value(tree, path, value))
    place = made.keys[path] if key else made.values[path]
    name = f"{what}: {'.'.join(map(str, path))}: {str(value)[:30]!r}"
    return Bad(name, made.text.encode(), place, found, near, problems)


def typos(word: str) -> Iterator[str]:
    """Give a word with a letter left out, with two exchanged, and with one too many."""
    middle = len(word) // 2
    yield word[:middle] + word[middle + 1 :]
    yield word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]
    yield word + "s" if not word.endswith("s") else word + "x"


FREE = {("arms", name) for name in GOOD["arms"]}
"""Keys that may be anything: the names of arms."""


def keys_mistyped() -> Iterator[Bad]:
    """Every key of a suite, three times."""
    for tree in (GOOD, DESIGN):
        for path in paths(tree):
            key = path[-1]
            if (
                path in FREE
                or (tree is DESIGN and path[0] != "factorial")
                or path[:2] == ("factorial", "factors")
            ):
                continue
            for wrong in typos(key):
                if wrong == key:
                    continue
                made = write(with_key(tree, path, wrong))
                found = "" if "*" in key else wrong.split(".")[-1][:5]
                yield Bad(
                    f"key {'.'.join(map(str, path))} as {wrong}",
                    made.text.encode(),
                    made.keys[*path[:-1], wrong],
                    found,
                    key,
                )


WRONG = {
    # by path, values of the wrong type
    ("question",): ["[a]", "{a: b}", "true", "3", "~", "''", "'  '"],
    ("base",): ["3", "text", "[1]", "true"],
    ("base", "dataset"): ["3", "[digits]", "~", "true", "{}", "{digits: {}, mnist: {}}"],
    ("base", "dataset", "digits"): ["3", "[1]", "true"],
    ("base", "dataset", "digits", "tasks"): ["five", "1.5", "true", "~", "[five]", "{a: 1}", "'5'"],
    ("base", "dataset", "digits", "class_order"): ["3", "seeeded", "true", "~", "[seeded]"],
    ("base", "model", "mlp", "widths"): ["16", "wide", "{a: 1}", "[a]", "[1.5]", "~"],
    ("base", "memory", "random", "budget_rows"): ["many", "1.5", "true", "~", "[50]", "{a: 1}"],
    ("base", "method", "meta", "update"): ["3", "[reptile]", "~", "true"],
    ("base", "method", "meta", "update", "reptile"): ["0.5", "[0.5]"],
    ("base", "method", "meta", "update", "reptile", "epsilon"): ["half", "~", "[0.5]", "'0.5'"],
    ("base", "method", "meta", "inner_steps"): ["one", "1.5", "~", "[1]", "true"],
    ("base", "method", "meta", "optimizer", "sgd", "lr"): ["fast", "~", "true", "[0.1]"],
    ("base", "method", "meta", "loss"): ["3", "[all-ce]", "~", "{}"],
    ("arms",): ["3", "text", "[a]"],
    ("arms", "balanced"): ["3", "text", "[a]", "true"],
    ("arms", "first", "memory.*"): ["3", "[first]", "~", "true"],
    ("vary",): ["3", "text", "[1]"],
    ("vary", "method.meta.inner_steps"): ["3", "~", "[]", "text", "{one: 1}"],
    ("seeds",): ["many", "1.5", "true", "[three]", "~", "'12'"],
    ("seeds", "count"): ["many", "1.5", "true", "[3]"],
    ("seeds", "first"): ["many", "1.5", "true", "[3]"],
    ("looks",): ["5", "[]", "[a]", "[5, 8.5, 12]", "{a: 5}", "~", "[8, 5, 12]", "[5, 5, 12]"],
    ("contrasts",): ["3", "text", "{treatment: reptile}"],
    ("contrasts", 0, "treatment"): ["3", "[reptile]", "~", "true", "{}"],
    ("contrasts", 0, "metric"): ["3", "[all-classes]", "~", "true"],
    ("contrasts", 0, "margin"): ["3", "2.0", "points", "~", "true", "[2 points]", "-1 points"],
    ("contrasts", 1, "over"): ["3", "~", "[]", "true", "[3]", "{}", "[all]", "[[all]]"],
    ("alpha",): ["small", "[0.05]", "true", "~", "'0.05'"],
    ("correction",): ["3", "[holm]", "true", "~"],
    ("precision",): ["32", "[float32]", "~"],
    ("spread",): ["2", "[2 points]", "~", "wide"],
    ("same",): ["3", "[reptile]", "~", "true"],
    ("references",): ["3", "text", "true"],
    ("references", 0, "arm"): ["3", "[reptile]", "~"],
    ("references", 0, "metric"): ["3", "~"],
    ("references", 0, "figure"): ["3", "~", "none"],
    ("quick",): ["3", "text", "[1]", "true"],
    ("quick", "seeds"): ["many", "1.5", "true", "[three]", "~"],
    ("quick", "training.standard.epochs"): ["many", "1.5", "true", "~"],
    ("tune",): ["3", "text", "[1]"],
    ("tune", "trials"): ["many", "1.5", "true", "~"],
    ("tune", "metric"): ["3", "~", "[a]", "al-classes"],
    ("tune", "space"): ["3", "[1]", "{}", "~"],
    ("tune", "space", "training.standard.batches"): ["3", "[balanced]", "text", "~", "[]"],
    ("tune", "space", "method.meta.optimizer.sgd.lr"): [
        "3",
        "[0.1]",
        "~",
        "{low: 1}",
        "{low: 1, high: 1}",
        "{low: 2, high: 1}",
        "{low: a, high: b}",
        "{low: 0, high: 1, log: true}",
        "{low: .nan, high: 1}",
        "{low: 0.1, high: .inf}",
        "{low: 0.1, high: 1, log: yes}",
    ],
}
RANGES = {
    ("base", "dataset", "digits", "tasks"): ["0", "-1", "100001", "9999999999999999999999"],
    ("base", "model", "mlp", "widths"): ["[0]", "[-1]", "[16, 0]"],
    ("base", "memory", "random", "budget_rows"): ["-1"],
    ("base", "method", "meta", "update", "reptile", "epsilon"): [
        "0",
        "-0.1",
        "1.01",
        ".nan",
        ".inf",
        "-.inf",
        "1e400",
        "1e-400",
    ],
    ("base", "method", "meta", "inner_steps"): ["0", "-1"],
    ("base", "method", "meta", "optimizer", "sgd", "lr"): ["-1", ".nan", ".inf", "1e999"],
    ("base", "training", "standard", "epochs"): ["0", "-3"],
    ("base", "training", "standard", "batch_rows"): ["0"],
    ("seeds", "count"): ["0", "-5", "100001", "1e3"],
    ("seeds", "first"): ["-1", "900000", "1e3"],
    ("looks",): ["[0, 12]", "[4, 12]", "[5, 8]", "[5, 13]", "[-5, 12]", "[3, 5, 12]"],
    ("contrasts", 0, "margin"): [
        "0 points",
        "101 points",
        "1e3 points",
        ".nan points",
        "1,5 points",
        "2 pts",
        "2 %",
    ],
    ("alpha",): ["0", "1", "0.6", "-0.05", ".nan", ".inf", "1e-9", "5%"],
    ("spread",): ["0 points", "-2 points", "101 points"],
    ("quick", "seeds"): ["0", "-1", "1000001"],
    ("tune", "trials"): ["0", "-1", "10001"],
    ("tune", "seeds"): ["0", "1001"],
    ("tune", "rows"): ["0"],
    ("tune", "space", "method.meta.optimizer.sgd.lr"): ["{low: -1, high: 1}"],
}
NAMES = {
    # values that are names, by path, each with the name that was meant
    ("base", "dataset"): ("digit", "digits"),
    ("base", "augment"): ("nune", "none"),
    ("base", "model"): ("mlpp", "mlp"),
    ("base", "memory"): ("{randm: {budget_rows: 5}}", "random"),
    ("base", "predict"): ("all-clases", "all-classes"),
    ("base", "method", "meta", "update"): ("{reptil: {}}", "reptile"),
    ("base", "method", "meta", "loss"): ("al-ce", "all-ce"),
    ("arms", "balanced", "method.meta.update"): ("balancd", "balanced"),
    ("arms", "first", "memory.*"): ("frist", "first"),
    ("contrasts", 0, "treatment"): ("reptil", "reptile"),
    ("contrasts", 0, "baseline"): ("blanced", "balanced"),
    ("contrasts", 0, "metric"): ("all-clases", "all-classes"),
    ("contrasts", 1, "metric"): ("forgeting@all-classes", "forgetting@all-classes"),
    ("contrasts", 1, "over"): ("method.meta.inner_step", "method.meta.inner_steps"),
    ("correction",): ("holmm", "holm"),
    ("precision",): ("flaot32", "float32"),
    ("same",): ("reptlie", "reptile"),
    ("references", 0, "arm"): ("reptle", "reptile"),
    ("references", 0, "metric"): ("all-clases", "all-classes"),
    ("references", 0, "figure"): ("mnist-jiont", "mnist-joint"),
    ("tune", "metric"): ("al-classes", "all-classes"),
}


def wrong_values() -> Iterator[Bad]:
    """Values of another type, at every place."""
    for path, values in WRONG.items():
        for value in values:
            yield changed("type", GOOD, path, value)


def out_of_range() -> Iterator[Bad]:
    """Numbers beyond what a field accepts."""
    for path, values in RANGES.items():
        for value in values:
            yield changed("range", GOOD, path, value)


def names_mistyped() -> Iterator[Bad]:
    """Names of components, arms, metrics and figures, one letter off."""
    for path, (value, near) in NAMES.items():
        made = changed("name", GOOD, path, value, near=near)
        line, column = made.place
        yield made if value[0] != "{" else replace(made, place=(line, column + 1))


def required() -> Iterator[Bad]:
    """Keys that are left out."""
    for tree, path in (
        *(
            (GOOD, path)
            for path in [
                ("question",),
                ("base",),
                ("base", "dataset"),
                ("base", "model"),
                ("base", "memory"),
                ("base", "method"),
                ("seeds", "count"),
                ("contrasts", 0, "treatment"),
                ("contrasts", 0, "baseline"),
                ("contrasts", 0, "metric"),
                ("contrasts", 1, "margin"),
                ("references", 0, "arm"),
                ("references", 0, "metric"),
                ("references", 0, "figure"),
                ("tune", "space"),
            ]
        ),
        *((DESIGN, ("factorial", key)) for key in ("factors", "metric", "margin")),
    ):
        made = copy.deepcopy(tree)
        del at(made, path[:-1])[path[-1]]
        written = write(made)
        place = written.values.get(path[:-1], (1, 1))
        yield Bad(
            f"without {'.'.join(map(str, path))}",
            written.text.encode(),
            place,
            f"without {path[-1]!r}" if path[-1] != "space" else "without a space",
        )


EACH = "  - {treatment: %s, baseline: %s, metric: %s, margin: 2 points}\n"
SHORT = write({key: GOOD[key] for key in ("question", "base", "arms")}).text
HERE = "‸"
"""Stands before the fault in the texts below, and is taken out."""


def placed(what: str, text: str, found: str, near: str = "", problems: int = 1) -> Bad:
    """Make a bad suite of a text that shows where the fault is."""
    before, after = text.split(HERE)
    place = before.count("\n") + 1, len(before) - before.rfind("\n")
    return Bad(what, (before + after).encode(), place, found, near, problems)


def claims() -> Iterator[Bad]:
    """Contrasts that name nothing, say too much, or are there already."""
    rows = [
        (EACH % ("reptile", "‸reptile", "all-classes"), "an arm compared with itself"),
        (EACH % ("‸none", "reptile", "all-classes"), "unknown arm 'none'"),
        (EACH % ("reptile", "‸''", "all-classes"), "unknown arm"),
        (EACH % ("reptile", "balanced", "‸speed"), "unknown metric 'speed'"),
        (EACH % ("reptile", "balanced", "‸forgetting@nobody"), "unknown metric"),
        (EACH % ("reptile", "balanced", "‸'continuum(21)'"), "unknown metric"),
        (EACH % ("reptile", "balanced", "‸''"), "unknown metric"),
        ("  - ‸{}\n", "a contrast without 'treatment'"),
        ("  - ‸text\n", "'text' (text) for a contrast"),
        ("  -‸ \n", "null for a contrast"),
        ("  - ‸[reptile, balanced]\n", "for a contrast"),
        (
            EACH.replace("2 points}", "2 points, ‸weight: 3}") % ("reptile", "first", "accuracy"),
            "unknown key 'weight'",
        ),
        (
            EACH.replace("2 points}", "2 points, over: ‸all}") % ("reptile", "first", "accuracy"),
            "for over",
        ),
        (
            EACH.replace("2 points}", "2 points, over: ‸memory}")
            % ("reptile", "first", "accuracy"),
            "for over",
        ),
    ]
    for text, found in rows:
        yield placed(
            f"claim {text.strip()[:50]}",
            f"{SHORT}contrasts:\n{text}",
            found,
            problems=4 if text == "  - ‸{}\n" else 1,
        )
    first = EACH % ("reptile", "balanced", "all-classes")
    for a, b, metric in (
        ("reptile", "balanced", "all-classes"),
        ("balanced", "reptile", "all-classes"),
        ("reptile", "balanced", "accuracy"),
    ):
        second = (EACH % (a, b, metric)).replace("{", "‸{")
        yield placed(f"claim twice {a} {metric}", f"{SHORT}contrasts:\n{first}{second}", "above")


def phantoms() -> Iterator[Bad]:
    """Settings that reach nothing, and arms that are one."""
    big = "  big: {memory: {first: {budget_rows: 9}}}\n"
    axis = "vary: {memory.random.budget_rows: [20, 50]}\n"
    star = "vary: {memory.*.budget_rows: [20, 50]}\n"
    claim = "contrasts:\n" + EACH % ("reptile", "‸big", "all-classes")
    rows = [
        (big + axis + claim, "reaches 'reptile' and not 'big'"),
        (
            big + axis + claim.replace("2 points", "2 points, over: all"),
            "reaches 'reptile' and not",
        ),
        (big.replace("memory:", "‸memory:") + star, "which vary sets too"),
        ("  big: {memory: none}\n" + star + claim, "reaches 'reptile' and not 'big'"),
        ("vary: {‸memory.first.size: [1, 2]}\n", "reaches no arm"),
        ("vary: {‸memory.herding.budget_rows: [1, 2]}\n", "reaches no arm"),
        ("vary: {‸memory.*.budget_row: [1, 2]}\n", "reaches no arm"),
        ("vary: {‸memory.*.*: [1, 2]}\n", "reaches no arm"),
        ("vary: {‸optimizer.sgd.lr: [1, 2]}\n", "reaches no arm"),
        ("vary: {method.meta.update.reptile.epsilon: [1, ‸1.0]}\n", "which is the same as 1"),
        ("vary: {training.standard.epochs: [1, 2, ‸1]}\n", "more than once"),
        ("vary: {training.standard.epochs: {a: 2, b: ‸2}}\n", "which is the same as a"),
        ("vary: {training.standard.epochs: {‸'<b>': 2, b: 3}}\n", "for a level"),
        (
            "vary: {training.standard.epochs: [1, 2], ‸training.*.epochs: [3, 4]}\n",
            "inside the axis",
        ),
        ("vary: {‸method.meta.inner_steps: [1, 2], method: [replay]}\n", "inside the axis"),
        ("  ‸again: {}\n", "the same as arm 'reptile'"),
        ("  ‸again: {method.meta.inner_steps: 1}\n", "the same as arm 'reptile'"),
        ("  again: {‸optimizer: {sgd: {lr: 1}}}\n", "takes no effect"),
        ("  again: {‸schedul.milestones.factor: 3}\n", "a path that starts with 'schedul'"),
        ("  again: {‸memory.herding.budget_rows: 3}\n", "not chosen"),
        ("  again: {‸memory.random.budget_row: 3}\n", "random has no 'budget_row'"),
        ("  again: {‸method.meta.update.reptile.epsilon.x: 3}\n", "not chosen"),
        ("  again: {‸'': 3}\n", "a path that starts with ''"),
        ("  again: {‸'*': 3}\n", "a path that starts with '*'"),
        ("  again: {‸.memory: 3}\n", "a path that starts with ''"),
        ("  again: {‸memory.: 3}\n", "not chosen"),
        ("  again: {preset: ‸itamll}\n", "unknown preset 'itamll'"),
        ("  again: {preset: ‸[itaml]}\n", "unknown preset"),
        ("quick: {‸optimizer.sgd.lr: 3}\n", "nothing at optimizer"),
        ("quick: {‸memory.herding.budget_rows: 3}\n", "not chosen"),
        ("budget: ‸training.standard.epochs\n", "which vary does not set"),
        ("same: ‸nobody\n", "unknown arm 'nobody'"),
        ("tuned: ‸nothing.yaml\n", "no tuned values"),
        ("tuned: ‸../../etc/passwd\n", "no tuned values"),
        ("tuned: ‸[a]\n", "for tuned"),
        ("tuned:‸\n", "for tuned"),
    ]
    for text, found in rows:
        yield placed(f"phantom {text.strip()[:60]}", SHORT + text, found)


def designs() -> Iterator[Bad]:
    """Factorials that are none."""
    good = write(DESIGN).text
    rows = [
        ("      random: {}\n      first:", "      ‸first:", "for factor 'memory'", 1),
        ("      random: {}\n", "      random: {}\n      both: {}\n", "", 0),
        (
            "      two:\n        method",
            "      two:\n        ‸memory.*.budget_rows: 3\n        method",
            "",
            -1,
        ),
        ("    steps:\n", "    ‸a + b:\n", "for a factor, which arms and effects are called", 0),
        ("    steps:\n", "    ‸first levels:\n", "for a factor, which arms", 0),
        ("    steps:\n", "    ‸'<b>':\n", "for a factor or its level", 0),
        ("rule: [memory, steps]", "rule: ‸[memory]", "for the fraction of 'rule'", 1),
        ("rule: [memory, steps]", "rule: ‸[memory, memory]", "for the fraction of 'rule'", 1),
        ("rule: [memory, steps]", "rule: ‸[memory, rule]", "for the fraction of 'rule'", 1),
        ("rule: [memory, steps]", "rule: ‸3", "for the fraction of 'rule'", 1),
        ("rule: [memory, steps]", "‸nobody: [memory, steps]", "unknown factor 'nobody'", 1),
        ("metric: all-classes", "metric: ‸all-clases", "unknown metric", 1),
        ("margin: 2 points", "margin: ‸2", "for margin", 1),
        ("  margin: 2 points\n", "  margin: 2 points\n  within: ‸nobody\n", "unknown factor", 1),
        ("seeds: 5\n", "seeds: 5\n‸arms: {a: {}}\n", "arms beside a factorial", 1),
        (
            "        method.meta.inner_steps: 2\n",
            "        ‸memory.*: none\n",
            "inside what factor",
            0,
        ),
        (
            "      ‸first:\n        memory.*: first\n".replace("‸", ""),
            "      ‸first: {}\n",
            "is the same as level 'random'",
            1,
        ),
    ]
    for old, new, found, problems in rows:
        if HERE in new and problems >= 0:
            assert old in good, old
            yield placed(
                f"design {new.strip()[:50]}", good.replace(old, new, 1), found, problems=problems
            )


NOT_NAMES = (
    "",
    " ",
    "<b>",
    "a|b",
    "`a`",
    "$x$",
    "\\u202e",
    "a\\nb",
    "\\e[2J",
    "_a",
    "[a](b)",
    "#a",
    "-a",
    "!a",
    "a" * 61,
    "a;b",
    "a@b",
    "\\0",
    "é\\u0301".replace("é", "_"),
    ".",
    "..",
    "/a",
)


def odd_names() -> Iterator[Bad]:
    """Names of arms that a table, a terminal or a file could not bear."""
    for name in NOT_NAMES:
        text = SHORT + f'  ‸"{name}": {{memory: none}}\n'
        found = "a character" if name == "\\0" else "for an arm's name"
        yield placed(f"name {name[:20]}", text, "" if name == "\\0" else found)


def yaml_tricks() -> Iterator[Bad]:
    """What YAML allows, or almost, and a suite does not."""
    short = SHORT.encode()
    lines = SHORT.count("\n")
    deep = "[" * 60 + "]" * 60
    rows: list[tuple[str, bytes, Place, str]] = [
        ("empty", b"", (1, 1), "an empty file"),
        ("a comment", b"# nothing\n", (1, 1), "an empty file"),
        ("a document without content", b"---\n", (1, 1), "an empty file"),
        ("spaces", b"   \n\n", (1, 1), "an empty file"),
        ("two documents", short + b"---\n" + short, (lines + 1, 1), "another document"),
        ("a list", b"- a\n- b\n", (1, 1), "['a', 'b']"),
        ("a number", b"3\n", (1, 1), "3"),
        ("text", b"hello\n", (1, 1), "'hello' (text)"),
        (
            "a tab",
            short + b"vary:\n\ttraining.standard.epochs: [1, 2]\n",
            (lines + 2, 1),
            "not YAML",
        ),
        ("a tag", short + b"seeds: !!python/object:os.system 3\n", (lines + 1, 8), "the tag"),
        ("a tag of ours", short + b"seeds: !x 3\n", (lines + 1, 8), "the tag !x"),
        ("a set", short + b"vary: !!set {a, b}\n", (lines + 1, 7), "the tag !!set"),
        ("a binary", short + b"question2: !!binary aGk=\n", (lines + 1, 12), "the tag !!binary"),
        ("a merge key", short + b"vary: {<<: {a: [1]}}\n", (lines + 1, 8), "a merge key"),
        ("a list as key", short + b"vary: {[a]: [1]}\n", (lines + 1, 8), "itself a structure"),
        ("a mapping as key", short + b"? {a: 1}\n: 2\n", (lines + 1, 3), "itself a structure"),
        ("a key twice", short + b"arms: {}\n", (lines + 1, 1), "the key 'arms' a second time"),
        (
            "an inner key twice",
            short + b"vary: {a: [1], a: [2]}\n",
            (lines + 1, 16),
            "a second time",
        ),
        ("an alias to nothing", short + b"vary: *x\n", (lines + 1, 7), "undefined alias"),
        (
            "an anchor inside itself",
            short + b"vary: &x {a: *x}\n",
            (lines + 1, 7),
            "nesting too deep",
        ),
        ("deep nesting", short + f"vary: {deep}\n".encode(), (lines + 1, 47), "nesting too deep"),
        ("no end", short + b"vary: {a: [1\n", (lines + 2, 1), "not YAML"),
        ("a quote without end", short + b"same: 'a\n", (lines + 2, 1), "not YAML"),
        ("a bad escape", short + b'same: "\\q"\n', (lines + 1, 9), "not YAML"),
        ("a bad indent", short + b"  vary: [1]\n", (0, 0), ""),
        ("a colon in text", b"question: What: this?\n", (1, 15), "not YAML"),
        ("not UTF-8", short + b"same: \xff\n", (lines + 1, 7), "no text"),
        ("UTF-16", "question: x?\n".encode("utf-16"), (1, 1), "no text"),
        ("Latin-1", "question: wé?\n".encode("latin-1"), (1, 12), "no text"),
        ("a byte 0", short + b"same: \x00\n", (lines + 1, 7), "a character"),
        ("an escape character", short + b"same: \x1b[2J\n", (lines + 1, 7), "a character"),
        ("half a character", short + b'same: "\\ud800"\n', (lines + 1, 7), "half a character"),
        ("a directive", b"%FOO bar\n" + short, (0, 0), ""),
        ("YAML 9", b"%YAML 9.0\n---\n" + short, (1, 1), "not YAML"),
        ("a megabyte", short + b"#" * 1_000_001, (1, 1), "bytes"),
        ("octal", short + b"seeds: 0o17\n", (lines + 1, 8), "'0o17' (text) for seeds"),
        ("hexadecimal", short + b"seeds: 0x1F\n", (lines + 1, 8), "'0x1F' (text) for seeds"),
        ("sexagesimal", short + b"seeds: 1:30\n", (lines + 1, 8), "'1:30' (text) for seeds"),
        ("a date", short + b"seeds: 2026-01-01\n", (lines + 1, 8), "'2026-01-01' (text)"),
        ("a fraction", short + b"seeds: 5.0\n", (lines + 1, 8), "5.0 for seeds"),
        ("infinity", short + b"alpha: .inf\n", (lines + 1, 8), "inf for alpha"),
        ("not a number", short + b"alpha: .nan\n", (lines + 1, 8), "nan for alpha"),
        ("beyond any number", short + b"alpha: 1e400\n", (lines + 1, 8), "inf for alpha"),
        (
            "a number of many digits",
            short + b"seeds: " + b"9" * 5000 + b"\n",
            (lines + 1, 8),
            "seeds",
        ),
        ("no", short + b"precision: no\n", (lines + 1, 12), "'no' (text) for precision"),
        ("other digits", short + "seeds: ٣\n".encode(), (lines + 1, 8), "(text) for seeds"),
        (
            "a fault after a byte order mark",
            b"\xef\xbb\xbf" + short + b"seeds: 0\n",
            (lines + 1, 8),
            "0 for",
        ),
        (
            "a fault after CRLF",
            short.replace(b"\n", b"\r\n") + b"seeds: 0\r\n",
            (lines + 1, 8),
            "0 for",
        ),
        (
            "a fault after old Mac lines",
            short.replace(b"\n", b"\r") + b"seeds: 0\r",
            (lines + 1, 8),
            "0 for",
        ),
        (
            "a fault after wide letters",
            short + "same: 'ю😀' # x\nseeds: 0\n".encode(),
            (lines + 2, 8),
            "0 for",
        ),
        (
            "a fault in a flow after wide letters",
            short + "quick: {'😀': 1, seeds: 0}\n".encode(),
            (lines + 1, 24),
            "0 for seeds",
        ),
    ]
    for what, data, place, found in rows:
        if place != (0, 0):
            yield Bad(f"YAML: {what}", data, place, found, problems=0 if "wide" in what else 1)
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}]\n" for i in range(1, 20)
    )
    yield Bad("YAML: a billion laughs", bomb.encode(), (1, 10), "nesting too deep")


TABLES = (
    keys_mistyped,
    wrong_values,
    out_of_range,
    names_mistyped,
    required,
    claims,
    phantoms,
    designs,
    odd_names,
    yaml_tricks,
)


def bad() -> list[Bad]:
    """Give the whole table."""
    return [case for table in TABLES for case in table()]


ODD = {
    "CRLF": SHORT.replace("\n", "\r\n").encode(),
    "a byte order mark": b"\xef\xbb\xbf" + SHORT.encode(),
    "old Mac lines": SHORT.replace("\n", "\r").encode(),
    "no end of line": SHORT.rstrip("\n").encode(),
    "a document's start and end": f"---\n{SHORT}...\n".encode(),
    "comments everywhere": SHORT.replace("\n", "  # x: y\n").encode(),
    "trailing spaces": SHORT.replace("\n", "   \n").encode(),
    "a directive": b"%YAML 1.1\n---\n" + SHORT.encode(),
    "a question over lines": SHORT.replace(
        "question: Does the update rule matter?", "question: >\n  Does it\n  matter?"
    ).encode(),
    "a question with markup": SHORT.replace(
        "Does the update rule matter?", "'<!-- | $x$ **Is** it \\e[2J [so](x)?'"
    ).encode(),
    "a question in other letters": SHORT.replace(
        "Does the update rule matter?", "Почему 😀 は効くか？"
    ).encode(),
    "anchors and aliases": (
        SHORT.replace("dataset:", "dataset: &d")
        + "vary:\n  training.standard.epochs: &n [1, 2]\n  training.standard.batch_rows: *n\n"
    ).encode(),
    "numbers as names": SHORT.replace("  reptile: {}", "  1: {}").encode(),
    "words as names": SHORT.replace("  reptile: {}", "  true: {}")
    .replace("first:", "null:")
    .encode(),
    "a date as a name": SHORT.replace("  reptile: {}", "  2026-01-01: {}").encode(),
    "names in other letters": SHORT.replace("  reptile: {}", "  обычный: {}").encode(),
    "a name of 60 letters": SHORT.replace("  reptile: {}", f"  {'n' * 60}: {{}}").encode(),
    "a name with a colon": SHORT.replace("  reptile: {}", "  'r: 1/2 (a)': {}").encode(),
    "a key over lines": SHORT.replace("  reptile: {}", "  ? reptile\n  : {}").encode(),
    "an empty arm": SHORT.replace("  reptile: {}", "  reptile:").encode(),
    "no arms": SHORT[: SHORT.index("arms:")].encode(),
    "null arms": (SHORT[: SHORT.index("arms:")] + "arms:\n").encode(),
    "an empty vary": (SHORT + "vary: {}\n").encode(),
    "a null vary": (SHORT + "vary:\n").encode(),
    "no contrasts": (SHORT + "contrasts: []\n").encode(),
    "one seed": (SHORT + "seeds: 1\n").encode(),
    "a first seed": (SHORT + "seeds: {first: 899999, count: 1}\n").encode(),
    "underscores in numbers": (SHORT + "seeds: 1_0\n").encode(),
    "a plus": (SHORT + "seeds: +5\n").encode(),
    "exponents": (SHORT + "alpha: 5e-2\n").encode(),
    "an axis of one value": (SHORT + "vary: {training.standard.epochs: [2]}\n").encode(),
    "named levels": (SHORT + "vary: {training.standard.epochs: {short: 1, long: 2}}\n").encode(),
    "an axis of components": (
        SHORT + "vary: {model: [{mlp: {widths: [4]}}, {mlp: {widths: [5]}}]}\n"
    ).encode(),
    "an axis of null": (SHORT + "vary: {training.standard.first_epochs: [~, 2]}\n").encode(),
    "an axis of any memory": (SHORT + "vary: {memory.*.budget_rows: [5, 9]}\n").encode(),
    "an axis that misses an arm": (SHORT + "vary: {memory.first.budget_rows: [5, 9]}\n").encode(),
    "two axes": (
        SHORT + "vary: {method.meta.optimizer.sgd.lr: [0.1, 0.2], dataset.*.tasks: [2, 5]}\n"
    ).encode(),
    "margins of all kinds": (
        f"{SHORT}contrasts:\n{EACH % ('reptile', 'balanced', 'accuracy')}"
        + (EACH % ("reptile", "first", "'continuum(20)'")).replace("2 points", "'.5  points'")
        + (EACH % ("balanced", "first", "forgetting")).replace("2 points", "100 points")
    ).encode(),
    "JSON": b'{"question": "x?", "base": {"dataset": "digits", "model": "mlp", '
    b'"memory": {"random": {"budget_rows": 5}}, '
    b'"method": {"replay": {"optimizer": "sgd", "training": "standard"}}}}',
    "the whole": write(GOOD)
    .text.replace("figure: mnist-joint", "figure: mnist-joint  # a comment")
    .encode(),
    "a factorial": write(DESIGN).text.encode(),
}
"""Suites that are odd, and good."""
