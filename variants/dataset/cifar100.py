"""CIFAR-100, from a data root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ablate.registry import component
from ablate.types import Data, Facts

from . import cifar, files

FOLDER = "cifar-100-python"
MD5 = {
    "train": "16019d7e3df5f24257cddd939b257f8d",
    "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
}


@component("dataset", "cifar100", paper="Krizhevsky 2009, Learning multiple layers of features")
@dataclass(frozen=True)
class CIFAR100:
    """Small pictures in colour, 32 x 32, 100 classes; 50,000 + 10,000 rows in full.

    The published files (python version) stand in `<data root>/cifar-100-python`. They are
    pickles, so files with another digest are refused.

    tasks: T, a divisor of 100, [1, 100]. 20, 10 and 5 are the usual ones.
    class_order: `seeded` draws the order of the classes for each seed, `natural` keeps it.
    mean: subtracted from pixels of 0 to 1: one number, or one a channel, each in [-1e6, 1e6].
    sd: what they are then divided by, one number or one a channel, each in (0, 1e6].
    train_per_class: at most this many rows of each class to train, [1, 1e9]; null takes all.
    test_per_class: the same to test, [1, 1e9].
    """

    tasks: int = 10
    class_order: Literal["seeded", "natural"] = "seeded"
    mean: tuple[float, ...] = (0.5071, 0.4867, 0.4408)
    sd: tuple[float, ...] = (0.2675, 0.2565, 0.2761)
    train_per_class: int | None = None
    test_per_class: int | None = None

    def look(self, root: Path) -> Facts:
        """Check the files without torch. Raises DataError naming those missing or foreign."""
        limits = (self.train_per_class, self.test_per_class)
        return cifar.look(root, "CIFAR-100", FOLDER, MD5, "test", limits)

    def fetch(self, root: Path) -> None:
        """Download missing files through torchvision; where that fails, `look` says what to do."""
        if not all((root / FOLDER / name).is_file() for name in MD5):
            import torchvision.datasets

            files.attempt(
                root, lambda: self.look(root), torchvision.datasets.CIFAR100, root, download=True
            )

    def load(self, root: Path) -> Data:
        """Read the rows through torchvision; files are checked again before they are opened."""
        import torchvision.datasets

        cifar.check(root, "CIFAR-100", FOLDER, MD5)
        limits = (self.train_per_class, self.test_per_class)
        return cifar.load(torchvision.datasets.CIFAR100, root, (self.mean, self.sd), limits)
