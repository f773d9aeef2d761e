"""Handwritten characters of fifty alphabets, from a data root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ablate.errors import DataError
from ablate.registry import component
from ablate.types import Data, Facts

from . import _files, _pictures

FOLDER = "omniglot-py"
ZIPS = {
    "images_background": "68d2efa1b9178cc56df9314c21c6e718",
    "images_evaluation": "6b91aef0f799c5bb55b94e3f2daec811",
}
EVERY = 4
"""One drawing in four of each character, in the files' order, is a test row."""


@component("dataset", "omniglot", paper="Lake, Salakhutdinov & Tenenbaum 2015, Science 350")
@dataclass(frozen=True)
class Omniglot:
    """Characters drawn by twenty people, 964 + 659 classes; 15 + 5 rows of each in full.

    The images stand unzipped in `<data root>/omniglot-py/images_background/ALPHABET/character../`
    (and `images_evaluation`). They count as the published ones if the published zip lies beside.

    tasks: T, a divisor of the number of classes, [1, 100000]; or a list, the classes of each task
        in order.
    class_order: `seeded` draws the order of the classes for each seed, `natural` keeps it.
    part: the `background` alphabets or those for `evaluation`.
    side: images are scaled to side x side, [4, 105].
    classes: the first so many characters, [2, 964]; null takes all.
    mean: subtracted from pixels of 0 to 1, paper being 1, [-1e6, 1e6].
    sd: what they are then divided by, (0, 1e6].
    """

    tasks: int | tuple[int, ...] = 10
    class_order: Literal["seeded", "natural"] = "seeded"
    part: Literal["background", "evaluation"] = "background"
    side: int = 28
    classes: int | None = 100
    mean: float = 0.1307
    sd: float = 0.3081

    def look(self, root: Path) -> Facts:
        """Count the drawings without torch. Raises DataError naming what is missing."""
        name, drawings = f"images_{self.part}", self._drawings(root)
        folder, zipped = root / FOLDER / name, root / FOLDER / f"{name}.zip"
        paths = [path for rows in drawings for path in rows]
        genuine = _files.is_file(zipped) and _files.md5(zipped) == ZIPS[name]
        tests = sum(len(rows) // EVERY for rows in drawings)
        shape = (1, self.side, self.side)
        _files.fits(4 * len(paths) * int(np.prod(shape)), str(folder))
        doubts = _pictures.check(paths, folder, self.side)
        digest, mark = _files.digest_tree(folder, paths), "" if genuine else _files.CUSTOM
        return Facts(
            inputs=shape,
            classes=len(drawings),
            train_rows=len(paths) - tests,
            test_rows=tests,
            digest=digest,
            mark=mark,
            warnings=doubts,
        )

    def _drawings(self, root: Path) -> list[list[Path]]:
        """List the drawings of each character that is used. Raises DataError where some lack."""
        name = f"images_{self.part}"
        folder = root / FOLDER / name
        characters = sorted(folder.glob("[!.]*/character*"))
        drawings = [
            [p for p in sorted(character.glob("[!.]*.png")) if _files.is_file(p)]
            for character in characters
            if character.is_dir()
        ]
        if not any(drawings):
            raise _files.missing("Omniglot", root / FOLDER, [name], "Unzip the images there")
        drawings = drawings[: self.classes]
        if few := [rows for rows in drawings if len(rows) < EVERY]:
            raise DataError(f"{folder}: {len(few)} characters have fewer than {EVERY} drawings.")
        if len(drawings) < 2:
            raise DataError(f"{folder} has one character alone; at least 2 are needed.")
        return drawings

    def fetch(self, root: Path) -> None:
        """Download missing files through torchvision; where that fails, `look` says what to do."""
        if not (root / FOLDER / f"images_{self.part}").is_dir():
            import torchvision.datasets

            background = self.part == "background"
            kind = torchvision.datasets.Omniglot
            _files.attempt(
                root / FOLDER,
                lambda: self.look(root),
                kind,
                root,
                background=background,
                download=True,
            )

    def load(self, root: Path) -> Data:
        """Read the drawings that `look` lists."""
        pixels, labels, test = [], [], []
        for label, rows in enumerate(self._drawings(root)):
            for index, path in enumerate(rows):
                pixels.append(_pictures.read(path, self.side, colour=False))
                labels.append(label)
                test.append(index % EVERY == EVERY - 1)
        x = _files.normalised(np.stack(pixels), (self.mean,), (self.sd,))
        y, tested = np.array(labels, dtype=np.int64), np.array(test)
        return Data(x[~tested], y[~tested], x[tested], y[tested])
