"""A stack with everything that running it takes: data, components, initial parameters, program."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ablate.compiled.build import available
from ablate.compiled.effective_step import effective_step
from ablate.compiled.engine import Engine, form_of
from ablate.errors import DataError
from ablate.records import fingerprints, provenance
from ablate.registry import Catalogue
from ablate.source import closure
from ablate.streams import dataset_demands
from ablate.streams.class_split import split
from ablate.streams.dataset_checks import agree
from ablate.streams.stacking import numbers, with_numbers
from ablate.streams.task_stream import Stream
from ablate.training import hooks, test_time_adaptation
from ablate.training.checkpoints import exam
from ablate.training.net import initial
from ablate.training.replicas import Program, with_numbers as with_numbers_set
from ablate.types import Choice, Data, Facts, Json, Memory, Method, RunSpec, Site, Stack


class Alone(Exception):
    """Runs that cannot share a step: of other structure, or whose batch norms would mix padding."""


@dataclass(frozen=True)
class Assembled:
    """A stack with everything that running it takes, on its device.

    mark: that of its data. effective_steps: how far each replica's batches go to first order; None
    where that cannot be said.
    """

    stack: Stack
    program: Program
    stream: Stream
    theta: Tensor
    data: Data
    protocols: Mapping[str, Any]
    facts: Json
    mark: int
    effective_steps: tuple[float | None, ...]


def assemble(stack: Stack, site: Site, catalogue: Catalogue) -> Assembled:
    """Load the data, build the components and draw the initial parameters of a stack."""
    first = stack.runs[0]
    closure.renew()  # what is not loaded yet will be loaded as it is now
    code = fingerprints.code_facts(first, catalogue)
    protocol_code = fingerprints.protocol_facts(stack.predictors, catalogue)
    device = pick_device(site.device)
    dataset = catalogue.build(first.choices["dataset"])
    source = dataset, Path(site.data_root), dataset_demands.called(first.choices["dataset"])
    data, held, mark = load(*source)
    if rows_mark(data) != mark:  # a stack before this one, or its first steps, wrote into it
        load.cache_clear()
        data, held, mark = load(*source)
    model = catalogue.build(first.choices["model"])
    choices = [catalogue.expanded(run.choices["method"]) for run in stack.runs]
    method = catalogue.build(choices[0])
    shape = held.inputs, held.classes
    by_seed = {
        seed: initial(lambda: hooks.trained(method, partial(model, *shape), *shape), seed)
        for seed in {run.seed: None for run in stack.runs}
    }
    lowest, highest = float(data.x_train.min()), float(data.x_train.max())
    net = replace(by_seed[first.seed][0], lowest=lowest, highest=highest)
    if net.buffers and len(stack.runs) > 1:
        raise Alone
    net.views.to(device)
    dtype = getattr(torch, first.precision)
    theta = torch.stack([by_seed[run.seed][1] for run in stack.runs]).to(device, dtype)
    differing = differing_numbers(choices, catalogue, theta)
    rule = method.training.checkpoint
    cut = split(
        data,
        tuple(run.seed for run in stack.runs),
        dataset.tasks,
        dataset.class_order,
        rule.validation_rows if rule and rule.by == "validation" else 0,
    )
    memory, augment = (catalogue.build(first.choices[kind]) for kind in ("memory", "augment"))
    stream = Stream(data, cut, memory, theta, augment, trim=net.buffers > 0)
    methods = [
        with_numbers_set(method, {path: float(values[s]) for path, values in differing.items()})
        for s in range(len(stack.runs))
    ]
    engine = engine_of(methods, model, stream, site) if not net.buffers else None
    facts = provenance.machine() | {
        "threads": torch.get_num_threads(),
        "device": device.type,
        "stack_width": len(stack.runs),
        "form": "compiled" if engine else "torch",
        "data": held.digest,
        "data_mark": held.mark,
        dataset_demands.PROVENANCE: cautions(first, held, stream, catalogue),
        **code,
        "protocols": protocol_code,
    }
    protocols = {choice.label(): catalogue.build(choice) for choice in stack.predictors}
    program = Program(
        net=net,
        method=method,
        numbers=differing,
        exam=exam(rule, data, cut, theta),
        engine=engine,
        adapts=any(map(test_time_adaptation.adapts, protocols.values())),
    )
    return Assembled(
        stack=stack,
        program=program,
        stream=stream,
        theta=theta,
        data=data,
        protocols=protocols,
        facts=facts,
        mark=mark,
        effective_steps=effective_steps(methods, cut.tasks, memory),
    )


def cautions(run: RunSpec, held: Facts, stream: Stream, catalogue: Catalogue) -> list[str]:
    """Say what a reader must know of a run's data and of its memory, as its first seed has it."""
    rows_after = [int(by_seed[0].sum()) for by_seed in stream.quotas]
    return [
        *dataset_demands.of_data(run.choices, held, catalogue),
        *dataset_demands.short_memory(
            run.choices["memory"], stream.cut.by_task, rows_after.__getitem__, catalogue
        ),
    ]


def engine_of(
    methods: Sequence[Method[Any]], model: Any, stream: Stream, site: Site
) -> Engine | None:
    """Give the compiled engine; None where a part has no compiled form, or draws of its own.

    methods: every replica's, with its own numbers.
    """
    shape, method = (tuple(stream.x.shape[1:]), stream.cut.classes), methods[0]
    chain = model.chain(*shape) if hasattr(model, "chain") else None
    drawn = bool(stream.augment or getattr(method, "noise", 0)) or hasattr(method, "wrap")
    if not site.compiled or stream.device.type != "cpu" or chain is None or drawn:
        return None
    if not available() or form_of(method) is None:
        return None
    return Engine(methods, chain, stream.x)


def effective_steps(
    methods: Sequence[Method[Any]], tasks: int, memory: Memory
) -> tuple[float | None, ...]:
    """Give how far each replica's batches go; all tasks seen are in a batch if any are kept."""
    keeps = getattr(memory, "keeps", "rows") != "nothing"
    present = [t + 1 if keeps else 1 for t in range(tasks)]
    unlike = {id(method): method for method in methods}
    far = {key: effective_step(method, present) for key, method in unlike.items()}
    return tuple(far[id(method)] for method in methods)


def differing_numbers(
    choices: Sequence[Choice], catalogue: Catalogue, like: Tensor
) -> dict[str, Tensor]:
    """Give the numbers in which the replicas' methods differ, `[S]` each, by dotted path.

    choices: without aliases, so that paths are those of the built components. Raises Alone where
    they differ in more than numbers: an alias may stand for several things.
    """
    per_run = [numbers(choice, catalogue) for choice in choices]
    same = dict.fromkeys(per_run[0], 0.0)
    structures = [with_numbers(choice, same).plain() for choice in choices]
    if any(structure != structures[0] for structure in structures):
        raise Alone
    return {
        ".".join(path): torch.tensor(
            [floats[path] for floats in per_run], dtype=like.dtype, device=like.device
        )
        for path in per_run[0]
        if len({floats[path] for floats in per_run}) > 1
    }


def pick_device(wanted: str) -> torch.device:
    """Read `auto` as the accelerator if there is one, else the CPU."""
    if wanted != "auto":
        return torch.device(wanted)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def rows_mark(data: Data) -> int:
    """Give a checksum of all rows and labels: 0.1 s for the 70,000 pictures of MNIST."""
    mark = 0
    for array in data:
        mark = zlib.crc32(np.ascontiguousarray(array).data, mark)
    return mark


@lru_cache(maxsize=2)
def load(dataset: Any, root: Path, name: str) -> tuple[Data, Facts, int]:
    """Read a data set once a process, and mark it; `name` is what messages call it.

    Raises DataError where the rows are not those that were announced.
    """
    before, data, held = dataset.look(root), dataset.load(root), dataset.look(root)
    if before.digest != held.digest:
        raise DataError(f"{name} changed while it was read; run again.")
    return data, held._replace(warnings=agree(data, held, name)), rows_mark(data)
