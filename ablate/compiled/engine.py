"""An epoch of a stack by the compiled kernels: what a method's form, a net and a stream make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ablate.compiled import build, forms, slopes
from ablate.streams.epochs import EpochRows
from ablate.types import (
    Clock,
    Compiled,
    CompiledStep,
    ElementStep,
    Ints,
    Method,
    OverRows,
    OverTasks,
    Tasks,
)

Array = NDArray[Any]


@dataclass(frozen=True)
class Form:
    """A method's step with its parts' forms resolved."""

    step: CompiledStep
    update: OverTasks | OverRows
    optimizer: ElementStep
    slope: Callable[..., None]

    @property
    def parts(self) -> build.Parts:
        """Give the functions that the kernels are compiled with."""
        target = self.update.target if isinstance(self.update, OverTasks) else None
        return {
            "slope": self.slope,
            "advance": self.optimizer.advance,
            "begin": target.begin if target else forms.begin,
            "add": target.add if target else forms.add,
            "close": target.close if target else forms.close,
        }


def form_of(method: Method[Any]) -> Form | None:
    """Give a method's compiled form; None where it, or a part of it, has none."""
    step = method.compiled() if isinstance(method, Compiled) else None
    if not isinstance(step, CompiledStep) or step.update is None:
        return None
    optimizer = step.optimizer.compiled() if isinstance(step.optimizer, Compiled) else None
    slope: Any = slopes.among_seen
    if step.loss is not None:
        slope = step.loss.compiled() if isinstance(step.loss, Compiled) else None
    if not isinstance(optimizer, ElementStep) or slope is None:
        return None
    return Form(step, step.update, optimizer, slope)


class Engine:
    """Trains a stack's replicas one after the other, an epoch in one call.

    methods: every replica's, with its own numbers; they differ in numbers alone.
    """

    def __init__(
        self,
        methods: Sequence[Method[Any]],
        chain: Sequence[tuple[int, bool]],
        inputs: Tensor,
    ) -> None:
        """Take the chain's layers and the data set's training rows `[N, ...]`."""
        self.methods = methods
        found = [form_of(method) for method in methods]
        self.forms = [form for form in found if form]
        assert len(self.forms) == len(methods)
        self.inputs = inputs.flatten(1).contiguous().numpy()
        real = self.inputs.dtype
        self.units = np.array([self.inputs.shape[1], *(units for units, _ in chain)])
        self.biased = np.array([biased for _, biased in chain])
        build.one_thread()
        self.source = build.text(self.forms[0].parts)
        self.numbers = np.array([form.optimizer.numbers for form in self.forms], np.float64)
        self.starts = np.array(self.forms[0].optimizer.starts, real)

    def epoch(self, state: Any, table: EpochRows, clock: Clock) -> Any:
        """Take an epoch's steps from a state with `theta` `[S, P]` and `inner`."""
        form, first = self.forms[0], self.forms[0].step
        # of one layout, whoever dealt them: a kernel is compiled anew for every other one
        table = EpochRows._make(map(np.ascontiguousarray, table))
        theta = state.theta.contiguous().numpy().copy()
        vectors, counts = self._unpacked(state.inner, theta)
        rates, outer = self._factors(table, clock)
        most = table.labels.shape[-1]
        last = clock.t == clock.T - 1 and first.last_steps
        if isinstance(form.update, OverTasks):
            kernel, how = "over_tasks", outer
            steps = np.array([first.steps, first.last_steps if last else first.steps])
        else:
            kernel = "over_rows"
            how = np.array(form.update.by_task)
            steps = np.array([1 if form.update.once else first.steps] * 2)
            most *= table.labels.shape[2]
        build.call(
            self.source,
            kernel,
            theta,
            vectors,
            counts,
            self.starts,
            self.numbers,
            (self.units, self.biased),
            (self.inputs, table.rows, table.labels, table.sizes, table.own, table.seen),
            rates,
            how,
            steps,
            first.fresh,
            self._buffers(most, theta),
        )
        inner = state.inner if first.fresh else self._packed(vectors, counts)
        return state._replace(theta=torch.from_numpy(theta), inner=inner)

    def logits(self, theta: Tensor, x: Tensor) -> Tensor:
        """Score each replica's rows `[S, N, ...]` at `[S, P]`: logits `[S, N, C]`.

        As the torch form does, layer by layer; without a module and `vmap`, which take several
        times as long as small nets do.
        """
        h, start = x.flatten(2), 0
        for layer, (read, width) in enumerate(zip(self.units[:-1], self.units[1:], strict=True)):
            end = start + int(read * width)
            weights = theta[:, start:end].view(-1, int(width), int(read))
            h, start = (h.relu() if layer else h) @ weights.mT, end
            if self.biased[layer]:
                end = start + int(width)
                h, start = h + theta[:, None, start:end], end
        return h

    def _factors(self, table: EpochRows, clock: Clock) -> tuple[Array, Array]:
        """Give the factors on the learning rate and the outer steps, `[S, steps]`."""
        replicas, steps, _ = table.sizes.shape
        both = np.empty((2, replicas, steps))
        known: dict[tuple[int, int, bytes], tuple[float, float]] = {}
        for s, (method, form) in enumerate(zip(self.methods, self.forms, strict=True)):
            for step in range(steps):
                # replicas that are one method, with the same tasks present, have the same factors
                key = id(method), step, (table.sizes[s, step] > 0).tobytes()
                if key not in known:
                    now = clock._replace(step=step)
                    known[key] = factors(method, form, table.sizes[s, step], now)
                both[:, s, step] = known[key]
        return both[0], both[1].astype(self.inputs.dtype)

    def _unpacked(self, inner: tuple[Tensor, ...], theta: Array) -> tuple[Array, Array]:
        """Turn an optimizer's state into vectors `[S, M, P]` and step counts `[S]`."""
        replicas, size = theta.shape
        vectors = np.empty((replicas, len(self.starts), size), theta.dtype)
        vectors[:] = self.starts[:, None]
        counts = np.zeros(replicas, np.int64)
        wide = [value for value in inner if value.dim() == 2]
        for m, value in enumerate(wide):
            vectors[:, m] = value.numpy()
        for value in inner:
            if value.dim() == 1:
                counts[:] = value.numpy()
        return vectors, counts

    def _packed(self, vectors: Array, counts: Array) -> tuple[Tensor, ...]:
        parts = [torch.from_numpy(vectors[:, m].copy()) for m in range(vectors.shape[1])]
        if self.forms[0].optimizer.counts:
            parts.append(torch.from_numpy(counts).to(parts[0].dtype))
        return tuple(parts)

    def _buffers(self, rows: int, theta: Array) -> tuple[Any, ...]:
        real, size = theta.dtype, theta.shape[1]
        h, e = (tuple(np.empty((rows, units), real) for units in self.units[1:]) for _ in range(2))
        x, y = np.empty((rows, self.units[0]), real), np.empty(rows, np.int64)
        return x, y, np.empty(rows, real), h, e, *(np.empty(size, real) for _ in range(3))


def factors(method: Method[Any], form: Form, sizes: Ints, now: Clock) -> tuple[float, float]:
    """Give the factor on the learning rate, and the outer step, of one step."""
    rate = float(method.training.rate(now))
    if isinstance(form.update, OverTasks):
        return rate, float(form.update.step(now))
    if form.update.scale is not None:
        rate *= float(form.update.scale(now, _present(sizes), form.step.steps))
    return rate, 1.0


def _present(sizes: Ints) -> Tasks:
    """Give what a scale may ask of a batch: which tasks are present, and their rows' weights."""
    rows = torch.from_numpy(sizes)[:, None]
    w = (torch.arange(int(sizes.max(initial=1))) < rows).double()
    none = torch.empty(0)
    return Tasks(x=none, y=none, w=w, own=none, seen=none, present=rows[:, 0] > 0)
