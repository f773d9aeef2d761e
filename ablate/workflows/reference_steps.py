"""The same arithmetic as others write it: steps that the toolkit's own are timed against.

Both take modules and optimizers of PyTorch as they are. Neither is used to answer a question.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits


class Part(NamedTuple):
    """One task's rows in a batch: x `[B, ...]`, labels y `[B]`, the task's classes own `[U]`."""

    x: Tensor
    y: Tensor
    own: slice


class Descent(NamedTuple):
    """The settings of `torch.optim.SGD`: learning rate, momentum and weight decay."""

    lr: float
    momentum: float = 0.0
    weight_decay: float = 0.0

    def over(self, module: nn.Module) -> torch.optim.Optimizer:
        """Give PyTorch's optimizer of a module's parameters."""
        return torch.optim.SGD(
            module.parameters(),
            lr=self.lr,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
        )


def own_logits_loss(module: nn.Module, part: Part) -> Tensor:
    """Give the binary cross-entropy of a task's own logits, mean over rows and logits."""
    logits = module(part.x)[:, part.own]
    target = nn.functional.one_hot(part.y - part.own.start, logits.shape[1]).to(logits)
    return binary_cross_entropy_with_logits(logits, target)


def descend(module: nn.Module, optimizer: torch.optim.Optimizer, part: Part, steps: int) -> None:
    """Take an optimizer's steps on one task's rows, in place."""
    for _ in range(steps):
        optimizer.zero_grad()
        own_logits_loss(module, part).backward()
        optimizer.step()


def released_idiom(
    module: nn.Module, descent: Descent, batch: Sequence[Part], far: float, steps: int = 1
) -> None:
    """Move a module as the released code of iTAML is written: by whole copies of the model.

    Every task trains a deep copy with an optimizer of its own; the copies' parameters are stacked,
    their mean taken, mixed with the model's own and loaded. far: the outer step eta. Unlike the
    released code, whose copies are one model (see `itaml-released`), these are copies: the
    arithmetic is that of `itaml`. Source: Rajasegaran et al. 2020, released code.
    """
    copies = []
    for part in batch:
        learner = copy.deepcopy(module)
        descend(learner, descent.over(learner), part, steps)
        copies.append(learner.state_dict())
    before = module.state_dict()
    after = {}
    for name, value in before.items():
        mean = torch.stack([state[name].to(value.dtype) for state in copies]).float().mean(0)
        after[name] = (far * mean + (1 - far) * value).to(value.dtype)
    module.load_state_dict(after)


def plain_chain(
    module: nn.Module, descent: Descent, steps: int = 1
) -> Callable[[Sequence[Part], float], None]:
    """Give the chained step in plain PyTorch, one optimizer carried through tasks and batches.

    The parameters are kept once beside the model, and moved in place: what a careful author writes
    without functorch. The arithmetic is that of `itaml-released`.
    """
    optimizer = descent.over(module)
    parameters: list[Tensor] = list(module.parameters())

    def step(batch: Sequence[Part], far: float) -> None:
        before = [value.detach().clone() for value in parameters]
        for part in batch:
            descend(module, optimizer, part, steps)
        with torch.no_grad():
            torch._foreach_lerp_(before, parameters, far)
            torch._foreach_copy_(parameters, before)

    return step


def plain_mean(
    module: nn.Module, descent: Descent, steps: int = 1
) -> Callable[[Sequence[Part], float], None]:
    """Give the step to the mean of the tasks' solutions in plain PyTorch, optimizers fresh.

    The arithmetic is that of `itaml` and `reptile`.
    """
    parameters: list[Tensor] = list(module.parameters())

    def step(batch: Sequence[Part], far: float) -> None:
        before = [value.detach().clone() for value in parameters]
        mean = [torch.zeros_like(value) for value in before]
        for part in batch:
            with torch.no_grad():
                torch._foreach_copy_(parameters, before)
            descend(module, descent.over(module), part, steps)
            with torch.no_grad():
                torch._foreach_add_(mean, parameters, alpha=1 / len(batch))
        with torch.no_grad():
            torch._foreach_lerp_(before, mean, far)
            torch._foreach_copy_(parameters, before)

    return step


def plain_rows(
    module: nn.Module, descent: Descent
) -> Callable[[Sequence[Part], Callable[[Tensor, Sequence[Part]], Tensor]], None]:
    """Give a step on the loss of all rows of a batch in plain PyTorch, as `joint` takes it."""
    optimizer = descent.over(module)

    def step(batch: Sequence[Part], loss: Callable[[Tensor, Sequence[Part]], Tensor]) -> None:
        optimizer.zero_grad()
        logits = module(torch.cat([part.x for part in batch]))
        loss(logits, batch).backward()
        optimizer.step()

    return step


def rows_loss(logits: Tensor, batch: Sequence[Part]) -> Tensor:
    """Give each task's own binary cross-entropy at all rows' logits, every row weighing alike."""
    rows = [len(part.y) for part in batch]
    total = logits.new_zeros(())
    for part, own in zip(batch, logits.split(rows), strict=True):
        scores = own[:, part.own]
        target = nn.functional.one_hot(part.y - part.own.start, scores.shape[1]).to(scores)
        value = binary_cross_entropy_with_logits(scores, target)
        total = total + value * (len(part.y) / sum(rows))
    return total
