"""Another data set's training rows, some of which take the place of its test rows."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

import numpy as np

from ablate.registry import component
from ablate.streams.batch_tables import held_out
from ablate.types import Data, Dataset, Facts


@component("dataset", "held-out", paper="validation rows carved from the training rows")
@dataclass(frozen=True)
class HeldOut:
    """Trains on a part of another data set's training rows and is scored on the rest of them.

    Its test rows are not touched. The rows that are held out are the same for every seed and every
    arm: what is tuned is tuned on the same rows.

    of: the data set.
    rows: rows of each class that are held out, [1, 1000000]; at least one is left to train on.
    tasks: T, a divisor of the number of classes, [1, 1000]; or a list, the classes of each task
        in order.
    class_order: `seeded` draws the order of the classes for each seed, `natural` keeps it.
    """

    of: Dataset
    rows: int = 20
    tasks: int | tuple[int, ...] = 5
    class_order: Literal["seeded", "natural"] = "seeded"

    def look(self, root: Path) -> Facts:
        """Check the other data set; what is held out is counted as if each class had enough."""
        facts = self.of.look(root)
        held = min(facts.classes * self.rows, facts.train_rows - facts.classes)
        return facts._replace(
            train_rows=facts.train_rows - held,
            test_rows=held,
            warnings=(),  # these speak of its test rows
            digest=sha256(f"{facts.digest} {self.rows} held out".encode()).hexdigest(),
        )

    def fetch(self, root: Path) -> None:
        """Download what the other data set lacks, where it can be."""
        if hasattr(self.of, "fetch"):
            self.of.fetch(root)

    def load(self, root: Path) -> Data:
        """Read the rows and share them out."""
        data = self.of.load(root)
        out = np.zeros(len(data.y_train), dtype=bool)
        for c in range(int(data.y_train.max()) + 1):
            members = np.flatnonzero(data.y_train == c)
            out[members] = held_out(0, c, len(members), self.rows)
        x, y = data.x_train, data.y_train
        return Data(x[~out], y[~out], x[out], y[out])
