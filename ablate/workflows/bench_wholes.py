"""What is timed beside single steps: the outer step by itself, and one seed trained and scored."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from ablate.compiled import build
from ablate.compiled.engine import Engine, form_of
from ablate.core import malloc
from ablate.registry import scan
from ablate.streams.class_split import split
from ablate.streams.task_stream import Stream
from ablate.training.assembly import Assembled
from ablate.training.checkpoints import exam
from ablate.training.execute import train
from ablate.training.net import initial
from ablate.training.replicas import Program
from ablate.types import Choice, Data, RunSpec, Stack
from ablate.workflows import reference_steps
from ablate.workflows.bench_cases import Arm, Setting, Step
from ablate.workflows.reference_steps import Part

COPY = "copy_, PyTorch"
"""The label of the `copy_` of all parameters that is timed in the same rounds."""

KEPT_ROWS, EPOCHS = 200, 2
"""A tenth of the released MNIST setting: exemplars in all, and a few of its epochs."""

TRAIN_ROWS, TEST_ROWS = 6_000, 1_000


def wholes(setting: Setting) -> Iterator[Arm]:
    """Give the rows of a setting that are no steps; of the released MNIST setting alone."""
    if setting.name != "mnist" or not build.available():
        return
    yield Arm("outer step", "compiled", partial(outer, setting), beside=COPY, passes=3)
    idiom = Arm("one seed", "idiom", partial(seed_by_idiom, setting))
    yield idiom
    yield Arm("one seed", "compiled", partial(seed, setting), beside=idiom.label)


def outer(setting: Setting) -> Step:
    """Give the outer step by itself: theta moves towards a target, `[P]` both."""
    form = form_of(setting.method("itaml"))
    assert form is not None
    source, size = build.text(form.parts), setting.parameters()
    theta, target = np.random.default_rng(0).random((2, size), dtype=np.float32)
    build.one_thread()
    return lambda: build.call(source, "outward", theta, target, np.float32(setting.update_step))


class Rows(NamedTuple):
    """A tenth of a data set: pictures as bytes `[N, D]` and their labels, to train and to test."""

    x: Any
    y: Any
    x_test: Any
    y_test: Any


def rows_of(setting: Setting) -> Rows:
    """Draw pictures of the setting's shape; classes come in turn."""
    draws = np.random.default_rng(0)
    x, x_test = (
        draws.integers(0, 256, (n, *setting.inputs), dtype=np.uint8)
        for n in (TRAIN_ROWS, TEST_ROWS)
    )
    classes = setting.classes
    return Rows(x, np.arange(TRAIN_ROWS) % classes, x_test, np.arange(TEST_ROWS) % classes)


def seed(setting: Setting) -> Step:
    """Give the training and scoring of one seed at the released code's choices, by the engine."""
    torch.set_num_threads(1)
    malloc.keep()
    rows, catalogue = rows_of(setting), scan()
    x, x_test = (array.astype(np.float32) / 255 for array in (rows.x, rows.x_test))
    data = Data(x, rows.y, x_test, rows.y_test)
    best = Choice("checkpoint", "best", {"by": "test-ORACLE", "over": "all-epochs"})
    choice = setting.choice("itaml-released", batches="natural", epochs=EPOCHS, checkpoint=best)
    method = catalogue.build(catalogue.expanded(choice))
    rule = method.training.checkpoint
    net, theta = initial(setting.builder(), 0)
    scored = Choice("predict", "all-classes", {})

    def run() -> object:
        memory = catalogue.build(Choice("memory", "first", {"budget_rows": KEPT_ROWS}))
        cut = split(data, (0,), setting.tasks, "natural")
        stream = Stream(data, cut, memory, theta[None])
        chain = catalogue.build(setting.model).chain(setting.inputs, setting.classes)
        program = Program(
            net=net,
            method=method,
            numbers={},
            exam=exam(rule, data, cut, theta[None]),
            engine=Engine([method], chain, stream.x),
        )
        stack = Stack((RunSpec("0", 0, "float32", {}),), (scored,))
        protocols = {scored.label(): catalogue.build(scored)}
        return train(
            Assembled(
                stack=stack,
                program=program,
                stream=stream,
                theta=theta[None],
                data=data,
                protocols=protocols,
                facts={},
                mark=0,
                effective_steps=(None,),
            )
        )

    return run


class Pictures(Dataset[tuple[Tensor, int]]):
    """Rows as pictures that are turned into numbers one by one, as loaders of pictures do it."""

    def __init__(self, x: Any, y: Any) -> None:
        """Take bytes `[N, ...]` and labels `[N]`."""
        self.x, self.y = x, y

    def __len__(self) -> int:
        """Give N."""
        return len(self.y)

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        """Give one row between 0 and 1, and its label."""
        return torch.from_numpy(self.x[row]).float().div(255), int(self.y[row])


def seed_by_idiom(setting: Setting) -> Step:
    """Give the same training and scoring as the released code is written.

    A loader makes batches picture by picture, each task's rows are looked up in the batch, the
    model is tested batch by batch after every epoch, its best state is kept as a deep copy. Without
    what the released code does besides: it writes files, and fine-tunes a model for every 20 test
    rows.
    """
    torch.set_num_threads(1)
    rows, per_task = rows_of(setting), setting.classes // setting.tasks
    fresh = setting.module()

    def run() -> object:
        module, kept = copy.deepcopy(fresh), np.zeros(0, np.int64)
        for t in range(setting.tasks):
            end = (t + 1) * per_task
            new = np.flatnonzero((rows.y >= end - per_task) & (rows.y < end))
            tests = np.flatnonzero(rows.y_test < end)
            chosen = np.concatenate([new, kept])
            loader = _loader(Pictures(rows.x[chosen], rows.y[chosen]), setting.batch_rows, True)
            examined = _loader(Pictures(rows.x_test[tests], rows.y_test[tests]), 256, False)
            best, state = -1.0, copy.deepcopy(module.state_dict())
            for _ in range(EPOCHS):
                for x, y in loader:
                    batch = _parts(x, y, t + 1, per_task)
                    reference_steps.released_idiom(module, setting.descent, batch, 0.5)
                right = _accuracy(module, examined, end)
                if right > best:
                    best, state = right, copy.deepcopy(module.state_dict())
            module.load_state_dict(state)
            share = KEPT_ROWS // end
            kept = np.concatenate([np.flatnonzero(rows.y == c)[:share] for c in range(end)])
        return best

    return run


def _loader(pictures: Pictures, batch_rows: int, shuffled: bool) -> DataLoader[Any]:
    return DataLoader(pictures, batch_size=batch_rows, shuffle=shuffled)


def _parts(x: Tensor, y: Tensor, tasks: int, per_task: int) -> Sequence[Part]:
    parts = []
    for k in range(tasks):
        classes = slice(k * per_task, (k + 1) * per_task)
        which = np.where((y.numpy() >= classes.start) & (y.numpy() < classes.stop))[0]
        if len(which):
            parts.append(Part(x[which], y[which], classes))
    return parts


def _accuracy(module: nn.Module, loader: DataLoader[Any], classes: int) -> float:
    right = total = 0
    with torch.no_grad():
        for x, y in loader:
            right += int((module(x)[:, :classes].argmax(1) == y).sum())
            total += len(y)
    return right / total
