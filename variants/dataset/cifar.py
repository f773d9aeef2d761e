"""What CIFAR-10 and CIFAR-100 share: pickled files, opened only if they are the published ones."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ablate.errors import DataError
from ablate.streams.dataset_checks import count_classes, fewer, first_of_each
from ablate.types import Data, Facts, Ints

from . import files

Limits = tuple[int | None, int | None]


def check(root: Path, name: str, folder: str, md5: Mapping[str, str]) -> str:
    """Refuse missing files and any other than the published ones; gives a digest of them all.

    Opening a pickle runs whatever code it holds, so a foreign one is never opened.
    """
    where = root / folder
    lacking = [file for file in md5 if not (where / file).is_file()]
    if lacking:
        remedy = f"Unpack the published `{name}` archive (python version) there"
        raise files.missing(name, where, lacking, remedy)
    for file, published in md5.items():
        if (digest := files.md5(where / file)) != published:
            raise DataError(
                f"{(where / file).absolute()} has the MD5 {digest}, not the published {published}. "
                "It is a pickle, which runs code when it is opened, so it is not read: replace it "
                "by the published file, or give your own rows as `arrays`."
            )
    return files.mark(where, md5)[0]


def look(
    root: Path, name: str, folder: str, md5: Mapping[str, str], tests: str, limits: Limits
) -> Facts:
    """Check the files and count their rows, without torch; `tests` names the test file."""
    digest = check(root, name, folder, md5)
    labels = {file: _labels(root / folder / file) for file in md5 if "meta" not in file}
    y_test = labels.pop(tests)
    y = np.concatenate(list(labels.values()))
    classes = count_classes(y, y_test, str(root / folder))
    used = [len(first_of_each(part, most)) for part, most in zip((y, y_test), limits, strict=True)]
    return Facts((3, 32, 32), classes, used[0], used[1], digest)


def load(reader: Any, root: Path, moments: tuple[Any, Any], limits: Limits) -> Data:
    """Read the rows through a torchvision reader whose files have been checked."""

    class Checked(reader):  # type: ignore[misc]
        def _check_integrity(self) -> bool:
            return True

        def _load_meta(self) -> None:
            """Leave out the names of the classes."""

    parts: list[Any] = []
    for train in (True, False):
        rows = Checked(root, train=train, download=False)
        pixels = np.ascontiguousarray(rows.data.transpose(0, 3, 1, 2))
        parts += [files.normalised(pixels, *moments), np.array(rows.targets, dtype=np.int64)]
    return fewer(Data(*parts), *limits)


def _labels(path: Path) -> Ints:
    with path.open("rb") as file:
        held = pickle.load(file, encoding="latin1")
    return np.array(held["labels"] if "labels" in held else held["fine_labels"], dtype=np.int64)
