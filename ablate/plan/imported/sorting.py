"""Finished runs -> arms, blocks and seeds; what forms no pair, and what was lost, in sentences."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ablate.core.naming import short_digest
from ablate.errors import SelectionError
from ablate.plan.imported.chosen import Chosen, Request, label, text
from ablate.source.field_schema import NAME
from ablate.tables.columns.keys import Key, key_of, label as label_of, order
from ablate.tables.names import less_is_better, listed, plain
from ablate.types import Json, TrackedRun

MOST_POINTS = 1000
"""Points of a curve that is stored; longer ones are thinned."""

MOST_CELLS = 200_000

Curves = Mapping[str, Sequence[tuple[float, float]]]


@dataclass(frozen=True)
class Run:
    """A run in its cell. curves: of the metrics asked for, up to the step that counts.

    lost: why it has no score that counts, '' where it has. diverged: whether a score is no finite
    number.
    """

    run: str
    curves: Curves = field(default_factory=dict)
    lost: str = ""
    diverged: bool = False
    seconds: float = math.nan


Cell = tuple[str, str]
"""An arm's name, and its block's as text; '' without blocks."""


@dataclass(frozen=True)
class Sorted:
    """Runs by arm and block, then by seed.

    arms: each with its parameters. block: the parameter that names it, '' for none; blocks: its
    values by their text. seeds: in their order. without: the runs without a seed. notes: what a
    reader must know.
    """

    arms: Mapping[str, Mapping[str, Json]]
    blocks: Mapping[str, Json]
    seeds: tuple[Key, ...]
    cells: Mapping[Cell, Mapping[Key, Run]]
    without: tuple[tuple[Cell, Run], ...]
    notes: tuple[str, ...] = ()
    block: str = ""

    @property
    def paired(self) -> bool:
        """Say whether any run has a seed, by which it could be one of a pair."""
        return bool(self.seeds)


def sort(runs: Sequence[TrackedRun], choice: Chosen, request: Request) -> Sorted:
    """Sort runs by the parameters that were chosen. Raises SelectionError for a single arm."""
    arms, names = _arms(runs, choice)
    if len(arms) < 2:
        raise SelectionError(
            f"all runs are of one arm, {plain(next(iter(arms)))}: name what tells the arms apart "
            "with --arm"
        )
    blocks = _blocks(runs, choice.block)
    read = [_read(run, choice.metrics, request.step) for run in runs]
    grouped: dict[Cell, dict[Key, list[Run]]] = {}
    without: list[tuple[Cell, Run]] = []
    for run, short in zip(runs, read, strict=True):
        cell = names[run.run], _word(run, choice.block)
        seed = run.params.get(choice.seed) if choice.seed else None
        if seed is None:
            without.append((cell, short))
        else:
            grouped.setdefault(cell, {}).setdefault(key_of(seed), []).append(short)
    cells = {
        cell: {seed: _counted(same) for seed, same in sorted(by_seed.items(), key=_by_key)}
        for cell, by_seed in grouped.items()
    }
    seeds = sorted({seed for by_seed in cells.values() for seed in by_seed}, key=order)
    if len(seeds) * len(arms) * max(1, len(blocks)) > MOST_CELLS:
        raise SelectionError(
            f"{len(arms)} arms x {len(seeds)} seeds: too many; name what tells the arms apart with "
            "--arm"
        )
    whole = Sorted(
        arms=arms,
        blocks=blocks,
        seeds=tuple(seeds),
        cells=cells,
        without=tuple(without),
        block=choice.block,
    )
    return replace(whole, notes=tuple(_notes(whole, grouped, read, choice, request)))


def _by_key(entry: tuple[Key, object]) -> tuple[object, ...]:
    return order(entry[0])


def _arms(
    runs: Sequence[TrackedRun], choice: Chosen
) -> tuple[dict[str, dict[str, Json]], dict[str, str]]:
    """Give the arms with their parameters, and the arm of every run."""
    known: dict[tuple[str, ...], str] = {}
    arms: dict[str, dict[str, Json]] = {}
    names = {}
    for run in runs:
        values = [run.params.get(name) for name in choice.arm]
        key = tuple(map(text, values))
        if key not in known:
            known[key] = name = _name(label(choice.arm, values), "\n".join(key), arms)
            arms[name] = dict(zip(choice.arm, map(_setting, values), strict=True))
        names[run.run] = known[key]
    ordered = sorted(arms, key=lambda name: [*map(_rank, arms[name].values())])
    return {name: arms[name] for name in ordered}, names


def _setting(value: Json) -> Json:
    """Give a parameter's value as a suite can hold it: no infinite number, no list."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    return value if isinstance(value, float) and math.isfinite(value) else str(value)


def _rank(value: Json) -> tuple[bool, float, str]:
    """Give what sorts the values of a parameter: numbers first, then words."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return not number, float(value) if number else 0.0, str(value).casefold()


def _name(words: str, key: str, taken: Mapping[str, object]) -> str:
    """Give an arm a name that a suite may have: with a digest where letters had to go."""
    name = plain(words)
    if NAME.fullmatch(name) and name not in taken and not name.endswith("(A/A)"):
        return name
    cleaned = "".join(c if c.isalnum() or c in " ._,()+-=:/*%" else "-" for c in name)
    cleaned = cleaned.lstrip(" ._,()+-=:/*%")[:48].strip() or "arm"
    return f"{cleaned} {short_digest(key)}"


def _blocks(runs: Sequence[TrackedRun], block: str) -> dict[str, Json]:
    values = {_word(run, block): _setting(run.params.get(block)) for run in runs} if block else {}
    return {word: values[word] for word in sorted(values, key=lambda word: order(key_of(word)))}


def _word(run: TrackedRun, block: str) -> str:
    return plain(run.params.get(block)) if block else ""


def _read(run: TrackedRun, metrics: Sequence[str], step: str) -> Run:
    """Give a run's scores at the step that counts, or why it has none."""
    if run.lost:
        return Run(run.run, lost=plain(run.lost), seconds=run.seconds)
    curves = {}
    for metric in metrics:
        curve = _in_order(run.curves.get(metric, ()))
        if not curve:
            return Run(run.run, lost=f"no {plain(metric)} was logged", seconds=run.seconds)
        cut = _cut(curve, step, less_is_better(metric))
        if not cut:
            return Run(run.run, lost=f"no {plain(metric)} at step {step}", seconds=run.seconds)
        if not math.isfinite(cut[-1][1]):
            wrong = f"{plain(metric)} is {cut[-1][1]:g} at step {cut[-1][0]:g}"
            return Run(run.run, lost=wrong, diverged=True, seconds=run.seconds)
        curves[metric] = _thinned([point for point in cut if math.isfinite(point[1])])
    return Run(run.run, curves, seconds=run.seconds)


def _in_order(curve: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Order a curve by its steps; of two values at one step the one logged later counts."""
    return sorted({float(at): float(value) for at, value in curve}.items())


def _cut(curve: list[tuple[float, float]], step: str, lower: bool) -> list[tuple[float, float]]:
    """Cut a curve behind the step that counts; nothing where it has none."""
    if step == "last":
        return curve
    if step == "best":
        finite = [i for i, (_, value) in enumerate(curve) if math.isfinite(value)]
        sign = -1 if lower else 1
        best = max(finite, key=lambda i: sign * curve[i][1], default=len(curve) - 1)
        return curve[: best + 1]
    return [point for point in curve if point[0] <= float(step)] if _has(curve, step) else []


def _has(curve: Sequence[tuple[float, float]], step: str) -> bool:
    return any(at == float(step) for at, _ in curve)


def _thinned(curve: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Keep a curve's last point, and of a long one every nth before it."""
    stride = math.ceil(len(curve) / MOST_POINTS)
    return curve[::-1][::stride][::-1]


def _counted(same: Sequence[Run]) -> Run:
    """Give the run that counts, of those of one arm and seed: none where several ended well."""
    ended = [run for run in same if not run.lost]
    if len(ended) > 1 and all(run.curves == ended[0].curves for run in ended):
        return ended[0]
    if len(ended) > 1:
        names = listed([run.run for run in ended], 3)
        return Run(ended[0].run, lost=f"{len(ended)} runs of one arm and seed ended well: {names}")
    return ended[0] if ended else same[-1]


def _notes(
    whole: Sorted,
    grouped: Mapping[Cell, Mapping[Key, Sequence[Run]]],
    read: Sequence[Run],
    choice: Chosen,
    request: Request,
) -> Iterator[str]:
    """Say which step counts, what forms no pair and what was run again."""
    metrics = ", ".join(plain(name) for name in choice.metrics)
    if any(len(curve) > 1 for run in read for curve in run.curves.values()):
        if request.step == "best":
            yield (
                f"Of each run the best step of {metrics} counts, chosen on the scores themselves: "
                "they are higher than a user would have had (ORACLE)."
            )
        else:
            which = "last step" if request.step == "last" else f"step {request.step}"
            yield f"Of each run the {which} of {metrics} counts (--step)."
    ends = Counter(curve[-1][0] for run in read for curve in [*run.curves.values()][:1])
    if request.step == "last" and len(ends) > 1:
        yield (
            f"Runs end at different steps, {min(ends):g} to {max(ends):g}: one that was stopped "
            "early counts with its last step."
        )
    yield from _pairs(whole, choice)
    several = [same for by_seed in grouped.values() for same in by_seed.values() if len(same) > 1]
    again = [same for same in several if sum(not run.lost for run in same) < 2]
    if again:
        yield f"{len(again)} arms and seeds were run again: the run that ended well counts."
    if open_ones := [same for same in several if _counted(same).lost and same not in again]:
        yield (
            f"{len(open_ones)} arms and seeds have several runs that ended well, as "
            f"{listed([run.run for run in open_ones[0]], 2)}: which counts cannot be told, "
            "and they count as lost (--where and --arm tell runs apart)."
        )


def _few(seeds: Sequence[Key]) -> str:
    """Name a few seeds, and say how many there are beside them."""
    shown = ", ".join(label_of(seed) for seed in seeds[:3])
    return f"{shown} and {len(seeds) - 3} more" if len(seeds) > 3 else shown


def _pairs(whole: Sorted, choice: Chosen) -> Iterator[str]:
    if not whole.paired:
        yield "No run has a seed: runs form no pairs, and are compared as independent ones (Welch)."
        return
    yield (
        f"Runs of one {plain(choice.seed)} are pairs: paired by seed number, not audited, as what "
        "they drew is not known."
    )
    if whole.without:
        names = listed([run.run for _, run in whole.without], 3)
        yield f"{len(whole.without)} runs have no seed and form no pair: {names}."
    missing = [
        f"{plain(arm)}{f' ({block})' if block else ''} lacks {_few(lacking)}"
        for arm in whole.arms
        for block in whole.blocks or [""]
        if (lacking := [s for s in whole.seeds if s not in whole.cells.get((arm, block), {})])
    ]
    if missing:
        rest = f" and {len(missing) - 6} more" if len(missing) > 6 else ""
        yield f"Seeds that not every arm has, without a pair: {'; '.join(missing[:6])}{rest}."
