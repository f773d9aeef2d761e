"""Suite x Catalogue -> Plan: content keys, runs grouped into stacks, and what they will cost."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ablate.core.inputs import task_count
from ablate.design.protocols import predictors
from ablate.registry import Catalogue
from ablate.streams import dataset_demands
from ablate.streams.stacking import numbers, with_numbers
from ablate.types import Choice, Facts, RunSpec, Stack, Suite, TaskClasses, Variant

MAX_WIDTH = 32
CACHE_BYTES = 12_000_000
"""Parameters that one stack may touch in a step: wider ones leave the cache and gain nothing."""

SHARES = 16
"""A stack that is compiled takes at most so small a share of all work: workers are balanced."""

LEAST_WIDTH = 4

OVERHEAD_SECONDS = 1.0e-3
"""Rough cost of one stacked gradient evaluation, whatever its size ..."""
COMPILED_SECONDS = 1.0e-5
"""... of one compiled gradient evaluation of one replica ..."""

SECONDS_PER_PRODUCT = {"float32": 1e-10, "float64": 2e-10}
"""... and of each multiplication of a forward pass, with the two that its gradient adds to it."""

START_SECONDS = 4.0
"""Rough cost of starting what runs stacks; all of these are for the estimate only."""


@dataclass(frozen=True)
class Cost:
    """Outer steps and gradient evaluations (rows) of one run, and a guess of a stack's seconds."""

    updates: int
    gradients: int
    seconds: float


@dataclass(frozen=True)
class Plan:
    """All runs of a suite. keys `[variant][seed]`; stacks in the order they should start.

    warnings: what a reader must know of the suite and its data before they are run.
    """

    suite: Suite
    keys: tuple[tuple[str, ...], ...]
    stacks: tuple[Stack, ...]
    costs: tuple[Cost, ...]
    warnings: tuple[str, ...] = ()

    @property
    def runs(self) -> dict[str, RunSpec]:
        """Every distinct run by key; arms that differ only in scoring share theirs."""
        return {run.key: run for stack in self.stacks for run in stack.runs}


def canonical(value: Any) -> str:
    """Write plain data as the JSON text that is hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def specify(variant: Variant, seed: int, precision: str) -> RunSpec:
    """Give the run of a variant with its nth seed; how it is scored is no part of it.

    A variant remembers its runs: plans, checks and reports ask for the same ones.
    """
    known: RunSpec | None = variant.runs.get((seed, precision))
    if known is None:
        known = variant.runs[seed, precision] = _specified(variant, seed, precision)
    return known


def _specified(variant: Variant, seed: int, precision: str) -> RunSpec:
    trained, start = _shared(variant, precision)
    seed = variant.seed(seed)
    return RunSpec(key_of(start, seed), seed, precision, trained)


def _shared(variant: Variant, precision: str) -> tuple[dict[str, Choice], str]:
    """Give what a variant's runs share: the choices, and what is hashed up to the seed."""
    if precision not in variant.runs:
        trained = {kind: choice for kind, choice in variant.choices.items() if kind != "predict"}
        content = {kind: choice.plain() for kind, choice in trained.items()}
        if variant.outside:  # where its files lie is told by their digests
            content["method"]["settings"].pop("folder", None)
        # the seed comes last in the order of the keys
        text = canonical({"choices": content, "precision": precision, "seed": 0})
        variant.runs[precision] = trained, text.removesuffix("0}")
    shared: tuple[dict[str, Choice], str] = variant.runs[precision]
    return shared


def run_names(variant: Variant, suite: Suite) -> Iterator[tuple[str, int]]:
    """Give the key and the seed of each of a variant's runs, without holding on to the runs."""
    _, start = _shared(variant, suite.precision)
    yield from ((key_of(start, seed), seed) for seed in map(variant.seed, range(suite.seeds)))


def key_of(start: str, seed: int) -> str:
    """Give a run's key. start: what is hashed up to the seed."""
    return hashlib.sha256(f"{start}{seed}}}".encode()).hexdigest()[:32]


def keys(suite: Suite) -> tuple[tuple[str, ...], ...]:
    """Give the key of every run, `[variant][seed]`; needs neither data nor components."""
    return tuple(
        tuple(specify(variant, seed, suite.precision).key for seed in range(suite.seeds))
        for variant in suite.variants
    )


def plan(
    suite: Suite, catalogue: Catalogue, facts: Mapping[str, Facts], width: int | None = None
) -> Plan:
    """Group a suite's runs into stacks, the dearest first.

    facts: by the canonical text of a dataset Choice. width: forces a stack width.
    Raises SuiteError where a data set does not fit what is asked of it.
    """
    if any(variant.outside for variant in suite.variants):
        return _of_programs(suite)
    by_variant = [facts[canonical(v.choices["dataset"].plain())] for v in suite.variants]
    dataset_demands.check_data(suite, by_variant, catalogue)
    runs = {
        run.key: run
        for variant in suite.variants
        for seed in range(suite.seeds)
        for run in [specify(variant, seed, suite.precision)]
    }
    groups: dict[str, list[RunSpec]] = {}
    structures: dict[int, str] = {}  # of a variant's runs, which have their choices in common
    for run in runs.values():
        if (shared := id(run.choices)) not in structures:
            structures[shared] = canonical(structure(run, catalogue))
        groups.setdefault(structures[shared], []).append(run)
    scored = predictors(catalogue, suite.variants)
    held = [facts[canonical(group[0].choices["dataset"].plain())] for group in groups.values()]
    alone = [
        cost(Stack(tuple(group[:1]), scored), catalogue, known).seconds * len(group)
        for group, known in zip(groups.values(), held, strict=True)
    ]
    pairs = []
    for group, known, seconds in zip(groups.values(), held, alone, strict=True):
        widest = width or stack_width(group[0], catalogue, known)
        if not width and has_compiled_form(group[0], catalogue):
            widest = min(widest, balanced_width(len(group), seconds, sum(alone)))
        for part in _parts(group, widest):
            stack = Stack(tuple(part), scored)
            pairs.append((stack, cost(stack, catalogue, known)))
    pairs.sort(key=lambda pair: -pair[1].seconds)
    stacks, costs = zip(*pairs, strict=True) if pairs else ((), ())
    warnings = (*suite.unread, *dataset_demands.warnings(suite, by_variant, catalogue))
    return Plan(
        suite=suite, keys=keys(suite), stacks=tuple(stacks), costs=tuple(costs), warnings=warnings
    )


def _of_programs(suite: Suite) -> Plan:
    """Plan the runs of somebody's own program: each is alone, and takes nobody knows how long."""
    runs = {
        run.key: run
        for seed in range(suite.seeds)  # a seed in every arm before the next: pairs come first
        for variant in suite.variants
        for run in [specify(variant, seed, suite.precision)]
    }
    stacks = tuple(Stack((run,), ()) for run in runs.values())
    return Plan(suite, keys(suite), stacks, (Cost(0, 0, 0.0),) * len(stacks))


def structure(run: RunSpec, catalogue: Catalogue) -> Any:
    """Give what runs must share to be stacked: everything but the seed and the method's numbers."""
    method = run.choices["method"]
    blank = with_numbers(method, dict.fromkeys(numbers(method, catalogue), 0.0))
    fixed = {kind: choice.plain() for kind, choice in run.choices.items()}
    return {**fixed, "method": blank.plain(), "precision": run.precision}


def stack_width(run: RunSpec, catalogue: Catalogue, facts: Facts) -> int:
    """Give how many replicas still gain from sharing a step, by the bytes that they touch."""
    if not all(stackable(choice, catalogue) for choice in run.choices.values()):
        return 1
    item = 8 if run.precision == "float64" else 4
    copies = (
        task_count(run.choices["dataset"].settings["tasks"]) + 2
    )  # phi of every task, theta, a gradient
    touched: int = parameters(run, catalogue, facts) * item * copies
    return max(1, min(MAX_WIDTH, CACHE_BYTES // touched))


def balanced_width(runs: int, seconds: float, whole: float) -> int:
    """Give how many of a group's runs may share a stack, were none longer than a share of all.

    So workers, which take stacks as they come, end nearly together. A stack has a start of its own,
    and is never cut below `LEAST_WIDTH`. seconds: of the group; whole: of all.

    >>> balanced_width(32, 10.0, 160.0), balanced_width(32, 80.0, 160.0), balanced_width(8, 9, 9)
    (32, 4, 4)
    """
    allowed = whole / SHARES
    return max(LEAST_WIDTH, int(runs * min(1.0, allowed / seconds))) if seconds else runs


def has_compiled_form(run: RunSpec, catalogue: Catalogue) -> bool:
    """Say whether a run's method and model may have compiled forms, without building either.

    Replicas of a compiled stack run one after the other, so that no width makes them faster.
    """
    method, model = (run.choices[kind] for kind in ("method", "model"))
    offered = "compiled" in catalogue.get("method", method.name).methods
    return offered and "chain" in catalogue.get("model", model.name).methods


def stackable(choice: Choice, catalogue: Catalogue) -> bool:
    """Say whether neither a component nor one inside it declares `stackable = False`."""
    inner = [value for value in choice.settings.values() if isinstance(value, Choice)]
    facts = catalogue.get(choice.kind, choice.name).facts
    alone = facts.get("alone", {})  # {field: value} with which a component cannot share a step
    sharing = facts.get("stackable", True) and not any(
        choice.settings.get(f) == v for f, v in alone.items()
    )
    return bool(sharing) and all(stackable(value, catalogue) for value in inner)


def parameters(run: RunSpec, catalogue: Catalogue, facts: Facts) -> int:
    """Give P, from the model's own count or, where it has none, from the model itself.

    A method that wraps the model says what that makes of it.
    """
    model = catalogue.build(run.choices["model"])
    shape = facts.inputs, facts.classes
    if hasattr(model, "parameters"):
        return _wrapped(run, catalogue, facts, int(model.parameters(*shape)))
    count = sum(value.numel() for value in model(*shape).parameters())
    return _wrapped(run, catalogue, facts, int(count))


def products(run: RunSpec, catalogue: Catalogue, facts: Facts) -> int:
    """Give the multiplications of a forward pass on one row, as the model says them.

    One that does not is taken to use every parameter once, and of images at every place.
    """
    model = catalogue.build(run.choices["model"])
    if hasattr(model, "products"):
        count = int(model.products(facts.inputs, facts.classes))
        return _wrapped(run, catalogue, facts, count)
    places = math.prod(facts.inputs[1:]) if getattr(model, "images", False) else 1
    return places * parameters(run, catalogue, facts)


def _wrapped(run: RunSpec, catalogue: Catalogue, facts: Facts, count: int) -> int:
    """Give what a method that wraps the model makes of a count."""
    if "size" not in catalogue.get("method", run.choices["method"].name).methods:
        return count
    method = catalogue.build(run.choices["method"])
    return int(method.size(count, facts.inputs, facts.classes))


def cost(stack: Stack, catalogue: Catalogue, facts: Facts) -> Cost:
    """Estimate a stack from its settings; a method without such settings counts as one epoch."""
    settings = dict(stack.runs[0].choices["method"].settings)
    if isinstance(inside := settings.get("training"), Choice):
        settings |= inside.settings
    by_task = TaskClasses.of(stack.runs[0].choices["dataset"].settings["tasks"], facts.classes)
    batch, r = int(settings.get("batch_rows", 32)), int(settings.get("inner_steps", 1))
    epochs = int(settings.get("epochs", 1))
    first = settings.get("first_epochs") or epochs
    shares = [facts.train_rows * size // facts.classes for size in by_task.sizes]
    steps = [
        settings.get("steps") or -(-rows // batch) * (first if t == 0 else epochs)
        for t, rows in enumerate(shares)
    ]
    gradients = sum(n * r * (t + 1) for t, n in enumerate(steps))
    # a natural batch has its rows in all; a balanced one has them in every task
    rows = r * batch * sum(steps) if settings.get("batches") == "natural" else batch * gradients
    multiplied = rows * products(stack.runs[0], catalogue, facts) * len(stack.runs)
    compiled = has_compiled_form(stack.runs[0], catalogue)
    overhead = COMPILED_SECONDS * len(stack.runs) if compiled else OVERHEAD_SECONDS
    each = SECONDS_PER_PRODUCT.get(stack.runs[0].precision, SECONDS_PER_PRODUCT["float64"])
    seconds = gradients * overhead + multiplied * each
    return Cost(sum(steps), rows, seconds)


def _parts(group: Sequence[RunSpec], width: int) -> list[list[RunSpec]]:
    """Cut runs into as few parts of at most `width` as will do, of nearly equal size."""
    count = -(-len(group) // width)
    ends = [len(group) * i // count for i in range(count + 1)]
    return [list(group[a:b]) for a, b in pairwise(ends)]
