"""Whether two runs take the same first steps: the INERT check, as a job of a worker."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from ablate.core import process_state
from ablate.records.payload import unpack
from ablate.registry import scan
from ablate.training import hooks, loop
from ablate.training.assembly import Assembled, assemble
from ablate.training.execute import describe, users
from ablate.training.replicas import finish, start
from ablate.types import Clock, Json, RunSpec, Site, Stack

STEPS = 2
"""Batches of the first and of the last epoch of the first, second and last task."""

NEAR = {"float32": 1e-5, "float64": 1e-12}
"""Differences below this share of the largest parameter are round-off."""


def ties(payload: Json) -> list[Json]:
    """Compare the two runs of a packed stack: `tied`, how alike they are, or `error`."""
    stack, site = unpack(payload)
    probed = []
    for run in stack.runs:
        try:
            probed.append(_probe(_Probe(run, site)))
        except BaseException as error:
            if users(error):
                raise
            return [{"error": describe(error)}]
    return [{"tied": tied(probed[0], probed[1], NEAR[stack.runs[0].precision])}]


class _Probe:
    """A run with where it is run, told apart by its key: what the cache goes by."""

    def __init__(self, run: RunSpec, site: Site) -> None:
        self.run, self.site = run, site

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Probe) and (self.run.key, self.site) == (
            other.run.key,
            other.site,
        )

    def __hash__(self) -> int:
        return hash((self.run.key, self.site))


@lru_cache(maxsize=8)  # an arm is compared with several, one after the other
def _probe(probe: _Probe) -> Tensor:
    """Give the parameters after a few steps in the first, second and last task of a run."""
    torch.set_num_threads(1)
    with process_state.held(int(probe.run.key[:12], 16)):
        stack = Stack((probe.run,), ())
        return _steps(assemble(stack, replace(probe.site, device="cpu"), scan()))


def _steps(ready: Assembled) -> Tensor:
    program, stream, tasks = ready.program, ready.stream, ready.stream.cut.tasks
    state, passed = start(program, ready.theta), 0
    for t in sorted({0, min(1, tasks - 1), tasks - 1}):
        while passed < t:
            loop.keep(program, stream, state, passed)
            passed += 1
        epochs = stream.epochs(t, program.method)
        for epoch in {id(epoch): epoch for epoch in (epochs[0], epochs[-1])}.values():
            state, _, _ = loop.train_epoch(program, state, epoch, STEPS)
        state = finish(program, state, Clock(t, tasks))
    return parameters(program.method, state, ready.theta)


def parameters(method: Any, state: Any, like: Tensor) -> Tensor:
    """Give all numbers of a method's state as one vector."""
    theta = hooks.parameters(method, state)
    if theta is not None:
        return theta.flatten()
    leaves = [leaf for leaf in pytree.tree_leaves(state) if isinstance(leaf, Tensor)]
    return torch.cat([leaf.flatten().to(like) for leaf in leaves])


def tied(a: Tensor, b: Tensor, near: float) -> str:
    """Say how alike two parameter vectors are; '' where they differ.

    >>> one = torch.ones(2)
    >>> tied(one, one, 1e-5), tied(one, one + 1e-6, 1e-5), tied(one, one * 1.1, 1e-5)
    ('bit for bit', 'within float error', '')
    """
    if a.shape != b.shape:
        return ""
    if torch.equal(a, b):
        return "bit for bit"
    gap = (a - b).abs().max()
    return "within float error" if gap <= near * a.abs().max() else ""
