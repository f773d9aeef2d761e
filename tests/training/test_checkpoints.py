"""Which checkpoint goes on, what it may be chosen on, and that nothing else reaches those rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ablate import flow
from ablate.streams.class_split import split
from ablate.training.checkpoints import Chooser, exam
from ablate.types import Data, Suite
from variants.checkpoint.best import Best

LAST3 = Best(last_epochs=3)
RECORD = Best(over="all-epochs", last_epochs=3)


def chosen(scores: Sequence[Sequence[float]], rule: Best) -> list[int]:
    """Epoch kept by each replica, where a replica's state is the number of the epoch."""
    table = torch.tensor(scores)  # [epochs, S]
    seen = iter(table if rule.over == "all-epochs" else table[-rule.last_epochs :])

    def examine(_answer: Any, _t: int) -> Tensor:
        return next(seen)

    chooser = Chooser(rule, examine, 0, len(table))
    state = torch.zeros(table.shape[1])
    for epoch in range(len(table)):
        state = torch.full_like(state, epoch)
        chooser.see(epoch, state, lambda x, own: x)
    assert next(seen, None) is None  # examined as often as needed, no more
    return [int(epoch) for epoch in chooser.chosen(state)]


def test_the_best_of_the_last_epochs_is_kept_for_each_replica() -> None:
    """The earliest of equals; an earlier, better epoch outside the window does not count."""
    scores = [[0.9, 0.1], [0.2, 0.5], [0.4, 0.6], [0.4, 0.3]]
    assert chosen(scores, LAST3) == [2, 2]


def test_a_record_must_beat_every_epoch_before_it() -> None:
    """Replica 0 never beats its first epoch, so its last stands; replica 1 does so at epoch 2."""
    scores = [[0.9, 0.1], [0.2, 0.5], [0.4, 0.6], [0.4, 0.3]]
    assert chosen(scores, RECORD) == [3, 2]
    assert chosen([[0.5], [0.5], [0.5]], RECORD) == [0]


def test_without_an_examiner_the_last_state_goes_on() -> None:
    """And nothing is examined."""
    chooser = Chooser(Best(), None, 0, 3)
    chooser.see(2, torch.ones(2), lambda x, own: x)
    assert chooser.chosen("last") == "last"


def data() -> Data:
    x = np.arange(24, dtype=np.float32)[:, None]
    return Data(x, np.repeat([0, 1, 2, 3], 6), 100 + x[:8], np.tile([0, 1, 2, 3], 2))


def test_validation_rows_are_training_rows_that_nothing_trains_on() -> None:
    """Of each class, drawn for the seed alone; one row is always left."""
    cut = split(data(), (0, 1), 2, "seeded", 2)
    for s in range(2):
        trained = {int(r) for c in range(4) for r in cut.pool[s, c, : cut.counts[s, c]]}
        held = set(map(int, cut.held[s]))
        assert not trained & held
        assert trained | held == set(range(24))
        assert [sum(r // 6 == c for r in held) for c in range(4)] == [2] * 4
    assert not np.array_equal(cut.held[0], cut.held[1])
    natural = split(data(), (0,), 2, "natural", 2)
    assert np.array_equal(np.sort(natural.held[0]), np.sort(cut.held[0]))
    assert (split(data(), (0,), 2, "natural", 99).counts == 1).all()


def test_an_exemplars_priority_stays_with_its_row() -> None:
    """Whether or not others are held out."""
    whole, part = (split(data(), (0,), 2, "natural", rows) for rows in (0, 3))
    of = dict(zip(whole.pool[0, 0], whole.priorities[0][0], strict=True))
    kept = dict(zip(part.pool[0, 0][:3], part.priorities[0][0], strict=True))
    assert kept == {row: of[row] for row in kept}


@pytest.mark.parametrize(("rule", "own"), [("validation", True), ("test-ORACLE", False)])
def test_an_exam_gives_accuracy_over_the_seen_classes_and_nothing_else(
    rule: str, own: bool
) -> None:
    """Logits that know the truth get 1; only rows of seen classes are asked about."""
    cut = split(data(), (0, 1), 2, "seeded", 2)
    seen_rows: list[Tensor] = []

    def answer(x: Tensor, replicas_own: bool) -> Tensor:
        assert replicas_own == own
        seen_rows.append(x)
        rows = x if own else x.expand(2, *x.shape)
        value = rows[..., 0]
        label = (value % 100 % 4 if rule == "test-ORACLE" else value // 6).long()
        places = torch.as_tensor(np.argsort(cut.orders, axis=1))  # class -> position
        right = torch.stack([places[s][label[s]] for s in range(2)])
        wrong = torch.where(right < 2, right, (right + 1) % 4)  # right for the first task alone
        return torch.nn.functional.one_hot(wrong, 4).double()

    ask = exam(SimpleNamespace(by=rule), data(), cut, torch.zeros(1))
    assert ask is not None
    assert ask(answer, 0).tolist() == [1, 1]
    assert ask(answer, 1).tolist() == [0.5, 0.5]
    assert (seen_rows[0].min() >= 100) == (rule == "test-ORACLE")
    assert exam(None, data(), cut, torch.zeros(1)) is None


SELECT = "epochs: 3\n      checkpoint: {best: {last_epochs: 3, validation_rows: 5, by: %s}}"


def test_selection_shifts_scores_where_it_should(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study]
) -> None:
    """A checkpoint chosen on test rows scores at least as well on them after the first task."""
    best = "training.standard.checkpoint: {best: {by: test-ORACLE}}"
    choices = ("reptile: {}", f"balanced: {{{best}}}")
    arms = "".join(["arms:\n", *(f"  {choice}\n" for choice in choices)])
    text = ("arms:\n  reptile: {}\n  balanced: {method.meta.update: balanced}\n", arms)
    study = run_suite(suite_of(("epochs: 1", "epochs: 6"), text))
    last, best = ([r.right["all-classes"][0][0] for r in runs.values()] for runs in study.runs)
    assert all(b >= a for a, b in zip(last, best, strict=True))
    assert last != best


def test_every_rule_runs_in_a_stack_and_equals_its_replicas_alone(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study], tmp_path: Any
) -> None:
    """Three seeds together choose as each of them alone."""
    for rule in ("validation", "test-ORACLE"):
        whole = suite_of(("epochs: 1", SELECT % rule), ("seeds: 3", "seeds: 3\nprecision: float64"))
        one = suite_of(("epochs: 1", SELECT % rule), ("seeds: 3", "seeds: 1\nprecision: float64"))
        together = run_suite(whole, tmp_path / f"three {rule}")
        alone = run_suite(one, tmp_path / f"one {rule}")
        assert together.runs[0][0].right == alone.runs[0][0].right
