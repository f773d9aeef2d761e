"""Augmentation against pixels moved by hand, and the same draws in every arm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from ablate import flow
from ablate.errors import SuiteError
from ablate.streams.class_split import split
from ablate.streams.task_stream import Stream
from ablate.types import Data, Suite
from variants.augment.none import NoAugment
from variants.augment.standard import Standard
from variants.memory.random import Random

X = torch.arange(1, 17, dtype=torch.float64).view(1, 1, 4, 4)
FILL = torch.zeros(1, dtype=torch.float64)


def draws(*values: float) -> torch.Tensor:
    """Down, right, mirror, turn, middle of the cut (two); each in [0, 1)."""
    return torch.tensor([[*values, *[0.5] * (6 - len(values))]], dtype=torch.float64)


def test_a_crop_shifts_whole_pixels_and_fills_with_the_darkest() -> None:
    """Of pad 1, draw 0.99 shifts by one down and right, 0 by one up and left, the middle not."""
    made = Standard(pad=1, flip=False, turn_degrees=0)
    assert torch.equal(made(X, draws(0.5, 0.5), FILL), X)
    moved = made(X, draws(0.99, 0.99), FILL)[0, 0]
    assert torch.equal(moved[:3, :3], X[0, 0, 1:, 1:])
    assert not moved[3].any()
    dark = made(X, draws(0.0, 0.5), FILL - 7)[0, 0]
    assert torch.equal(dark[1:], X[0, 0, :3])
    assert (dark[0] == -7).all()


def test_a_mirror_turns_left_to_right_for_half_of_the_draws() -> None:
    """Below one half it does, else not."""
    made = Standard(pad=0, flip=True, turn_degrees=0)
    assert torch.equal(made(X, draws(0.5, 0.5, 0.49), FILL), X.flip(3))
    assert torch.equal(made(X, draws(0.5, 0.5, 0.51), FILL), X)


def test_a_turn_by_a_right_angle_is_a_rotation_of_the_grid() -> None:
    """The last draw turns by the whole angle one way, the first the other way."""
    made = Standard(pad=0, flip=False, turn_degrees=90)
    one = made(X, draws(0.5, 0.5, 0.9, 0.0), FILL)
    other = made(X, draws(0.5, 0.5, 0.9, 1.0), FILL)
    assert {str(one.tolist()), str(other.tolist())} == {
        str(X.rot90(k, (2, 3)).tolist()) for k in (1, 3)
    }
    assert torch.equal(made(X, draws(0.5, 0.5, 0.9, 0.5), FILL), X)


def test_a_turn_agrees_with_torchvisions() -> None:
    """Nearest pixel, on a picture of 32 x 32, but for the odd pixel that lies on an edge."""
    from torchvision.transforms.functional import rotate

    picture = torch.rand(1, 3, 32, 32)
    made = Standard(pad=0, flip=False, turn_degrees=30)
    for u in (0.1, 0.7, 0.95):
        ours = made(picture, draws(0.5, 0.5, 0.9, u).float(), torch.zeros(3))
        matches = [
            (ours == rotate(picture, sign * 30 * (2 * u - 1))).double().mean() for sign in (-1, 1)
        ]
        assert max(matches) > 0.99
        assert not torch.equal(ours, picture)


def test_a_cut_removes_a_square_around_its_middle() -> None:
    """Side 2 around the very middle; at the corner only what lies inside."""
    made = Standard(pad=0, flip=False, turn_degrees=0, cutout=2)
    kept = made(X, draws(), FILL)[0, 0] != 0
    expected = torch.ones(4, 4, dtype=torch.bool)
    expected[1:3, 1:3] = False
    assert torch.equal(kept, expected)
    corner = made(X, draws(0.5, 0.5, 0.9, 0.5, 0.0, 0.0), FILL)[0, 0] != 0
    assert int((~corner).sum()) == 1
    assert not corner[0, 0]


def test_every_row_has_its_own_draws() -> None:
    """Two equal rows come out different, each as it does alone."""
    made, u = Standard(pad=2, turn_degrees=20, cutout=2), torch.rand(2, 6, dtype=torch.float64)
    both = made(X.expand(2, 1, 4, 4), u, FILL)
    assert not torch.equal(both[0], both[1])
    assert torch.equal(both[:1], made(X, u[:1], FILL))


def stream(seeds: tuple[int, ...], augment: object) -> Stream:
    x = np.random.default_rng(0).random((40, 1, 6, 6), dtype=np.float32)
    data = Data(x, np.repeat(np.arange(4), 10), x, np.repeat(np.arange(4), 10))
    cut = split(data, seeds, 2, "seeded")
    return Stream(data, cut, Random(6), torch.zeros(1), augment)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["balanced", "natural"])
def test_a_seeds_rows_are_changed_alike_alone_and_in_a_stack(kind: str) -> None:
    """The draws belong to the seed and the row's place, whatever is padded around it."""
    both = list(stream((3, 4), Standard()).batches(1, 0, kind, 7))
    for place, seed in enumerate((3, 4)):
        for b, a in zip(both, stream((seed,), Standard()).batches(1, 0, kind, 7), strict=True):
            rows = a.tasks.x[0][a.tasks.w[0] > 0]
            same = b.tasks.x[place][b.tasks.w[place] > 0]
            assert torch.equal(rows, same)
    plain = next(iter(stream((3,), NoAugment()).batches(1, 0, kind, 7)))
    assert not torch.equal(plain.tasks.x, next(iter(both)).tasks.x[:1])


def test_epochs_draw_anew() -> None:
    """The same rows look different in the next epoch."""
    made = stream((0,), Standard())
    first, second = (next(iter(made.batches(0, epoch, "balanced", 20))).tasks for epoch in (0, 1))
    order = [t.y[0, 0].argsort(stable=True) for t in (first, second)]
    assert not torch.equal(first.x[0, 0][order[0]], second.x[0, 0][order[1]])


def test_a_suite_augments_images_and_refuses_plain_numbers(
    suite_of: Callable[..., Suite], run_suite: Callable[..., flow.Study]
) -> None:
    """Both arms see the same changed rows; `arrays` of vectors cannot be cropped."""
    lines = "  augment: {standard: {pad: 1, turn_degrees: 5}}\n  model:"
    study = run_suite(suite_of(("  model:", lines)))
    plain = run_suite(suite_of())
    assert study.runs[0][0].right != plain.runs[0][0].right
    assert not any(v.comparison.refusal for v in study.verdicts)
    numbers = "dataset: {arrays: {source: 'tests.variants.test_augment:vectors', tasks: 2}}"
    suite = suite_of(("  model:", lines), ("dataset: {digits: {tasks: 5}}", numbers))
    with pytest.raises(SuiteError, match=r"rows of shape \[2\] with augment 'standard'"):
        run_suite(suite)


def vectors() -> Data:
    """Two numbers a row, two classes."""
    x, y = np.random.default_rng(0).random((8, 2), dtype=np.float32), np.arange(8) % 2
    return Data(x, y, x, y)
