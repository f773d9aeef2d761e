"""A stack with everything that running it takes: data, components, initial parameters, program."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ablate.errors import DataError
from ablate.records import fingerprints, provenance
from ablate.registry import Catalogue
from ablate.source import closure
from ablate.streams import dataset_demands
from ablate.streams.class_split import split
from ablate.streams.dataset_checks import agree
from ablate.streams.stacking import numbers, with_numbers
from ablate.streams.task_stream import Stream
from ablate.training import test_time_adaptation
from ablate.training.evaluators import exam
from ablate.training.net import Net, initial
from ablate.training.replicas import Program
from ablate.types import Data, Facts, Json, RunSpec, Site, Stack


class Alone(Exception):
    """Runs that cannot share a step: batch norms would mix in the padding of ragged batches."""


@dataclass(frozen=True)
class Assembled:
    """A stack with everything that running it takes, on its device; `mark` is that of its data."""

    stack: Stack
    program: Program
    stream: Stream
    theta: Tensor
    data: Data
    protocols: Mapping[str, Any]
    facts: Json
    mark: int


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
    method = catalogue.build(first.choices["method"])
    by_seed = {
        seed: initial(lambda: trained(method, model, held), seed)
        for seed in {run.seed: None for run in stack.runs}
    }
    lowest, highest = float(data.x_train.min()), float(data.x_train.max())
    net = replace(by_seed[first.seed][0], lowest=lowest, highest=highest)
    if net.buffers and len(stack.runs) > 1:
        raise Alone
    net.views.to(device)
    dtype = getattr(torch, first.precision)
    theta = torch.stack([by_seed[run.seed][1] for run in stack.runs]).to(device, dtype)
    program = make_program(stack, catalogue, net, theta)
    cut = split(
        data,
        tuple(run.seed for run in stack.runs),
        dataset.tasks,
        dataset.class_order,
        held_out(program.plain),
    )
    memory, augment = (catalogue.build(first.choices[kind]) for kind in ("memory", "augment"))
    stream = Stream(data, cut, memory, theta, augment, trim=net.buffers > 0)
    facts = provenance.machine() | {
        "threads": torch.get_num_threads(),
        "device": device.type,
        "stack_width": len(stack.runs),
        "data": held.digest,
        "data_mark": held.mark,
        dataset_demands.PROVENANCE: cautions(first, held, stream, catalogue),
        **code,
        "protocols": protocol_code,
    }
    protocols = {choice.label(): catalogue.build(choice) for choice in stack.predictors}
    program = replace(
        program,
        exam=exam(getattr(program.plain, "select", "last"), data, cut, theta),
        adapts=any(map(test_time_adaptation.adapts, protocols.values())),
    )
    return Assembled(stack, program, stream, theta, data, protocols, facts, mark)


def cautions(run: RunSpec, held: Facts, stream: Stream, catalogue: Catalogue) -> list[str]:
    """Say what a reader must know of a run's data and of its memory, as its first seed has it."""
    rows_after = [int(by_seed[0].sum()) for by_seed in stream.quotas]
    sizes = stream.cut.tasks, stream.cut.classes_per_task
    return [
        *dataset_demands.of_data(run.choices, held, catalogue),
        *dataset_demands.short_memory(
            run.choices["memory"], sizes, rows_after.__getitem__, catalogue
        ),
    ]


def trained(method: Any, model: Any, held: Facts) -> Any:
    """Give the module that is trained: the model, or what the method wraps around it."""
    shape = held.inputs, held.classes
    wrap = getattr(method, "wrap", None)
    return wrap(lambda: model(*shape), *shape) if wrap else model(*shape)


def held_out(method: Any) -> int:
    """Give how many training rows of each class a method's choice of checkpoints needs."""
    rows: int = method.validation_rows if getattr(method, "select", "") == "validation" else 0
    return rows


def make_program(stack: Stack, catalogue: Catalogue, net: Net, theta: Tensor) -> Program:
    """Tell the numbers in which a stack's runs differ from the structure that they share."""
    method = stack.runs[0].choices["method"]
    per_run = [numbers(run.choices["method"], catalogue) for run in stack.runs]
    differing = [path for path in per_run[0] if len({floats[path] for floats in per_run}) > 1]
    names = {".".join(path): path for path in differing}
    stacked = {
        name: torch.tensor(
            [floats[path] for floats in per_run], dtype=theta.dtype, device=theta.device
        )
        for name, path in names.items()
    }

    def make(values: Mapping[str, Tensor]) -> Any:
        chosen = {names[name]: value for name, value in values.items()}
        return catalogue.build(with_numbers(method, chosen))

    return Program(net, make, stacked, catalogue.build(method))


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
