"""Any folder of images by class: ImageNet, MS-Celeb, CUB and one's own."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ablate.errors import DataError
from ablate.registry import component
from ablate.rows import count_classes, fewer, first_of_each
from ablate.types import Data, Facts, Ints

from . import files

ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
TESTS = ("test", "val")


@component("dataset", "image-folder", paper="a user's own images, in torchvision's layout")
@dataclass(frozen=True)
class ImageFolder:
    """Images in `<folder>/train/<class>/` and `<folder>/test/<class>/` (or `val`), any format.

    Classes are the folders' names in alphabetical order, the same in both parts. The shorter side
    is scaled and the middle cut out. All rows are held in memory: 12 bytes a pixel in colour.

    folder: the data set's folder, its path taken from the data root.
    tasks: T, a divisor of the number of classes, [1, 100000].
    class_order: `seeded` draws the order of the classes for each seed, `natural` keeps it.
    side: images become side x side, [4, 1024].
    colour: three channels, or one.
    mean: subtracted from pixels of 0 to 1: one number, or one a channel, each in [-1e6, 1e6].
    sd: what they are then divided by, one number or one a channel, each in (0, 1e6].
    train_per_class: at most this many rows of each class to train, [1, 1e9]; null takes all.
    test_per_class: the same to test, [1, 1e9].
    """

    folder: str = "images"
    tasks: int = 10
    class_order: Literal["seeded", "natural"] = "seeded"
    side: int = 64
    colour: bool = True
    mean: tuple[float, ...] = (0.5,)
    sd: tuple[float, ...] = (0.5,)
    train_per_class: int | None = None
    test_per_class: int | None = None

    def look(self, root: Path) -> Facts:
        """List the images without torch. Raises DataError naming what is missing."""
        where = root / self.folder
        parts = [where / "train", self._tests(where)]
        found = [_listed(part) for part in parts]
        names = [sorted({path.relative_to(part).parts[0] for path in paths})
                 for part, paths in zip(parts, found, strict=True)]  # fmt: skip
        if not all(names) or names[0] != names[1]:
            raise DataError(
                f"{where}: classes (folders with images) differ: {names[0][:5]} ... to train, "
                f"{names[1][:5]} ... to test; both parts need the same ones."
            )
        classes = {name: at for at, name in enumerate(names[0])}
        y, y_test = (
            np.array([classes[path.relative_to(part).parts[0]] for path in paths], dtype=np.int64)
            for part, paths in zip(parts, found, strict=True)
        )
        count = count_classes(y, y_test, str(where))
        used = (
            len(first_of_each(y, self.train_per_class)),
            len(first_of_each(y_test, self.test_per_class)),
        )
        shape = (3 if self.colour else 1, self.side, self.side)
        digest = files.digest_tree(where, [path for paths in found for path in paths])
        return Facts(shape, count, *used, digest, files.CUSTOM)

    def load(self, root: Path) -> Data:
        """Read the images through torchvision."""
        where = root / self.folder
        parts: list[Any] = []
        limits = (self.train_per_class, self.test_per_class)
        for part, most in zip((where / "train", self._tests(where)), limits, strict=True):
            pixels, labels = self._read(part, most)
            parts += [files.normalised(pixels, self.mean, self.sd), labels]
        return fewer(Data(*parts), *limits)

    def _tests(self, where: Path) -> Path:
        if not (where / "train").is_dir():
            remedy = "Put images there, by class"
            raise files.missing(f"The folder {self.folder!r}", where, ["train"], remedy)
        for name in TESTS:
            if (where / name).is_dir():
                return where / name
        raise files.missing(f"The folder {self.folder!r}", where, ["test"], "Put images there")

    def _read(self, part: Path, most: int | None) -> tuple[Any, Ints]:
        import torchvision.datasets

        found = torchvision.datasets.ImageFolder(str(part), is_valid_file=_is_image)
        pixels, labels, had = [], [], Counter[int]()
        for file, label in found.samples:
            had[label] += 1
            if most is None or had[label] <= most:
                pixels.append(files.picture(self._open(file), self.side, file))
                labels.append(label)
        return np.stack(pixels), np.array(labels, dtype=np.int64)

    def _open(self, file: str) -> Any:
        from PIL import Image

        try:
            with Image.open(file) as image:
                return image.convert("RGB" if self.colour else "L")
        except (OSError, SyntaxError, ValueError) as error:
            raise DataError(f"{file} is damaged: {error}. Replace it.") from error


def _is_image(path: str) -> bool:
    return path.lower().endswith(ENDINGS)


def _listed(part: Path) -> list[Path]:
    return sorted(path for path in part.glob("*/**/*") if _is_image(path.name))
