"""The inner losses against torch's own on the columns that they may see."""

from __future__ import annotations

import torch
from torch.func import grad, vmap
from torch.nn import functional

from ablate.types import Tasks
from variants.loss.all_ce import AllCe
from variants.loss.task_bce import TaskBce
from variants.loss.task_ce import TaskCe

LOGITS = torch.tensor([[0.3, -1.2, 2.0, 0.1, 5.0, -3.0], [1.1, 0.4, -0.5, 0.9, -2.0, 4.0]])
"""Two rows, three tasks of two classes; only the first two tasks are seen."""


def task(w: tuple[float, ...] = (1.0, 1.0)) -> Tasks:
    own = torch.tensor([False, False, True, True, False, False])
    seen = torch.tensor([True] * 4 + [False] * 2)
    y = torch.tensor([2, 3])
    return Tasks(torch.zeros(2, 1), y, torch.tensor(w), own, seen, torch.tensor(True))


def test_task_bce_is_torchs_on_the_tasks_own_logits() -> None:
    """Mean over rows and over the task's U logits."""
    target = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    expected = functional.binary_cross_entropy_with_logits(LOGITS[:, 2:4], target)
    assert torch.allclose(expected, TaskBce()(LOGITS, task()))


def test_task_ce_is_torchs_on_the_tasks_own_logits() -> None:
    """Other tasks' logits do not exist for it."""
    expected = functional.cross_entropy(LOGITS[:, 2:4], torch.tensor([0, 1]))
    assert torch.allclose(expected, TaskCe()(LOGITS, task()))


def test_all_ce_is_torchs_on_the_logits_seen_so_far() -> None:
    """The large logits of unseen classes do not count."""
    expected = functional.cross_entropy(LOGITS[:, :4], torch.tensor([2, 3]))
    assert torch.allclose(expected, AllCe()(LOGITS, task()))


def test_padding_rows_count_for_nothing() -> None:
    """A row of weight 0 leaves the loss of the other row."""
    for loss in (TaskBce(), TaskCe(), AllCe()):
        alone = task((1.0,))._replace(y=torch.tensor([2]), x=torch.zeros(1, 1))
        assert torch.allclose(loss(LOGITS[:1], alone), loss(LOGITS, task((1.0, 0.0))))


def test_gradients_are_finite_under_vmap_and_vanish_off_the_task() -> None:
    """Masked logits get no gradient and no nan, even where the whole batch is padding."""
    for loss in (TaskBce(), TaskCe()):
        for weights in ((1.0, 1.0), (0.0, 0.0)):
            slope = vmap(grad(loss), in_dims=(0, None))(LOGITS[None].repeat(3, 1, 1), task(weights))
            assert slope.isfinite().all()
            assert (slope[:, :, [0, 1, 4, 5]] == 0).all()
            assert (slope[:, :, 2:4] != 0).any() == bool(sum(weights))
