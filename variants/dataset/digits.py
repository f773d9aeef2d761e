"""Real handwritten digits that need no download."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from ablate.registry import component
from ablate.streams.dataset_checks import facts_of, fewer
from ablate.types import Data, Facts, Floats

EVERY = 5
"""One row in five of each class, in the file's order, is a test row."""


@component(
    "dataset", "digits", paper="Alpaydin & Kaynak 1998, UCI optical digits, scikit-learn's copy"
)
@dataclass(frozen=True)
class Digits:
    """1,797 rows of 8 x 8 pixels of 0 to 1, 10 classes; a stratified 80/20 split that stays.

    tasks: T, a divisor of 10, [1, 10]; or a list, the classes of each task
        in order.
    class_order: `seeded` draws the order of the classes for each seed, `natural` keeps it.
    train_per_class: at most this many rows of each class to train, [1, 1e9]; null takes all.
    test_per_class: the same to test, [1, 1e9].
    """

    tasks: int | tuple[int, ...] = 5
    class_order: Literal["seeded", "natural"] = "seeded"
    train_per_class: int | None = None
    test_per_class: int | None = None

    def look(self, root: Path) -> Facts:
        """Count the rows; nothing is read from the data root."""
        return facts_of(self.load(root), "digits")

    def load(self, root: Path) -> Data:
        """Read the rows from the installed scikit-learn."""
        table = _table()
        y = table[:, -1].astype(np.int64)
        x = (table[:, :-1] / 16).astype(np.float32).reshape(-1, 1, 8, 8)
        rank = np.empty(len(y), dtype=np.int64)  # of each row within its class
        for c in range(10):
            rank[y == c] = np.arange((y == c).sum())
        test = rank % EVERY == EVERY - 1
        whole = Data(x[~test], y[~test], x[test], y[test])
        return fewer(whole, self.train_per_class, self.test_per_class)


def _table() -> Floats:
    """Read pixels and labels `[1797, 65]`, without the seconds that importing sklearn takes."""
    spec = find_spec("sklearn")
    path = Path(spec.origin or "").parent / "datasets/data/digits.csv.gz" if spec else Path()
    if path.is_file():
        return np.loadtxt(path, delimiter=",")
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return np.column_stack([bunch.data, bunch.target]).astype(np.float64)
