"""House numbers, from a data root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ablate.errors import DataError
from ablate.registry import component
from ablate.rows import count_classes, fewer, first_of_each
from ablate.types import Data, Facts, Ints

from . import files

MD5 = {
    "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
    "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
}


@component("dataset", "svhn", paper="Netzer et al. 2011, NIPS workshop, cropped digits")
@dataclass(frozen=True)
class SVHN:
    """House numbers in colour, 32 x 32, 10 classes; 73,257 + 26,032 rows in full.

    The files `train_32x32.mat` and `test_32x32.mat` stand in `<data root>/SVHN`; any part of the
    rows in that format works too, and is marked as custom data.

    tasks: T, a divisor of the number of classes, [1, 1000].
    class_order: `seeded` draws the order of the classes for each seed, `natural` keeps it.
    mean: subtracted from pixels of 0 to 1: one number, or one a channel, each in [-1e6, 1e6]; the
        default is what iTAML's released code takes.
    sd: what they are then divided by, one number or one a channel, each in (0, 1e6].
    train_per_class: at most this many rows of each class to train, [1, 1e9]; null takes all.
    test_per_class: the same to test, [1, 1e9].
    """

    tasks: int = 5
    class_order: Literal["seeded", "natural"] = "seeded"
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    sd: tuple[float, ...] = (0.229, 0.224, 0.225)
    train_per_class: int | None = None
    test_per_class: int | None = None

    def look(self, root: Path) -> Facts:
        """Check the files without torch. Raises DataError naming those missing or damaged."""
        folder = root / "SVHN"
        lacking = [name for name in MD5 if not (folder / name).is_file()]
        if lacking:
            raise files.missing("SVHN", folder, lacking, "Put them there")
        y, y_test = (_labels(folder / name) for name in MD5)
        classes = count_classes(y, y_test, str(folder))
        used = (
            len(first_of_each(y, self.train_per_class)),
            len(first_of_each(y_test, self.test_per_class)),
        )
        return Facts((3, 32, 32), classes, *used, *files.mark(folder, MD5))

    def fetch(self, root: Path) -> None:
        """Download missing files through torchvision; where that fails, `look` says what to do."""
        folder = root / "SVHN"
        if not all((folder / name).is_file() for name in MD5):
            import torchvision.datasets

            for part in ("train", "test"):
                files.attempt(
                    folder,
                    lambda: self.look(root),
                    torchvision.datasets.SVHN,
                    folder,
                    split=part,
                    download=True,
                )

    def load(self, root: Path) -> Data:
        """Read the rows through torchvision."""
        import torchvision.datasets

        class Any32(torchvision.datasets.SVHN):  # type: ignore[misc]
            """The reader without its check of digests, which `look` has made."""

            def _check_integrity(self) -> bool:
                return True

        parts: list[Any] = []
        for part in ("train", "test"):
            try:
                rows = Any32(root / "SVHN", split=part, download=False)
            except Exception as error:  # a damaged MAT file may raise anything
                raise DataError(f"{root / 'SVHN'}: {part}_32x32.mat is damaged: {error}") from error
            parts += [files.normalised(rows.data, self.mean, self.sd), rows.labels]
        data = Data(*(np.ascontiguousarray(part) for part in parts))
        return fewer(data, self.train_per_class, self.test_per_class)


def _labels(path: Path) -> Ints:
    """Read a file's labels, 10 standing for the digit 0, and check the shape of its images."""
    from scipy.io import loadmat, whosmat

    try:
        shapes = {name: shape for name, shape, _ in whosmat(path)}
        y = loadmat(path, variable_names=["y"])["y"].reshape(-1).astype(np.int64) % 10
    except Exception as error:  # a damaged MAT file may raise anything
        raise DataError(f"{path} is damaged: {error}. Replace it.") from error
    if shapes.get("X") != (32, 32, 3, len(y)) or not len(y):
        raise DataError(
            f"{path}: X has the shape {shapes.get('X')} for {len(y)} labels; (32, 32, 3, rows) is "
            "needed. Replace it."
        )
    return np.asarray(y)
