"""Times update steps alone and stacked, in one process, so that their ratio means something."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ablate.core import malloc
from ablate.plan.run_keys import Plan
from ablate.registry import scan
from ablate.training.assembly import Assembled, assemble
from ablate.types import Site, Stack


@dataclass(frozen=True)
class Timing:
    """Updates per second of one replica: in a stack of width 1, and in one of the planned width.

    share: of the matrix-multiply peak, measured beside it, that the products of a lone step reach;
    of the compiled step where there is one. compiled: by that, 0 where there is none.
    """

    label: str
    runs: int
    width: int
    alone: float
    stacked: float
    share: float = 0.0
    compiled: float = 0.0


def measure(plan: Plan, data_root: str, seconds: float) -> Iterator[Timing]:
    """Time the middle task's step of every stack of a plan; `seconds` at least on each."""
    labels = {
        key: variant.label
        for variant, row in zip(plan.suite.variants, plan.keys, strict=True)
        for key in row
    }
    for stack in plan.stacks:
        replica = replace(stack, runs=stack.runs[:1])
        alone, work = steps_per_second(replica, data_root, seconds)
        width = len(stack.runs)
        together = alone if width == 1 else steps_per_second(stack, data_root, seconds)[0]
        compiled = compiled_per_second(replica, data_root, seconds)
        share = (compiled or alone) * work / peak(stack.runs[0].precision)
        label = labels[stack.runs[0].key]
        yield Timing(
            label=label,
            runs=width,
            width=width,
            alone=alone,
            stacked=together * width,
            share=share,
            compiled=compiled,
        )


def steps_per_second(stack: Stack, data_root: str, seconds: float) -> tuple[float, int]:
    """Time one outer step of a stack, at the first full batch of its middle task.

    Gives steps a second, and the floating-point operations of a step's matrix products.
    """
    logging.disable(logging.WARNING)  # these tell of compilers, which are not used
    import torch
    from torch.utils.benchmark import Timer
    from torch.utils.flop_counter import FlopCounterMode

    torch.set_num_threads(1)
    malloc.keep()
    assembly = assemble(stack, Site(data_root, "cpu"), scan())
    step = middle_step(assembly)
    with FlopCounterMode(display=False) as counter:
        step()
    logging.disable(logging.NOTSET)
    timer = Timer("step()", globals={"step": step}, num_threads=1)
    median = timer.blocked_autorange(min_run_time=seconds).median
    return 1 / float(median), counter.get_total_flops()


def compiled_per_second(stack: Stack, data_root: str, seconds: float) -> float:
    """Time a lone replica's steps by the compiled kernels, over an epoch of its middle task.

    0 where a part of it has no compiled form.
    """
    from torch.utils.benchmark import Timer

    from ablate.training import replicas

    assembly = assemble(stack, Site(data_root, "cpu"), scan())
    engine, t = assembly.program.engine, assembly.stream.cut.tasks // 2
    if engine is None:
        return 0.0
    epoch = assembly.stream.epochs(t, assembly.program.method)[0]
    table, state = epoch.rows(), replicas.start(assembly.program, assembly.theta)
    engine.epoch(state, table, epoch.clock)  # it compiles when it is first called
    call = {"run": lambda: engine.epoch(state, table, epoch.clock)}
    timer = Timer("run()", globals=call, num_threads=1)
    median = timer.blocked_autorange(min_run_time=seconds).median
    steps: int = table.sizes.shape[1]
    return steps / float(median)


SIDE = 1024
"""Rows and columns of the product that the peak is measured on."""


def peak(precision: str) -> float:
    """Give the operations a second of one large matrix product, on one thread."""
    import torch
    from torch.utils.benchmark import Timer

    a, b = torch.rand(2, SIDE, SIDE, dtype=getattr(torch, precision))
    timer = Timer("a @ b", globals={"a": a, "b": b}, num_threads=1)
    return 2 * SIDE**3 / float(timer.blocked_autorange(min_run_time=0.2).median)


def middle_step(assembly: Assembled) -> Any:
    """Give a function that takes one outer step of the middle task."""
    from ablate.training import replicas

    method, t = assembly.program.method, assembly.stream.cut.tasks // 2
    state = replicas.start(assembly.program, assembly.theta)
    batch = next(iter(assembly.stream.epochs(t, method)[0]))
    return lambda: replicas.step(assembly.program, state, batch)


@dataclass(frozen=True)
class Share:
    """Seconds of augmenting a batch, and of one training step of a model on it."""

    model: str
    augment: float
    step: float


IMAGES = (256, 3, 32, 32)


def augmentation(seconds: float) -> Iterator[Share]:
    """Time crop, flip, turn and cutout of 256 images beside the conv nets' steps on them."""
    import torch
    from torch.func import grad
    from torch.utils.benchmark import Timer

    from ablate.training.net import initial

    torch.set_num_threads(1)
    catalogue = scan()
    settings = {"pad": 4, "flip": True, "turn_degrees": 10.0, "cutout": 8}
    change = catalogue.load("augment", "standard")(**settings)
    x, u = torch.randn(IMAGES), torch.rand(IMAGES[0], change.draws)
    y = torch.arange(IMAGES[0]) % 10

    def timer(call: Any) -> Timer:
        return Timer("call()", globals={"call": call}, num_threads=1)

    still = x.new_zeros(3)
    augmenting = timer(lambda: change(x, u, still)).blocked_autorange(min_run_time=seconds).median
    for name in ("released-conv", "conv4"):
        model = catalogue.load("model", name)()
        net, theta = initial(partial(model, IMAGES[1:], 10), seed=0)

        def loss(at: Any, net: Any = net) -> Any:
            return torch.nn.functional.cross_entropy(net.train(at, x)[0], y)

        step = timer(partial(grad(loss), theta)).timeit(1)  # seconds each, and warms up by itself
        yield Share(name, augmenting, step.median)


def augmentation_lines(shares: Iterable[Share]) -> Iterator[str]:
    """Write what augmentation costs beside each model's step."""
    yield f"\nAugmenting {' x '.join(map(str, IMAGES))} (crop, flip, turn, cutout), on one thread:"
    for share in shares:
        yield (
            f"  {share.augment * 1e3:.0f} ms, {share.augment / share.step:.1%} of a gradient of "
            f"{share.model} ({share.step * 1e3:,.0f} ms)"
        )


def lines(rows: Iterable[Timing]) -> Iterator[str]:
    """Write timings as a table, row by row as they come, with the grid's ratio at the end."""
    seen = []
    head = ("alone", "stacked", "compiled")
    columns = "".join(f" {name:>11}" for name in head)
    yield f"{'arm':<34} {'width':>5}{columns} {'ratio':>6} {'of peak':>8}"
    for row in rows:
        seen.append(row)
        rates = [row.alone, row.stacked, row.compiled]
        cells = "".join(f" {f'{rate:,.0f} /s' if rate else '–':>11}" for rate in rates)
        best = max(row.stacked, row.compiled)
        yield f"{row.label:<34} {row.width:>5}{cells} {best / row.alone:>5.1f}x {row.share:>8.0%}"
    yield (
        f"\nWhole grid: stacked is {grid_ratio(seen):.1f} times faster than width 1; as it runs, "
        f"compiled where that is possible, {as_run(seen):.1f} times."
    )
    yield "Updates per second of one replica, on one thread; a stack's are shared out. Of peak: the"
    yield f"products of the step that runs, against one of {SIDE} x {SIDE}, measured beside it."


def everything(plan: Plan, data_root: str, seconds: float) -> Iterator[str]:
    """Time what there is to time, line by line."""
    yield from lines(measure(plan, data_root, seconds))
    yield from augmentation_lines(augmentation(seconds))


def grid_ratio(rows: Sequence[Timing]) -> float:
    """Give how much faster the whole grid is stacked, every stack weighted by its runs' time."""
    alone = sum(row.runs / row.alone for row in rows)
    return alone / sum(row.runs / row.stacked for row in rows)


def as_run(rows: Sequence[Timing]) -> float:
    """Give how much faster the whole grid is as it is run, compiled where that is possible."""
    alone = sum(row.runs / row.alone for row in rows)
    return alone / sum(row.runs / (row.compiled or row.stacked) for row in rows)
