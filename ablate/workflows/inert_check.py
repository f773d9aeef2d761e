"""Before a suite trains: arms whose first steps give the same parameters cannot differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ablate.plan import dispatch
from ablate.plan.pending import differing, pair_key
from ablate.plan.run_keys import specify
from ablate.records.store import Store
from ablate.registry import scan
from ablate.types import Contrast, Lost, Site, Stack, Suite, Variant

SAME = "bit for bit"
"""How alike arms are that never felt what they differ in; others agree within float error."""


def check(
    suite: Suite, store: Store, site: Site, executor: Any, stack_timeout: float | None = None
) -> Iterator[str]:
    """Compare the arms of every contrast on the same batches; tell and store those that tie.

    It runs components, so it is the executor's work. A pair whose answer is stored already, for the
    same code, is not compared again.
    """
    if any(variant.outside for variant in suite.variants):
        return  # nobody sees their steps
    catalogue = scan()
    wanted = {pair_key(suite, contrast, catalogue): contrast for contrast in suite.contrasts}
    known = store.notes(wanted)
    pairs = [
        (key, contrast, paths)
        for key, contrast in wanted.items()
        if key not in known and (paths := differing(*_arms(suite, contrast), catalogue))
    ]
    stacks = [
        Stack(tuple(specify(arm, 0, suite.precision) for arm in _arms(suite, contrast)), ())
        for _, contrast, _ in pairs
    ]
    jobs = [
        dispatch.job(stack, site, catalogue, 0.0, stack_timeout, kind="first-steps")
        for stack in stacks
    ]
    for index, answer in executor.map(jobs):
        key, contrast, paths = pairs[index]
        pair = " and ".join(arm.label for arm in _arms(suite, contrast))
        if isinstance(answer, Lost):
            yield f"The first steps of {pair} could not be compared: {answer.reason}"
        elif "tied" in answer[0]:  # what raised here raises in the run too, and is told there
            tied = answer[0]["tied"]
            settings = [run.choices["method"].settings for run in stacks[index].runs]
            reason = because(paths, settings, tied)
            store.note({key: json.dumps({"tied": tied, "reason": reason})})
            if tied:
                yield f"INERT: {pair} take the same first steps ({tied}): {reason}"


def _arms(suite: Suite, contrast: Contrast) -> tuple[Variant, Variant]:
    return suite.variants[contrast.treatment], suite.variants[contrast.baseline]


def because(paths: Sequence[str], settings: Sequence[Any], tied: str) -> str:
    """Say why arms tie, where it is known: which settings differ without being felt.

    tied: how alike they are. Where steps are tiny, what is read moves no parameter visibly.
    """
    steps = {method.get("inner_steps") for method in settings}
    if steps == {1} and any(".update" in path for path in paths):
        return "at r = 1 with plain SGD both update rules are one step on the mean loss"
    felt = (
        "which nothing in these settings reads"
        if tied == SAME
        else "which moves no parameter beyond float error in these steps (is the learning rate 0?)"
    )
    return f"they differ in {', '.join(paths)} alone, {felt}"
