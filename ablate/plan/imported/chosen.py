"""Which parameters of runs name arm, seed and block, and which metric: asked for or guessed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ablate.errors import SelectionError, nearest, unknown
from ablate.tables.columns.keys import key_of
from ablate.tables.names import (
    alike,
    bare,
    is_rate,
    less_is_better,
    listed,
    plain,
    tokens,
    words,
)
from ablate.types import Json, TrackedRun

SEEDS = ("seed", "random_seed", "random_state", "rng_seed", "manual_seed", "global_seed")
TIMES = words("time seconds secs runtime duration timestamp created started ended wall")
IDLE = words("id uuid path dir directory name host hostname pid date run port device")
"""Words in the names of parameters that say where and when a run was, not what it was."""

HELD_OUT = ("test", "val", "valid", "validation", "eval")
"""Words in the name of a score that counts, the first ones before the others."""


@dataclass(frozen=True)
class Request:
    """What the user says: names of parameters and metrics, empty where it is to be guessed.

    step: `last`, `best`, or the step that counts.
    """

    arm: tuple[str, ...] = ()
    seed: str = ""
    block: str = ""
    metrics: tuple[str, ...] = ()
    where: tuple[tuple[str, str], ...] = ()
    step: str = "last"


@dataclass(frozen=True)
class Chosen:
    """Names as the runs have them; seed '' where there is none. notes: what was guessed."""

    arm: tuple[str, ...]
    seed: str
    block: str
    metrics: tuple[str, ...]
    notes: tuple[str, ...]


def chosen(runs: Sequence[TrackedRun], request: Request) -> Chosen:
    """Settle which parameters and metrics count.

    Raises SelectionError for a name that no run has, and where nothing can be guessed.
    """
    params = list(dict.fromkeys(name for run in runs for name in run.params))
    metrics = list(dict.fromkeys(name for run in runs for name in run.curves))
    seed, notes = _seed(runs, params, request)
    block = _named(request.block, params, "parameter") if request.block else ""
    arm = tuple(_named(name, params, "parameter") for name in request.arm)
    scores, more = _metrics(metrics, {seed, block, *arm}, request)
    notes += more
    if not arm:
        arm, more = _arm(runs, [n for n in params if n not in {seed, block, *scores}], seed)
        notes += more
    if twice := {seed, block} & {*arm} - {""}:
        raise SelectionError(f"{next(iter(twice))!r} is asked to be two things at once")
    return Chosen(arm=arm, seed=seed, block=block, metrics=scores, notes=tuple(notes))


def _named(name: str, known: Sequence[str], what: str) -> str:
    """Find a name whatever its capitals and the groups that it is in."""
    for same in (str, lambda word: plain(word).casefold(), bare):
        fitting = [word for word in known if same(word) == same(name)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise SelectionError(f"{name!r} may be any of {listed(fitting)}: name one of them")
    raise SelectionError(unknown(what, name, known))


def _seed(
    runs: Sequence[TrackedRun], params: Sequence[str], request: Request
) -> tuple[str, list[str]]:
    if request.seed:
        return _named(request.seed, params, "parameter"), []
    free = [name for name in params if name not in request.arm and name != request.block]
    fitting = [name for name in free if bare(name) in SEEDS or tokens(name)[-1:] == ["seed"]]
    if not fitting:
        return "", ["No parameter is called seed (--seed names one)."]
    short = min(fitting, key=lambda name: (bare(name) != "seed", len(name)))
    values = [[key_of(run.params.get(name)) for run in runs] for name in fitting]
    if len(fitting) > 1 and any(other != values[0] for other in values):
        beside = [name for name in fitting if name != short]
        return short, [f"The seed is taken to be {short}, not {listed(beside)} (--seed)."]
    return short, [f"The seed is taken to be {short}."]


def _metrics(
    metrics: Sequence[str], taken: Iterable[str], request: Request
) -> tuple[tuple[str, ...], list[str]]:
    if not metrics:
        raise SelectionError("no run has a metric: nothing was logged as a number")
    if request.metrics:
        return tuple(_named(name, metrics, "metric") for name in request.metrics), []
    free = [n for n in metrics if n not in {*taken} and not {*tokens(n)} & (TIMES | {"seed"})]
    scores = [name for name in free if is_rate(name) or less_is_better(name)]
    fitting = free if len(free) == 1 else scores
    for word in HELD_OUT:
        if len(fitting) > 1 and (held := [n for n in fitting if word in tokens(n)]):
            fitting = held
            break
    rates = [name for name in fitting if is_rate(name)]
    fitting = rates if len(fitting) > 1 and rates else fitting
    if len(fitting) == 1:
        return (fitting[0],), [f"The metric is taken to be {fitting[0]} (--metric)."]
    raise SelectionError(
        f"which metric counts cannot be told; name it with --metric: {listed(free or metrics, 12)}"
    )


def _arm(
    runs: Sequence[TrackedRun], params: Sequence[str], seed: str
) -> tuple[tuple[str, ...], list[str]]:
    """Take what varies between runs, but for what follows the seed or differs in every run."""
    varying = [name for name in params if len({text(run.params.get(name)) for run in runs}) > 1]
    idle = [name for name in varying if is_idle(runs, name, seed)]
    arm = [name for name in varying if name not in idle]
    arm = [name for i, name in enumerate(arm) if not any(_same(runs, name, o) for o in arm[:i])]
    notes = []
    if not arm:
        raise SelectionError(
            "what tells the arms apart cannot be told: "
            + (f"{listed(varying, 8)} vary; " if varying else "no parameter varies; ")
            + "name it with --arm"
        )
    notes.append(f"Arms are told apart by {', '.join(arm)} (--arm).")
    measured = {name for run in runs for name in run.curves}
    if idle := [name for name in idle if name not in measured]:
        notes.append(f"Not taken for part of an arm, though it varies: {listed(idle, 8)}.")
    return tuple(arm), notes


def is_idle(runs: Sequence[TrackedRun], name: str, seed: str) -> bool:
    """Say whether a parameter follows from the seed, or has nearly as many values as runs."""
    values = [text(run.params.get(name)) for run in runs]
    if {*tokens(name)[-1:]} & (IDLE | TIMES | {"seed", "state", "status"}):
        return True
    if 2 * len({*values}) > len(values) and len(values) > 2:
        return True
    if not seed:
        return False
    seeds = [text(run.params.get(seed)) for run in runs]
    pairs = {*zip(seeds, values, strict=True)}
    return len({*seeds}) < len(runs) and len(pairs) == len({*seeds})


def _same(runs: Sequence[TrackedRun], name: str, other: str) -> bool:
    """Say whether two parameters vary as one: their values tell the same runs apart."""
    pairs = {(text(run.params.get(name)), text(run.params.get(other))) for run in runs}
    sides = ({a for a, _ in pairs}, {b for _, b in pairs})
    return len(pairs) == len(sides[0]) == len(sides[1])


def text(value: Json) -> str:
    """Give a parameter's value as text that is equal where values are."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return repr(float(value)) if number else json.dumps(value, default=str)


def holds(run: TrackedRun, name: str, value: str) -> bool:
    """Say whether a run's parameter has a value; numbers are compared as numbers."""
    return bool(alike(plain(run.params.get(name))) == alike(plain(value)))


def filtered(
    runs: Sequence[TrackedRun], where: Sequence[tuple[str, str]]
) -> tuple[list[TrackedRun], list[str]]:
    """Keep the runs that have some values, and say how many these are. Raises SelectionError."""
    left, notes = [*runs], []
    for request, value in where:
        name = _named(request, [*dict.fromkeys(n for run in left for n in run.params)], "parameter")
        before = left
        left = [run for run in left if holds(run, name, value)]
        if not left:
            values = [*dict.fromkeys(plain(run.params.get(name)) for run in before)]
            guess = nearest(value, values)
            hint = f" Did you mean {guess!r}?" if guess else ""
            raise SelectionError(f"no run has {name} = {value}; there are {listed(values)}.{hint}")
        notes.append(f"Of {len(before)} runs those {len(left)} count whose {name} is {value}.")
    return left, notes


def label(names: Sequence[str], values: Sequence[Json]) -> str:
    """Call an arm by its parameters: a word alone by itself, all else with its name.

    >>> label(["optimizer"], ["adam"]), label(["model.lr", "wd"], [0.1, None])
    ('adam', 'lr=0.1, wd=None')
    """
    if len(names) == 1 and isinstance(values[0], str) and re.search(r"[^\W\d_]", values[0]):
        return values[0]
    short = [name.rsplit(".", 1)[-1] for name in names]
    shown = [
        name if short.count(word) > 1 else word for name, word in zip(names, short, strict=True)
    ]
    return ", ".join(f"{name}={value}" for name, value in zip(shown, values, strict=True))
