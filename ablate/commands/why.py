"""Why each run of a suite is to be run, and what those that are done rest on, in few lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ablate.core.foreign_text import plain
from ablate.flow import Work
from ablate.plan.standing import Reason, basis
from ablate.records.spans import spans


def why(work: Work) -> Iterator[str]:
    """Say of every run why it is not done, or what its record rests on; like runs share a line."""
    left = {run.key for stack in work.stacks for run in stack.runs}
    groups: dict[tuple[int, str], list[str]] = {}
    for key in work.plan.runs:
        reasons = sentence(work.reasons.get(key, ()))
        if key in left:
            head = (0, f"to run: {reasons or 'asked for again'}")
        elif key in work.kept:
            head = (1, f"kept although stale: {reasons}")
        elif key in work.records and not reasons:
            head = (2, f"done, resting on {basis(work.records[key])}")
        else:
            head = (3, f"not asked for: {reasons}")
        groups.setdefault(head, []).append(key)
    for (_, text), keys in sorted(groups.items(), key=lambda group: (group[0][0], -len(group[1]))):
        yield f"{len(keys)} {text}\n    {_runs(work, set(keys))}"


def stale(work: Work) -> Iterator[str]:
    """Say in a line how many records are stale, why, and what becomes of them."""
    left = {run.key for stack in work.stacks for run in stack.runs} & set(work.records)
    again = [work.reasons[key] for key in left if _is_stale(work.reasons.get(key, ()))]
    if again:
        yield (
            f"{len(again)} records are stale and will be replaced ({counted(again)}); "
            "`plan --why` names them, --keep-stale keeps them."
        )
    if work.kept:
        reasons = [work.reasons[key] for key in work.kept]
        yield (
            f"{len(reasons)} stale records are kept ({counted(reasons)}). They are compared with "
            "records of the same code, data and packages only."
        )


def counted(reasons: Iterable[tuple[Reason, ...]]) -> str:
    """Count reasons, the commonest first."""
    counts = Counter(plain(reason.text) for several in reasons for reason in several)
    shown = [f"{text}: {count}" for text, count in counts.most_common(6)]
    more = f"; and {len(counts) - len(shown)} more reasons" if len(counts) > len(shown) else ""
    return "; ".join(shown) + more


def sentence(reasons: Iterable[Reason]) -> str:
    """Write reasons in a line."""
    return "; ".join(plain(reason.text) for reason in reasons)


def _is_stale(reasons: tuple[Reason, ...]) -> bool:
    return bool(reasons) and all(reason.stale for reason in reasons)


def _runs(work: Work, keys: set[str]) -> str:
    suite = work.plan.suite
    chosen = [
        (variant.label, seed)
        for variant, row in zip(suite.variants, work.plan.keys, strict=True)
        for seed, key in zip(suite.seed_numbers, row, strict=True)
        if key in keys
    ]
    whole = len(suite.variants) * len(suite.seed_numbers)
    return f"all {len(suite.variants)} arms and seeds" if len(chosen) == whole else spans(chosen)
