"""Kernels compiled before workers start, which would else compile the same ones side by side.

What has been seen to is marked in the cache, by all that it is made from, so that a command whose
kernels are there imports neither PyTorch nor Numba for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from ablate.compiled import build
from ablate.core import resources
from ablate.core.inputs import task_count
from ablate.plan.run_keys import canonical, has_compiled_form, structure
from ablate.records import provenance
from ablate.registry import Catalogue
from ablate.types import RunSpec, Site, Stack

LINE = "compiling the step: once per machine"


def warm(
    stacks: Sequence[Stack], site: Site, catalogue: Catalogue, tell: Callable[[str], object]
) -> None:
    """Compile what a command's stacks will call and is not in the cache; `tell` it before that.

    Components of other packages run in workers alone: theirs is left to those.
    """
    stacks = [stack for stack in stacks if not stack.runs[0].outside]
    if not (stacks and site.compiled and build.available()):
        return
    told = False
    for mark, run in cold(stacks, catalogue):
        from ablate.training.assembly import pick_device

        if pick_device(site.device).type == "cpu":
            with suppress(Exception):  # a worker meets it again, and says whose fault it is
                kernel = _kernel(run, catalogue)
                if kernel and not kernel.mark.is_file():
                    if not told:
                        tell(LINE)
                    told = True
                    kernel.compile()
                    _touch(kernel.mark)
        _touch(mark)


def cold(stacks: Sequence[Stack], catalogue: Catalogue) -> Iterator[tuple[Path, RunSpec]]:
    """Give a run of every structure whose kernels nobody has seen to, with the mark it lacks."""
    seen: set[Path] = set()
    for stack in stacks:
        run = stack.runs[0]
        if not has_compiled_form(run, catalogue) or not _ours(run, catalogue):
            continue
        mark = _mark(run, catalogue)
        if mark not in seen and not mark.is_file():
            yield mark, run
        seen.add(mark)


class Kernel(NamedTuple):
    """One kernel that a run calls. compile: calls it on nothing, which compiles it."""

    mark: Path
    compile: Callable[[], object]


def _kernel(run: RunSpec, catalogue: Catalogue) -> Kernel | None:
    """Give the kernel of a run's method at its model's number of layers, None where it has none."""
    import numpy as np
    import torch

    from ablate.compiled.engine import Engine, form_of
    from ablate.streams.epochs import EpochRows
    from ablate.types import Clock

    method, model = (catalogue.build(run.choices[kind]) for kind in ("method", "model"))
    chain = model.chain((1,), task_count(run.choices["dataset"].settings["tasks"]))
    if chain is None or form_of(method) is None:
        return None
    small = [(1, biased) for _, biased in chain]
    inputs = torch.zeros(1, 1, dtype=getattr(torch, run.precision))
    engine = Engine([method], small, inputs)
    none, mask = np.zeros((1, 1, 1, 1), np.int64), np.ones((1, 1), bool)
    table = EpochRows(rows=none, labels=none, sizes=none[..., 0], own=mask, seen=mask[0])
    size = sum(1 + biased for _, biased in small)
    state = _State(torch.zeros(1, size, dtype=inputs.dtype), ())
    which = type(engine.forms[0].update).__name__, str(len(small)), run.precision
    key = [engine.source.encode(), *(word.encode() for word in which)]
    return Kernel(_place(key), lambda: engine.epoch(state, table, Clock(0, 1)))


class _State(NamedTuple):
    theta: Any
    inner: tuple[Any, ...]


def _mark(run: RunSpec, catalogue: Catalogue) -> Path:
    """Name what the kernels of a run are made from, as far as it can be read without importing."""
    whole = structure(run, catalogue)
    used = catalogue.used(run.choices["method"])
    used |= catalogue.used(run.choices["model"])
    files = {Path(entry.origin) for entry in used.values()}
    files |= set(Path(build.__file__).parent.glob("*.py"))
    parts = [canonical([whole["method"], whole["model"], run.precision]).encode()]
    parts += [path.read_bytes() for path in sorted(files) if path.is_file()]
    return _place(parts)


def _place(parts: Iterable[bytes]) -> Path:
    """Give the mark of such parts on this machine."""
    facts = [provenance.machine()["cpu"], *(_version(name) for name in ("numba", "numpy"))]
    name = provenance.digest([*parts, *(str(fact).encode() for fact in facts)])
    return build.folder() / "compiled" / name


def _version(package: str) -> str:
    with suppress(PackageNotFoundError):
        return version(package)
    return ""


def _touch(mark: Path) -> None:
    with suppress(OSError):  # a cache that cannot be written to is done without
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()


def _ours(run: RunSpec, catalogue: Catalogue) -> bool:
    """Say whether all components whose code a kernel is made from are shipped ones."""
    parts = (run.choices["method"], run.choices["model"])
    entries = [entry for choice in parts for entry in catalogue.used(choice).values()]
    return all(Path(entry.origin).is_relative_to(resources.ROOT / "variants") for entry in entries)
