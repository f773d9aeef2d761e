"""What CIFAR-10 and CIFAR-100 share: pickled files, opened only if they are the published ones."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ablate.errors import DataError
from ablate.streams.dataset_checks import count_classes, fewer, first_of_each
from ablate.types import Data, Facts, Ints

from . import _files

Limits = tuple[int | None, int | None]
"""The most rows of each class, to train and to test."""


@dataclass(frozen=True)
class Published:
    """The published files of one of the two: their folder and digests, the test file among them.

    reader: torchvision's class.
    """

    name: str
    reader: str
    folder: str
    md5: Mapping[str, str]
    tests: str


def check(published: Published, root: Path) -> str:
    """Refuse missing files and any other than the published ones; gives a digest of them all.

    Opening a pickle runs whatever code it holds, so a foreign one is never opened.
    """
    where = root / published.folder
    lacking = [file for file in published.md5 if not (where / file).is_file()]
    if lacking:
        remedy = f"Unpack the published `{published.name}` archive (python version) there"
        raise _files.missing(published.name, where, lacking, remedy)
    for file, md5 in published.md5.items():
        if (digest := _files.md5(where / file)) != md5:
            raise DataError(
                f"{(where / file).absolute()} has the MD5 {digest}, not the published {md5}. "
                "It is a pickle, which runs code when it is opened, so it is not read: replace it "
                "by the published file, or give your own rows as `arrays`."
            )
    return _files.mark(where, published.md5)[0]


def fetch(published: Published, root: Path) -> None:
    """Download missing files through torchvision; where that fails, `look` says what to do."""
    if not all((root / published.folder / name).is_file() for name in published.md5):
        import torchvision.datasets

        reader = getattr(torchvision.datasets, published.reader)
        limits = (None, None)
        _files.attempt(root, lambda: look(published, root, limits), reader, root, download=True)


def look(published: Published, root: Path, limits: Limits) -> Facts:
    """Check the files and count their rows, without torch."""
    digest, where = check(published, root), root / published.folder
    labels = {file: _labels(where / file) for file in published.md5}
    y_test = labels.pop(published.tests)
    y = np.concatenate(list(labels.values()))
    classes = count_classes(y, y_test, str(where))
    used = [len(first_of_each(part, most)) for part, most in zip((y, y_test), limits, strict=True)]
    return Facts(
        inputs=(3, 32, 32), classes=classes, train_rows=used[0], test_rows=used[1], digest=digest
    )


def load(published: Published, root: Path, moments: tuple[Any, Any], limits: Limits) -> Data:
    """Read the rows, `[N, 3, 32, 32]`; files are checked again before they are opened."""
    check(published, root)
    where = root / published.folder
    train = [where / file for file in published.md5 if file != published.tests]
    parts: list[Any] = []
    for files in (train, [where / published.tests]):
        pixels = np.concatenate([_opened(path)["data"] for path in files])
        parts += [
            _files.normalised(pixels.reshape(-1, 3, 32, 32), *moments),
            np.concatenate([_labels(path) for path in files]),
        ]
    return fewer(Data(*parts), *limits)


def _labels(path: Path) -> Ints:
    held = _opened(path)
    return np.array(held["labels"] if "labels" in held else held["fine_labels"], dtype=np.int64)


def _opened(path: Path) -> dict[str, Any]:
    """Open a pickle that `check` has found to be the published one."""
    with path.open("rb") as file:
        held: dict[str, Any] = pickle.load(file, encoding="latin1")
    return held
