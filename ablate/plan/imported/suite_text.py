"""Arms, seeds and claims of imported runs -> the text of a suite that describes them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from ablate.core.naming import short_digest
from ablate.design.common_sections import TWIN_SEEDS
from ablate.errors import SelectionError, unknown
from ablate.plan.imported.sorting import Sorted
from ablate.tables.columns.keys import Key
from ablate.tables.names import less_is_better, plain
from ablate.types import Json

MOST_CLAIMS = 300
"""Pairs of arms that are claimed without a baseline; beyond, it is a search and no study."""

FIRST_SEEDS = TWIN_SEEDS - 100_001
"""The largest number that a suite's first seed may have."""

HEAD = """\
# Runs that were not made here: `import` read them from {source} and wrote this file.
# `report {file}` writes their report again; nothing can be trained from it.
"""


@dataclass(frozen=True)
class Claims:
    """What is claimed of imported runs. margin: as a suite has it, a number or two.

    baseline: the arm that all others are compared with, '' for all pairs.
    """

    question: str
    margin: float | Sequence[float]
    baseline: str = ""
    alpha: float = 0.05
    correction: str = "holm"


@dataclass(frozen=True)
class Origin:
    """What runs were read from: by which readers, the names of files or folders, which step."""

    readers: Sequence[str]
    names: Sequence[str]
    step: str


def numbers(seeds: Sequence[Key]) -> dict[Key, int]:
    """Give the numbers that seeds have in a suite: their own if these are a row, else their places.

    >>> numbers([3, 4, 5]), numbers([7, 42])
    ({3: 3, 4: 4, 5: 5}, {7: 0, 42: 1})
    """
    first = seeds[0] if seeds else 0
    if isinstance(first, int) and 0 <= first < FIRST_SEEDS:
        row = range(first, first + len(seeds))
        if [*seeds] == [*row]:
            return dict(zip(seeds, row, strict=True))
    return {seed: nth for nth, seed in enumerate(seeds)}


def renumbered(seeds: Sequence[Key]) -> Iterator[str]:
    """Say which number stands for which seed, where seeds are no row of numbers."""
    pairs = [(seed, number) for seed, number in numbers(seeds).items() if seed != number]
    if pairs:
        shown = ", ".join(f"{number} is {seed}" for seed, number in pairs[:8])
        more = f" and {len(pairs) - 8} more" if len(pairs) > 8 else ""
        yield f"Seeds stand by their place, since they are no row of numbers: {shown}{more}."


def parameters(names: Sequence[str]) -> dict[str, str]:
    """Give parameters names that a suite can hold, each its own.

    >>> parameters(["model.lr", "Learning rate"])
    {'model.lr': 'model.lr', 'Learning rate': 'Learning_rate-f033c501'}
    """
    return {
        name: name
        if re.fullmatch(r"[A-Za-z_](?:[\w-]|\.(?=\w)){0,60}", name)
        else f"{re.sub(r'[^A-Za-z0-9_]+', '_', name).strip('_')[:40] or 'p'}-{short_digest(name)}"
        for name in names
    }


def written(
    whole: Sorted, claims: Claims, origin: Origin, metrics: Sequence[str], file: str
) -> str:
    """Write the suite. file: its name. Raises SelectionError for an unknown baseline."""
    content = document(whole, claims, origin, metrics)
    text: str = yaml.dump(
        content,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=110,
    )
    source = ", ".join(plain(name) for name in origin.names)
    return HEAD.format(source=source, file=plain(file)) + text


def document(
    whole: Sorted, claims: Claims, origin: Origin, metrics: Sequence[str]
) -> dict[str, Any]:
    """Give the suite as plain data."""
    block = whole.block
    renamed = parameters([*next(iter(whole.arms.values())), *([block] if block else [])])
    arms = {
        name: {renamed[key]: value for key, value in params.items()}
        for name, params in whole.arms.items()
    }
    base = {key: _shared(key, [*arms.values()]) for key in next(iter(arms.values()))}
    if block:
        base[renamed[block]] = _shared("block", [{"block": v} for v in whole.blocks.values()])
    given = numbers(whole.seeds)
    row = [*given.values()]
    imported: dict[str, Any] = {
        "readers": [*origin.readers],
        "from": [plain(name) for name in origin.names],
        "step": origin.step,
    }
    if row != [*whole.seeds]:
        imported["seeds"] = [
            seed if isinstance(seed, (int, float)) else str(seed) for seed in given
        ]
    scored = {name: {"better": "lower"} if less_is_better(name) else {} for name in metrics}
    external = {"imported": imported, "params": base, "metrics": scored}
    first = min(row)
    return {
        "question": claims.question,
        "base": {"method": {"external": external}},
        "arms": arms,
        **({"vary": {renamed[block]: [*whole.blocks.values()]}} if block else {}),
        "seeds": {"first": first, "count": len(row)} if first else len(row),
        "alpha": claims.alpha,
        "correction": claims.correction,
        "contrasts": [
            {"treatment": treatment, "baseline": baseline, "metric": name, "margin": claims.margin}
            for name in metrics[:1]
            for treatment, baseline in contrasts([*arms], claims.baseline)
        ],
    }


def contrasts(arms: Sequence[str], baseline: str) -> Iterator[tuple[str, str]]:
    """Give the pairs of arms that are claimed; of two without a baseline, the first is it.

    Raises SelectionError for an unknown baseline, and for too many pairs.
    """
    if baseline:
        if baseline not in arms:
            raise SelectionError(unknown("arm", baseline, arms))
        yield from ((arm, baseline) for arm in arms if arm != baseline)
        return
    pairs = [(b, a) for a, b in itertools.combinations(arms, 2)]
    if len(pairs) > MOST_CLAIMS:
        raise SelectionError(
            f"{len(arms)} arms make {len(pairs):,} pairs: name the arm that the others are "
            "compared with: --baseline"
        )
    yield from pairs


def _shared(key: str, arms: Sequence[Mapping[str, Json]]) -> Json:
    """Give a parameter's base value: the first arm's, or None where the types differ."""
    values = [arm.get(key) for arm in arms]
    kinds = {float if type(value) is int else type(value) for value in values if value is not None}
    return values[0] if len(kinds) < 2 else None


class _Dumper(yaml.SafeDumper):
    """Writes text in quotes wherever a reader of YAML could take it for anything else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, words: str) -> yaml.Node:
    simple = re.fullmatch(r"[A-Za-z][A-Za-z_./ -]*[A-Za-z_]", words) and words.casefold() not in (
        *("true", "false", "null", "yes", "no", "on", "off", "nan", "inf"),
    )
    style = None if simple or words in ("y", "n") else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", words, style=style)


_Dumper.add_representer(str, _text)
