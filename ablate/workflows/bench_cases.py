"""What is timed: each update rule in each of its forms, beside the same arithmetic by others.

Rows are random numbers of the right shapes, so that no data set is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import islice
from typing import Any

import numpy as np
import torch

from ablate.compiled import build
from ablate.compiled.engine import Engine, form_of
from ablate.core import malloc
from ablate.registry import scan
from ablate.streams.class_split import split
from ablate.streams.task_stream import Stream
from ablate.training import replicas
from ablate.training.net import initial
from ablate.types import Choice, Data
from ablate.workflows import reference_steps

Step = Callable[[], object]

RULES = (
    *("itaml-released", "itaml", "reptile", "reptile-chain"),
    *("joint", "balanced", "maml", "fomaml"),
)
CHAINED = ("itaml-released", "reptile-chain")
ON_ALL_ROWS = ("joint", "balanced", "replay")
CARRIED = (*CHAINED, "joint", "balanced")
BATCHES = 4
"""Steps that one call of the compiled engine takes, as it takes an epoch's in one."""


@dataclass(frozen=True)
class Arm:
    """One row of the table.

    build: gives the function that is timed. steps: model-steps in one call of it. beside: the
    label of the row whose work it shares, '' for none. passes: how often a model-step must read or
    write all parameters, were nothing kept in caches. lone: gives one model-step by PyTorch, whose
    operations are counted; None for `build` itself, or where there are no products.
    """

    rule: str
    form: str
    build: Callable[[], Step]
    steps: int = 1
    beside: str = ""
    passes: int = 0
    lone: Callable[[], Step] | None = None

    @property
    def label(self) -> str:
        """Give how the row is named, among those of its setting."""
        return f"{self.rule}, {self.form}"


@dataclass(frozen=True)
class Setting:
    """A net, a batch and an optimizer.

    inputs: a row's shape. tasks: K in the batch that is timed; batch_rows: of each. width: replicas
    of the stacked form, 0 for none. rules: whose steps are timed. more: those of `replay`, too.
    """

    name: str
    model: Choice
    inputs: tuple[int, ...]
    tasks: int
    batch_rows: int
    descent: reference_steps.Descent
    rules: tuple[str, ...]
    width: int = 0
    more: bool = False
    classes: int = 10
    update_step: float = 0.5

    @cached_property
    def data(self) -> Data:
        """Draw rows, `BATCHES` batches of each task, and one of test rows."""
        draws = np.random.default_rng(0)
        per_task = self.batch_rows * BATCHES
        labels = np.arange(per_task * self.tasks) % self.classes
        x = draws.random((len(labels), *self.inputs), dtype=np.float32)
        return Data(x, labels, x[: self.batch_rows], labels[: self.batch_rows])

    def choice(self, rule: str, **training: Any) -> Choice:
        """Give the choice of a rule's method at these settings, with others of its training."""
        rows = {"batch_rows": self.batch_rows, "batches": "balanced", "epochs": 1, **training}
        shared = {
            "optimizer": Choice("optimizer", "sgd", dict(self.descent._asdict())),
            "loss": Choice("loss", "task-bce", {}),
            "training": Choice("training", "standard", rows),
        }
        if rule == "replay":
            return Choice("method", "replay", shared)
        state = {"inner_state": "carried" if rule in CARRIED else "fresh"}
        return Choice("method", "meta", {**shared, **state, "update": Choice("update", rule, {})})

    def method(self, rule: str) -> Any:
        """Build the method of a rule."""
        catalogue = scan()
        return catalogue.build(catalogue.expanded(self.choice(rule)))

    def module(self) -> torch.nn.Module:
        """Build the net as others have it: a module of PyTorch."""
        module: torch.nn.Module = self.builder()()
        return module

    def builder(self) -> Callable[[], Any]:
        """Give what builds the module."""
        return partial(scan().build(self.model), self.inputs, self.classes)

    def ready(self, rule: str, width: int) -> tuple[replicas.Program, Stream, Any]:
        """Give a stack's program, its batches and its first state."""
        torch.set_num_threads(1)
        malloc.keep()
        method, seeds = self.method(rule), tuple(range(width))
        nets = [initial(self.builder(), seed) for seed in seeds]
        theta = torch.stack([theta for _, theta in nets])
        cut = split(self.data, seeds, self.tasks, "natural")
        everything = scan().build(Choice("memory", "everything", {}))
        stream = Stream(self.data, cut, everything, theta, trim=nets[0][0].buffers > 0)
        program = replicas.Program(nets[0][0], method, {})
        return program, stream, replicas.start(program, theta)

    def by_torch(self, rule: str, width: int) -> Step:
        """Give one outer step of a stack by PyTorch."""
        program, stream, state = self.ready(rule, width)
        batch = next(iter(stream.epochs(self.tasks - 1, program.method)[0]))
        return lambda: replicas.step(program, state, batch)

    def compiled(self, rule: str) -> Step:
        """Give the steps of an epoch of a lone replica by the compiled kernels."""
        program, stream, state = self.ready(rule, 1)
        chain = scan().build(self.model).chain(self.inputs, self.classes)
        engine = Engine([program.method], chain, stream.x)
        epoch = stream.epochs(self.tasks - 1, program.method)[0]
        table = epoch.rows(BATCHES)
        return lambda: engine.epoch(state, table, epoch.clock)

    def has_compiled(self, rule: str) -> bool:
        """Say whether a rule's step has a compiled form here."""
        model = scan().build(self.model)
        chain = model.chain(self.inputs, self.classes) if hasattr(model, "chain") else None
        return build.available() and chain is not None and form_of(self.method(rule)) is not None

    def parts(self) -> list[reference_steps.Part]:
        """Give a batch as the references take it."""
        torch.set_num_threads(1)
        malloc.keep()
        _, stream, _ = self.ready("joint", 1)
        method, per_task = self.method("joint"), self.classes // self.tasks
        tasks = next(islice(stream.epochs(self.tasks - 1, method)[0], 1)).tasks
        return [
            reference_steps.Part(
                tasks.x[0, k], tasks.y[0, k], slice(k * per_task, (k + 1) * per_task)
            )
            for k in range(self.tasks)
        ]

    def by_others(self, arithmetic: str) -> Step:
        """Give a reference's step: `chain`, `mean`, `rows` or `idiom`."""
        module, parts, far = self.module().train(), self.parts(), self.update_step
        if arithmetic == "idiom":
            idiom = reference_steps.released_idiom
            return lambda: idiom(module, self.descent, parts, far)
        if arithmetic == "rows":
            step_rows = reference_steps.plain_rows(module, self.descent)
            return lambda: step_rows(parts, reference_steps.rows_loss)
        kinds = {"chain": reference_steps.plain_chain, "mean": reference_steps.plain_mean}
        step = kinds[arithmetic](module, self.descent)
        return lambda: step(parts, far)

    def arms(self) -> Iterator[Arm]:
        """Give the rows of this setting, the references first."""
        used = {_reference(rule) for rule in self.rules}
        for arithmetic in ("chain", "mean", "rows"):
            if arithmetic in used:
                yield self._other(f"plain {arithmetic}", arithmetic, "")
        if "mean" in used or "chain" in used:
            beside = "plain mean" if "mean" in used else "plain chain"
            yield self._other("released idiom", "idiom", f"{beside}, PyTorch")
        for rule in (*self.rules, *(["replay"] if self.more else [])):
            yield from self._of_rule(rule)

    def _other(self, name: str, arithmetic: str, beside: str) -> Arm:
        make = partial(self.by_others, arithmetic)
        return Arm(name, "PyTorch", make, beside=beside, passes=self._passes(arithmetic), lone=make)

    def _of_rule(self, rule: str) -> Iterator[Arm]:
        arithmetic, alone = _reference(rule), partial(self.by_torch, rule, 1)
        beside = f"plain {arithmetic}, PyTorch" if arithmetic else ""
        common = Arm(
            rule, "alone", alone, beside=beside, passes=self._passes(arithmetic), lone=alone
        )
        if self.has_compiled(rule):
            make = partial(self.compiled, rule)
            yield replace(common, form="compiled", build=make, steps=BATCHES)
        if self.width:
            make = partial(self.by_torch, rule, self.width)
            yield replace(common, form="stacked", build=make, steps=self.width)
        yield common

    def _passes(self, arithmetic: str) -> int:
        """Count arithmetic often a step reads or writes all parameters, at least.

        A gradient is written and read; parameters, and velocities where there are any, are read
        and written. The outer step reads theta and the target, and writes theta.
        """
        once = 4 + 2 * (self.descent.momentum > 0)
        return once if arithmetic == "rows" else once * self.tasks + 3

    def parameters(self) -> int:
        """Give P."""
        return sum(value.numel() for value in self.module().parameters())


def _reference(rule: str) -> str:
    """Name the arithmetic that a rule shares with a reference, '' where there is none."""
    if rule in CHAINED:
        return "chain"
    if rule in ON_ALL_ROWS:
        return "rows"
    return "mean" if rule in ("itaml", "reptile") else ""


def settings() -> tuple[Setting, ...]:
    """Give what is timed: small nets by every rule, and the released nets for MNIST and images."""
    released = reference_steps.Descent(0.1, 0.9, 0.001)
    digits = Setting(
        name="digits",
        model=Choice("model", "mlp", {"widths": (64, 64)}),
        inputs=(64,),
        tasks=5,
        batch_rows=32,
        descent=released._replace(lr=0.05),
        rules=RULES,
        width=16,
    )
    mnist = Setting(
        name="mnist",
        model=Choice("model", "mlp", {"widths": (400, 400), "output_bias": False}),
        inputs=(784,),
        tasks=5,
        batch_rows=256,
        descent=released,
        rules=("itaml-released", "itaml", "joint"),
        more=True,
    )
    conv = Setting(
        name="conv",
        model=Choice("model", "released-conv", {}),
        inputs=(3, 32, 32),
        tasks=2,
        batch_rows=16,
        descent=released._replace(lr=0.01),
        rules=("itaml-released",),
    )
    return digits, mnist, conv
