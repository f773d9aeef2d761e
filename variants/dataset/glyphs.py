"""Characters rendered from fonts: many classes without a download. Synthetic, and said so."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ablate.core.random_streams import stream
from ablate.errors import DataError
from ablate.registry import component
from ablate.types import Data, Facts, Ints

from . import _files

FONTS = tuple(
    f"DejaVuSans{kind}.ttf"
    for kind in ("", "-Bold", "-Oblique", "-BoldOblique", "Mono", "Mono-Bold", "Mono-Oblique")
) + tuple(f"DejaVuSerif{kind}.ttf" for kind in ("", "-Bold", "-Italic", "-BoldItalic"))
LETTERS = ("Lu", "Ll", "Lo", "Nd", "Sm", "Sc")
MOST_CLASSES = 400
CANVAS = 64
"""Characters are drawn on a canvas of 64 x 64, turned, then scaled down."""


@component("dataset", "glyphs", paper="this toolkit; DejaVu fonts as Matplotlib ships them")
@dataclass(frozen=True)
class Glyphs:
    """Letters, digits and signs in eleven fonts, turned, scaled and shifted at random: synthetic.

    The first `classes` characters, by code point, that all fonts have and that look different from
    those before them. What is drawn depends on these settings and the fonts alone.

    tasks: T, a divisor of `classes`, [1, 400]; or a list, the classes of each task
        in order.
    class_order: `seeded` draws the order of the classes for each seed, `natural` keeps it.
    classes: C, [2, 400].
    train_per_class: rows of each class to train, [1, 100000].
    test_per_class: rows of each class to test, [1, 100000].
    side: images are side x side, [8, 64].
    turn_degrees: characters are turned by up to so much either way, [0, 180].
    shift: and moved by up to this share of the side, [0, 0.3].
    """

    tasks: int | tuple[int, ...] = 10
    class_order: Literal["seeded", "natural"] = "seeded"
    classes: int = 100
    train_per_class: int = 40
    test_per_class: int = 10
    side: int = 20
    turn_degrees: float = 15.0
    shift: float = 0.1

    def look(self, root: Path) -> Facts:
        """Count the rows; nothing is read from the data root and nothing is drawn."""
        fonts = hashlib.sha256(b"".join((_folder() / font).read_bytes() for font in FONTS))
        digest = hashlib.sha256(f"{self!r} {fonts.hexdigest()}".encode()).hexdigest()
        rows = (self.classes * self.train_per_class, self.classes * self.test_per_class)
        return Facts((1, self.side, self.side), self.classes, *rows, digest, "synthetic")

    def load(self, root: Path) -> Data:
        """Draw the rows."""
        per_class = self.train_per_class + self.test_per_class
        known = characters()[: self.classes]
        pixels = [
            self._draw(known[c], c, row) for c in range(self.classes) for row in range(per_class)
        ]
        x = _files.normalised(np.stack(pixels)[:, None], (0.13,), (0.3,))
        y: Ints = np.repeat(np.arange(self.classes), per_class)
        test = np.tile(np.arange(per_class) >= self.train_per_class, self.classes)
        return Data(x[~test], y[~test], x[test], y[test])

    def _draw(self, character: str, c: int, row: int) -> NDArray[np.uint8]:
        draws = stream(0, "glyph", c, row)
        font = FONTS[draws.integers(len(FONTS))]
        turn, right, down = draws.uniform(-1, 1, 3)
        size = round(CANVAS * draws.uniform(0.55, 0.75))
        moved = (right * self.shift * CANVAS, down * self.shift * CANVAS)
        image = drawn(character, font, size).rotate(
            turn * self.turn_degrees, resample=2, translate=(round(moved[0]), round(moved[1]))
        )
        return np.asarray(image.resize((self.side, self.side), resample=1), dtype=np.uint8)


def drawn(character: str, font: str, size: int) -> Any:
    """Draw a character in the middle of the canvas, white on black."""
    from PIL import Image, ImageDraw

    image = Image.new("L", (CANVAS, CANVAS))
    middle = (CANVAS / 2, CANVAS / 2)
    ImageDraw.Draw(image).text(middle, character, fill=255, font=_font(font, size), anchor="mm")
    return image


@cache
def characters() -> tuple[str, ...]:
    """Give the characters that all fonts have and that do not look like one before them."""
    from fontTools.ttLib import TTFont

    maps = [set(TTFont(_folder() / font, lazy=True).getBestCmap()) for font in FONTS]
    letters: list[str] = []
    seen: list[NDArray[np.float64]] = []
    for code in sorted(set.intersection(*maps)):
        character = chr(code)
        if unicodedata.category(character) not in LETTERS or unicodedata.decomposition(character):
            continue
        shape = np.asarray(drawn(character, FONTS[0], 40), dtype=np.float64).ravel() / 255
        alike = any(np.abs(shape - other).sum() < 0.2 * shape.sum() for other in seen)
        if shape.any() and not alike:
            letters.append(character)
            seen.append(shape)
        if len(letters) == MOST_CLASSES:
            break
    return tuple(letters)


@cache
def _font(name: str, size: int) -> Any:
    from PIL import ImageFont

    # the basic layout engine, so that an optional one cannot change what is drawn
    return ImageFont.truetype(_folder() / name, size, layout_engine=ImageFont.Layout.BASIC)


@cache
def _folder() -> Path:
    """Find the fonts without importing Matplotlib."""
    spec = find_spec("matplotlib")
    folder = Path(spec.origin or "").parent / "mpl-data" / "fonts" / "ttf" if spec else Path()
    if lacking := [font for font in FONTS if not (folder / font).is_file()]:
        raise DataError(f"{folder} lacks {', '.join(lacking)}; install Matplotlib again.")
    return folder
