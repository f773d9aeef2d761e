"""Before a suite trains: arms whose first steps give the same parameters cannot differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from ablate import loop
from ablate.execute import assemble
from ablate.plan import specify
from ablate.program import finish, start, step
from ablate.registry import Catalogue, scan
from ablate.store import Store
from ablate.todo import differing, pair_key
from ablate.types import RunSpec, Site, Stack, Suite

STEPS = 2
"""Batches of the first and of the last epoch of the first, second and last task."""

NEAR = {"float32": 1e-5, "float64": 1e-12}
"""Differences below this share of the largest parameter are round-off."""


def check(suite: Suite, store: Store, site: Site) -> Iterator[str]:
    """Compare the arms of every contrast on the same batches; tell and store those that tie.

    A pair whose answer is stored already, for the same code, is not compared again.
    """
    catalogue = scan()
    wanted = {pair_key(suite, contrast, catalogue): contrast for contrast in suite.contrasts}
    known = store.notes(wanted)
    probed: dict[str, Tensor] = {}
    for key, contrast in wanted.items():
        arms = [suite.variants[i] for i in (contrast.treatment, contrast.baseline)]
        paths = differing(arms[0], arms[1], catalogue)
        if key in known or not paths:
            continue
        runs = [specify(arm, 0, suite.precision) for arm in arms]
        for run in runs:
            if run.key not in probed:
                probed[run.key] = probe(run, site, catalogue)
        found = tied(probed[runs[0].key], probed[runs[1].key], NEAR[suite.precision])
        reason = because(paths, [run.choices["method"].settings for run in runs])
        store.note({key: json.dumps({"tied": found, "reason": reason})})
        if found:
            pair = " and ".join(arm.label for arm in arms)
            yield f"INERT: {pair} take the same first steps ({found}): {reason}"


def probe(run: RunSpec, site: Site, catalogue: Catalogue) -> Tensor:
    """Give the parameters after a few steps in the first, second and last task of a run."""
    try:
        made = assemble(Stack((run,), ()), replace(site, device="cpu"), catalogue)
        return _steps(made)
    except Exception:  # what fails here fails in the run too, and is told there
        return torch.tensor([torch.nan])


def _steps(made: Any) -> Tensor:
    program, stream, tasks = made.program, made.stream, made.stream.cut.tasks
    state, kept = start(program, made.theta), 0
    for t in sorted({0, min(1, tasks - 1), tasks - 1}):
        while kept < t:
            loop.keep(program, stream, state, kept)
            kept += 1
        epochs = stream.epochs(t, program.plain)
        for batches in {id(epoch): epoch for epoch in (epochs[0], epochs[-1])}.values():
            for batch in islice(batches, STEPS):
                state = step(program, state, batch)
        state = finish(program, state, batch.clock)
    if hasattr(program.plain, "parameters"):
        return program.plain.parameters(state).flatten()  # type: ignore[no-any-return]
    leaves = [leaf for leaf in pytree.tree_leaves(state) if isinstance(leaf, Tensor)]
    return torch.cat([leaf.flatten().to(made.theta) for leaf in leaves])


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


def because(paths: Sequence[str], settings: Sequence[Any]) -> str:
    """Say why arms tie, where it is known: which settings differ without being felt."""
    steps = {said.get("inner_steps") for said in settings}
    if steps == {1} and any(".update" in path for path in paths):
        return "at r = 1 with plain SGD both update rules are one step on the mean loss"
    said = ", ".join(paths)
    return f"they differ in {said} alone, which nothing in these settings reads"
