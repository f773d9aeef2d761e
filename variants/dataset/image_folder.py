"""Any folder of images by class: ImageNet, MS-Celeb, CUB and one's own."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from ablate.core.foreign_text import plain
from ablate.errors import DataError
from ablate.registry import component
from ablate.streams.dataset_checks import count_classes, first_of_each
from ablate.streams.row_warnings import ambiguous, copied, uneven
from ablate.types import Data, Facts, Ints

from . import _files, _pictures

TESTS = ("test", "val")


@component("dataset", "image-folder", paper="a user's own images, in torchvision's layout")
@dataclass(frozen=True)
class ImageFolder:
    """Images in `<folder>/train/<class>/` and `<folder>/test/<class>/` (or `val`), any format.

    Classes are the folders' names in alphabetical order, the same in both parts. The shorter side
    is scaled and the middle cut out. All rows are held in memory: 12 bytes a pixel in colour.
    Links are followed, hidden files passed over, and every picture that is used is decoded before
    any run.

    folder: the data set's folder, its path taken from the data root.
    tasks: T, a divisor of the number of classes, [1, 100000]; or a list, the classes of each task
        in order.
    class_order: `seeded` draws the order of the classes for each seed, `natural` keeps it.
    side: images become side x side, [4, 1024].
    colour: three channels, or one.
    mean: subtracted from pixels of 0 to 1: one number, or one a channel, each in [-1e6, 1e6].
    sd: what they are then divided by, one number or one a channel, each in (0, 1e6].
    train_per_class: at most this many rows of each class to train, [1, 1e9]; null takes all.
    test_per_class: the same to test, [1, 1e9].
    """

    folder: str = "images"
    tasks: int | tuple[int, ...] = 10
    class_order: Literal["seeded", "natural"] = "seeded"
    side: int = 64
    colour: bool = True
    mean: tuple[float, ...] = (0.5,)
    sd: tuple[float, ...] = (0.5,)
    train_per_class: int | None = None
    test_per_class: int | None = None

    def look(self, root: Path) -> Facts:
        """List and decode the images without torch. Raises DataError naming what is amiss."""
        train, test = self._parts(root)
        where = root / self.folder
        count = count_classes(train.labels, test.labels, str(where))
        used, bad = [*train.used, *test.used], (*train.bad, *test.bad)
        shape = (3 if self.colour else 1, self.side, self.side)
        _files.fits(4 * len(used) * int(np.prod(shape)), str(where))
        doubts = (
            *_pictures.check(used, where, self.side, bad),
            *_passed_over(train, test),
            *copied(_files.copies(train.used, test.used), len(test.used)),
            *ambiguous(_files.under_two(train.used, train.used_labels), len(train.used)),
            *uneven(train.used_labels, "train"),
            *uneven(test.used_labels, "test"),
        )
        return Facts(
            inputs=shape,
            classes=count,
            train_rows=len(train.used),
            test_rows=len(test.used),
            digest=_files.digest_tree(where, [*train.paths, *test.paths]),
            mark=_files.CUSTOM,
            warnings=doubts,
        )

    def load(self, root: Path) -> Data:
        """Read the images that `look` lists."""
        parts: list[Any] = []
        for part in self._parts(root):
            pixels = [_pictures.read(path, self.side, self.colour) for path in part.used]
            parts += [_files.normalised(np.stack(pixels), self.mean, self.sd), part.used_labels]
        return Data(*parts)

    def _parts(self, root: Path) -> tuple[Part, Part]:
        """List both parts. Raises DataError unless they have the same classes."""
        where = root / self.folder
        folders = where / "train", self._tests(where)
        train, test = (_pictures.listing(folder) for folder in folders)
        _same_classes(train.classes, test.classes, where, train.skipped + test.skipped)
        limits = self.train_per_class, self.test_per_class
        return _part(train, limits[0]), _part(test, limits[1])

    def _tests(self, where: Path) -> Path:
        remedy = f"Put images there, by class{_pictures.holds(where)}"
        if not (where / "train").is_dir():
            raise _files.missing(f"The folder {self.folder!r}", where, ["train"], remedy)
        for name in TESTS:
            if (where / name).is_dir():
                return where / name
        raise _files.missing(f"The folder {self.folder!r}", where, ["test (or val)"], remedy)


class Part(NamedTuple):
    """One part's pictures: all `paths` with their `labels`, and those `used` with theirs."""

    classes: list[str]
    paths: list[Path]
    labels: Ints
    used: list[Path]
    used_labels: Ints
    bad: tuple[str, ...]
    skipped: Counter[str]
    empty: tuple[str, ...]
    loose: int


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


FOLDS: tuple[tuple[Callable[[str], str], str], ...] = (
    (str.casefold, "upper and lower case"),
    (_folded, "spaces, case or how accents are encoded"),
)
"""What names may differ in that a reader does not see, or a file system does not keep."""


def _part(listing: _pictures.Listing, most: int | None) -> Part:
    names = sorted(listing.classes)
    paths = list(chain.from_iterable(listing.classes[name] for name in names))
    labels = np.repeat(np.arange(len(names)), [len(listing.classes[name]) for name in names])
    chosen = first_of_each(labels, most)
    used = [paths[i] for i in chosen]
    return Part(
        classes=names,
        paths=paths,
        labels=labels,
        used=used,
        used_labels=labels[chosen],
        bad=listing.bad,
        skipped=listing.skipped,
        empty=listing.empty,
        loose=listing.loose,
    )


def _same_classes(
    train: Collection[str], test: Collection[str], where: Path, skipped: Counter[str]
) -> None:
    if train and set(train) == set(test):
        return
    lacking = [
        f"{part} lacks {_some(names)}"
        for part, names in (("test", set(train) - set(test)), ("train", set(test) - set(train)))
        if names
    ]
    hint = f" Other files that are there: {_tallied(skipped)}." if skipped else ""
    for fold, what in FOLDS:
        if train and set(map(fold, train)) == set(map(fold, test)):
            hint = f" They differ in {what} alone."
            break
    raise DataError(
        f"{where}: classes (folders with images) differ: {'; '.join(lacking) or 'there are none'}; "
        f"both parts need the same ones, with images ({', '.join(_pictures.ENDINGS)}).{hint}"
    )


def _some(names: Iterable[str]) -> str:
    first = sorted(names)
    more = f" and {len(first) - 5} more" if len(first) > 5 else ""
    return ", ".join(map(repr, first[:5])) + more


def _tallied(skipped: Counter[str]) -> str:
    """Count files by their endings, the most frequent first."""
    return ", ".join(
        f"{n} {plain(ending, 12) if ending else 'without'}" for ending, n in skipped.most_common(5)
    )


def _passed_over(train: Part, test: Part) -> Iterator[str]:
    """Say which files were no pictures by their endings, and which classes look alike."""
    skipped = train.skipped + test.skipped
    if skipped:
        tally = _tallied(skipped)
        yield f"{skipped.total()} files of classes are no pictures by their ending: {tally}."
    if empty := sorted({*train.empty, *test.empty} - set(train.classes)):
        yield f"Folders without pictures are no classes: {plain(', '.join(empty))}."
    if loose := train.loose + test.loose:
        some = "1 picture lies" if loose == 1 else f"{loose} pictures lie"
        yield f"{some} in no class's folder, passed over."
    if len({name.casefold() for name in train.classes}) < len(train.classes):
        yield "Some classes' names differ in upper and lower case alone."
