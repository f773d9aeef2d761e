"""Handwritten characters of fifty alphabets, from a data root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ablate.errors import DataError
from ablate.registry import component
from ablate.types import Data, Facts

from . import files

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

    tasks: T, a divisor of the number of classes, [1, 100000].
    class_order: `seeded` draws the order of the classes for each seed, `natural` keeps it.
    part: the `background` alphabets or those for `evaluation`.
    side: images are scaled to side x side, [4, 105].
    classes: the first so many characters, [2, 964]; null takes all.
    mean: subtracted from pixels of 0 to 1, paper being 1, [-1e6, 1e6].
    sd: what they are then divided by, (0, 1e6].
    """

    tasks: int = 10
    class_order: Literal["seeded", "natural"] = "seeded"
    part: Literal["background", "evaluation"] = "background"
    side: int = 28
    classes: int | None = 100
    mean: float = 0.1307
    sd: float = 0.3081

    def look(self, root: Path) -> Facts:
        """Count the drawings without torch. Raises DataError naming what is missing."""
        name = f"images_{self.part}"
        folder, zipped = root / FOLDER / name, root / FOLDER / f"{name}.zip"
        drawings = [sorted(one.glob("*.png")) for one in sorted(folder.glob("*/character*"))]
        if not drawings:
            raise files.missing("Omniglot", root / FOLDER, [name], "Unzip the images there")
        drawings = drawings[: self.classes]
        if few := [one for one in drawings if len(one) < EVERY]:
            raise DataError(f"{folder}: {len(few)} characters have fewer than {EVERY} drawings.")
        tests = sum(len(one) // EVERY for one in drawings)
        rows = sum(map(len, drawings)) - tests
        genuine = zipped.is_file() and files.md5(zipped) == ZIPS[name]
        digest = files.digest_tree(folder, (path for one in drawings for path in one))
        shape = (1, self.side, self.side)
        return Facts(shape, len(drawings), rows, tests, digest, "" if genuine else files.CUSTOM)

    def fetch(self, root: Path) -> None:
        """Download missing files through torchvision; where that fails, `look` says what to do."""
        if not (root / FOLDER / f"images_{self.part}").is_dir():
            import torchvision.datasets

            background = self.part == "background"
            kind = torchvision.datasets.Omniglot
            files.attempt(
                root / FOLDER,
                lambda: self.look(root),
                kind,
                root,
                background=background,
                download=True,
            )

    def load(self, root: Path) -> Data:
        """Read the drawings through torchvision."""
        import torchvision.datasets

        class Unzipped(torchvision.datasets.Omniglot):  # type: ignore[misc]
            """The reader without its check of the zip file, which need not be kept."""

            def _check_integrity(self) -> bool:
                return True

        found = Unzipped(root, background=self.part == "background", download=False)
        # torchvision lists folders in the file system's order, which is no order
        flat = [(found._characters[label], file, at) for at, (file, label) in
                enumerate(found._flat_character_images)]  # fmt: skip
        names = sorted({name for name, _, _ in flat})[: self.classes]
        pixels, labels, test = [], [], []
        place = dict.fromkeys(names, -1)
        for name, file, at in sorted(flat):
            if name in place:
                place[name] += 1
                pixels.append(files.picture(_open(found, at, f"{name}/{file}"), self.side, file))
                labels.append(names.index(name))
                test.append(place[name] % EVERY == EVERY - 1)
        x = files.normalised(np.stack(pixels), (self.mean,), (self.sd,))
        y, tested = np.array(labels, dtype=np.int64), np.array(test)
        return Data(x[~tested], y[~tested], x[tested], y[tested])


def _open(found: Any, at: int, file: str) -> Any:
    try:
        return found[at][0]
    except (OSError, SyntaxError) as error:
        raise DataError(f"{file} is damaged: {error}. Replace it.") from error
